"""What a reader of one format found, before the feed's key and columns are taken from it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from everytick.feeds.extract.extracted import BROKEN

MOST_AROUND = 1 << 16
"""Characters around the rows that are kept for the search of an as-of date."""

LINE = pl.UInt32
"""The type of a line's number."""

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All rows and columns of a list.

    Attributes:
        names: The source's columns in its order, by the names they have here; a name may stand twice.
        cells: A column for each, called "0", "1", ...: text without nulls.
        lines: The line that each row begins on, counted from 1.
        broken: As in ``Extracted``.
        sections: As in ``Extracted``.
        around: The text before and between the rows, the first part of it.
    """

    names: tuple[str, ...]
    cells: pl.DataFrame
    lines: pl.Series
    broken: pl.DataFrame
    sections: int
    around: str

    def column(self, name: str) -> pl.Series:
        """Return the cells of a column that is there."""
        return self.cells.get_column(str(self.names.index(name)))


def schema(width: int) -> pl.Schema:
    """Return the columns of ``Table.cells``."""
    return pl.Schema({str(place): pl.String() for place in range(width)})


def none_broken() -> pl.DataFrame:
    """Return ``Extracted.broken`` of a list without broken rows."""
    return pl.DataFrame(schema=BROKEN)


def gathered(rows: Iterable[tuple[int, Sequence[str]]], width: int) -> tuple[pl.DataFrame, pl.Series]:
    """Return rows that come one by one as ``Table.cells`` and ``Table.lines``.

    Args:
        rows: Each row with the line it begins on.
        width: How many cells each has.
    """
    frames, lines = [pl.DataFrame(schema=schema(width))], [pl.Series("line", dtype=LINE)]
    for chunk in _chunks(rows):
        columns = zip(*(row for _, row in chunk), strict=True)
        frames.append(pl.DataFrame(dict(zip(schema(width), columns, strict=True)), schema=schema(width)))
        lines.append(pl.Series("line", [line for line, _ in chunk], dtype=LINE))
    return pl.concat(frames), pl.concat(lines)


def _chunks(rows: Iterable[tuple[int, Sequence[str]]]) -> Iterator[list[tuple[int, Sequence[str]]]]:
    """Yield rows by the many, so that they are not all Python objects at once."""
    chunk = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
