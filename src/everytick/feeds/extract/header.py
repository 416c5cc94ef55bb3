"""Where a list's rows begin, and what their columns are called."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from everytick.errors import ExtractFailed
from everytick.feeds.extract import names
from everytick.feeds.feed import Feed

SPAN = 1 << 16
"""Bytes at the beginning among which the header is looked for."""

LINES = 50
"""Lines at the beginning among which the header is looked for."""

_DELIMITERS = {",": ",", ";": ";", "\t": "\\t", "|": "|"}
"""Usual delimiters, and how they are written in a configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The columns, and where the rows begin.

    Attributes:
        names: The columns, by the names they have here.
        line: The line after which the rows begin; 0 where the list has no header line.
        offset: The bytes before that place.
        around: The lines before the header.
    """

    names: tuple[str, ...]
    line: int
    offset: int
    around: str


def find(body: bytes, feed: Feed) -> Header:
    """Return the header of delimited text: the first row that names all columns of the key.

    Each of the first lines is tried, so that lines before the header do no harm. The columns that the feed
    declares complete a header that names only the first of them. Without any header they count, if the first
    row can be one of theirs.

    Args:
        body: The text, in UTF-8 without a mark.
        feed: How its columns are called.

    Raises:
        ExtractFailed: There is no header.
    """
    lines = _head(body)
    rows = list(_rows(lines, feed.delimiter))
    for start, end, row in rows:
        found = _completed(names.canonical(row, feed), feed)
        if all(name in found for name in names.keys(feed)):
            return Header(
                names=found,
                line=end,
                offset=len("".join(lines[:end]).encode()),
                around="".join(lines[:start]),
            )
    filled = [row for _, _, row in rows if any(cell.strip() for cell in row)]
    if feed.header is not None and filled and _may_be_row(filled[0], feed.header):
        return Header(names=feed.header, line=0, offset=0, around="")
    raise ExtractFailed(_fault(filled, feed))


def _head(body: bytes) -> list[str]:
    """Return the first lines, whole ones only."""
    start = body[:SPAN]
    if len(body) > SPAN:
        start = start[: start.rfind(b"\n") + 1] or start[: start.rfind(b"\r") + 1]
        if not start:
            raise ExtractFailed(f"line 1 is no header: it is longer than {SPAN:,} bytes")
    return io.StringIO(start.decode(), newline="").readlines()


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield what row begins on each line, if any does: lines before it, lines with it, its cells."""
    for start in range(min(len(lines), LINES)):
        reader = csv.reader(islice(lines, start, None), delimiter=delimiter, strict=True)
        try:
            row = next(reader)
        except csv.Error:
            continue
        yield start, start + reader.line_num, row


def _completed(found: tuple[str, ...], feed: Feed) -> tuple[str, ...]:
    """Return the declared columns for a header that stops short of the key, else what was found."""
    declared = feed.header or ()
    short = len(found) > 1 and found == declared[: len(found)] and not set(names.keys(feed)) <= set(found)
    return declared if short else found


def _may_be_row(row: Sequence[str], header: Sequence[str]) -> bool:
    """Tell whether a row has the declared width and holds no name, not even one written otherwise."""
    known = {names.squeezed(name) for name in header}
    return len(row) == len(header) and not any(names.squeezed(cell) in known for cell in row if cell.strip())


def _fault(rows: Sequence[Sequence[str]], feed: Feed) -> str:
    """Say what is missing, by the row that looks most like a header."""
    known = {names.squeezed(name) for name in _known(feed)}
    likeness = [(sum(names.squeezed(cell) in known for cell in row), len(row)) for row in rows]
    found = names.canonical(rows[likeness.index(max(likeness))] if rows else (), feed)
    missing = next(name for name in names.keys(feed) if name not in found)
    if not rows:
        return f"the file is empty; there is no column '{missing}'"
    hint = ""
    if len(found) == 1 and names.squeezed(missing) in names.squeezed(found[0]):
        hint = f'; is "{feed.delimiter}" the delimiter{_other(missing, found[0], feed.delimiter)}?'
    return f"there is no column '{missing}'{names.nearest(missing, found)}{hint}; {names.listed(found)}"


def _other(missing: str, line: str, delimiter: str) -> str:
    """Name the delimiter that would part the column from the others; empty where none would."""
    for mark, shown in _DELIMITERS.items():
        if mark != delimiter and names.squeezed(missing) in map(names.squeezed, line.split(mark)):
            return f', or "{shown}"'
    return ""


def _known(feed: Feed) -> Iterator[str]:
    yield from names.keys(feed)
    yield from feed.columns or ()
    yield from feed.header or ()
    for name, aliases in feed.aliases.items():
        yield from (name, *aliases)
