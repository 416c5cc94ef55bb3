"""A list as files: Parquet, which is kept, and the forms that others read, made from it piece by piece."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl
from polars.exceptions import PolarsError

from everytick.errors import FeedError

_ROWS = 1 << 18
"""Rows that are in memory at once, and rows of a group in Parquet: so the one is read without the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file that holds a list.

    Attributes:
        bytes: Its size.
        sha256: Its digest, in hexadecimal.
    """

    bytes: int
    sha256: str


def keep(frame: pl.DataFrame, file: Path | BinaryIO) -> None:
    """Write a list as Parquet.

    Raises:
        OSError: It cannot be written; polars has names of its own for a full disk.
    """
    try:
        frame.write_parquet(file, compression_level=1, row_group_size=_ROWS)
    except PolarsError as error:
        raise OSError(str(error)) from error


def digest(path: Path) -> str:
    """Return the name of a list that is kept: BLAKE2b (256 bits, hexadecimal) of its CSV."""
    named = hashlib.blake2b(digest_size=32)
    for part in _csv(path):
        named.update(part)
    return named.hexdigest()


def file_digest(path: Path) -> str:
    """Return the same of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32)).hexdigest()


def write(path: Path, form: str, file: BinaryIO) -> Written:
    """Write a list that is kept as ``csv`` or ``jsonl``, its rows as they stand.

    CSV is UTF-8 with a header and commas, and quotes only where needed. JSON Lines is an object a row.
    """
    size, taken = 0, hashlib.sha256()
    for part in _csv(path) if form == "csv" else _jsonl(path):
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
        FeedError: It is gone or damaged.
    """
    return _collected(path, pl.scan_parquet(path))


def find(path: Path, column: str, value: str) -> pl.DataFrame:
    """Return the rows of a Parquet file of the archive that hold a value; the others are hardly read.

    Raises:
        FeedError: It is gone or damaged.
    """
    return _collected(path, pl.scan_parquet(path).filter(pl.col(column) == value))


def verified(path: Path, expected: str, kept: str = "") -> pl.LazyFrame:
    """Return a list that is kept, after a look at whether it still is that list.

    Args:
        path: Its file.
        expected: The list's digest.
        kept: The digest that its file had when it was written; empty where nobody took it.

    Raises:
        FeedError: The file is damaged, or holds another list.
    """
    if not kept or file_digest(path) != kept:
        try:
            found = digest(path)
        except PolarsError as error:
            raise FeedError(
                f"the archived list {expected[:12]} is damaged ({error}); restore its file, {path}"
            ) from error
        if found != expected:
            raise FeedError(
                f"the archived list {expected[:12]} is not what its name says; restore its file, {path}"
            )
    return pl.scan_parquet(path)


def _collected(path: Path, rows: pl.LazyFrame) -> pl.DataFrame:
    try:
        return rows.collect()
    except (PolarsError, FileNotFoundError) as error:
        raise FeedError(f"{path} is gone or damaged: {error}") from error


def _parts(path: Path) -> Iterator[pl.DataFrame]:
    """Yield a list piece by piece; an empty list is one piece too."""
    rows = pl.scan_parquet(path)
    height = rows.select(pl.len()).collect().item()
    for offset in range(0, max(1, height), _ROWS):
        yield rows.slice(offset, _ROWS).collect()


def _csv(path: Path) -> Iterator[bytes]:
    header = True
    for rows in _parts(path):
        empty_as_null = rows.with_columns(pl.all().replace("", None))
        text = empty_as_null.write_csv(include_header=header, line_terminator="\n", quote_style="necessary")
        yield text.encode()
        header = False


def _jsonl(path: Path) -> Iterator[bytes]:
    for rows in _parts(path):
        yield rows.write_ndjson().encode()
