"""A closer look at what a list gained and lost: a few of the rows, and the list that is held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from everytick.errors import UnknownName
from everytick.feeds.archive.diff import Kind
from everytick.feeds.archive.folder import Archive
from everytick.feeds.archive.snapshot import Held, Snapshot
from everytick.feeds.ask import changes
from everytick.feeds.ask.changes import Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A key that came, went or changed.

    Attributes:
        key: The key.
        before: The other columns as they stood before; empty where the key is new.
        after: The other columns as they stand now; empty where the key is gone.
    """

    key: str
    before: Mapping[str, str]
    after: Mapping[str, str]


def held(data: Path, name: str) -> tuple[Held, Changes]:
    """Return the list that waits for a person, and what would differ if it was published.

    Raises:
        UnknownName: The feed was never refreshed, or no list is held.
        FeedError: A file of its archive is damaged.
    """
    archive = Archive(data, name).known()
    found = archive.held()
    if found is None:
        raise UnknownName(f"no list of feed '{name}' is held; everytick feed show {name} tells how it stands")
    return found, Changes(snapshot=found.snapshot, frame=changes.told(archive, found.snapshot))


def look(data: Path, name: str, found: Changes, kind: Kind, limit: int) -> tuple[Seen, ...]:
    """Return the first keys of one kind with their rows, sorted by key.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        name: The feed's name.
        found: What differs.
        kind: Which keys.
        limit: At most so many.

    Raises:
        FeedError: A file of its archive is damaged.
    """
    keys = found.keys(kind, limit)
    if not keys:
        return ()
    archive, later = Archive(data, name), found.snapshot
    after = {} if kind == "removed" else _rows(archive, later, keys)
    before = {}
    if kind != "added":
        before = _rows(archive, archive.snapshot(later.sequence - 1), keys)
    return tuple(Seen(key=key, before=before.get(key, {}), after=after.get(key, {})) for key in keys)


def _rows(archive: Archive, snapshot: Snapshot, keys: Sequence[str]) -> dict[str, Mapping[str, str]]:
    found = archive.rows(snapshot).filter(pl.col(snapshot.key).is_in(keys)).collect()
    others = found.drop(snapshot.key).iter_rows(named=True)
    return dict(zip(found.get_column(snapshot.key), others, strict=True))
