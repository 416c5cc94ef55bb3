"""Figures: what a bench has measured, printed, and kept for the one table of bench/table.py.

A figure is told with the CPU time it took and with a baseline of the same run: the machine may be busy with
other work, and then the wall time says little and the ratio to the baseline much.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

KEPT = "EVERYTICK_FIGURES"
"""The variable that names the file where figures are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that is asked for, and what came of it.

    Attributes:
        ask: What is asked for.
        measured: What was measured.
        cpu: The CPU time it took, where that says more.
        beside: The baseline of the same run.
        met: Whether the ask is met.
        load: The load average of the machine then, over a minute.
    """

    ask: str
    measured: str
    cpu: str
    beside: str
    met: bool
    load: float


class Watch:
    """Wall time and CPU time since it was made, those of children that have ended included."""

    def __init__(self) -> None:
        self._wall, self._cpu = perf_counter(), _cpu()

    @property
    def wall(self) -> float:
        """Seconds on the wall."""
        return perf_counter() - self._wall

    @property
    def cpu(self) -> float:
        """Seconds of CPU."""
        return _cpu() - self._cpu


def _cpu() -> float:
    return sum(os.times()[:4])


def tell(ask: str, measured: str, *, met: bool, cpu: str = "", beside: str = "") -> None:
    """Print a figure, and keep it where the table is made.

    Args:
        ask: What is asked for.
        measured: What was measured.
        met: Whether the ask is met.
        cpu: The CPU time it took.
        beside: The baseline of the same run.
    """
    figure = Figure(
        ask=ask, measured=measured, cpu=cpu, beside=beside, met=met, load=round(os.getloadavg()[0], 1)
    )
    more = "".join(f"; {part}" for part in (cpu and f"CPU {cpu}", beside) if part)
    print(
        f"asked: {ask}: {'met' if met else 'not met'} with {measured}{more} (load {figure.load})", flush=True
    )
    if KEPT in os.environ:
        with Path(os.environ[KEPT]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(figure)) + "\n")


def kept(path: Path) -> list[Figure]:
    """Return the figures that were kept in a file."""
    return [Figure(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]
