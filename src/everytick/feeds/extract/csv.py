"""A list from CSV and other delimited text, by the names of its columns.

Two readers, one answer. polars is fast but forgives short rows and stray quotes, so what it says counts only
if every quote opens, closes or is escaped, and if every delimiter of the file is accounted for: it stands
between two fields, or inside one. Otherwise ``rows`` goes through the file row by row. That one is the judge:
it accepts a row, sets it aside, or names the line at which the whole cannot be told into rows.
"""

import polars as pl
from polars.exceptions import PolarsError

from everytick.feeds.extract import header, rows
from everytick.feeds.extract.header import Header
from everytick.feeds.extract.table import Table, none_broken, schema
from everytick.feeds.feed import Feed

_WINDOW = 1 << 22


def read(body: bytes, feed: Feed) -> Table:
    """Return the table that delimited text holds.

    Args:
        body: The text, in UTF-8 without a mark.
        feed: How it is written.

    Raises:
        ExtractFailed: It has no header, or it cannot be told into rows.
    """
    head = header.find(body, feed)
    return _fast(body, head, feed) or rows.read(body, head, feed)


def _fast(body: bytes, head: Header, feed: Feed) -> Table | None:
    """Return the table, or None where the answer of polars cannot be trusted."""
    start, width = head.offset, len(head.names)
    if body.count(b"\r", start) != body.count(b"\r\n", start) or not _well_quoted(
        body, start, feed.delimiter
    ):
        return None
    # Only what stands before a header costs a copy of the rest: the usual list is read where it lies.
    skip, whole = (1, body) if head.line == 1 else (0, body[start:])
    try:
        cells = pl.read_csv(
            whole if whole.endswith(b"\n") else whole + b"\n",  # else its last row is not checked
            has_header=False,
            skip_rows=skip,
            separator=feed.delimiter,
            schema=schema(width),
        )
    except PolarsError:
        return None
    if width == 1 and cells.to_series().has_nulls():
        return None
    cells = cells.with_columns(pl.all().fill_null(""))
    if body.count(feed.delimiter.encode(), start) != cells.height * (width - 1) + _inside(
        cells, body, start, feed
    ):
        return None
    return Table(
        names=head.names,
        cells=cells,
        first=head.line + 1,
        lines=_lines(cells, body, head),
        broken=none_broken(),
        sections=0,
        around=head.around,
    )


def _inside(cells: pl.DataFrame, body: bytes, start: int, feed: Feed) -> int:
    """Return how many delimiters are part of a field."""
    if body.find(b'"', start) < 0:
        return 0
    return sum(cells.select(pl.all().str.count_matches(feed.delimiter, literal=True).sum()).row(0))


def _lines(cells: pl.DataFrame, body: bytes, head: Header) -> pl.Series | None:
    """Return the line of each row, where quoted fields have line ends of their own."""
    ends = body.count(b"\n", head.offset) + (not body.endswith(b"\n"))
    if ends == cells.height:
        return None
    taken = cells.select(1 + pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True))).to_series()
    return (taken.cum_sum() - taken + head.line + 1).cast(pl.UInt32)


def _well_quoted(body: bytes, start: int, delimiter: str) -> bool:
    """Tell whether every quote opens a field, closes one, or is escaped by another one."""
    while body.find(b'"', start) >= 0:
        end = _line_end(body, start + _WINDOW)
        odd = body.count(b'"', start, end) % 2
        while odd and end < len(body):
            past = _line_end(body, end)
            odd ^= body.count(b'"', end, past) % 2
            end = past
        if odd or not _part_well_quoted(body[start:end], delimiter.encode()):
            return False
        start = end
    return True


def _line_end(body: bytes, start: int) -> int:
    return body.find(b"\n", start) + 1 or len(body)


def _part_well_quoted(part: bytes, delimiter: bytes) -> bool:
    """Tell it of whole lines."""
    pieces = part.split(b'"')
    begin, end = (delimiter, b"\r", b"\n"), (delimiter, b"\n")
    first, *middle, last = pieces[::2]
    return (
        (not first or first.endswith(end))
        and (not last or last.startswith(begin))
        and all(not piece or (piece.startswith(begin) and piece.endswith(end)) for piece in middle)
    )
