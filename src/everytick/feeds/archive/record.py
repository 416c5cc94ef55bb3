"""What is written down of a feed, without the lists themselves: those take a library that is slow to load."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from everytick.errors import FeedError, UnknownName
from everytick.feeds.archive.adopt import adopted
from everytick.feeds.archive.journal import Entry, Journal
from everytick.feeds.archive.snapshot import Held, Snapshot

_Note = TypeVar("_Note", Snapshot, Held, Entry)


class Record:
    """What is written down of one feed, to be read; ``folder`` says which file is which.

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

    def sequences(self) -> list[int]:
        """Return the numbers of all snapshots, the oldest first."""
        return sorted(int(path.stem) for path in self._snapshots.glob("*.json") if path.stem.isdecimal())

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

    def published(self) -> int | None:
        """Return the number of the snapshot that readers see; None where they see none."""
        try:
            return int((self.folder / "current").readlink().name)
        except (OSError, ValueError):  # it is not there, or somebody put something else in its place
            return None

    def _adopted(self) -> list[Entry]:
        return adopted(self.folder, [snapshot.entry() for snapshot in self.snapshots()])

    def _snapshot(self, sequence: int) -> Path:
        return self._snapshots / f"{sequence:06d}.json"

    def _rejection(self, digest: str) -> Path:
        return self._rejected / f"{digest}.json"


def _read(path: Path, kind: type[_Note]) -> _Note | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FeedError(f"{path} is damaged ({error}); put it back from a backup, or remove it") from error
