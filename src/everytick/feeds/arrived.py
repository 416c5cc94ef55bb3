"""The list that arrived: read and checked, and what there is to say of it."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from everytick.feeds.archive import content
from everytick.feeds.archive.journal import Arrival
from everytick.feeds.archive.snapshot import Snapshot
from everytick.feeds.asked import Asked
from everytick.feeds.extract import extract, gzip
from everytick.feeds.feed import Feed
from everytick.feeds.fetch.download import Fetched
from everytick.feeds.judge.check import Checked, check
from everytick.feeds.progress import Progress
from everytick.feeds.refreshed import reading


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrived:
    """The list that arrived, read and checked.

    Attributes:
        fetched: The bytes it was in.
        names: All columns that the source has, in its order.
        as_of: The day that it is of, where it says so.
        keyless: Rows without any key, where the feed says that there may be such.
        columns: The columns that are kept, the key first.
        rows: How many good rows there are.
        checked: The others, and what there is to say of all; its frame is let go of, as it may be large.
        digest: The name of the list that the good rows are.
    """

    fetched: Fetched
    names: tuple[str, ...]
    as_of: date | None
    keyless: int
    columns: tuple[str, ...]
    rows: int
    checked: Checked
    digest: str

    def snapshot(self, feed: Feed, asked: Asked, last: Snapshot | None) -> Snapshot:
        """Return what it would be if it was accepted now, but for its changes and warnings.

        Args:
            feed: How it was read.
            asked: Which refresh it arrived in.
            last: The last good list.
        """
        checked, fetched = self.checked, self.fetched
        return Snapshot(
            sequence=1 if last is None else last.sequence + 1,
            at=asked.moment,
            due_at=asked.due_at,
            tick=asked.tick,
            digest=self.digest,
            key=feed.key,
            columns=self.columns,
            names=self.names,
            identity=feed.identity,
            as_of=self.as_of,
            rows=self.rows,
            invalid=checked.invalid,
            invalid_keys=checked.invalid_keys,
            repeated=checked.repeated,
            keyless=self.keyless,
            prefixes={verdict: each.count for verdict, each in checked.prefixes.items()},
            url=fetched.url,
            redirects=fetched.redirects,
            arrived=arrival(fetched),
            status=fetched.status,
            raw_bytes=fetched.size,
            raw_sha256=fetched.sha256,
            reading=reading(feed),
        )


def arrive(fetched: Fetched, feed: Feed, into: Path, progress: Progress) -> Arrived:
    """Read and check the list that some bytes hold, and put its good rows down as Parquet.

    Args:
        fetched: The bytes.
        feed: What the list looks like.
        into: The file for the good rows, sorted by key.
        progress: Hears of the stages "read" and "check".

    Raises:
        ExtractFailed: They are not the list that the feed describes.
    """
    progress.stage("read")
    body = gzip.unpacked(fetched.path.read_bytes(), feed.size_limit)
    extracted = extract(body, feed, fetched.headers)
    del body  # as large as the list, and no longer needed
    progress.stage("check")
    checked = check(extracted, feed)
    content.keep(checked.frame, into)
    return Arrived(
        fetched=fetched,
        names=extracted.names,
        as_of=extracted.as_of,
        keyless=extracted.keyless,
        columns=tuple(checked.frame.columns),
        rows=checked.frame.height,
        checked=replace(checked, frame=checked.frame.clear()),
        digest=content.digest(into),
    )


def arrival(fetched: Fetched) -> Arrival:
    """Return what came, against the download before."""
    if fetched.not_modified:
        return "not_modified"
    return "same_bytes" if fetched.same_bytes else "other_bytes"


def columns_before(last: Snapshot | None, arrived: Arrived, feed: Feed) -> list[str] | None:
    """Return the columns that the source had when the last good list arrived; None for the first list.

    The key's column is meant by the name it has now. An old archive knows which columns were kept, but not
    their order in the source; they are taken to stand where they stand now.
    """
    if last is None:
        return None
    names = [feed.key if name == last.key else name for name in last.names or last.columns]
    if last.names:
        return names
    return [*(name for name in arrived.names if name in names), *(n for n in names if n not in arrived.names)]
