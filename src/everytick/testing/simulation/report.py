"""Many worlds at once, and the table of what fell on which call."""

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from everytick.testing.simulation.faults import EXECUTOR_CALLS, LEDGER_CALLS
from everytick.testing.simulation.play import Played, simulate

Counts = Mapping[tuple[str, str], int]

CRASHES = ("crash before", "crash after")
_KINDS = (*CRASHES, "refused", "in doubt", "paused")


def play_many(seeds: Iterable[int], processes: int) -> tuple[Counter[tuple[str, str]], list[Played]]:
    """Play worlds side by side; return what fell, and the worlds in which a law was broken."""
    counts: Counter[tuple[str, str]] = Counter()
    broken = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for played in pool.map(simulate, seeds, chunksize=8):
            counts.update(played.counts)
            if played.broken:
                broken.append(played)
    return counts, broken


def crashes(counts: Counts) -> int:
    """Return how many crashes there were."""
    return sum(count for (_, kind), count in counts.items() if kind in CRASHES)


def empty_cells(counts: Counts) -> list[tuple[str, str]]:
    """Return the calls and sides on which no crash fell."""
    return [
        (call, kind)
        for call in (*LEDGER_CALLS, *EXECUTOR_CALLS)
        for kind in CRASHES
        if not counts.get((call, kind))
    ]


def table(counts: Counts) -> str:
    """Return the counts as a table: call by kind. An executor neither refuses nor doubts."""
    lines = ["call      " + "".join(f"{kind:>14}" for kind in _KINDS)]
    for call in (*LEDGER_CALLS, *EXECUTOR_CALLS):
        cells = []
        for kind in _KINDS:
            none = call in EXECUTOR_CALLS and kind in {"refused", "in doubt"}
            cells.append(f"{'-' if none else counts.get((call, kind), 0):>14}")
        lines.append(f"{call:<10}" + "".join(cells))
    return "\n".join(lines)
