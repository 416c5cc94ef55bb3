"""One field of a cron line: its grammar, and `H`.

Sources: crontab(5) of cron 3.0pl1 for numbers, names, lists, ranges and steps; Quartz for `L`, `LW`, `nW`,
`d#n`, `dL` and `?`; Jenkins for `H`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from hashlib import blake2b
from typing import Literal, NamedTuple

from everytick.errors import ScheduleError
from everytick.when.place import part_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What a field is called and which numbers and words it takes."""

    name: str
    low: int
    high: int
    hash_high: int
    words: tuple[str, ...] = ()
    first_word: int = 0


SECOND = Field(name="second", low=0, high=59, hash_high=59)
MINUTE = Field(name="minute", low=0, high=59, hash_high=59)
HOUR = Field(name="hour", low=0, high=23, hash_high=23)
DAY = Field(name="day of month", low=1, high=31, hash_high=28)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = Field(name="month", low=1, high=12, hash_high=12, words=MONTHS, first_word=1)
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
WEEKDAY = Field(name="day of week", low=0, high=7, hash_high=6, words=WEEKDAYS)
FIELDS = (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY)


class Mark(NamedTuple):
    """A day that only the calendar of its month can name."""

    kind: Literal["last", "last workday", "nearest workday", "nth weekday", "last weekday"]
    day: int = 0
    nth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What one field allows.

    Args:
        values: The numbers, ascending; Sunday is 0.
        marks: The days that depend on the month.
        star: The field begins with `*`, or is `?`: Vixie's test for "not restricted".
    """

    values: tuple[int, ...]
    marks: frozenset[Mark] = frozenset()
    star: bool = False


_CAPITAL = re.compile(r"\bh\b|\blw?\b|\bwl\b|(?<=[0-9])[lw]\b|(?<=sun|mon|tue|wed|thu|fri|sat)l\b")
_H = re.compile(r"h(?:\(([0-9]{1,4})-([0-9]{1,4})\))?(?:/([0-9]{1,4}))?", re.IGNORECASE)
_NTH = re.compile(r"(\w+)#([0-9]{1,4})")
_LAST_WEEKDAY = re.compile(r"(\w+)l", re.IGNORECASE)
_NEAREST = re.compile(r"([0-9]{1,4})w", re.IGNORECASE)


@lru_cache(maxsize=4096)
def read(field: Field, text: str) -> Choice:
    """Read one field.

    Raises:
        ScheduleError: The field is wrong; the position is that of the fault in `text`.
    """
    if text == "?" and field in {DAY, WEEKDAY}:
        text = "*"
    values: set[int] = set()
    marks: set[Mark] = set()
    for start, item in _items(text):
        with part_of(text, start):
            mark = _mark(field, item)
            if mark:
                marks.add(mark)
            else:
                values.update(_numbers(field, spread(field, item, "") if has_hash(item) else item))
    if field is WEEKDAY:
        values = {value % 7 for value in values}
    return Choice(values=tuple(sorted(values)), marks=frozenset(marks), star=text.startswith("*"))


def canonical(line: str) -> str:
    """Return a line in small letters, but for H, L and W, with single spaces."""
    return _CAPITAL.sub(lambda found: found[0].upper(), " ".join(line.lower().split()))


def has_hash(text: str) -> bool:
    """Return whether a field leaves something to the hash of the task's name."""
    return any(_H.fullmatch(item) for _, item in _items(text))


def spread(field: Field, text: str, name: str) -> str:
    """Return the field with each `H` replaced by what the task's name makes of it.

    `H` becomes one number, `H/15` the numbers 15 apart from a start below 15, `H(0-29)` stays in its range.
    Days of the month end at 28, so that every month has them. Each field draws its own number.

    Raises:
        ScheduleError: A range or step of `H` is wrong.
    """
    digest = blake2b(f"{field.name}\n{name}".encode(), digest_size=8).digest()
    draw = int.from_bytes(digest, "big")
    return ",".join(_spread_item(field, item, draw, text, start) for start, item in _items(text))


