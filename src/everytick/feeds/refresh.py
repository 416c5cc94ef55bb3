"""The one path of a refresh: fetch, extract, check, diff, guard, archive, publish.

Given the same bytes, the same last snapshot and the same moment, it does the same. A list that is refused
leaves the last good one published.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import polars as pl

from everytick.clock import Clock, SystemClock
from everytick.errors import FeedError, FeedRefused
from everytick.feeds import content, section
from everytick.feeds.archive import Archive, Good, Refusal, Snapshot
from everytick.feeds.diff import Difference, difference
from everytick.feeds.downloads import Downloads
from everytick.feeds.extract import extract, gzip
from everytick.feeds.feed import Feed
from everytick.feeds.fetch import Fetched, fetch
from everytick.feeds.guard import Facts, objections
from everytick.feeds.isin import are_isins
from everytick.feeds.publish import copy, publish, published
from everytick.tick import Tick
from everytick.when import Instant, instant_of

_EXAMPLES = 20
_NONE = Difference(added=(), removed=(), changed=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """How a refresh ended that was not refused.

    Attributes:
        verdict: ``published``: there is a new snapshot. ``unchanged``: the list is the last good one.
        sequence: The snapshot that is current now.
        rows: How many rows it has.
        added: Keys that the snapshot before did not have.
        removed: Keys that only the snapshot before had.
        changed: Keys in both whose identity differs.
        invalid: Rows that were left out because their key is not valid.
    """

    verdict: Literal["published", "unchanged"]
    sequence: int
    rows: int
    added: int = 0
    removed: int = 0
    changed: int = 0
    invalid: int = 0

    def summary(self) -> dict[str, str | int]:
        """Return this as the JSON object that a tick keeps as its result."""
        return {
            "verdict": self.verdict,
            "rows": self.rows,
            "added": self.added,
            "removed": self.removed,
            "changed": self.changed,
            "invalid": self.invalid,
            "snapshot": self.sequence,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Which refresh this is."""

    moment: Instant
    due_at: Instant
    tick: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrived:
    """The list that arrived: rows with a valid key, sorted by it; and the keys that are not valid."""

    fetched: Fetched
    frame: pl.DataFrame
    invalid: pl.Series
    csv: bytes
    digest: str


def run(tick: Tick, *, name: str, feed: Mapping[str, Any], data: str) -> dict[str, str | int]:
    """Refresh a feed as the work of a tick; a worker process calls this.

    Args:
        tick: The tick.
        name: The feed's name.
        feed: The feed's own keys, as in its ``[feed.NAME]`` table.
        data: The folder that holds everything Everytick keeps beside its ledger.

    Raises:
        FeedError: Nothing was published; the message is the reason.
    """
    described, _ = section.read(name, feed)
    due_at, now = instant_of(tick.due_at), _clock().now()
    return refresh(described, Path(data), moment=now, due_at=due_at, tick=tick.name).summary()


def refresh(
    feed: Feed, data: Path, *, moment: Instant, due_at: Instant | None = None, tick: str = ""
) -> Refreshed:
    """Download a list and publish it, if it is one to believe.

    Safe to repeat: what a killed refresh left half done is completed first, and a tick that is run again
    after it published its list reports the same result.

    Args:
        feed: The feed.
        data: The folder that holds everything Everytick keeps beside its ledger.
        moment: Now.
        due_at: The nominal instant, where it is another.
        tick: The name of the tick that asked.

    Raises:
        FeedError: Nothing was published, and the last good list still is: another refresh is under way, or a
            folder cannot be written.
        FetchFailed: The same, and noted: the list did not arrive whole.
        ExtractFailed: The same, and noted: what arrived is not the list that the feed describes.
        FeedRefused: The same, and noted: it is a list, but not one to believe.
    """
    asked = _Asked(moment=moment, due_at=moment if due_at is None else due_at, tick=tick)
    archive = Archive(data, feed.name)
    try:
        with archive.alone():
            last = archive.newest()
            if last is not None:
                _complete(archive, last)
            try:
                refreshed = _refreshed(feed, archive, last, asked)
            except FeedError as error:
                archive.note(Refusal(at=moment, tick=tick, kind=type(error).__name__, reason=str(error)))
                raise
            for name in feed.publish:
                copy(archive.folder, data / name)
            archive.note(Good(at=moment, tick=tick, sequence=refreshed.sequence))
            return refreshed
    except OSError as error:
        raise FeedError(f"feed '{feed.name}' cannot be kept in {archive.folder}: {error}") from error


@cache
def _clock() -> Clock:
    return SystemClock()


