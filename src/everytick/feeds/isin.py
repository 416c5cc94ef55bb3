"""ISINs (ISO 6166): shape and check digit, one at a time or millions at once.

An ISIN has 12 characters: a prefix of two letters, nine letters or digits, and a check digit. For the check
each letter becomes a number from 10 (A) to 35 (Z), and the digits that result are summed from the right,
every second one doubled and its own digits added; the sum is a multiple of ten (ISO/IEC 7812-1 annex B, the
Luhn formula). A right check digit is necessary, not sufficient: some exchanged letters, and 09 for 90, pass.

The prefix is not compared with a list of countries: withdrawn ones live on in old lists, and XS, EU or EZ
belong to none.
"""

import re
from functools import cache
from itertools import product

import polars as pl

_SHAPE = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
_BODY = re.compile(r"[A-Z]{2}[A-Z0-9]{9}")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"

_CHUNK = 262_144
"""ISINs that are checked together, so that the work stays in the processor's cache."""

_NOTHING = "0" * 12
"""Stands in for a value that is missing or of another length; it is no ISIN itself."""

_BLOCK = 65_536
_INVALID = 127


def check_digit(body: str) -> int:
    """Return the check digit that belongs behind the first eleven characters of an ISIN.

    Raises:
        ValueError: The text is not two letters followed by nine letters or digits, in upper case.
    """
    if _BODY.fullmatch(body) is None:
        raise ValueError(f"{body!r} is not two letters followed by nine letters or digits")
    return -_luhn(f"{body}0") % 10


def is_isin(text: str) -> bool:
    """Tell whether a text is an ISIN: upper case, 12 characters, a right check digit, nothing around it."""
    return _SHAPE.fullmatch(text) is not None and _luhn(text) % 10 == 0


def are_isins(texts: pl.Series) -> pl.Series:
    """Tell of each of many texts whether it is an ISIN; a null is none.

    Two characters at a time are looked up in a table: what the pair adds to the sum, and whether an odd
    number of digits has been passed.

    Args:
        texts: Strings of any length.

    Returns:
        Booleans without nulls, as many as there are texts, in their order.
    """
    chunks = (_checked(texts.slice(start, _CHUNK)) for start in range(0, len(texts), _CHUNK))
    return pl.concat([pl.Series(dtype=pl.Boolean), *chunks]).alias(texts.name)


def faults(texts: pl.Series) -> pl.Series:
    """Say of each of many texts why it is no ISIN; null where it is one.

    Args:
        texts: Strings of any length.

    Returns:
        Texts such as "11 characters instead of 12" or "the check digit is 4 instead of 7", in their order.
    """
    text, place = pl.col("text"), pl.col("text").str.find(r"[^A-Z0-9]") + 1
    last = text.str.tail(1)
    right = (last.cast(pl.Int16, strict=False) - pl.col("total")) % 10
    reason = (
        pl.when(text.is_null() | (text == ""))
        .then(pl.lit("empty"))
        .when(text.str.len_chars() == 1)
        .then(pl.lit("1 character instead of 12"))
        .when(text.str.len_chars() != 12)
        .then(pl.format("{} characters instead of 12", text.str.len_chars()))
        .when(place.is_not_null())
        .then(pl.format("character {} is neither a capital letter nor a digit", place))
        .when(~text.str.contains("^[A-Z]{2}"))
        .then(pl.format("the prefix '{}' is not two letters", text.str.head(2)))
        .when(~text.str.contains("[0-9]$"))
        .then(pl.format("the check digit is a letter, '{}'", last))
        .when(right != last.cast(pl.Int16, strict=False))
        .then(pl.format("the check digit is {} instead of {}", last, right))
    )
    parts = (texts.slice(start, _CHUNK) for start in range(0, len(texts), _CHUNK))
    frames = (pl.DataFrame({"text": part, "total": _totals(part)}).rechunk() for part in parts)
    found = (frame.select(reason.alias(texts.name)).to_series() for frame in frames)
    return pl.concat([pl.Series(texts.name, dtype=pl.String), *found])


def _luhn(text: str) -> int:
    digits = [int(digit) for character in reversed(text) for digit in reversed(str(int(character, 36)))]
    return sum(digits[::2]) + sum(_doubled(digit) for digit in digits[1::2])


def _doubled(digit: int) -> int:
    return digit * 2 - 9 * (digit > 4)


def _checked(texts: pl.Series) -> pl.Series:
    total = _totals(texts)
    return (total < _INVALID) & (total % 10 == 0)


def _totals(texts: pl.Series) -> pl.Series:
    """Return the sums of the digits; ``_INVALID`` or more where a text has not the shape of an ISIN."""
    text = pl.col("text")
    twelve = pl.when(text.str.len_bytes() == 12).then(text).otherwise(pl.lit(_NOTHING))
    pairs = twelve.cast(pl.Binary).bin.reinterpret(dtype=pl.Array(pl.UInt16, 6), endianness="little")
    frame = pl.DataFrame({"text": texts}).select(pairs=pairs)
    columns = frame.select(pl.col("pairs").arr.get(i).cast(pl.UInt32).alias(str(i)) for i in range(6))

    table = _table()
    found = table.gather(columns["5"] + 4 * _BLOCK)
    total = found // 2
    for place in range(4, -1, -1):
        first = 2 * _BLOCK if place == 0 else 0
        odd = (found % 2).cast(pl.UInt32)
        found = table.gather(columns[str(place)] + odd * _BLOCK + first)
        total += found // 2
    return total


@cache
def _table() -> pl.Series:
    """Return five blocks, each with a cell for every pair of bytes, the left one in the low byte.

    The pairs are looked up from the last to the first. A cell holds twice what the pair adds, plus 1
    where an odd number of digits has been passed with it. Blocks 0 and 1 are for a pair behind which lies an
    even or odd number of digits, 2 and 3 the same for the first pair of an ISIN, 4 is for its last.
    """
    cells = [2 * _INVALID] * (5 * _BLOCK)
    anything = _LETTERS + _DIGITS
    for odd in (0, 1):
        _fill(cells, odd * _BLOCK, anything, anything, odd)
        _fill(cells, (2 + odd) * _BLOCK, _LETTERS, _LETTERS, odd)
    _fill(cells, 4 * _BLOCK, anything, _DIGITS, 0)
    return pl.Series(cells, dtype=pl.UInt16)


def _fill(cells: list[int], start: int, lefts: str, rights: str, odd: int) -> None:
    for left, right in product(lefts, rights):
        digits = [int(digit) for digit in reversed(f"{int(left, 36)}{int(right, 36)}")]
        total = sum(digits[odd::2]) + sum(_doubled(digit) for digit in digits[1 - odd :: 2])
        cells[start + ord(left) + 256 * ord(right)] = 2 * total + (len(digits) + odd) % 2
