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
from pathlib import Path
from typing import Self, TypeVar

import msgspec
import polars as pl

from everytick.errors import FeedError, UnknownName
from everytick.feeds import content, durable
from everytick.feeds.adopt import adopted
from everytick.feeds.journal import Entry, Journal
from everytick.feeds.snapshot import Held, Snapshot

_Note = TypeVar("_Note", Snapshot, Held, Entry)


class Archive:
    """What is kept of one feed.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        name: The feed's name.
    """

    def __init__(self, data: Path, name: str) -> None:
        self.name = name
        self.folder = data / "feeds" / name
        self._snapshots = self.folder / "snapshots"
        self._content = self.folder / "content"
        self._changes = self.folder / "changes"
        self._quarantine = self.folder / "quarantine"
        self._rejected = self.folder / "rejected"
        self._held = self.folder / "held.json"
        self._journal = Journal(self.folder / "journal.jsonl")

    def known(self) -> Self:
        """Return this archive.

        Raises:
            UnknownName: There is nothing in it.
        """
        if not self.folder.is_dir():
            raise UnknownName(
                f"feed '{self.name}' was never refreshed; everytick feed refresh {self.name} does it now"
            )
        return self

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

    def sequences(self) -> list[int]:
        """Return the numbers of all snapshots, the oldest first."""
        return sorted(int(path.stem) for path in self._snapshots.glob("[0-9]*.json"))

    def snapshot(self, sequence: int) -> Snapshot:
        """Return what is known of one snapshot.

        Raises:
            FeedError: There is none, or its file is damaged.
        """
        found = _read(self._snapshot(sequence), Snapshot)
        if found is None:
            raise FeedError(f"feed '{self.name}' has no snapshot {sequence}")
        return found

    def snapshots(self) -> list[Snapshot]:
        """Return what is known of all snapshots, the oldest first."""
        return [self.snapshot(sequence) for sequence in self.sequences()]

    def newest(self) -> Snapshot | None:
        """Return the last accepted snapshot; None where none was accepted yet."""
        sequences = self.sequences()
        return self.snapshot(sequences[-1]) if sequences else None

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

    def content(self, snapshot: Snapshot) -> Path:
        """Return the file that holds the list of a snapshot."""
        return self._content / f"{snapshot.digest}.parquet"

    def changes(self, sequence: int) -> Path:
        """Return the file with the keys that a snapshot gained and lost; the first one has none."""
        return self._changes / f"{sequence:06d}.parquet"

    def quarantine(self, raw_sha256: str) -> Path:
        """Return the file with the rows that were left out of a download; there is none where none were."""
        return self._quarantine / f"{raw_sha256}.parquet"

    def held(self) -> Held | None:
        """Return the list that waits for a person."""
        return _read(self._held, Held)

    def rejection(self, digest: str) -> Entry | None:
        """Return the word of the person who refused a list for good, if somebody did."""
        return _read(self._rejection(digest), Entry)

    def entries(self) -> Iterator[Entry]:
        """Yield what the journal says, the newest entry first.

        Raises:
            FeedError: A line is damaged.
        """
        return iter(self._journal) if self._journal.path.exists() else reversed(self._adopted())

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
            durable.make(self.changes(snapshot.sequence), changes.write_parquet)
        durable.write(self._snapshot(snapshot.sequence), _written(snapshot))

    def quarantined(self, raw_sha256: str, rows: pl.DataFrame) -> None:
        """Keep the rows that were left out of a download."""
        if rows.height:
            durable.make(self.quarantine(raw_sha256), rows.write_parquet)

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

    def _adopted(self) -> list[Entry]:
        return adopted(self.folder, [snapshot.entry() for snapshot in self.snapshots()])

    def _snapshot(self, sequence: int) -> Path:
        return self._snapshots / f"{sequence:06d}.json"

    def _rejection(self, digest: str) -> Path:
        return self._rejected / f"{digest}.json"


def _written(note: Snapshot | Held | Entry) -> bytes:
    return msgspec.json.format(msgspec.json.encode(note)) + b"\n"


def _read(path: Path, kind: type[_Note]) -> _Note | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise FeedError(f"{path} is damaged ({error}); put it back from a backup, or remove it") from error
