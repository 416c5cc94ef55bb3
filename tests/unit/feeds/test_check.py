import json
from collections import Counter
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from everytick.feeds.extract.extracted import BROKEN, Extracted
from everytick.feeds.feed import Feed
from everytick.feeds.isin import is_isin
from everytick.feeds.judge.check import check

ISINS = Feed(name="list", url="https://example.org", key="ISIN", check="isin")
NAMES = Feed(name="list", url="https://example.org", key="ISIN")
APPLE, SAP, RELIANCE = "US0378331005", "DE0007164600", "INE002A01018"


def extracted(
    *rows: tuple[str, str],
    broken: int = 0,
    first: int = 2,
    lines: list[int] | None = None,
    as_of: date | None = None,
) -> Extracted:
    frame = pl.DataFrame(rows, schema={"ISIN": pl.String, "NAME": pl.String}, orient="row")
    torn = [(900 + i, "has 3 fields instead of 2", '"x",y,z') for i in range(broken)]
    return Extracted(
        frame=frame,
        names=("ISIN", "NAME"),
        as_of=as_of,
        broken=pl.DataFrame(torn, schema=BROKEN, orient="row"),
        first=first,
        lines=None if lines is None else pl.Series(lines),
    )


def test_good_rows_come_sorted_by_key() -> None:
    checked = check(extracted((APPLE, "Apple"), (RELIANCE, "Reliance"), (SAP, "SAP")), ISINS)
    assert checked.frame.rows() == [(SAP, "SAP"), (RELIANCE, "Reliance"), (APPLE, "Apple")]
    assert checked.frame.columns == ["ISIN", "NAME"]
    assert checked.quarantine.is_empty()
    assert (checked.invalid, checked.repeated) == (0, 0)
    assert checked.warnings() == ()


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "empty"),
        ("US0378331004", "the check digit is 4 instead of 5"),
        ("US037833100", "11 characters instead of 12"),
        ("us0378331005", "character 1 is neither a capital letter nor a digit"),
        ("US037-331005", "character 6 is neither a capital letter nor a digit"),
        ("1S0378331005", "the prefix '1S' is not two letters"),
        ("US037833100A", "the check digit is a letter, 'A'"),
        ("NA", "2 characters instead of 12"),
    ],
)
def test_a_bad_key_goes_to_quarantine_with_line_reason_and_row(key: str, reason: str) -> None:
    checked = check(extracted((SAP, "SAP"), (key, 'Say "x"\n'), (APPLE, "Apple")), ISINS)
    assert checked.frame.get_column("ISIN").to_list() == [SAP, APPLE]
    [row] = checked.quarantine.rows(named=True)
    assert row | {"row": json.loads(row["row"])} == {
        "line": 3,
        "key": key,
        "reason": reason,
        "row": {"ISIN": key, "NAME": 'Say "x"\n'},
    }
    assert checked.invalid_keys == (key,)
    assert checked.invalid_examples == (f"line 3 {key!r}: {reason}" if key else f"line 3: {reason}",)


def test_without_a_check_a_key_only_must_not_be_empty() -> None:
    checked = check(extracted(("b", "x"), ("", "y"), ("é", "z"), ("aaaaaaaab", ""), ("aaaaaaaaa", "")), NAMES)
    assert checked.frame.get_column("ISIN").to_list() == ["aaaaaaaaa", "aaaaaaaab", "b", "é"]
    assert checked.quarantine.get_column("reason").to_list() == ["empty"]
    assert checked.prefixes == {}


def test_the_first_good_row_of_a_key_stays_and_the_others_say_what_they_repeat() -> None:
    checked = check(
        extracted((SAP, "SAP"), (APPLE, "Apple"), (SAP, "SAP"), (APPLE, "Apple Inc."), (SAP, "SAP SE")), ISINS
    )
    assert checked.frame.rows() == [(SAP, "SAP"), (APPLE, "Apple")]
    assert checked.quarantine.select("line", "key", "reason").rows() == [
        (4, SAP, "repeats line 2 in every column"),
        (5, APPLE, "repeats line 3, but differs in NAME"),
        (6, SAP, "repeats line 2, but differs in NAME"),
    ]
    assert checked.repeated == 3
    assert checked.repeated_examples[0] == f"line 4 '{SAP}': repeats line 2 in every column"


