"""The ways in which lists are damaged, one function each.

Whatever draws the chances may be asked for them: the standard library, or hypothesis, which shrinks them.
"""

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

Damage = Callable[[bytes, Random], bytes]

MOST = 300_000
"""Bytes that a damaged list may have."""

_ENDS = [b"\n", b"\r", b"\r\n", b"\n\n", b"\n\r", b"", b"\x85", "\u2028".encode()]
_DELIMITERS = [b",", b";", b"\t", b"|", b", ", b" "]
_ODD = [
    *(b"", b" ", b"\xa0", b"\xc2\xa0", b"\0", b"\x1a", b"\x1c", b"\xff", b"\xe9", b"\xc3", b"\xc3\xa9"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b'"', b'""', b'"""', b'"\n"', b'",', b'";', b"'", b"\\", b"-", b"<"),
    *(b"<html>\n", b"NaN", b"ISIN", b"isin", b"US0378331005", b"INE144J01028", b"01-Jan-9999"),
]  # fmt: skip
_DATE = re.compile(rb"([0-9]{2}[-./][A-Za-z0-9]{2,3}[-./])[0-9]{4}")
_PAGE = b"<!DOCTYPE html>\n<html><body>Access denied</body></html>\n"


def damaged(body: bytes, chance: Random, most: int = 3) -> bytes:
    """Return a list with one or several damages."""
    for _ in range(chance.choice([1, 1, 2, most])):
        body = chance.choice(DAMAGES)(body, chance)[:MOST]
    return body


def _lines(body: bytes) -> list[bytes]:
    return body.splitlines(keepends=True) or [b""]


def _span(body: Sequence[object], chance: Random) -> tuple[int, int]:
    start = chance.randint(0, len(body))
    return start, min(len(body), start + chance.choice([1, 1, 2, 3, 10, len(body)]))


def cut(body: bytes, chance: Random) -> bytes:
    """End anywhere."""
    return body[: chance.randint(0, len(body))]


def behead(body: bytes, chance: Random) -> bytes:
    """Begin anywhere."""
    return body[chance.randint(0, len(body)) :]


def lose_bytes(body: bytes, chance: Random) -> bytes:
    """Lose some bytes in the middle."""
    start, end = _span(body, chance)
    return body[:start] + body[end:]


def put_in(body: bytes, chance: Random) -> bytes:
    """Hold something that does not belong there."""
    place = chance.randint(0, len(body))
    return body[:place] + chance.choice(_ODD) + body[place:]


def flip(body: bytes, chance: Random) -> bytes:
    """Have another byte somewhere."""
    place = chance.randint(0, max(0, len(body) - 1))
    return body[:place] + bytes([chance.randint(0, 255)]) + body[place + 1 :]


def lose_lines(body: bytes, chance: Random) -> bytes:
    """Lose some lines."""
    lines = _lines(body)
    start, end = _span(lines, chance)
    return b"".join(lines[:start] + lines[end:])


def repeat_lines(body: bytes, chance: Random) -> bytes:
    """Have some lines twice."""
    lines = _lines(body)
    start, end = _span(lines, chance)
    place = chance.randint(0, len(lines))
    return b"".join(lines[:place] + lines[start:end] + lines[place:])


def swap_lines(body: bytes, chance: Random) -> bytes:
    """Have two lines in each other's place; the header may be one of them."""
    lines = _lines(body)
    one, other = chance.choice([0, chance.randrange(len(lines))]), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def join_lines(body: bytes, chance: Random) -> bytes:
    """Lose the end of a line."""
    lines = _lines(body)
    place = chance.randrange(len(lines))
    lines[place] = lines[place].rstrip(b"\r\n")
    return b"".join(lines)


def _edited(body: bytes, chance: Random, edit: Callable[[bytes], bytes]) -> bytes:
    """Edit some lines."""
    lines = _lines(body)
    start, end = _span(lines, chance)
    return b"".join([*lines[:start], *(edit(line) for line in lines[start:end]), *lines[end:]])


def other_ends(body: bytes, chance: Random) -> bytes:
    """End some lines otherwise."""
    end = chance.choice(_ENDS)
    return _edited(body, chance, lambda line: line.rstrip(b"\r\n") + end)


def other_delimiters(body: bytes, chance: Random) -> bytes:
    """Separate fields otherwise in some lines."""
    old, new = chance.choice(_DELIMITERS), chance.choice(_DELIMITERS)
    return _edited(body, chance, lambda line: line.replace(old, new))


