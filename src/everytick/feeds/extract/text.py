"""Values from free text, by a regular expression.

For text that is nearly structured: a log, or a JSON answer with something else around it. Where the
text is whole JSON or CSV, a parser is the better tool.
"""

import math
from collections.abc import Iterator
from re import compile as compile_plain
from typing import Literal, overload

import regex

from everytick.errors import ExtractFailed, PatternError

TIMEOUT = 10.0
"""Seconds that all matching together may take, unless told otherwise."""

_NUMBER = {
    "int": compile_plain(r"[+-]?[0-9]+"),
    "float": compile_plain(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"),
}
_KIND = {"int": "a whole number", "float": "a number"}


@overload
def matches(pattern: str, text: str, *, as_: None = None, timeout: float = TIMEOUT) -> list[str]: ...
@overload
def matches(pattern: str, text: str, *, as_: Literal["int"], timeout: float = TIMEOUT) -> list[int]: ...
@overload
def matches(pattern: str, text: str, *, as_: Literal["float"], timeout: float = TIMEOUT) -> list[float]: ...
@overload
def matches(
    pattern: str, text: str, *, as_: Literal["int", "float"] | None = None, timeout: float = TIMEOUT
) -> list[str] | list[int] | list[float]: ...
def matches(
    pattern: str, text: str, *, as_: Literal["int", "float"] | None = None, timeout: float = TIMEOUT
) -> list[str] | list[int] | list[float]:
    """Return every match of a regular expression, in the order of the text.

    A match counts with its first group where the pattern has one, else whole. Nothing is dropped: a match
    whose group took no part, and a value that is no number where numbers are wanted, are refused.

    Args:
        pattern: In the syntax of the ``regex`` library, a superset of the standard library's.
        text: What to search.
        as_: ``int`` or ``float`` turns the values into numbers; None leaves them text.
        timeout: Seconds that all matching together may take.

    Raises:
        PatternError: The pattern is broken, ran too long, or does not yield what was asked for.
    """
    if not timeout > 0:
        raise PatternError(f"the timeout must be more than 0 seconds, not {timeout:g}")
    compiled = compile_pattern(pattern)
    wanted = 1 if compiled.groups else 0
    found = [_value(match, wanted, text) for match in search(compiled, text, timeout)]
    if as_ == "int":
        return [_whole(_digits(value, as_, text, start), text, start) for value, start in found]
    if as_ == "float":
        return [_finite(_digits(value, as_, text, start), text, start) for value, start in found]
    return [value for value, _ in found]


def decode(data: bytes, source: str) -> str:
    """Return bytes as text, strictly UTF-8; a byte order mark at the start is dropped.

    Args:
        data: The whole content.
        source: What to call it in an error: a file's name, or "stdin".

    Raises:
        ExtractFailed: A byte is not UTF-8; the message names its offset.
    """
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        byte = data[error.start]
        raise ExtractFailed(
            f"{source} is not UTF-8: byte 0x{byte:02x} at offset {error.start} ({error.reason}); "
            "convert it first"
        ) from error


def compile_pattern(pattern: str) -> regex.Pattern[str]:
    """Return a regular expression ready to search with.

    Raises:
        PatternError: It is broken; a caret under it shows where.
    """
    try:
        return regex.compile(pattern)
    except regex.error as error:
        position = error.pos or 0
        raise PatternError(
            f"broken pattern, at position {position}: {error.msg}\n{_under(pattern, position)}"
        ) from error
    except (RecursionError, OverflowError, MemoryError) as error:
        raise PatternError(
            "the pattern is nested too deeply or repeats too often; write it simpler"
        ) from error


def search(pattern: regex.Pattern[str], text: str, timeout: float) -> Iterator[regex.Match[str]]:
    """Yield every match, one after the other.

    Args:
        pattern: The expression.
        text: What to search.
        timeout: Seconds that all matching together may take.

    Raises:
        PatternError: It ran too long.
    """
    try:
        yield from pattern.finditer(text, timeout=timeout)
    except TimeoutError as error:
        raise PatternError(
            f"the pattern was stopped: it ran longer than {timeout:g} seconds; "
            "make it stricter, for nested repeats run away"
        ) from error
    except MemoryError as error:
        raise PatternError("the pattern was stopped: it needs more memory than there is") from error


def _under(pattern: str, position: int) -> str:
    """Return the line of the pattern that holds a position, with a caret under it."""
    before, after = pattern[:position], pattern[position:]
    start = before.rfind("\n") + 1
    line = before[start:] + after.split("\n", 1)[0]
    return f"  {line}\n  {' ' * (position - start)}^"


def _value(match: regex.Match[str], wanted: int, text: str) -> tuple[str, int]:
    value = match.group(wanted)
    if value is None:
        raise PatternError(
            f"the pattern's first group takes no part in the match at {_place(text, match.start())}; "
            "make the group required, or write (?:...) for groups that only group"
        )
    return value, match.start(wanted)


def _digits(value: str, kind: str, text: str, start: int) -> str:
    if _NUMBER[kind].fullmatch(value) is None:
        raise PatternError(f"{_shortened(value)} at {_place(text, start)} is not {_KIND[kind]}")
    return value


def _whole(value: str, text: str, start: int) -> int:
    try:
        return int(value)
    except ValueError as error:
        raise PatternError(
            f"{_shortened(value)} at {_place(text, start)} has more digits than can be read"
        ) from error


def _finite(value: str, text: str, start: int) -> float:
    number = float(value)
    if math.isinf(number):
        raise PatternError(f"{_shortened(value)} at {_place(text, start)} is too large for a number")
    return number


def _place(text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    return f"line {line}, column {column}"


def _shortened(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:37] + "...")
