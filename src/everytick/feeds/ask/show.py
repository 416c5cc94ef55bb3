"""What people ask about a feed: what it holds, how fresh it is, and what came of it lately."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from everytick.feeds.archive.journal import Entry
from everytick.feeds.archive.record import Record
from everytick.feeds.archive.snapshot import Held, Snapshot
from everytick.when import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The state of a feed.

    Attributes:
        name: The feed.
        snapshot: The newest accepted snapshot; None where none was accepted yet.
        published: The number of the snapshot that readers see; behind the newest only between a killed
            refresh and the next one.
        good_at: When the list was last found good, changed or not.
        as_of: The day that the list is of, where it says so: the newest one that was found good.
        last: How the newest refresh ended, or what a person decided since; None where there was none yet.
        refusal: The newest refresh that published nothing, if none was good since.
        held: The list that waits for a person's approval.
        path: The published list.
    """

    name: str
    snapshot: Snapshot | None
    published: int | None
    good_at: Instant | None
    as_of: date | None
    last: Entry | None
    refusal: Entry | None
    held: Held | None
    path: Path


def show(data: Path, name: str) -> Shown:
    """Return the state of a feed; reads only, beside a refresh or not.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        name: The feed's name.

    Raises:
        UnknownName: It was never refreshed.
        FeedError: A file of its archive is damaged.
    """
    record = Record(data, name).known()
    snapshot = record.newest()
    last = refusal = good = None
    for entry in record.entries():
        last = last or entry
        if entry.good:
            good = entry
            break
        refusal = refusal or (entry if entry.act != "rejected" else None)
    return Shown(
        name=name,
        snapshot=snapshot,
        published=record.published(),
        good_at=max((each.at for each in (snapshot, good) if each is not None), default=None),
        as_of=good.as_of if good else None,
        last=last,
        refusal=refusal,
        held=record.held(),
        path=record.folder / "current.csv",
    )


def entries(
    data: Path,
    name: str,
    *,
    since: Instant | None = None,
    until: Instant | None = None,
    limit: int | None = None,
) -> tuple[Entry, ...]:
    """Return how refreshes ended and what people decided, the newest first.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        name: The feed's name.
        since: Only from this moment on.
        until: Only before this moment.
        limit: At most so many.

    Raises:
        UnknownName: It was never refreshed.
        FeedError: A line of its journal is damaged.
    """
    found = list[Entry]()
    for entry in Record(data, name).known().entries():
        if limit is not None and len(found) >= limit:
            break
        if (since is None or entry.at >= since) and (until is None or entry.at < until):
            found.append(entry)
    return tuple(found)
