"""What the pretend exchange serves on each of its days: mostly its list, now and then what real servers do.

Days are counted from a Monday, 0. Two working days a week go wrong, three or four days apart, the first of
them in the second half of the first week. Each way of going wrong had its turn after less than six weeks;
then they come again in the same order, which the seed decides. Before each of them lies a good list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum, auto
from functools import lru_cache
from random import Random

from exchange import listing

MADE = datetime(2010, 1, 4, 6, tzinfo=UTC)
"""When the list of day 0 was made: on a Monday, too long ago for any run to come to the present."""


class Kind(StrEnum):
    """What a day is like."""

    GOOD = auto()
    WEEKEND = auto()
    PAGE = auto()
    BYTE = auto()
    CUT = auto()
    BROKEN = auto()
    HALF = auto()
    RENAMED = auto()
    DOWN = auto()
    BUSY = auto()
    LATE = auto()
    SAME = auto()
    SHUFFLED = auto()


TOLD: Mapping[Kind, str] = {
    Kind.GOOD: "a new list",
    Kind.WEEKEND: "still the list of Friday",
    Kind.PAGE: "an HTML page, with status 200",
    Kind.BYTE: "a file of 1 byte",
    Kind.CUT: "a file that ends in the middle of a row",
    Kind.BROKEN: "the connection breaks off half-way",
    Kind.HALF: "half the rows are gone",
    Kind.RENAMED: "ISIN NUMBER is called ISIN CODE",
    Kind.DOWN: "connections are refused",
    Kind.BUSY: "status 503, come back tomorrow (Retry-After)",
    Kind.LATE: "yesterday's list at first, the new one later",
    Kind.SAME: "still yesterday's list, to the byte",
    Kind.SHUFFLED: "yesterday's rows in another order: other bytes",
}
"""What is served on such a day, in words."""

GRAVE = [Kind.PAGE, Kind.BYTE, Kind.CUT, Kind.BROKEN, Kind.HALF, Kind.RENAMED, Kind.DOWN, Kind.BUSY]
MILD = [Kind.LATE, Kind.SAME, Kind.SHUFFLED]
A_MILD_ONE_EVERY = 4

HTML = b"<!DOCTYPE html>\n<html><head><title>Sorry</title></head><body>We are mending things.</body></html>\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What stands at the list's address.

    Attributes:
        body: The bytes.
        made: When the file was made; None where it is no file but a message of the server.
        kind: Its media type.
        status: The HTTP status that comes with it.
        breaks: After how many bytes the connection breaks off; None if it does not.
    """

    body: bytes
    made: datetime | None = None
    kind: str = "text/csv"
    status: int = 200
    breaks: int | None = None


def kind(day: int, seed: int = 1) -> Kind:
    """Return what a day is like."""
    week, weekday = divmod(day, 7)
    if weekday > 4:
        return Kind.WEEKEND
    second = weekday > 2
    turn = 2 * week + second - 1
    later = Random(f"{seed} weekday").randrange(2)
    if turn < 0 or weekday != later + 3 * second:
        return Kind.GOOD
    mishaps = order(seed)
    return mishaps[turn % len(mishaps)]


@lru_cache(maxsize=2)
def order(seed: int) -> list[Kind]:
    """Return all kinds of bad days in their order; mild ones lie between grave ones."""
    draw = Random(f"{seed} order")
    mishaps, mild = draw.sample(GRAVE, len(GRAVE)), draw.sample(MILD, len(MILD))
    for place, each in enumerate(mild, 1):
        mishaps.insert(place * A_MILD_ONE_EVERY - 1, each)
    return mishaps


def served(day: int, seed: int, what: Kind, *, early: bool) -> Served:
    """Return what is served on a day of a kind, early or later on it, to those who get a connection."""
    if what is Kind.PAGE:
        return Served(body=HTML, kind="text/html; charset=utf-8")
    if what is Kind.BUSY:
        return Served(body=b"Too many visitors.\n", kind="text/plain; charset=utf-8", status=503)
    if what is Kind.SAME or (what is Kind.LATE and early):
        day -= 1
    if what is Kind.SHUFFLED:
        return Served(body=shuffled(listing(day - 1, seed), Random(f"{seed} rows {day}")), made=made(day))
    body = listing(day, seed)
    if what is Kind.BYTE:
        body = b"\n"
    elif what is Kind.CUT:
        body = body[: body.rindex(b"\n", 0, len(body) * 3 // 4) + 20]  # within a company's name
    elif what is Kind.HALF:
        header, *rows = body.splitlines(keepends=True)
        body = b"".join([header, *rows[::2]])
    elif what is Kind.RENAMED:
        body = body.replace(b"ISIN NUMBER", b"ISIN CODE", 1)
    return Served(body=body, made=made(day), breaks=len(body) // 2 if what is Kind.BROKEN else None)


def made(day: int) -> datetime:
    """Return when the list of a day was made: in the early morning; on the weekend it is still Friday's."""
    return MADE + timedelta(days=day - max(0, day % 7 - 4))


def shuffled(body: bytes, draw: Random) -> bytes:
    """Return the same rows in another order, with other ends of lines."""
    header, *rows = body.splitlines()
    return b"\r\n".join([header, *draw.sample(rows, len(rows)), b""])
