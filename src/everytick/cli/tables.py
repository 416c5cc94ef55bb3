"""Tables and colours for people; a command takes them in when it draws some, as they are slow to load."""

import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from everytick.cli import present
from everytick.tick import TickRow, tick_name
from everytick.when import Instant

STYLES = {
    "succeeded": "green",
    "failed": "bold red",
    "cancelled": "yellow",
    "skipped": "yellow",
    "running": "cyan",
    "queued": "cyan",
    "planned": "dim",
    "active": "green",
    "paused": "yellow",
    "removed": "dim",
}
"""The colour of a state; the word itself always stands beside it."""


def console() -> Console:
    """Return where tables are written: colours only on a terminal, none under NO_COLOR."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=False)


def table(*columns: str, right: Sequence[str] = (), clip: Sequence[str] = ()) -> Table:
    """Return an empty table.

    Args:
        columns: Their headings.
        right: Those that are flush right.
        clip: Those that give way where the line is too short; the others stay whole.
    """
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold",
            no_wrap=bool(clip) and column not in clip,
        )
    return made


def pairs(told: Mapping[str, str]) -> Table:
    """Return a table of names and what is said of each."""
    made = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    made.add_column(no_wrap=True, style="dim")
    made.add_column(overflow="fold")
    for name, text in told.items():
        made.add_row(name, Text(text))
    return made


def headline(name: str, rest: str) -> Text:
    """Return a name that stands out, and what is said of it."""
    return Text.assemble((name, "bold"), "  ", rest)


def clipped(text: str) -> Text:
    """Return a cell that is cut off, rather than broken, where the line is too short."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def styled(word: str, text: str = "") -> Text:
    """Return a word in the colour of its state."""
    return Text(text or word, style=STYLES.get(word, ""))


def ticks_table(rows: Iterable[TickRow], now: Instant) -> Table:
    """Return a table of ticks."""
    made = table("tick", "state", "due", "late", "took", "said", right=("late", "took"), clip=("said",))
    for row in rows:
        name = tick_name(row.task, row.key.due_at, row.key.request)
        many = f" and {row.count - 1} more" if row.count > 1 else ""
        made.add_row(
            name + many,
            styled(row.state.value, present.outcome(row)),
            present.ago(row.key.due_at, now),
            present.late(row),
            present.took(row),
            clipped(present.said(row)),
        )
    return made
