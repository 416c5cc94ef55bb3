"""A list from CSV, by the names of its columns.

Two readers, one answer. polars is fast but forgives short rows and stray quotes, so what it says counts only
if every quote opens, closes or is escaped, and if every delimiter of the file is accounted for: it stands
between two fields, or inside one. Otherwise the standard library's reader goes through the file row by row.
That one is the judge: it accepts, or names the line at fault.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import islice

import polars as pl
from polars.exceptions import PolarsError

from everytick.errors import ExtractFailed
from everytick.feeds.feed import Feed

_HEADER_SPAN = 1 << 16
_CHUNK = 1 << 16


def extract(body: bytes, feed: Feed) -> pl.DataFrame:
    """Return the list: the key first, then the other kept columns in the source's order, all of them text.

    Spaces around the names of columns and around keys are dropped; other values stay as they are. An empty
    field is an empty text, never a null.

    Args:
        body: The file's bytes, unpacked.
        feed: Which columns to keep, and how the text is written.

    Raises:
        ExtractFailed: The bytes are not that list; the message says where they differ from it.
    """
    text = _decoded(body, feed.encoding[0])
    first = _first_row(text, feed.delimiter)
    names, headed = _names(first, feed)
    kept = _kept(names, feed)
    cells = _fast(text, first, headed=headed, feed=feed)
    if cells is None:
        cells = _exact(text, len(names), headed=headed, delimiter=feed.delimiter)
    frame = cells.select(pl.col(str(names.index(name))).alias(name) for name in kept)
    return frame.with_columns(pl.col(feed.key).str.strip_chars())


def _decoded(body: bytes, encoding: str) -> str:
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise ExtractFailed(
            f"line {line} is not {encoding}: byte 0x{body[error.start]:02x} at offset {error.start}; "
            'set "encoding" to what the source writes'
        ) from error
    if "\0" in text:
        raise ExtractFailed(f'the text holds NUL characters; is it really {encoding}? Set "encoding"')
    return text.removeprefix("\ufeff")


def _first_row(text: str, delimiter: str) -> list[str]:
    start = text[:_HEADER_SPAN]
    if len(text) > _HEADER_SPAN and "\n" not in start:
        raise ExtractFailed(f"line 1 is no header: it is longer than {_HEADER_SPAN:,} characters")
    try:
        return next(csv.reader(io.StringIO(start, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise ExtractFailed(f"line 1 is no CSV: {error}") from error


def _names(first: Sequence[str], feed: Feed) -> tuple[Sequence[str], bool]:
    """Return the names of the columns, and whether the first row is where they stand."""
    found = [name.strip() for name in first]
    if feed.header is None or found == list(feed.header):
        return found, True
    if feed.key in found:
        raise ExtractFailed(f'the header is not the one that "header" declares; {_listed(found)}')
    return feed.header, False


def _kept(names: Sequence[str], feed: Feed) -> list[str]:
    others = names if feed.columns is None else feed.columns
    kept = [feed.key, *(name for name in others if name != feed.key)]
    for name in (*kept, *(feed.identity or ())):
        if name not in names:
            raise ExtractFailed(f"there is no column '{name}'{_nearest(name, names)}; {_listed(names)}")
        if names.count(name) > 1 or not name:
            what = f"'{name}' stands twice in the header" if name else "a column has no name"
            raise ExtractFailed(f'{what}; name the columns to keep in "columns"; {_listed(names)}')
    return kept


def _nearest(name: str, names: Sequence[str]) -> str:
    folded = {each.casefold(): each for each in names}
    near = get_close_matches(name.casefold(), folded, n=1, cutoff=0.4)
    return f"; the nearest is '{folded[near[0]]}'" if near else ""


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name if len(name) <= 60 else name[:57] + "...") for name in names[:40])
    return f"the columns found are: {shown}{', ...' if len(names) > 40 else ''}"


def _fast(text: str, first: Sequence[str], *, headed: bool, feed: Feed) -> pl.DataFrame | None:
    """Return all cells, or None where the answer of polars cannot be trusted."""
    delimiter, width = feed.delimiter, len(first) if headed else len(feed.header or ())
    if text.count("\r") != text.count("\r\n") or not _well_quoted(text, delimiter):
        return None
    try:
        frame = pl.read_csv(
            (text if text.endswith("\n") else f"{text}\n").encode(),  # else its last row is not checked
            has_header=False,
            skip_rows=int(headed),
            separator=delimiter,
            schema={str(place): pl.String for place in range(width)},
        )
    except PolarsError:
        return None
    cells = pl.all()
    if frame.select(pl.all_horizontal(cells.is_null()).any()).item():
        return None
    frame = frame.with_columns(cells.fill_null(""))
    between = (frame.height + headed) * (width - 1)
    inside = sum(name.count(delimiter) for name in first) if headed else 0
    if '"' in text:
        inside += sum(frame.select(cells.str.count_matches(delimiter, literal=True).sum()).row(0))
    return frame if text.count(delimiter) == between + inside else None


def _well_quoted(text: str, delimiter: str) -> bool:
    """Tell whether every quote opens a field, closes one, or is escaped by another one."""
    if '"' not in text:
        return True
    parts = text.split('"')
    if len(parts) % 2 == 0:
        return False
    begin, end = (delimiter, "\r", "\n"), (delimiter, "\n")
    first, *middle, last = parts[::2]
    return (
        (not first or first.endswith(end))
        and (not last or last.startswith(begin))
        and all(not part or (part.startswith(begin) and part.endswith(end)) for part in middle)
    )


def _exact(text: str, width: int, *, headed: bool, delimiter: str) -> pl.DataFrame:
    """Return all cells, or say which line is at fault."""
    rows = _rows(text, width, delimiter)
    next(rows, None) if headed else None
    schema = {str(place): pl.String for place in range(width)}
    frames = [pl.DataFrame(schema=schema)]
    while chunk := list(islice(rows, _CHUNK)):
        frames.append(pl.DataFrame(dict(zip(schema, zip(*chunk, strict=True), strict=True)), schema=schema))
    return pl.concat(frames)


def _rows(text: str, width: int, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if not row:
                continue
            if len(row) != width:
                raise ExtractFailed(f"line {reader.line_num} has {len(row)} fields instead of {width}")
            yield row
    except csv.Error as error:
        raise ExtractFailed(f"line {reader.line_num} is no CSV: {error}") from error
