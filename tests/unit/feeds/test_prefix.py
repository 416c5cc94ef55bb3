from datetime import date
from itertools import pairwise, product
from string import ascii_uppercase

import pytest

from everytick.feeds.judge.prefix import VERDICTS, Verdict, entries, verdict


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        *((prefix, "known") for prefix in ("IN", "US", "DE", "GB", "NA", "SS", "CW", "TL", "MM")),
        *((prefix, "special") for prefix in ("XS", "EU", "EZ", "XT", "XA", "XB", "XC", "XD", "XK")),
        *((prefix, "withdrawn") for prefix in ("AN", "CS", "SU", "YU", "DD", "ZR", "TP", "BU")),
        *((prefix, "user") for prefix in ("XF", "QS", "QT", "QW", "QM", "QZ", "XE", "XZ", "AA", "ZZ")),
        *((prefix, "unknown") for prefix in ("AB", "UK", "QL", "WA", "us", "U", "", "USA", "00")),
    ],
)
def test_what_a_prefix_stands_for_now(prefix: str, expected: Verdict) -> None:
    assert verdict(prefix) == expected


@pytest.mark.parametrize(
    ("prefix", "day", "expected"),
    [
        ("AN", date(2010, 12, 14), "known"),
        ("AN", date(2010, 12, 15), "withdrawn"),
        ("DD", date(1990, 10, 29), "known"),
        ("DD", date(1990, 10, 30), "withdrawn"),
        ("SS", date(2010, 12, 31), "unknown"),
        ("SS", date(2011, 7, 9), "known"),
        ("EZ", date(2016, 12, 31), "unknown"),
        ("EZ", date(2018, 1, 3), "special"),
        # Czechoslovakia, then nobody, then Serbia and Montenegro, then nobody.
        ("CS", date(1993, 6, 14), "known"),
        ("CS", date(1993, 6, 15), "withdrawn"),
        ("CS", date(2003, 7, 23), "known"),
        ("CS", date(2006, 9, 26), "withdrawn"),
        # Sikkim, of which only the year is known; then Slovakia.
        ("SK", date(1975, 12, 31), "known"),
        ("SK", date(1976, 1, 1), "withdrawn"),
        ("SK", date(1993, 1, 1), "known"),
    ],
)
def test_a_prefix_has_its_times(prefix: str, day: date, expected: Verdict) -> None:
    assert verdict(prefix, day) == expected


def test_every_country_of_today_is_there() -> None:
    prefixes = ["".join(pair) for pair in product(ascii_uppercase, repeat=2)]
    assert sum(verdict(prefix) == "known" for prefix in prefixes) == 249
    assert set(entries()) <= set(prefixes)


def test_the_table_tells_times_and_source_of_each_entry() -> None:
    for found in entries().values():
        for entry in found:
            assert entry.verdict in VERDICTS
            assert entry.name
            assert entry.source
            assert entry.until is None or entry.since < entry.until
        for earlier, later in pairwise(found):
            assert earlier.until is not None
            assert earlier.until <= later.since
