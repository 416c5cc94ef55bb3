"""What the first two letters of an ISIN stand for, by a dated table: ``prefixes.csv`` beside this file.

A prefix is no reason to drop a row: withdrawn countries live on in old ISINs, and the table may be behind.
It is told, so that a person can notice a list that changed its nature.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal, cast, get_args

Verdict = Literal["known", "special", "withdrawn", "user", "unknown"]
"""``known``: a country's. ``special``: given to ISINs of no country. ``withdrawn``: a former country's.
``user``: free for anybody's own numbers, so not unique. ``unknown``: none of these on that day."""

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a prefix stood for during one period; a withdrawn one may have been given to another country.

    Attributes:
        prefix: Two letters.
        verdict: What it was then: ``known``, ``special`` or ``user``.
        name: Whose it was.
        since: Its first day; where only the year is known, the year's first day; where nothing is, the first
            day there is.
        until: The day it was withdrawn, and no longer in force; where only the year is known, the first day
            of the year after it; None while it stands.
        source: Where the facts are from.
    """

    prefix: str
    verdict: Verdict
    name: str
    since: date
    until: date | None
    source: str


def verdict(prefix: str, day: date | None = None) -> Verdict:
    """Return what a prefix stands for.

    Args:
        prefix: Two letters.
        day: On which day; None for as late as the table goes.
    """
    on = day or date.max
    begun = [entry for entry in entries().get(prefix, ()) if entry.since <= on]
    for entry in begun:
        if entry.until is None or on < entry.until:
            return entry.verdict
    return "withdrawn" if begun else "unknown"


@cache
def entries() -> dict[str, tuple[Entry, ...]]:
    """Return the table: by prefix, its entries in the order of time."""
    text = files(__package__).joinpath("prefixes.csv").read_text(encoding="utf-8")
    found: dict[str, tuple[Entry, ...]] = {}
    for entry in _read(text):
        found[entry.prefix] = (*found.get(entry.prefix, ()), entry)
    return found


def _read(text: str) -> Iterator[Entry]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for row in csv.DictReader(lines, strict=True):
        yield Entry(
            prefix=row["prefix"],
            verdict=cast("Verdict", row["verdict"]),
            name=row["name"],
            since=_begin(row["since"]),
            until=_end(row["until"]),
            source=row["source"],
        )


def _begin(text: str) -> date:
    if not text:
        return date.min
    return date(int(text), 1, 1) if len(text) == 4 else date.fromisoformat(text)


def _end(text: str) -> date | None:
    if not text:
        return None
    return date(int(text) + 1, 1, 1) if len(text) == 4 else date.fromisoformat(text)
