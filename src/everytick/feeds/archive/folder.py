"""What is kept of one feed, as files.

    <data>/feeds/<name>/
      lock                          held while the feed is refreshed, or somebody decides
      content/<digest>.parquet      a list, named after its content
      changes/000017.parquet        the keys that a snapshot gained and lost against the one before
      snapshots/000017.json         what is known of an accepted list; written last, it vouches for the rest
      held.json                     the one list that waits for a person
      rejected/<digest>.json        the word of the person who refused a list for good
      quarantine/<sha256>.parquet   the rows that were left out of a download
      downloads/                    what arrived, see ``downloads``
      journal.jsonl                 how each refresh ended, see ``journal``
      current, published/           what others read, see ``publish``

A snapshot exists when its file in ``snapshots`` does; each file gets its name only when it is whole and
durable. So a kill at any point leaves the snapshot, or bytes that nobody reads until they are removed.

The lists are files, and no tables of the ledger, on purpose: every tick needs the ledger's one writer, and
half a million rows at once would make all of them wait.
"""

import fcntl
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import polars as pl

from everytick.errors import FeedError
from everytick.feeds.archive import content, durable
from everytick.feeds.archive.journal import Entry
from everytick.feeds.archive.record import Record
from everytick.feeds.archive.snapshot import Held, Snapshot


class Archive(Record):
    """What is kept of one feed.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        name: The feed's name.
    """

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one who writes for a while; a killed one lets go at once.

        Raises:
            FeedError: Somebody else does.
        """
        folders = (self._snapshots, self._content, self._changes, self._quarantine, self._rejected)
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise FeedError(
                    f"feed '{self.name}' is being refreshed by another process; wait for it, or cancel it"
                ) from error
            for folder in (self.folder, *folders):
                durable.sweep(folder)
                durable.settle(folder.parent)
            if not self._journal.path.exists():
                self._journal.begin(self._adopted())
            yield

    def rows(self, snapshot: Snapshot) -> pl.LazyFrame:
        """Return the list of a snapshot, or of one that is held: sorted by key, the key first.

        Raises:
            FeedError: Its file is gone or damaged.
        """
        path = self.content(snapshot)
        if not path.exists():
            raise FeedError(
                f"{path} is gone: snapshot {snapshot.sequence} of '{self.name}'; "
                f"as many lists are kept as feed.{self.name}.keep_snapshots says"
            )
        return content.verified(path, snapshot.digest, snapshot.kept)

    def note(self, entry: Entry) -> None:
        """Write a line into the journal; only inside ``alone``, as all that follows."""
        self._journal.append(entry)

    @property
    def arrived(self) -> Path:
        """The file for a list, as Parquet, while nobody knows what will become of it."""
        return durable.aside(self._content / "arrived.parquet")

    def take(self, snapshot: Snapshot) -> Snapshot:
        """Keep the list that arrived; return its snapshot with the digest of the file that holds it."""
        kept = content.file_digest(self.arrived)
        durable.name(self.arrived, self.content(snapshot))
        return replace(snapshot, kept=kept)

    def accept(self, snapshot: Snapshot, changes: pl.DataFrame | None) -> None:
        """Make a list that is kept a snapshot.

        Args:
            snapshot: What is known of it; its number is new.
            changes: The keys that it gained and lost, with their kind; None for the first list.
        """
        if changes is not None:
            durable.make(self.changes(snapshot.sequence), partial(content.keep, changes))
        durable.write(self._snapshot(snapshot.sequence), _written(snapshot))

    def quarantined(self, raw_sha256: str, rows: pl.DataFrame) -> None:
        """Keep the rows that were left out of a download, in place of those of an earlier reading."""
        if rows.height:
            durable.make(self.quarantine(raw_sha256), partial(content.keep, rows))
        else:
            durable.remove(self.quarantine(raw_sha256))

    def hold(self, held: Held) -> None:
        """Let a list that is kept wait for a person, in place of any other."""
        durable.write(self._held, _written(held))

    def reject(self, entry: Entry) -> None:
        """Refuse a list for good."""
        durable.write(self._rejection(entry.digest), _written(entry))

    def release(self) -> None:
        """Let no list wait any more."""
        durable.remove(self._held)

    def prune(self, downloads: Collection[str], snapshots: int) -> None:
        """Remove lists that nobody vouches for any more, and what was left out of downloads that are gone.

        Args:
            downloads: The digests of those that are kept.
            snapshots: How many of the newest lists are kept, beside the first and the one that is held.
        """
        held, sequences = self.held(), self.sequences()
        vouched = [self.snapshot(sequence) for sequence in {*sequences[:1], *sequences[-snapshots:]}]
        digests = {each.digest for each in (*vouched, *([held.snapshot] if held else []))}
        for folder, needed in ((self._content, digests), (self._quarantine, downloads)):
            for path in folder.glob("*.parquet"):
                if path.stem not in needed:
                    path.unlink()


def _written(note: Snapshot | Held | Entry) -> bytes:
    return msgspec.json.format(msgspec.json.encode(note)) + b"\n"
