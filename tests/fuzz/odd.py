"""Odd definitions: every trap beside every other."""

from collections.abc import Sequence
from itertools import product
from random import Random

from . import lists, path
from .lists import Table
from .target import Target, behind_the_first

_WRITTEN: Sequence[Table] = [
    {"delimiter": ",", "encoding": "utf-8"},
    {"delimiter": ";", "encoding": ["utf-8", "cp1252"]},
    {"delimiter": "\t", "encoding": ["utf-16", "latin-1"]},
    {"delimiter": "|", "encoding": ["ascii", "shift_jis"]},
]
_NAMED: Sequence[Table] = [
    {"key": "ISIN", "max_invalid": "40%"},
    {
        "key": "ISIN",
        "check": "isin",
        "max_invalid": "30%",
        "columns": ["NAME"],
        "aliases": {"NAME": ["Name", "name"]},
    },
    {"key": "ISIN", "header": ["NAME", "ISIN", "DAY"], "columns": ["ISIN"]},
    {"key": "K", "key_from": ["ISIN", "NAME"], "none": ["-", ""]},
    {"key": "ISIN", "none": ["-", "NA"], "columns": ["NAME", "DAY"], "missing_columns": "accept"},
]
_BESIDE: Sequence[Table] = [
    {},
    {"sections": True},
    {"as_of": {"column": "DAY", "format": "%d-%b-%Y"}, "none": ["-"], "min_rows": 0},
    {"as_of": {"pattern": "of (.*)", "format": "%Y-%m-%d"}, "sections": True},
    {"as_of": {"response": "Last-Modified"}, "max_repeated": "100%"},
]
ODD: Sequence[Table] = [
    {**written, **named, **beside} for written, named, beside in product(_WRITTEN, _NAMED, _BESIDE)
]
"""Definitions that a single byte chooses from."""

_DAY = {"last-modified": "Wed, 19 Aug 2026 18:00:00 GMT"}


def run(body: bytes) -> str:
    """Take a list the whole way, as the definition says that its first byte names."""
    table = ODD[body[0] % len(ODD)] if body else ODD[0]
    return path.go(body[1:], lists.described(table), response=_DAY)


def seeds() -> Sequence[bytes]:
    found = []
    for place, table in enumerate(ODD):
        rows = [
            ["NAME", "ISIN", "DAY"],
            ["x", "US0378331005", "16-Jul-2025"],
            ['"y"', "INE144J01028", "-"],
            ["z\u00fc", "XS0971721963", "17-Jul-2025"],
            ["-", "-", "17-Jul-2025"],
        ]
        body = "\n".join([" of 2026-08-20", *(table["delimiter"].join(row) for row in rows), ""])
        encoding = lists.described(table).encoding[0]
        found.append(bytes([place]) + body.encode(encoding, "replace"))
    return found


def damage(body: bytes, chance: Random) -> bytes:
    """Damage a list, now and then under another definition."""
    if chance.random() < 0.2:
        body = bytes([chance.randrange(len(ODD))]) + body[1:]
    return behind_the_first(body, chance)


ODDLY = Target(run=run, seeds=seeds, damage=damage)
