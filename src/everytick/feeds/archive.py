"""The accepted snapshots of one feed, as files.

    <data>/feeds/<name>/
      lock                        held while the feed is refreshed
      content/<digest>.parquet    a list, named after its content
      snapshots/000017.json       what is known of an accepted snapshot; written last, it vouches for the rest
      good.json, refused.json     when the list was last found good, and why one was last refused
      current, published/         see ``publish``

A snapshot exists when its file in ``snapshots`` does; each file gets its name only when it is whole and
durable. So a kill at any point leaves the snapshot, or a few bytes that nobody reads.

The lists are files, and no tables of the ledger, on purpose: every tick needs the ledger's one writer, and
half a million rows at once would make all of them wait.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from everytick.errors import FeedError
from everytick.feeds import durable
from everytick.when import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One accepted state of a list.

    Attributes:
        sequence: 1 for the first, then one more each time.
        at: The moment of the refresh that accepted it.
        due_at: The nominal instant of its tick.
        tick: The tick's name; empty where no tick asked.
        digest: BLAKE2b (256 bits, hexadecimal) of the list as CSV, sorted by key: equal lists, equal digests.
        key: The column that names a row.
        columns: All columns, the key first.
        identity: The columns whose difference makes a row count as changed; None for all.
        rows: How many rows it has.
        added: Keys that the snapshot before did not have.
        removed: Keys that only the snapshot before had.
        changed: Keys in both whose identity differs.
        invalid: Rows that were left out because their key is not valid.
        invalid_keys: A few of those keys.
        url: Where it came from, redirects followed, without its query.
        raw_bytes: How many bytes arrived.
        raw_sha256: Their digest, in hexadecimal.
    """

    sequence: int
    at: Instant
    due_at: Instant
    tick: str
    digest: str
    key: str
    columns: tuple[str, ...]
    identity: tuple[str, ...] | None
    rows: int
    added: int
    removed: int
    changed: int
    invalid: int
    invalid_keys: tuple[str, ...]
    url: str
    raw_bytes: int
    raw_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """The last refresh that found the list good, changed or not.

    Attributes:
        at: Its moment.
        tick: Its tick's name; empty where no tick asked.
        sequence: The snapshot that held from then on.
    """

    at: Instant
    tick: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The last refresh that published nothing.

    Attributes:
        at: Its moment.
        tick: Its tick's name; empty where no tick asked.
        kind: The error's name: FetchFailed, ExtractFailed or FeedRefused.
        reason: Why, for people.
    """

    at: Instant
    tick: str
    kind: str
    reason: str


_Note = TypeVar("_Note", Snapshot, Good, Refusal)


class Archive:
    """The snapshots of one feed.

    Args:
        data: The folder that holds everything Everytick keeps beside its ledger.
        name: The feed's name.
    """

    def __init__(self, data: Path, name: str) -> None:
        self.name = name
        self.folder = data / "feeds" / name
        self._snapshots = self.folder / "snapshots"
        self._content = self.folder / "content"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only refresh of this feed for a while; a killed one lets go at once.

        Raises:
            FeedError: Another refresh is under way.
        """
        for folder in (self._snapshots, self._content):
            folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise FeedError(
                    f"feed '{self.name}' is being refreshed by another process; wait for it, or cancel it"
                ) from error
            for folder in (self.folder, self._snapshots, self._content):
                durable.sweep(folder)
                durable.settle(folder.parent)
            yield

    def sequences(self) -> list[int]:
        """Return the numbers of all snapshots, the oldest first."""
        return sorted(int(path.stem) for path in self._snapshots.glob("[0-9]*.json"))

    def snapshot(self, sequence: int) -> Snapshot:
        """Return what is known of one snapshot.

        Raises:
            FeedError: There is none, or its file is damaged.
        """
        found = _read(self._path(sequence), Snapshot)
        if found is None:
            raise FeedError(f"feed '{self.name}' has no snapshot {sequence}")
        return found

    def newest(self) -> Snapshot | None:
        """Return the last accepted snapshot; None where none was accepted yet."""
        sequences = self.sequences()
        return self.snapshot(sequences[-1]) if sequences else None

    def keep(self, snapshot: Snapshot, content: bytes) -> None:
        """Archive an accepted list; only inside ``alone``.

        Args:
            snapshot: What is known of it; its number is new.
            content: The list as Parquet.
        """
        path = self._content / f"{snapshot.digest}.parquet"
        if not path.exists():
            durable.write(path, content)
        durable.write(self._path(snapshot.sequence), _written(snapshot))

    def content(self, snapshot: Snapshot) -> bytes:
        """Return the list of a snapshot as Parquet.

        Raises:
            FeedError: Its file is gone.
        """
        path = self._content / f"{snapshot.digest}.parquet"
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise FeedError(f"{path} is gone: snapshot {snapshot.sequence} of '{self.name}'") from error

    def good(self) -> Good | None:
        """Return the last refresh that found the list good."""
        return _read(self.folder / "good.json", Good)

    def refusal(self) -> Refusal | None:
        """Return the last refresh that published nothing."""
        return _read(self.folder / "refused.json", Refusal)

    def note(self, outcome: Good | Refusal) -> None:
        """Remember how a refresh ended; only inside ``alone``."""
        name = "good.json" if isinstance(outcome, Good) else "refused.json"
        durable.write(self.folder / name, _written(outcome))

    def _path(self, sequence: int) -> Path:
        return self._snapshots / f"{sequence:06d}.json"


def _written(note: Snapshot | Good | Refusal) -> bytes:
    return msgspec.json.format(msgspec.json.encode(note)) + b"\n"


def _read(path: Path, kind: type[_Note]) -> _Note | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise FeedError(f"{path} is damaged ({error}); put it back from a backup, or remove it") from error
