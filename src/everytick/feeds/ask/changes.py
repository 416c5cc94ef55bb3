"""What an accepted snapshot gained and lost against the one before."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from everytick.errors import UnknownName
from everytick.feeds.archive import content
from everytick.feeds.archive.diff import Kind, difference, first
from everytick.feeds.archive.folder import Archive
from everytick.feeds.archive.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Changes:
    """What differs between a snapshot and the one before; of the first snapshot every key is added.

    Attributes:
        snapshot: The later one; it says how many keys were added, removed and changed.
        frame: A row each: ``key`` and ``kind`` (added, removed or changed), sorted by key.
    """

    snapshot: Snapshot
    frame: pl.DataFrame

    def keys(self, kind: Kind, limit: int | None = None) -> list[str]:
        """Return the keys of one kind, sorted; the first ones if there is a limit."""
        found = self.frame.filter(pl.col("kind") == kind).get_column("key")
        return (found if limit is None else found.head(limit)).to_list()

    def shown(self) -> dict[str, list[str] | int]:
        """Return this as a JSON object: ``added``, ``removed``, ``changed`` and ``snapshot``, its number."""
        kinds: tuple[Kind, ...] = ("added", "removed", "changed")
        return {**{kind: self.keys(kind) for kind in kinds}, "snapshot": self.snapshot.sequence}


def changes(data: Path, name: str, sequence: int | None = None) -> Changes:
    """Return what a snapshot gained and lost.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        name: The feed's name.
        sequence: The snapshot's number; the newest if None.

    Raises:
        UnknownName: The feed has no accepted snapshot, or none of this number.
        FeedError: A file of its archive is damaged.
    """
    archive = Archive(data, name).known()
    sequences = archive.sequences()
    if not sequences:
        raise UnknownName(f"feed '{name}' has no accepted snapshot yet")
    if sequence is not None and sequence not in sequences:
        raise UnknownName(f"feed '{name}' has no snapshot {sequence}; the newest is {sequences[-1]}")
    snapshot = archive.snapshot(sequences[-1] if sequence is None else sequence)
    return Changes(snapshot=snapshot, frame=of(archive, snapshot))


def of(archive: Archive, snapshot: Snapshot) -> pl.DataFrame:
    """Return the keys that a snapshot gained and lost, with their kind, sorted by key."""
    kept = archive.changes(snapshot.sequence)
    return content.read(kept) if kept.exists() else told(archive, snapshot)


def told(archive: Archive, snapshot: Snapshot) -> pl.DataFrame:
    """Return the same, told from the lists themselves; of a list that is held nothing else is kept."""
    after = archive.rows(snapshot)
    if snapshot.sequence == 1:
        return first(after, key=snapshot.key).frame
    last = archive.snapshot(snapshot.sequence - 1)
    before, key, identity = archive.rows(last), snapshot.key, snapshot.identity
    return difference(before, after, key=key, was=last.key, identity=identity).frame