def _spread_item(field: Field, item: str, draw: int, text: str, start: int) -> str:
    found = _H.fullmatch(item)
    if not found:
        return item
    low, high = (int(found[1]), int(found[2])) if found[1] else (field.low, field.hash_high)
    if not field.low <= low <= high <= field.high:
        raise ScheduleError(
            f"{item} leaves the {field.name}'s {field.low}-{field.high}", text=text, position=start
        )
    if not found[3]:
        return str(low + draw % (high - low + 1))
    step = int(found[3])
    if step < 1:
        raise ScheduleError("A step is at least 1", text=text, position=start + found.start(3))
    first = low + draw % min(step, high - low + 1)
    return f"{first}-{high}/{step}"


def _items(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for item in text.split(","):
        yield start, item
        start += len(item) + 1


def _mark(field: Field, item: str) -> Mark | None:
    if field is DAY:
        if item.lower() == "l":
            return Mark("last")
        if item.lower() in {"lw", "wl"}:
            return Mark("last workday")
        if found := _NEAREST.fullmatch(item):
            return Mark("nearest workday", _number(field, found[1], item))
    if field is WEEKDAY:
        if found := _NTH.fullmatch(item):
            nth = int(found[2])
            if not 1 <= nth <= 5:
                raise ScheduleError(
                    "A month has a first to a fifth of each weekday: #1 to #5",
                    text=item,
                    position=found.start(2),
                )
            return Mark("nth weekday", _number(field, found[1], item) % 7, nth)
        if found := _LAST_WEEKDAY.fullmatch(item):
            return Mark("last weekday", _number(field, found[1], item) % 7)
    return None


def _numbers(field: Field, item: str) -> range:
    """Read a number, a range or `*`, with or without a step; `5/15` runs from 5 to the field's end."""
    body, slash, step_text = item.partition("/")
    step = 1
    if slash:
        step = int(step_text) if _is_number(step_text) else 0
        if step < 1:
            raise ScheduleError("A step is a number of at least 1", text=item, position=len(body) + 1)
    if body == "*":
        return range(field.low, field.hash_high + 1 if field is WEEKDAY else field.high + 1, step)
    low_text, dash, high_text = body.partition("-")
    low = _number(field, low_text, item)
    if not dash:
        return range(low, field.high + 1 if slash else low + 1, step)
    high = _number(field, high_text, item, len(low_text) + 1)
    if high < low and field is WEEKDAY and high == 0:
        high = 7
    if high < low:
        first, last = (field.words[0], field.words[-1]) if field.words else (field.low, field.high)
        mend = f"{low_text}-{last},{first}-{high_text}"
        raise ScheduleError(f"{body} runs backwards: write {mend}", text=item, position=0)
    return range(low, high + 1, step)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6


def _number(field: Field, word: str, item: str, position: int = 0) -> int:
    if _is_number(word):
        if field.low <= int(word) <= field.high:
            return int(word)
        problem = f"The {field.name} goes from {field.low} to {field.high}, not {word}"
        raise ScheduleError(problem, text=item, position=position)
    if word.lower() in field.words:
        return field.words.index(word.lower()) + field.first_word
    raise ScheduleError(_misread(field, word), text=item, position=position)


def _misread(field: Field, word: str) -> str:
    if not word:
        return f"A number is missing in the {field.name}"
    if word == "*":
        return f"* stands alone in the {field.name}, or begins a step such as */5"
    if word == "?":
        return f"? stands only for a whole day of month or day of week, not in the {field.name}"
    near = [known for known in field.words if word.lower().startswith(known)]
    near = near or get_close_matches(word.lower(), field.words, n=1, cutoff=0.5)
    mend = f": did you mean {near[0]}?" if near else f": it takes {field.low} to {field.high}"
    if field.words and not near:
        mend += f" or {field.words[0]} to {field.words[-1]}"
    return f"The {field.name} does not know {word!r}{mend}"
