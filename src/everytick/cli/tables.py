"""Tables and colours for people; a command takes them in when it draws some, as they are slow to load."""

import os
import sys
from collections.abc import Mapping, Sequence
from textwrap import wrap

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

_GAP = 2
_SAID = 12
_ROOMY = 100
_PIPED = 200
"""The width where there is no screen: nothing is cut off that another program may look for."""


def console() -> Console:
    """Return where tables are written: colours only on a terminal, none under NO_COLOR.

    What others have written is shown as it is: brackets are no colours, and colons no pictures.
    """
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    width = _PIPED if piped else None
    return Console(file=sys.stdout, highlight=False, soft_wrap=False, width=width, markup=False, emoji=False)


def table(*columns: str, right: Sequence[str] = (), clip: Sequence[str] = ()) -> Table:
    """Return an empty table.

    Args:
        columns: Their headings.
        right: Those that are flush right.
        clip: Those that give way where the line is too short; the others stay whole.
    """
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
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
    made = Table(box=None, pad_edge=False, show_header=False, padding=(0, _GAP, 0, 0))
    made.add_column(no_wrap=True, style="dim")
    made.add_column(overflow="fold")
    for name, text in told.items():
        made.add_row(name, Text(text))
    return made


def paragraph(text: str, first: str = "", rest: str | None = None, style: str = "") -> Text:
    """Return a text in lines that fit.

    Args:
        text: What is said.
        first: What stands before its first line.
        rest: What stands before the others; as much room as before the first unless told otherwise.
        style: Its colour.
    """
    rest = " " * len(first) if rest is None else rest
    lines = wrap(text, console().width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return Text("\n".join(lines), style=style)


def headline(name: str, rest: str) -> Text:
    """Return a name that stands out, and what is said of it."""
    return Text.assemble((name, "bold"), "  ", rest)


def clipped(text: str) -> Text:
    """Return a cell that is cut off, rather than broken, where the line is too short."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def styled(word: str, text: str = "") -> Text:
    """Return a word in the colour of its state."""
    return Text(text or word, style=STYLES.get(word, ""))


def ticks_table(rows: Sequence[TickRow], now: Instant) -> Table:
    """Return a table of ticks that fits: long names go on in a second line, what was said is cut off."""
    width = console().width
    with_due = ["due"] if width >= _ROOMY else []
    made = table("tick", "state", *with_due, "late", "took", "said", right=("late", "took"), clip=("said",))
    cells = [
        [present.outcome(row), *([present.ago(row.key.due_at, now)] if with_due else []), present.late(row),
         present.took(row)]
        for row in rows
    ]  # fmt: skip
    heads = ["state", *with_due, "late", "took"]
    taken = sum(max(map(len, column)) + _GAP for column in zip(heads, *cells, strict=True))
    room = width - taken - 2 * _GAP - min(_SAID, max(len("said"), *(len(present.said(row)) for row in rows)))
    for row, (_, *others) in zip(rows, cells, strict=True):
        many = f" and {row.count - 1} more" if row.count > 1 else ""
        made.add_row(
            _broken(tick_name(row.task, row.key.due_at, row.key.request) + many, room),
            styled(row.state.value, present.outcome(row)),
            *others,
            clipped(present.said(row)),
        )
    return made


def _broken(name: str, room: int) -> str:
    """Return a tick's name in lines that fit, the first break before its instant."""
    if len(name) <= room:
        return name
    task, at, instant = name.rpartition("@")
    room = max(room, len(at + instant))
    return "\n".join([*(task[place : place + room] for place in range(0, len(task), room)), at + instant])