def other_encoding(body: bytes, chance: Random) -> bytes:
    """Write some lines in another encoding."""
    encoding = chance.choice(["utf-8", "cp1252", "utf-16", "utf-16-le", "utf-7", "cp037"])
    return _edited(body, chance, lambda line: f"{line.decode('latin-1')}é€".encode(encoding, "replace"))


def _with_cells(
    body: bytes, chance: Random, edit: Callable[[list[bytes], int], list[bytes]], *, header: bool = False
) -> bytes:
    lines = _lines(body)
    place = 0 if header else chance.randrange(len(lines))
    delimiter = max(_DELIMITERS[:4], key=lines[place].count)
    cells = lines[place].split(delimiter)
    lines[place] = delimiter.join(edit(cells, chance.randrange(len(cells))))
    return b"".join(lines)


def lose_cell(body: bytes, chance: Random) -> bytes:
    """Lose a field."""
    return _with_cells(body, chance, lambda cells, at: cells[:at] + cells[at + 1 :])


def repeat_cell(body: bytes, chance: Random) -> bytes:
    """Have a field twice."""
    return _with_cells(body, chance, lambda cells, at: cells[: at + 1] + cells[at:])


def swap_cells(body: bytes, chance: Random) -> bytes:
    """Have the fields of a line in another order."""
    return _with_cells(body, chance, lambda cells, at: cells[at:] + cells[:at], header=chance.random() < 0.3)


def other_cell(body: bytes, chance: Random) -> bytes:
    """Have something else in a field."""
    odd, header = chance.choice(_ODD), chance.random() < 0.3
    return _with_cells(body, chance, lambda cells, at: [*cells[:at], odd, *cells[at + 1 :]], header=header)


def copy_cell(body: bytes, chance: Random) -> bytes:
    """Have the text of one field in its neighbour too."""
    return _with_cells(body, chance, lambda cells, at: [*cells[:at], cells[at - 1], *cells[at + 1 :]])


def quote_cell(body: bytes, chance: Random) -> bytes:
    """Have a field in quotes, perhaps with an end of a line, a delimiter or a quote in it."""
    odd = chance.choice([b"", b"", b"\n", b"\r", b"\r\n", b",", b";", b'""', b'"', b"x"])
    return _with_cells(
        body, chance, lambda cells, at: [*cells[:at], b'"' + cells[at] + odd + b'"', *cells[at + 1 :]]
    )


def quote_lines(body: bytes, chance: Random) -> bytes:
    """Have several lines in one pair of quotes."""
    places = sorted(chance.randint(0, len(body)) for _ in range(2))
    return b'"'.join(body[start:end] for start, end in pairwise([0, *places, len(body)]))


def mark_line(body: bytes, chance: Random) -> bytes:
    """Begin a line with a mark or something else that is no part of it, most often the first or second."""
    lines = _lines(body)
    place = chance.choice([0, 1, chance.randrange(len(lines))]) % len(lines)
    lines[place] = chance.choice([BOM_UTF8, chance.choice(_ODD)]) + lines[place]
    return b"".join(lines)


def other_day(body: bytes, chance: Random) -> bytes:
    """Be of another year, in all dates or in some."""
    year = chance.choice([b"1999", b"2024", b"2030", b"0000", b"20255"])
    return _DATE.sub(rb"\g<1>" + year, body, count=chance.choice([0, 0, 1, 5]))


def lengthen(body: bytes, chance: Random) -> bytes:
    """Have a very long line."""
    text = chance.choice([b"x", b"x,", b" ", b'"', b'""', b"\xc3\xa9"])
    many = chance.choice([100, 10_000, 70_000, 140_000])
    place = chance.randint(0, len(body))
    return body[:place] + text * (many // len(text)) + body[place:]


def lead_in(body: bytes, chance: Random) -> bytes:
    """Begin with something else."""
    first = chance.choice(
        [_PAGE, b"\n", b" \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2, b"Date: 2026\n", b'"', b"x\n" * 60]
    )
    return first + body


def follow_up(body: bytes, chance: Random) -> bytes:
    """End with something else: a page, a foot line, the list once more."""
    return body + chance.choice([_PAGE, b"\0" * 10, b"\x1a", b"Total: 7\n", b'"', b"\n\n\n", body])


DAMAGES: Sequence[Damage] = (
    *(cut, behead, lose_bytes, put_in, flip, lose_lines, repeat_lines, swap_lines, join_lines, other_ends),
    *(other_delimiters, other_encoding, lose_cell, repeat_cell, swap_cells, other_cell, copy_cell),
    *(quote_cell, quote_lines, mark_line, other_day, lengthen, lead_in, follow_up),
)  # fmt: skip
