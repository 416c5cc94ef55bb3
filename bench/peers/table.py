"""The table on the terminal: a line for each cell as it comes, all of them at the end."""

from rich.console import Console
from rich.table import Table

from peers.burst import Burst
from peers.crash import Crash
from peers.results import Results, burst_of
from peers.roster import ALL, ROWS, Row
from peers.words import burst_cells, crash_cells

TITLES = {row.key: row.title for row in ROWS}


def tell_burst(console: Console, burst: Burst) -> None:
    """Print a line on a burst."""
    p50, p99, most, arrived, *_ = burst_cells(burst)
    told = f"p50 {p50}  p99 {p99}  latest {most}  {arrived}" if burst.lateness else arrived
    console.print(f"  {TITLES[burst.row]}, {burst.tasks:,} at once: {told}", highlight=False)


def tell_crash(console: Console, crash: Crash) -> None:
    """Print a line on a crash."""
    due, lost, doubled, again = crash_cells(crash)
    told = f"{due} due, lost {lost}, doubled {doubled}, again {again}" if crash.losses else lost
    where = "between bursts" if crash.kind == "between" else f"in a burst, {crash.arrived:,} of it arrived"
    console.print(f"  {TITLES[crash.row]}, killed {where}: {told}", highlight=False)


def tell(console: Console, results: Results) -> None:
    """Print the tables of a run."""
    for table in (*(_bursts(results, tasks) for tasks in ALL), _crashes(results)):
        if table.row_count:
            console.print(table)


def _bursts(results: Results, tasks: int) -> Table:
    table = Table(title=f"{tasks:,} tasks due in the same instant, twice", title_justify="left")
    table.add_column("scheduler")
    table.add_column("keeps schedules in")
    for name in ("p50", "p99", "latest", "arrived", "CPU", "load", "stolen"):
        table.add_column(name, justify="right", no_wrap=name in {"p50", "p99", "latest"})
    for row in ROWS:
        for bursts, word in ((results.bursts, ""), (results.again, " (again, last)")):
            burst = burst_of(bursts, row.key, tasks)
            if burst is not None:
                table.add_row(row.title + word, row.keeps, *burst_cells(burst), style=_style(row))
    return table


def _crashes(results: Results) -> Table:
    title = "Killed with -9 and started again: between bursts, and within one"
    table = Table(title=title, title_justify="left")
    table.add_column("scheduler")
    for where in ("between", "within"):
        for name in (f"{where}: due", "lost", "doubled", "again"):
            table.add_column(name, justify="right")
    for row in ROWS:
        found = {one.kind: one for one in results.crashes if one.row == row.key}
        if found:
            cells = crash_cells(found.get("between")) + crash_cells(found.get("within"))
            table.add_row(row.title, *cells, style=_style(row))
    return table


def _style(row: Row) -> str:
    return "" if row.environment else "bold"
