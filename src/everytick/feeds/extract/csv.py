"""A list from CSV and other delimited text, by the names of its columns.

Two readers, one answer. polars is fast but forgives short rows and stray quotes, so what it says counts only
if every quote opens, closes or is escaped, if every delimiter is accounted for (it stands between two fields,
or inside one), and if no field is larger than the standard library takes. Otherwise ``rows`` goes through the
text row by row. That one is the judge: it accepts a row, sets it aside, or names the line at which the whole
cannot be told into rows.

The text is read in parts that end where a row does, so that one odd row in ten million costs little.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from csv import field_size_limit

import polars as pl
from polars.exceptions import PolarsError

from everytick.feeds.extract import header
from everytick.feeds.extract.rows import Rows
from everytick.feeds.extract.table import LINE, Table, gathered, schema
from everytick.feeds.feed import Feed

_PART = 1 << 24
_MOST = 2 * _PART

# Text without quotes, then fields in quotes, each between two delimiters or line ends, and text between them.
_WELL_QUOTED = (
    rb"""(?x) (?: [^"]*+ (?<![^DELIMITER\n]) "[^"]*+ (?: ""[^"]*+ )*+" (?![^DELIMITER\r\n]) )*+ [^"]*+"""
)


def read(body: bytes, feed: Feed) -> Table:
    """Return the table that delimited text holds.

    Args:
        body: The text, in UTF-8 without a mark.
        feed: How it is written.

    Raises:
        ExtractFailed: It has no header, it cannot be told into rows, it is cut off in the middle of one, or
            more rows are set aside than are not.
    """
    head = header.find(body, feed)
    rows = Rows(width=len(head.names), feed=feed, line=head.line, around=head.around)
    frames, lines = [pl.DataFrame(schema=schema(rows.width))], [pl.Series("line", dtype=LINE)]
    for part, plain in _parts(body, head.offset, feed.delimiter):
        cells, places = (_fast(part, rows) if plain else None) or gathered(rows.read(part), rows.width)
        frames.append(cells)
        lines.append(places)
    return Table(
        names=head.names,
        cells=pl.concat(frames),
        lines=pl.concat(lines),
        broken=rows.broken(body),
        sections=rows.sections,
        around=rows.around,
    )


def _parts(body: bytes, start: int, delimiter: str) -> Iterator[tuple[bytes, bool]]:
    """Yield parts of a text that end where a row does, and whether all their quotes are well placed.

    From the first quote on that is not, nobody but the judge knows where a row ends: the rest is one part.
    """
    well_quoted = re.compile(_WELL_QUOTED.replace(b"DELIMITER", re.escape(delimiter.encode())))
    while start < len(body):
        end = _line_end(body, start + _PART)
        odd = body.count(b'"', start, end) % 2
        while odd and end < len(body):
            begin, end = end, _line_end(body, end)
            odd ^= body.count(b'"', begin, end) % 2
        if odd or not well_quoted.fullmatch(body, start, end):
            yield body[start:], False
            return
        yield body[start:end], True
        start = end


def _line_end(body: bytes, start: int) -> int:
    return body.find(b"\n", start) + 1 or len(body)


def _fast(part: bytes, rows: Rows) -> tuple[pl.DataFrame, pl.Series] | None:
    """Return the cells and their lines, or None where the answer of polars cannot be trusted."""
    delimiter, width = rows.feed.delimiter, rows.width
    if part.count(b"\r") != part.count(b"\r\n") or part.startswith(BOM_UTF8):
        return None  # polars ends no line at a lone carriage return, and drops a mark
    if len(part) > _MOST:
        return None  # some row is larger than a whole part; polars would make room for sixty times as much
    try:
        cells = pl.read_csv(
            part if part.endswith(b"\n") else part + b"\n",  # else its last row is not checked
            has_header=False,
            separator=delimiter,
            schema=schema(width),
        )
    except PolarsError:
        return None
    if width == 1 and cells.to_series().has_nulls():
        return None
    cells = cells.with_columns(pl.all().fill_null(""))
    if _largest(cells) > field_size_limit():
        return None
    inside = _inside(cells, delimiter).sum() if b'"' in part else 0
    if part.count(delimiter.encode()) != cells.height * (width - 1) + inside:
        return None
    lines = pl.int_range(rows.line + 1, rows.line + 1 + cells.height, dtype=LINE, eager=True)
    if b'"' in part:
        ends = _inside(cells, "\n")
        lines = (lines + ends.cum_sum() - ends).cast(LINE)
    rows.line += part.count(b"\n") + (not part.endswith(b"\n"))
    rows.good += cells.height
    return cells, lines.alias("line")


def _largest(cells: pl.DataFrame) -> int:
    """Return the bytes of the largest field."""
    return cells.select(pl.max_horizontal(pl.all().str.len_bytes().max())).item() or 0


def _inside(cells: pl.DataFrame, character: str) -> pl.Series:
    """Return how often a character is part of each row's fields."""
    return cells.select(pl.sum_horizontal(pl.all().str.count_matches(character, literal=True))).to_series()
