"""The page of a run, docs/reference/peers.md: the tables of the run in the words of page.md."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from peers.burst import PATIENCE
from peers.cell import PERIOD
from peers.crash import BETWEEN, WITHIN, WITHIN_QUICK
from peers.goals import goals
from peers.results import Results, burst_of
from peers.roster import ALL, ROWS, Row
from peers.words import burst_cells, crash_cells


def text(results: Results) -> str:
    """Return the page of a run."""
    words = Path(__file__).with_suffix(".md").read_text("utf-8")
    return words.format(
        date=results.date,
        machine=results.machine,
        versions=", ".join(f"{name} {version}" for name, version in results.versions.items()),
        remark=results.remark,
        goals=_goals(results),
        crashes=_crashes(results),
        settings=_table(("scheduler", "settings"), [(_name(row), row.settings) for row in ROWS]),
        period=PERIOD,
        patience=int(PATIENCE),
        between=BETWEEN,
        within=WITHIN,
        quick=f"{WITHIN_QUICK:,}",
        **{f"bursts_{size}": _bursts(results, size) for size in ALL},
    )


def _goals(results: Results) -> str:
    rows = [(goal.ask, goal.found, "yes" if goal.met else "**no**") for goal in goals(results)]
    return _table(("asked for", "measured", "met"), rows)


def _bursts(results: Results, size: int) -> str:
    rows = []
    for row in ROWS:
        for bursts, word in ((results.bursts, ""), (results.again, ", again at the end")):
            burst = burst_of(bursts, row.key, size)
            if burst:
                rows.append((_name(row) + word, row.keeps, row.arrival, *burst_cells(burst)))
    heads = (
        "scheduler",
        "keeps schedules in",
        "arrival",
        "p50",
        "p99",
        "latest",
        "arrived",
        "CPU",
        "load",
        "stolen",
    )
    return _table(heads, rows)


def _crashes(results: Results) -> str:
    rows = []
    for row in ROWS:
        found = {one.kind: one for one in results.crashes if one.row == row.key}
        if found:
            cells = crash_cells(found.get("between")) + crash_cells(found.get("within"))
            rows.append((_name(row), *cells))
    names = ("lost", "doubled", "again")
    return _table(("scheduler", "between bursts: due", *names, "within one: due", *names), rows)


def _name(row: Row) -> str:
    return row.title if row.environment else f"**{row.title}**"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
