import pytest

from everytick.errors import ExtractFailed
from everytick.feeds.extract import Extracted, extract
from everytick.feeds.feed import Feed

HEADER = ("SYMBOL", "NAME", "ISIN")


def feed(**changes: object) -> Feed:
    values = {"name": "list", "url": "https://example.org/list.csv", "key": "ISIN", **changes}
    return Feed(**values)  # type: ignore[arg-type]  # test data


def read(body: bytes, described: Feed) -> Extracted:
    return extract(body, described, {})


@pytest.mark.parametrize(
    "before",
    [
        b"Market:;XETR\nDate Last Update:;08.11.2019\n",
        b"\n\n",
        b'A "title\n"; and a note\n',
        b"x\n" * 49,
        b"Name;Isin\nNAME;ISIN NUMBER\n",
    ],
)
def test_lines_before_the_header_are_passed_by(before: bytes) -> None:
    extracted = read(before + b"NAME;ISIN\nx;A\n", feed(delimiter=";"))
    assert extracted.frame.rows() == [("A", "x")]
    assert extracted.lines_of(extracted.frame.with_row_index().get_column("index")).to_list() == [
        before.count(b"\n") + 2
    ]


def test_a_header_is_not_looked_for_below_the_first_lines() -> None:
    with pytest.raises(ExtractFailed, match="no column 'ISIN'"):
        read(b"x\n" * 50 + b"ISIN,NAME\nA,x\n", feed())


def test_the_header_among_many_bytes_is_found_and_a_partial_line_is_no_header() -> None:
    body = b"NAME,ISIN\n" + b"x,A\n" * 50_000
    assert read(body, feed()).frame.height == 50_000
    with pytest.raises(ExtractFailed, match="no column 'ISIN'"):
        read(b"t\n" + b"n" * 65_520 + b",ISIN" + b",ISIN NUMBER\n", feed())


ALIASES = {"ISIN": ("ISIN NUMBER", "ISIN_NUMBER"), "NAME": ("COMPANY",)}


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (b"ISIN_NUMBER,COMPANY", ("ISIN", "NAME")),
        (b" ISIN NUMBER, NAME ", ("ISIN", "NAME")),
        (b"ISIN,ISIN NUMBER", ("ISIN", "ISIN NUMBER")),
        (b"ISIN_NUMBER,ISIN NUMBER", ("ISIN_NUMBER", "ISIN")),
    ],
)
def test_an_alias_counts_where_the_name_is_not_there(header: bytes, names: tuple[str, str]) -> None:
    extracted = read(header + b"\nA,B\n", feed(aliases=ALIASES))
    assert extracted.names == names
    assert extracted.frame.rows() == [("A", "B") if names[0] == "ISIN" else ("B", "A")]


@pytest.mark.parametrize(
    "body",
    [
        b"SYMBOL,NAME, ISIN\nx,n,A\ny,m,B\n",
        b"x,n,A\ny,m,B\n",
        b"\nx,n,A\ny,m,B\n",
        b"SYMBOL,NAME\nx,n,A\ny,m,B\n",
        b"title\nSYMBOL,NAME\nx,n,A\ny,m,B\n",
        b"\xef\xbb\xbfx,n,A\ny,m,B\n",
        b"ISIN,SYMBOL,NAME\nA,x,n\nB,y,m\n",
    ],
)
def test_declared_columns_serve_a_list_whose_header_is_left_out_or_too_short(body: bytes) -> None:
    frame = read(body, feed(header=HEADER)).frame
    assert frame.select("ISIN", "SYMBOL", "NAME").rows() == [("A", "x", "n"), ("B", "y", "m")]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"SYMBOL,NAME,ISIN NUMBER\nx,n,A\n", "no column 'ISIN'; the nearest is 'ISIN NUMBER'"),
        (b"Symbol,Company,Code\nx,n,A\n", "no column 'ISIN'; the columns found are: 'Symbol'"),
        (b"x,A\ny,B\n", "no column 'ISIN'; the columns found are: 'x', 'A'"),
        (b"SYMBOL,ISIN2\nx,A\n", "no column 'ISIN'; the nearest is 'ISIN2'"),
    ],
)
def test_declared_columns_do_not_serve_a_list_that_has_others(body: bytes, words: str) -> None:
    with pytest.raises(ExtractFailed, match=words):
        read(body, feed(header=HEADER))


def test_each_column_of_a_key_must_be_there() -> None:
    described = feed(key_from=("ISIN 1", "ISIN 2"))
    with pytest.raises(ExtractFailed, match="no column 'ISIN 2'; the nearest is 'ISIN 1'"):
        read(b"t\nISIN 1,NAME,x\nA,x,y\n", described)


def test_a_list_with_fewer_columns_than_declared_has_those_it_has() -> None:
    described = feed(header=("SYMBOL", "ISIN", "NAME"))
    assert read(b"SYMBOL,ISIN\nx,A\n", described).frame.rows(named=True) == [{"ISIN": "A", "SYMBOL": "x"}]


KEYS = {"key_from": ("PAYOUT", "GROWTH"), "none": ("-", "")}


def test_a_row_stands_once_for_each_of_its_keys() -> None:
    body = b"CODE,PAYOUT,GROWTH\n1,A,B\n2,C,-\n3,-,-\n4,-,D\n5,,\n6, E ,E\n"
    extracted = read(body, feed(**KEYS))
    assert extracted.frame.columns == ["ISIN", "CODE"]
    assert extracted.frame.rows() == [("A", "1"), ("B", "1"), ("C", "2"), ("D", "4"), ("E", "6")]
    assert extracted.lines_of(extracted.frame.with_row_index().get_column("index")).to_list() == [
        2,
        2,
        3,
        5,
        7,
    ]
    assert extracted.keyless == 2
    assert extracted.names == ("CODE", "PAYOUT", "GROWTH")


def test_columns_of_a_key_are_kept_where_the_feed_names_them() -> None:
    frame = read(b"PAYOUT,GROWTH\nA,-\n", feed(**KEYS, columns=("GROWTH",))).frame
    assert frame.rows(named=True) == [{"ISIN": "A", "GROWTH": "-"}]


def test_a_row_without_a_key_is_passed_by_only_where_the_feed_says_so() -> None:
    body = b"NAME,ISIN\nx,A\ny,-\nz,\n"
    assert [read(body, feed(none=none)).keyless for none in [(), ("-",), ("-", "")]] == [0, 1, 2]
    assert read(body, feed(none=("-",))).frame["ISIN"].to_list() == ["A", ""]