def test_lines_are_those_of_the_source() -> None:
    rows = ((APPLE, "a"), ("x", "b"), (SAP, "c"), (APPLE, "a"))
    spread = check(extracted(*rows, lines=[10, 20, 40, 50]), ISINS).quarantine
    assert spread.select("line", "reason").rows() == [
        (20, "1 character instead of 12"),
        (50, "repeats line 10 in every column"),
    ]
    assert check(extracted(*rows, first=7), ISINS).quarantine.get_column("line").to_list() == [8, 10]


def test_rows_that_could_not_be_read_join_the_quarantine_as_invalid_ones() -> None:
    checked = check(extracted((APPLE, "Apple"), ("x", ""), broken=2), ISINS)
    assert checked.invalid == 3
    assert checked.quarantine.select("line", "key", "reason").rows() == [
        (3, "x", "1 character instead of 12"),
        (900, "", "has 3 fields instead of 2"),
        (901, "", "has 3 fields instead of 2"),
    ]
    assert json.loads(checked.quarantine.get_column("row")[1]) == {"as written": '"x",y,z'}


def test_prefixes_are_told_and_never_drop_a_row() -> None:
    keys = [APPLE, SAP, "XS2314659447", "EZV1JDJ1R5Q9", "AN8068571086"]
    checked = check(extracted(*((key, "") for key in keys)), ISINS)
    assert checked.frame.height == 5
    assert {verdict: found.count for verdict, found in checked.prefixes.items()} == {
        "known": 2,
        "special": 2,
        "withdrawn": 1,
    }
    assert checked.warnings() == (
        "2 ISINs have a special prefix: EZ 1, XS 1 (EZV1JDJ1R5Q9, XS2314659447)",
        "1 ISIN has a withdrawn prefix: AN 1 (AN8068571086)",
    )
    earlier = check(extracted((("AN8068571086"), ""), as_of=date(2009, 1, 2)), ISINS)
    assert earlier.warnings() == ()


def test_an_empty_list_has_nothing_good_and_nothing_bad() -> None:
    checked = check(extracted(), ISINS)
    assert checked.frame.is_empty()
    assert checked.quarantine.is_empty()
    assert checked.prefixes == {}


KEYS = st.sampled_from([APPLE, SAP, RELIANCE, "US0378331004", "", "AN8068571086", "é", "XS2314659447"])


@given(
    rows=st.lists(st.tuples(KEYS | st.text(max_size=13), st.sampled_from(["x", "y"]))),
    broken=st.integers(0, 3),
    feed=st.sampled_from([ISINS, NAMES]),
    cut=st.integers(0, 5),
)
def test_good_rows_and_rows_in_quarantine_are_all_rows(
    rows: list[tuple[str, str]], broken: int, feed: Feed, cut: int
) -> None:
    whole = extracted(*rows, broken=broken)
    in_chunks = pl.concat([whole.frame.head(cut), whole.frame.slice(cut)], rechunk=False)
    checked = check(replace(whole, frame=in_chunks), feed)
    readable = checked.quarantine.filter(pl.col("key") != "").height
    kept = [(json.loads(row)["ISIN"], json.loads(row)["NAME"]) for row in _readable(checked.quarantine)]
    assert Counter([*checked.frame.rows(), *kept]) == Counter(rows)
    assert checked.quarantine.height == checked.invalid + checked.repeated
    assert readable <= len(rows)
    good = dict.fromkeys(key for key, _ in rows if (is_isin(key) if feed.check else key != ""))
    assert checked.frame.get_column("ISIN").to_list() == sorted(good, key=str.encode)
    assert checked.invalid == broken + sum(not is_isin(key) if feed.check else key == "" for key, _ in rows)
    first = dict(reversed(rows))
    assert dict(checked.frame.iter_rows()) == {key: first[key] for key in good}
    assert sum(found.count for found in checked.prefixes.values()) == (len(good) if feed.check else 0)


def _readable(quarantine: pl.DataFrame) -> list[str]:
    return quarantine.filter(~pl.col("row").str.starts_with('{"as written"')).get_column("row").to_list()
