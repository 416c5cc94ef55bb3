"""The list of a pretend exchange: invented companies, whose ISINs have real check digits.

It has the shape of a real one, the EQUITY_L.csv of the National Stock Exchange of India, down to the spaces
in its header. On each working day a few shares are listed, a few are delisted and a few companies change
their name; on the weekend nothing does. Whatever two days are compared, they differ in less than 5 % of the
rows.
"""

from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import NamedTuple

from everytick.feeds.isin import check_digit

HEADER = "SYMBOL,NAME OF COMPANY, SERIES, DATE OF LISTING, PAID UP VALUE, MARKET LOT, ISIN NUMBER, FACE VALUE"

KINDS = ["Imaginary", "Pretend", "Fictional", "Invented", "Storybook", "Phantom", "Makebelieve", "Dreamt"]
TOWNS = ["Nowherepur", "Fablabad", "Mythore", "Castlepatnam", "Rhymenagar", "Yarnkot", "Legendwada"]
TRADES = ["Tea", "Cement", "Kites", "Umbrellas", "Clocks", "Spices", "Lanterns", "Looms", "Ferries", "Maps"]
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]

STEADY, COMING, LISTED_OF_THOSE, RENAMING = 1_920, 240, 80, 60
A_DAY = 3


class Share(NamedTuple):
    """One row."""

    symbol: str
    name: str
    listed: str
    isin: str
    face: int


@lru_cache(maxsize=2)
def shares(seed: int) -> Sequence[Share]:
    """Return all shares there ever are: first those that stay, then those that come and go in turn."""
    draw = Random(seed)
    codes = draw.sample(range(1_000, 10_000), STEADY + COMING)
    return [share(draw, code) for code in codes]


def share(draw: Random, code: int) -> Share:
    """Return an invented share."""
    kind, town, trade = draw.choice(KINDS), draw.choice(TOWNS), draw.choice(TRADES)
    body = f"INE{code // 10:03d}{'XYZ'[code % 3]}010{code % 10}"
    listed = f"{draw.randrange(1, 29):02d}-{draw.choice(MONTHS)}-{draw.randrange(1995, 2026)}"
    return Share(
        symbol=f"{kind[:3]}{trade[:3]}{code}".upper(),
        name=f"{kind} {trade} of {town}",
        listed=listed,
        isin=f"{body}{check_digit(body)}",
        face=draw.choice([1, 2, 5, 10]),
    )


@lru_cache(maxsize=4)
def listing(day: int, seed: int = 1) -> bytes:
    """Return the list of a day, counted from a Monday, 0; the same day and seed give the same bytes."""
    week, weekday = divmod(day, 7)
    worked = week * 5 + min(weekday, 4)
    everyone = shares(seed)
    begin = A_DAY * worked + turn(seed, "gone", worked)
    end = A_DAY * worked + LISTED_OF_THOSE + turn(seed, "new", worked)
    coming = [everyone[STEADY + place % COMING] for place in range(begin, end)]
    rows = [*enumerate(everyone[:STEADY]), *((STEADY, each) for each in coming)]
    renames = A_DAY * worked
    lines = sorted(
        f"{each.symbol},{title(each.name, (renames - place) // RENAMING + 1 if place < RENAMING else 0)},"
        f"EQ,{each.listed},{each.face},1,{each.isin},{each.face}"
        for place, each in rows
    )
    return "\n".join([HEADER, *lines, ""]).encode()


def turn(seed: int, what: str, worked: int) -> int:
    """Return by how many shares a day is ahead of an even pace: less than A_DAY."""
    return Random(f"{seed} {what} {worked}").randrange(A_DAY)


def title(name: str, renamed: int) -> str:
    """Return a company's name after so many changes of it."""
    return f"{name} {'Industries ' if renamed % 2 else ''}Limited"
