"""A list as files: Parquet, which is kept, and the forms that others read."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl
from polars.exceptions import PolarsError

from everytick.errors import FeedError

_ROWS = 250_000
"""Rows that are turned into text at once; so a list needs little more memory than it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file that holds a list.

    Attributes:
        bytes: Its size.
        sha256: Its digest, in hexadecimal.
    """

    bytes: int
    sha256: str


def digest(frame: pl.DataFrame) -> str:
    """Return the name of a list: BLAKE2b (256 bits, hexadecimal) of its CSV."""
    named = hashlib.blake2b(digest_size=32)
    for part in _csv(frame):
        named.update(part)
    return named.hexdigest()


def file_digest(path: Path) -> str:
    """Return the same of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32)).hexdigest()


def write(frame: pl.DataFrame, form: str, file: BinaryIO) -> Written:
    """Write a list as ``csv`` or ``jsonl``, its rows as they stand.

    CSV is UTF-8 with a header and commas, and quotes only where needed. JSON Lines is an object a row.
    """
    size, taken = 0, hashlib.sha256()
    for part in _csv(frame) if form == "csv" else _jsonl(frame):
        size += file.write(part)
        taken.update(part)
    return Written(bytes=size, sha256=taken.hexdigest())


def written(path: Path) -> Written:
    """Return what is known of a file that was written before."""
    with path.open("rb") as file:
        taken = hashlib.file_digest(file, "sha256").hexdigest()
    return Written(bytes=path.stat().st_size, sha256=taken)


def read(path: Path) -> pl.DataFrame:
    """Return what a Parquet file of the archive holds.

    Raises:
        FeedError: It is damaged.
    """
    try:
        return pl.read_parquet(path)
    except PolarsError as error:
        raise FeedError(f"{path} is damaged: {error}") from error


def rows(path: Path, column: str, value: str) -> pl.DataFrame:
    """Return the rows of a Parquet file of the archive that hold a value; the others are hardly read.

    Raises:
        FeedError: It is gone or damaged.
    """
    try:
        return pl.scan_parquet(path).filter(pl.col(column) == value).collect()
    except (PolarsError, FileNotFoundError) as error:
        raise FeedError(f"{path} is gone or damaged: {error}") from error


def whole(path: Path, expected: str, kept: str = "") -> pl.DataFrame:
    """Return an archived list, after a look at whether it still is that list.

    Args:
        path: Its file.
        expected: The list's digest.
        kept: The digest that its file had when it was written; empty where nobody took it.

    Raises:
        FeedError: The file is damaged, or holds another list.
    """
    same = bool(kept) and file_digest(path) == kept
    try:
        frame = pl.read_parquet(path)
    except PolarsError as error:
        raise FeedError(f"the archived list {expected[:12]} is damaged: {error}") from error
    if not same and digest(frame) != expected:
        raise FeedError(f"the archived list {expected[:12]} is not what its name says; restore its file")
    return frame


def _csv(frame: pl.DataFrame) -> Iterator[bytes]:
    yield frame.clear().write_csv().encode()
    for rows in frame.iter_slices(_ROWS):
        empty_as_null = rows.with_columns(pl.all().replace("", None))
        text = empty_as_null.write_csv(include_header=False, line_terminator="\n", quote_style="necessary")
        yield text.encode()


def _jsonl(frame: pl.DataFrame) -> Iterator[bytes]:
    for rows in frame.iter_slices(_ROWS):
        yield rows.write_ndjson().encode()
