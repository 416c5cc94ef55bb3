"""What a feed's source sent, byte for byte, named by its content.

    downloads/<sha256>         the bytes as they arrived
    downloads/<sha256>.json    where they came from, and what the answer said of them
    downloads/partial          a body that is arriving, or was cut off
    downloads/partial.json     what it is the beginning of; only where it may be carried on

A download exists when its ``.json`` does, and that is written last. Bytes that arrive again are kept once.
One writer at a time: a refresh has its feed's folder to itself.
"""

import hashlib
import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from io import BufferedRandom
from pathlib import Path

import msgspec

from everytick.feeds.archive import durable
from everytick.when import Instant

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One body that arrived whole.

    Attributes:
        sha256: The digest of its bytes, in hexadecimal: its name.
        size: How many bytes.
        at: The moment it arrived, or was last found to be what the source still has.
        number: Counts the arrivals in this folder; the highest is the newest.
        asked: A digest of the request: another URL or other headers may get another answer.
        resource: A digest of the URL that answered at last; its validators are of use there only.
        url: That URL without its query, which may hold a token.
        headers: What the answer said of the bytes, by lower-case names; nothing secret.
    """

    sha256: str
    size: int
    at: Instant
    number: int = 0
    asked: str
    resource: str
    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """The beginning of a body that was cut off, and that may be carried on.

    Attributes:
        asked: As of a download.
        resource: As of a download.
        size: How many bytes are here.
        validator: What tells whether the source still has the same body, to the byte.
        headers: As of a download; the length in them, if any, is that of the whole.
    """

    asked: str
    resource: str
    size: int
    validator: str
    headers: Mapping[str, str]


class Downloads:
    """The downloads of one feed.

    Args:
        folder: Where they are; it is made when it is first needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def partial(self) -> Path:
        """The file for a body that is arriving."""
        return self.folder / "partial"

    @property
    def _partial_note(self) -> Path:
        return self.folder / "partial.json"

    def path(self, sha256: str) -> Path:
        """Return the file that holds the bytes of that digest."""
        return self.folder / sha256

    def all(self) -> list[Download]:
        """Return what is kept, the newest first; what nobody can read is passed over."""
        found = []
        for path in self.folder.glob("*.json"):
            if _DIGEST.fullmatch(path.stem) is None:
                continue
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Download))
            except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
                continue
        return sorted(found, key=lambda download: -download.number)

    def newest(self, asked: str) -> Download | None:
        """Return the newest download that answers a request, if its bytes are still there and still the same.

        Args:
            asked: The request.
        """
        for download in self.all():
            if download.asked == asked:
                return download if self._sound(download) else None
        return None

    def keep(self, download: Download, arrived: Path | None = None) -> Download:
        """Keep a body, and make it the newest.

        Args:
            download: What is known of it; its number is given here.
            arrived: The file that holds its bytes, in this folder; it is renamed. None where they are kept.
        """
        path = self.path(download.sha256)
        if arrived is not None:
            with arrived.open("rb") as file:
                os.fsync(file.fileno())
            arrived.replace(path)
        number = max((kept.number for kept in self.all()), default=0) + 1
        numbered = replace(download, number=number)
        durable.write(self._note(download.sha256), msgspec.json.format(msgspec.json.encode(numbered)) + b"\n")
        return numbered

    def prepare(self, asked: str) -> None:
        """Make the folder, and remove what was left half done, but for what a request can carry on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        durable.sweep(self.folder)
        if self.begun(asked) is None:
            self.drop()

    def begun(self, asked: str) -> Partial | None:
        """Return what there is of a body that was cut off; None where it cannot be carried on.

        Args:
            asked: The request that it answers.
        """
        try:
            partial = msgspec.json.decode(self._partial_note.read_bytes(), type=Partial)
            size = self.partial.stat().st_size
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return partial if (partial.asked, partial.size) == (asked, size) else None

    def arrive(self, partial: Partial | None = None) -> BufferedRandom:
        """Open the file for a body that arrives, to read and write.

        Args:
            partial: What the body carries on; None where it starts from nothing.
        """
        self._partial_note.unlink(missing_ok=True)
        return self.partial.open("w+b" if partial is None else "r+b")

    def cut(self, partial: Partial) -> None:
        """Note that the body stopped to arrive, and what is needed to carry it on."""
        with self.partial.open("rb") as file:
            os.fsync(file.fileno())
        durable.write(self._partial_note, msgspec.json.encode(partial))

    def drop(self) -> None:
        """Remove a body that is arriving."""
        self._partial_note.unlink(missing_ok=True)
        self.partial.unlink(missing_ok=True)

    def prune(self, keep: int, needed: Collection[str] = ()) -> None:
        """Remove all but the newest downloads.

        Args:
            keep: How many stay.
            needed: Digests of downloads that stay too, however old.
        """
        known = [download.sha256 for download in self.all()]
        stay = {*known[:keep], *needed}
        for path in self.folder.glob("*"):
            if _DIGEST.fullmatch(path.stem) and path.stem not in stay:
                path.unlink()

    def _note(self, sha256: str) -> Path:
        return self.folder / f"{sha256}.json"

    def _sound(self, download: Download) -> bool:
        try:
            with self.path(download.sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == download.sha256
        except FileNotFoundError:
            return False
