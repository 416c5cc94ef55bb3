import polars as pl
import pytest

from everytick.errors import ExtractFailed
from everytick.feeds.extract import Extracted, extract
from everytick.feeds.feed import Feed

PATTERN = r"<tr><td>(?P<ISIN>\w+)</td>\s*(?:<td>(?P<NAME>[^<]+)</td>)?"
PAGE = "<h1>x</h1>\n<tr><td>A</td><td>台積電</td>\n<tr><td>B</td>\n\n<tr><td>C</td>\n<td>z</td>"


def read(text: str, pattern: str = PATTERN, **changes: object) -> Extracted:
    values = {"name": "list", "url": "https://example.org/", "key": "ISIN", "pattern": pattern, **changes}
    feed = Feed(**values, format="text")  # type: ignore[arg-type]  # test data
    return extract(text.encode(feed.encoding[0]), feed, {})


def test_each_match_is_a_row_and_each_named_group_a_column() -> None:
    extracted = read(PAGE, encoding=("big5",))
    assert extracted.frame.rows(named=True) == [
        {"ISIN": "A", "NAME": "台積電"},
        {"ISIN": "B", "NAME": ""},
        {"ISIN": "C", "NAME": "z"},
    ]
    assert extracted.names == ("ISIN", "NAME")
    assert extracted.lines_of(pl.Series([0, 1, 2], dtype=pl.UInt32)).to_list() == [2, 3, 5]


def test_groups_go_by_aliases_and_keep_their_order() -> None:
    extracted = read("x=A", r"(?P<b>x)=(?P<a>\w)", key="ISIN NUMBER", aliases={"ISIN NUMBER": ("a",)})
    assert extracted.names == ("b", "ISIN NUMBER")
    assert extracted.frame.rows() == [("A", "x")]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(?P<ISIN>x", "broken pattern, at position"),
        (r"(\w+)", "no named group"),
        (r"(?P<NAME>\w+)", "no column 'ISIN'; the columns found are: 'NAME'"),
        (r"(?P<ISIN>\d{12})", "matches nothing"),
        (r"(?P<ISIN>\d*)", "matches an empty text at line 1"),
    ],
)
def test_a_pattern_that_yields_no_list_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(ExtractFailed, match=words):
        read(PAGE, pattern)


def test_a_runaway_pattern_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everytick.feeds.extract.pattern.TIMEOUT", 0.05)
    with pytest.raises(ExtractFailed, match=r"ran longer than 0\.05 seconds"):
        read("ab" * 5000, "(?P<ISIN>" + "(" * 90 + "a" + ")*" * 90 + "b)")
