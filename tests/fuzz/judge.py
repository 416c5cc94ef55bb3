"""An independent reader: what rows really stand in some bytes, by the standard library alone.

It goes line by line and knows nothing of polars, of parts, or of how ours is made. Where ours accepts a list,
both must agree on every row.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from everytick.feeds.feed import Feed

WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What Unicode calls white space; ``str.strip`` also strips four old control characters."""

SPAN = 1 << 16
"""Bytes among which a header is looked for, in whole lines."""

Row = tuple[int, str, *tuple[str, ...]]
"""The line a row begins on, its key, its other cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands in a list.

    Attributes:
        rows: Rows with a key, one for each different key they have.
        keyless: Rows without any key, where the feed says that there may be such.
        sections: Lines between rows without a delimiter, where the feed says that there may be such.
        broken: The lines of all other rows.
    """

    rows: list[Row]
    keyless: int
    sections: int
    broken: list[int]


def standing(body: bytes, feed: Feed, columns: Sequence[str]) -> Standing:
    """Return what stands in delimited text.

    Args:
        body: The bytes, unpacked.
        feed: How the text is written.
        columns: The key and the other columns that are wanted.
    """
    lines = io.StringIO(_decoded(body, feed.encoding), newline="").readlines()
    names, start = _header(lines, feed)
    found = Standing(rows=[], keyless=0, sections=0, broken=[])
    keyless = sections = 0
    for line, row in _rows(lines, start, feed.delimiter):
        if row is not None and len(row) == len(names):
            cells = dict(zip(reversed(names), reversed(row), strict=True))
            keys = dict.fromkeys(cells[name].strip(WHITE) for name in feed.key_from or (feed.key,))
            left = [key for key in keys if key not in feed.none]
            keyless += not left
            found.rows.extend((line, key, *(cells[name] for name in columns[1:])) for key in left)
        elif row is not None and len(row) == 1 and feed.sections:
            sections += bool(row[0].strip())
        elif row is None or len(row) > 1 or (row and row[0].strip()):
            found.broken.append(line)
    return Standing(rows=found.rows, keyless=keyless, sections=sections, broken=found.broken)


def is_isin(text: str) -> bool:
    """Tell whether a text is an ISIN, digit by digit."""
    if re.fullmatch(r"[A-Z]{2}[A-Z0-9]{9}[0-9]", text) is None:
        return False
    digits = [int(digit) for digit in "".join(str(int(each, 36)) for each in text)]
    doubled = [2 * digit if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def _decoded(body: bytes, encodings: Sequence[str]) -> str:
    for encoding in encodings:
        try:
            text = body.decode(encoding)
        except UnicodeError:
            continue
        if "\0" not in text:
            return text.removeprefix("\ufeff")
    raise AssertionError("accepted, and yet no encoding fits")


def _header(lines: list[str], feed: Feed) -> tuple[tuple[str, ...], int]:
    """Return the names of the columns, and the line after which the rows begin."""
    head = lines[:50]
    while sum(len(line.encode()) for line in head) > SPAN:
        head.pop()
    for start in range(len(head)):
        row, end = _first(lines, start, feed.delimiter)
        names = _named(row or [], feed)
        if set(feed.key_from or (feed.key,)) <= set(names):
            return names, end
    assert feed.header is not None, "accepted, and yet there is no header"
    return feed.header, 0


def _named(row: Sequence[str], feed: Feed) -> tuple[str, ...]:
    names = [name.strip() for name in row]
    for name, aliases in feed.aliases.items():
        if name not in names:
            alias = next((alias for alias in aliases if alias in names), None)
            names = [name if each == alias else each for each in names]
    lacks_key = not set(feed.key_from or (feed.key,)) <= set(names)
    if lacks_key and feed.header and len(names) > 1 and tuple(names) == feed.header[: len(names)]:
        return feed.header
    return tuple(names)


def _rows(lines: Sequence[str], start: int, delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    while start < len(lines):
        row, end = _first(lines, start, delimiter)
        yield start + 1, row
        start = end


def _first(lines: Sequence[str], start: int, delimiter: str) -> tuple[list[str] | None, int]:
    """Return the row that begins on a line and the line after it; None for a line that begins no row."""
    reader = csv.reader(
        (lines[place] for place in range(start, len(lines))), delimiter=delimiter, strict=True
    )
    try:
        return next(reader), start + reader.line_num
    except csv.Error:
        return None, start + 1
