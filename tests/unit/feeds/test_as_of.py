from collections.abc import Mapping
from datetime import date

import pytest

from everytick.errors import ExtractFailed
from everytick.feeds.extract import extract
from everytick.feeds.feed import AsOf, Feed

COLUMN = AsOf(column="Date", format="%d-%b-%Y")
PATTERN = AsOf(pattern=r"Last Update:;(\S+)", format="%d.%m.%Y")
HEADER = AsOf(response="Last-Modified")


def day(body: str, as_of: AsOf, response: Mapping[str, str] | None = None, **changes: object) -> date | None:
    values = {"name": "list", "url": "https://example.org/", "key": "ISIN", "delimiter": ";", **changes}
    feed = Feed(**values, as_of=as_of)  # type: ignore[arg-type]  # test data
    return extract(body.encode(), feed, response or {}).as_of


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["16-Jul-2025", "02-Jan-2018", "15-Jul-2025"], date(2025, 7, 16)),
        (["06-OCT-2008"], date(2008, 10, 6)),
        ([" 16-Jul-2025 ", "", "-"], date(2025, 7, 16)),
        (["16-Jul-2025"] * 99 + ["16/07/2026"], date(2025, 7, 16)),
        ([], None),
    ],
)
def test_of_a_column_the_latest_date_counts(cells: list[str], expected: date | None) -> None:
    body = "ISIN;Date\n" + "".join(f"A;{cell}\n" for cell in cells)
    assert day(body, COLUMN, none=("-",)) == expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("ISIN;Day\nA;16-Jul-2025\n", "no column 'Date'"),
        ("ISIN;Date\nA;2025-07-16\nB;16-Jul-2025\n", "1 of 2 as-of dates .* such as '2025-07-16'"),
        ("ISIN;Date\nA;31-Feb-2025\n", "they should look like '%d-%b-%Y'"),
        ("ISIN;Date\nA;\nB; \n", "column 'Date' holds no as-of date that can be read"),
        ("ISIN;Date\n" + "".join(f"A;{number}\n" for number in range(100_001)), "100,001 different texts"),
    ],
)
def test_a_column_without_readable_dates_is_refused(body: str, words: str) -> None:
    with pytest.raises(ExtractFailed, match=words):
        day(body, COLUMN)


def test_a_date_may_stand_before_the_header_between_the_rows_or_below_them() -> None:
    line = "Date Last Update:;08.11.2019\n"
    assert day(f"{line}ISIN;B\nA;x\n", PATTERN) == date(2019, 11, 8)
    below = AsOf(pattern=r"as of (\d+ \w+ \d+)", format="%d %b %Y")
    assert day("ISIN;B\nList as of 11 Aug 2026\nA;x\n", below, sections=True) == date(2026, 8, 11)
    assert day("ISIN;B\nA;x\nList as of 11 Aug 2026\n", below) == date(2026, 8, 11)
    anywhere = AsOf(pattern=r"\d{4}-\d\d-\d\d")
    assert day("A;2026-08-11\n", anywhere, format="text", pattern=r"(?P<ISIN>\w+);") == date(2026, 8, 11)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("ISIN;B\nA;Last Update:\n", "as_of.pattern matches nothing around the rows"),
        (
            "Last Update:;8.Nov.2019\nISIN;B\nA;x\n",
            "as-of date '8.Nov.2019' cannot be read; it should look like",
        ),
    ],
)
def test_a_date_around_the_rows_must_be_there_and_readable(body: str, words: str) -> None:
    with pytest.raises(ExtractFailed, match=words):
        day(body, PATTERN)


def test_a_broken_pattern_is_no_traceback() -> None:
    with pytest.raises(ExtractFailed, match=r"as_of\.pattern: broken pattern, at position 1"):
        day("ISIN;B\nA;x\n", AsOf(pattern="("))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Thu, 20 Aug 2026 18:00:00 GMT", date(2026, 8, 20)),
        ("Thu, 20 Aug 2026 23:00:00 -0500", date(2026, 8, 21)),
        ("Thu, 20 Aug 2026 18:00:00 -0000", date(2026, 8, 20)),
    ],
)
def test_a_date_in_the_answer_is_read_in_utc(value: str, expected: date) -> None:
    assert day("ISIN;B\n", HEADER, {"last-modified": value}) == expected


def test_an_answer_without_the_date_is_refused() -> None:
    with pytest.raises(ExtractFailed, match="the answer has no header Last-Modified"):
        day("ISIN;B\n", HEADER, {})
    for odd in ("yesterday", "Thu, 20 Aug 99999999999 18:00:00 GMT"):
        with pytest.raises(ExtractFailed, match=rf"as-of date '{odd}' cannot be read; .* like 'Thu, 20 Aug"):
            day("ISIN;B\n", HEADER, {"last-modified": odd})