def _complete(archive: Archive, last: Snapshot) -> None:
    """Publish what a killed refresh accepted but did not get to publish."""
    if published(archive.folder) != last.sequence:
        frame = content.from_parquet(archive.content(last), last.digest)
        publish(archive.folder, last, content.as_csv(frame))


def _refreshed(feed: Feed, archive: Archive, last: Snapshot | None, asked: _Asked) -> Refreshed:
    arrived = _arrive(feed, archive, asked.moment)
    same = last is not None and last.digest == arrived.digest
    before = arrived.frame if same else _before(archive, last, feed)
    differs = _NONE if same else _differs(feed, before, arrived.frame)
    against = objections(_facts(feed, arrived, before, differs), feed)
    if against:
        raise FeedRefused("; ".join(against))
    if last is not None and same:
        return _again(last, asked, len(arrived.invalid))
    snapshot = _snapshot(feed, asked, arrived, differs, 1 if last is None else last.sequence + 1)
    archive.keep(snapshot, content.as_parquet(arrived.frame))
    publish(archive.folder, snapshot, arrived.csv)
    return _published(snapshot)


def _arrive(feed: Feed, archive: Archive, moment: Instant) -> _Arrived:
    downloads = Downloads(archive.folder / "downloads")
    fetched = fetch(feed, downloads, now=moment)
    body = gzip.unpacked(fetched.path.read_bytes(), feed.size_limit)
    whole = extract(body, feed, fetched.headers).frame
    downloads.prune(feed.keep_downloads)
    keys = whole.get_column(feed.key)
    valid = are_isins(keys) if feed.check == "isin" else keys != ""
    frame = whole.filter(valid).sort(feed.key)
    text = content.as_csv(frame)
    return _Arrived(
        fetched=fetched, frame=frame, invalid=keys.filter(~valid), csv=text, digest=content.digest(text)
    )


def _before(archive: Archive, last: Snapshot | None, feed: Feed) -> pl.DataFrame | None:
    if last is None:
        return None
    frame = content.from_parquet(archive.content(last), last.digest)
    return frame.rename({last.key: feed.key})


def _differs(feed: Feed, before: pl.DataFrame | None, after: pl.DataFrame) -> Difference:
    """Return what differs; of the first list ever everything is added."""
    return difference(
        after.clear() if before is None else before, after, key=feed.key, identity=feed.identity
    )


def _facts(feed: Feed, arrived: _Arrived, before: pl.DataFrame | None, differs: Difference) -> Facts:
    frame, keys = arrived.frame, arrived.frame.get_column(feed.key)
    columns = [] if before is None or feed.columns is not None else before.columns
    return Facts(
        rows=frame.height,
        invalid=len(arrived.invalid),
        invalid_keys=_few(arrived.invalid),
        repeated=frame.height - keys.n_unique(),
        repeated_keys=_few(keys.filter(keys.is_duplicated())),
        gone_columns=[name for name in columns if name not in frame.columns],
        before=None if before is None else before.height,
        removed=len(differs.removed),
        changed=len(differs.changed),
    )


def _snapshot(feed: Feed, asked: _Asked, arrived: _Arrived, differs: Difference, sequence: int) -> Snapshot:
    return Snapshot(
        sequence=sequence,
        at=asked.moment,
        due_at=asked.due_at,
        tick=asked.tick,
        digest=arrived.digest,
        key=feed.key,
        columns=tuple(arrived.frame.columns),
        identity=feed.identity,
        rows=arrived.frame.height,
        added=len(differs.added),
        removed=len(differs.removed),
        changed=len(differs.changed),
        invalid=len(arrived.invalid),
        invalid_keys=_few(arrived.invalid),
        url=arrived.fetched.url,
        raw_bytes=arrived.fetched.size,
        raw_sha256=arrived.fetched.sha256,
    )


def _again(last: Snapshot, asked: _Asked, invalid: int) -> Refreshed:
    """Say that the list is the last good one; to the tick that published it, that it is published."""
    if asked.tick and asked.tick == last.tick:
        return _published(last)
    return Refreshed(verdict="unchanged", sequence=last.sequence, rows=last.rows, invalid=invalid)


def _published(snapshot: Snapshot) -> Refreshed:
    return Refreshed(
        verdict="published",
        sequence=snapshot.sequence,
        rows=snapshot.rows,
        added=snapshot.added,
        removed=snapshot.removed,
        changed=snapshot.changed,
        invalid=snapshot.invalid,
    )


def _few(keys: pl.Series) -> tuple[str, ...]:
    return tuple(keys.head(_EXAMPLES))
