"""A list as bytes: CSV, which people read and which its digest is taken of, and Parquet, which is kept."""

import io
from hashlib import blake2b

import polars as pl
from polars.exceptions import PolarsError

from everytick.errors import FeedError


def as_csv(frame: pl.DataFrame) -> bytes:
    """Return a list as CSV: UTF-8, a header, commas, quotes only where needed, the rows as they stand."""
    empty_as_null = frame.with_columns(pl.all().replace("", None))
    return empty_as_null.write_csv(line_terminator="\n", quote_style="necessary").encode()


def digest(csv: bytes) -> str:
    """Return the name of a list: BLAKE2b (256 bits, hexadecimal) of its CSV."""
    return blake2b(csv, digest_size=32).hexdigest()


def as_parquet(frame: pl.DataFrame) -> bytes:
    """Return a list as Parquet."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def from_parquet(content: bytes, expected: str) -> pl.DataFrame:
    """Return a list that was kept as Parquet.

    Args:
        content: The bytes.
        expected: The list's digest.

    Raises:
        FeedError: The bytes are damaged, or not that list.
    """
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except PolarsError as error:
        raise FeedError(f"the archived list {expected[:12]} is damaged: {error}") from error
    if digest(as_csv(frame)) != expected:
        raise FeedError(f"the archived list {expected[:12]} is not what its name says; restore its file")
    return frame
