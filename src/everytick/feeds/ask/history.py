"""Where a list has been: the life of a key, and the list as it stood at a day or a moment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl

from everytick.errors import UnknownName
from everytick.feeds.archive import content
from everytick.feeds.archive.diff import Kind
from everytick.feeds.archive.folder import Archive
from everytick.feeds.archive.snapshot import Snapshot
from everytick.feeds.ask import changes
from everytick.tick import rfc3339
from everytick.when import Instant, moment_of

Began = Literal["added", "back", "changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When something came to be so.

    Attributes:
        sequence: The snapshot with which it did.
        at: When that was accepted: when it was known.
        as_of: The day that its list is of, where it says so: when it was so.
    """

    sequence: int
    at: Instant
    as_of: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time for which a key stood in the list with the same identity.

    Attributes:
        key: The key.
        since: Its begin.
        began: Whether the key was new to the list, came back to it, or only its identity changed.
        until: Its end, the first moment when it was no longer so; None while it lasts.
        ended: Whether the key left the list, or its identity changed; None while it lasts.
        row: The other columns as they stood at its begin; empty where that list is no longer kept whole.
    """

    key: str
    since: Moment
    began: Began
    until: Moment | None = None
    ended: Literal["removed", "changed"] | None = None
    row: Mapping[str, str]


def history(data: Path, name: str, key: str) -> tuple[Span, ...]:
    """Return the life of a key, the oldest span first; empty for a key that never stood in the list.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        name: The feed's name.
        key: The key, as it stands in the list.

    Raises:
        UnknownName: The feed has no accepted snapshot.
        FeedError: A file of its archive is damaged.
    """
    archive = Archive(data, name).known()
    spans: list[Span] = []
    for snapshot in _accepted(archive):
        kind = _kind(archive, snapshot, key)
        if kind is None:
            continue
        moment = Moment(sequence=snapshot.sequence, at=snapshot.at, as_of=snapshot.as_of)
        if kind != "added" and spans:
            ended: Literal["removed", "changed"] = "removed" if kind == "removed" else "changed"
            spans[-1] = replace(spans[-1], until=moment, ended=ended)
        if kind != "removed":
            began: Began = "back" if kind == "added" and spans else kind
            row = _row(archive, snapshot, key)
            spans.append(Span(key=key, since=moment, began=began, row=row))
    return tuple(spans)


def snapshots(data: Path, name: str) -> tuple[Snapshot, ...]:
    """Return all accepted snapshots, the oldest first.

    Raises:
        UnknownName: The feed was never refreshed.
        FeedError: A file of its archive is damaged.
    """
    return tuple(Archive(data, name).known().snapshots())


def as_of(data: Path, name: str, when: date | Instant, *, known: Instant | None = None) -> Snapshot:
    """Return the snapshot that holds the list as it stood at a day, or as readers saw it at a moment.

    A day is compared with the day that a list says it is of; with the day of its acceptance, in UTC, where it
    says none. Of several lists of one day the one counts that was accepted last: it corrects the others.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        name: The feed's name.
        when: The day, or the moment.
        known: Only what was accepted by this moment counts: what was then known of that day.

    Raises:
        UnknownName: There was no list yet.
        FeedError: A file of its archive is damaged.
    """
    accepted = _accepted(Archive(data, name).known())
    by = when if isinstance(when, int) else known
    if by is not None:
        accepted = [each for each in accepted if each.at <= by]
    if isinstance(when, date):
        accepted = sorted((each for each in accepted if _day(each) <= when), key=_day)
    if not accepted:
        then = when.isoformat() if isinstance(when, date) else rfc3339(when)
        raise UnknownName(f"feed '{name}' had no list yet, as of {then}")
    return accepted[-1]


def listing(data: Path, name: str, snapshot: Snapshot) -> pl.DataFrame:
    """Return the list of a snapshot: text columns, the key first, sorted by it.

    Raises:
        FeedError: Its file is damaged or gone.
    """
    return Archive(data, name).rows(snapshot).collect()


def _accepted(archive: Archive) -> list[Snapshot]:
    found = archive.snapshots()
    if not found:
        raise UnknownName(f"feed '{archive.name}' has no accepted snapshot yet")
    return found


def _kind(archive: Archive, snapshot: Snapshot, key: str) -> Kind | None:
    """Return what a snapshot brought for a key."""
    if snapshot.sequence == 1:
        return "added" if content.find(archive.content(snapshot), snapshot.key, key).height else None
    kept = archive.changes(snapshot.sequence)
    if kept.exists():
        found = content.find(kept, "key", key)
    else:
        found = changes.of(archive, snapshot).filter(pl.col("key") == key)
    return found.item(0, "kind") if found.height else None


def _row(archive: Archive, snapshot: Snapshot, key: str) -> Mapping[str, str]:
    if not archive.content(snapshot).exists():
        return {}
    found = content.find(archive.content(snapshot), snapshot.key, key).drop(snapshot.key)
    return found.row(0, named=True)


def _day(snapshot: Snapshot) -> date:
    return snapshot.as_of or moment_of(snapshot.at).date()
