"""The lists in the live view of `up`: a row each; below it what was refused or held, and what is served."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from everytick.cli import present, tables
from everytick.cli.verdict import act, briefly, plain
from everytick.errors import EverytickError
from everytick.feeds.archive.journal import Entry
from everytick.feeds.ask.show import Shown, entries, show
from everytick.when import Instant

_LATELY = 30
"""A trouble is remembered for so many lines of the journal."""

_REASON = 2
"""A reason has so many lines."""


class Lists:
    """The lists as they stand at a moment.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        names: The feeds.
        now: The moment.
    """

    def __init__(self, data: Path, names: Sequence[str], now: Instant) -> None:
        self._data = data
        self._names = names
        self._now = now

    def draw(self, width: int) -> list[RenderableType]:
        """Return what there is to see; nothing where there is no feed.

        Args:
            width: How long a line is.
        """
        if not self._names:
            return []
        table = tables.table(
            "list", "rows", "of", "gained", "lost", "changed", "good", right=("rows",), clip=("list",)
        )
        notes: list[RenderableType] = []
        for name in self._names:
            try:
                found = show(self._data, name)
            except EverytickError:
                table.add_row(tables.clipped(name), "-", "-", "-", "-", "-", "never yet")
                continue
            self._row(table, name, found)
            notes += self._notes(name, found, width)
        return [table, *notes]

    def _row(self, table: Table, name: str, found: Shown) -> None:
        snapshot = found.snapshot
        if snapshot is None:
            table.add_row(tables.clipped(name), "-", "-", "-", "-", "-", "never yet")
            return
        table.add_row(
            tables.clipped(f"{name} #{snapshot.sequence}"),
            f"{snapshot.rows:,}",
            str(found.as_of or "-"),
            f"+{snapshot.added:,}",
            f"-{snapshot.removed:,}",
            f"~{snapshot.changed:,}",
            present.ago(found.good_at, self._now),
        )

    def _notes(self, name: str, found: Shown, width: int) -> list[RenderableType]:
        """Say what was refused or is held, and that the last good list is served all the same."""
        told: list[RenderableType] = []
        held, refusal = found.held, found.refusal
        if refusal is not None and not (held and refusal.act == "held"):
            told.append(self._against(name, refusal, width))
        if held is not None:
            reason = f"{name} held {present.ago(held.snapshot.at, self._now)}: {'; '.join(held.reasons)}"
            told.append(_cut(reason, width, "yellow"))
            told.append(_cut(f"  everytick feed held {name} shows it; then approve or reject it", width, ""))
        if told:
            told.append(_cut(f"  {_served(found, self._now)}", width, "green" if found.snapshot else ""))
        elif trouble := self._trouble(name):
            since = f"{name} good again, but {present.ago(trouble.at, self._now)} {act(trouble)}"
            told.append(_cut(f"{since}: {briefly(trouble.reason)}", width, "dim"))
        return told

    def _against(self, name: str, entry: Entry, width: int) -> Text:
        return _cut(
            f"{name} {act(entry)} {present.ago(entry.at, self._now)}: {briefly(entry.reason)}", width, "red"
        )

    def _trouble(self, name: str) -> Entry | None:
        """Return what was refused or held last, where that is not long ago."""
        lately = entries(self._data, name, limit=_LATELY)
        return next((entry for entry in lately if not entry.good and entry.act != "rejected"), None)


def still_served(data: Path, name: str, now: Instant) -> str:
    """Return what readers of a feed have meanwhile; empty where nobody can tell."""
    try:
        return _served(show(data, name), now)
    except EverytickError:
        return ""


def _served(found: Shown, now: Instant) -> str:
    snapshot = found.snapshot
    if snapshot is None:
        return "there is no good list yet, so nothing is served"
    of = f" of {found.as_of}" if found.as_of else ""
    good = present.ago(found.good_at, now)
    return f"still served: #{snapshot.sequence}{of}, {snapshot.rows:,} rows, last found good {good}"


def _cut(text: str, width: int, style: str) -> Text:
    """Return a text in a few lines, below each other; what is too long for these is cut off."""
    text = plain(text)
    room = (width - 1) * _REASON
    return Text(text if len(text) <= room else f"{text[: room - 3].rstrip()}...", style=style)
