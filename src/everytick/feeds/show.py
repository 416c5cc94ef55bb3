"""What people ask about a feed: what it holds, how fresh it is, and what came and went."""

from dataclasses import dataclass
from pathlib import Path

from everytick.errors import UnknownName
from everytick.feeds.archive import Archive, Refusal, Snapshot
from everytick.feeds.publish import published
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
        refusal: The last refresh that published nothing, if none was good since.
        path: The published list.
    """

    name: str
    snapshot: Snapshot | None
    published: int | None
    good_at: Instant | None
    refusal: Refusal | None
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
    archive = _archive(data, name)
    snapshot, good, refusal = archive.newest(), archive.good(), archive.refusal()
    moments = [each.at for each in (snapshot, good) if each is not None]
    good_at = max(moments, default=None)
    if refusal is not None and good_at is not None and refusal.at <= good_at:
        refusal = None
    return Shown(
        name=name,
        snapshot=snapshot,
        published=published(archive.folder),
        good_at=good_at,
        refusal=refusal,
        path=archive.folder / "current.csv",
    )


def _archive(data: Path, name: str) -> Archive:
    archive = Archive(data, name)
    if not archive.folder.is_dir():
        raise UnknownName(f"feed '{name}' was never refreshed; everytick feed refresh {name} does it now")
    return archive
