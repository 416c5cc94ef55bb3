"""From a list that was found good, or approved, to the list that others read.

Each step is safe to repeat, and the snapshot's note is the one that counts: what a killed process left
undone behind it, the next one does.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from everytick.feeds.archive.diff import Difference
from everytick.feeds.archive.folder import Archive
from everytick.feeds.archive.journal import Entry
from everytick.feeds.archive.publish import copy, forms, publish
from everytick.feeds.archive.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """Where a list goes that was found good.

    Attributes:
        data: The folder that holds everything Everytick keeps beside its ledger.
        formats: The forms in which it is published.
        copies: Files that hold it too, relative to the data folder.
    """

    data: Path
    formats: tuple[str, ...]
    copies: tuple[str, ...]


def accept(archive: Archive, snapshot: Snapshot, differs: Difference, outlet: Outlet) -> Entry:
    """Make a list that is kept a snapshot, and publish it; return what the journal says of it.

    Args:
        archive: Where it is kept; nobody else writes there meanwhile.
        snapshot: What is known of it; its number is new.
        differs: What it gained and lost.
        outlet: Where it goes.
    """
    held = archive.held()
    ended = held.snapshot.digest if held is not None and held.snapshot.digest != snapshot.digest else ""
    changes = differs.frame if snapshot.sequence > 1 else None
    accepted = replace(snapshot, superseded=ended)
    archive.accept(accepted, changes)
    complete(archive, outlet)
    return accepted.entry()


def complete(archive: Archive, outlet: Outlet) -> None:
    """Do what is still to be done after the newest decision: a snapshot accepted, or a list rejected.

    Args:
        archive: Where the snapshots are; nobody else writes there meanwhile.
        outlet: Where the newest one goes.
    """
    newest, held = archive.newest(), archive.held()
    if newest is not None:
        good = next((entry for entry in archive.entries() if entry.good), None)
        behind = good is None or good.sequence != newest.sequence
        as_of = newest.as_of if good is None or behind else good.as_of
        publish(archive, newest, forms(outlet.formats, outlet.copies), as_of)
        for name in outlet.copies:
            copy(archive.folder, outlet.data / name)
        if behind:
            archive.note(newest.entry())
        if held is not None and held.snapshot.sequence <= newest.sequence:
            archive.release()
    if held is not None and (rejection := archive.rejection(held.snapshot.digest)) is not None:
        if next(iter(archive.entries()), None) != rejection:
            archive.note(rejection)
        archive.release()
