"""What every refresh and every decision came to: one line each, in ``journal.jsonl``, never changed again.

A line counts when its end is there. What a killed writer left behind it is cut off by the next one.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from everytick.errors import FeedError
from everytick.feeds.archive import durable
from everytick.when import Instant

Act = Literal[
    "published",  # there is a new snapshot
    "unchanged",  # the list is the last good one
    "held",  # a person may yet approve the list
    "refused",  # it is a list, but not one to believe
    "failed",  # it did not arrive whole, or is not the list that the feed describes
    "nothing_new",  # it is the list of before, and a new one is due
    "approved",  # a person published the list that was held
    "rejected",  # a person refused it for good
]

Arrival = Literal[
    "not_modified",  # the source said so
    "same_bytes",  # those of the download before
    "other_bytes",
]

GOOD = frozenset[Act]({"published", "unchanged", "approved"})
"""After these the last good list is the one that the source serves."""

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """How one refresh ended, or what a person decided.

    Attributes:
        at: Its moment.
        due_at: The nominal instant of its tick.
        tick: The tick's name; empty where no tick asked.
        actor: Who decided; empty where nobody had to.
        act: What it came to.
        sequence: The snapshot that is current after it; None where there is none.
        digest: The list's; empty where none was read.
        raw_sha256: What arrived, in hexadecimal; empty where nothing did.
        reading: The digest of what the feed's definition said of reading the list.
        as_of: The day that the list is of, where it says so.
        arrived: What came, against the download before; None where nothing did.
        rows: How many rows the list has.
        added: Keys that the last good list did not have.
        removed: Keys that only the last good list had.
        changed: Keys in both whose identity differs.
        invalid: Rows whose key is not valid; they are in quarantine.
        repeated: Rows that repeat a key; they are in quarantine.
        reasons: What spoke against the list.
        warnings: What is odd about it, and was let pass.
        kind: The error's name, such as FetchFailed; empty where there was none.
        note: What the person said who decided.
        superseded: The digest of the held list that this newer good one took the place of.
        url: Where it came from, redirects followed, without its query.
        redirects: The addresses on the way there, without their queries.
        status: The HTTP status of the answer; 0 where nothing arrived, or nobody wrote it down.
        raw_bytes: How many bytes arrived, or are still the source's; 0 where nothing did.
    """

    at: Instant
    due_at: Instant
    tick: str = ""
    actor: str = ""
    act: Act
    sequence: int | None = None
    digest: str = ""
    raw_sha256: str = ""
    reading: str = ""
    as_of: date | None = None
    arrived: Arrival | None = None
    rows: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    invalid: int = 0
    repeated: int = 0
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    kind: str = ""
    note: str = ""
    superseded: str = ""
    url: str = ""
    redirects: tuple[str, ...] = ()
    status: int = 0
    raw_bytes: int = 0

    @property
    def good(self) -> bool:
        """Whether the last good list was the source's after it."""
        return self.act in GOOD

    @property
    def reason(self) -> str:
        """What spoke against the list, in one line."""
        return "; ".join(self.reasons)


class Journal:
    """The journal of one feed.

    Args:
        path: Its file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[Entry]:
        """Yield all entries, the newest first.

        Raises:
            FeedError: A line is damaged.
        """
        for line in _backwards(self.path):
            try:
                yield msgspec.json.decode(line, type=Entry)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise FeedError(
                    f"{self.path} is damaged ({error}); put it back from a backup, or take out "
                    f"the line that begins with {line[:60].decode('utf-8', 'replace')!r}"
                ) from error

    def begin(self, entries: list[Entry]) -> None:
        """Write the first lines of a journal that does not exist yet, all or none; the oldest first."""
        durable.write(self.path, b"".join(_line(entry) for entry in entries))

    def append(self, entry: Entry) -> None:
        """Write a line behind the last whole one; only one writer at a time."""
        with self.path.open("ab") as file:
            file.truncate(_whole(self.path))
            file.write(_line(entry))
            file.flush()
            os.fsync(file.fileno())


def _line(entry: Entry) -> bytes:
    return msgspec.json.encode(entry) + b"\n"


def _whole(path: Path) -> int:
    """Return where the last whole line ends."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - _BLOCK)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


def _backwards(path: Path) -> Iterator[bytes]:
    """Yield the whole lines of a file, the last one first, as far as somebody reads."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        start, rest = _whole(path), b""
        while start:
            end, start = start, max(0, start - _BLOCK)
            file.seek(start)
            rest, *lines = (file.read(end - start) + rest).split(b"\n")
            yield from (line for line in reversed(lines) if line)
        if rest:
            yield rest
