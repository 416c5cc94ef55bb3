import csv
import gzip
import io
from typing import Literal

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from everytick.errors import ExtractFailed
from everytick.feeds.extract.csv import extract
from everytick.feeds.extract.gzip import unpacked
from everytick.feeds.feed import Feed

URL = "https://example.org/list.csv"
PLAIN = Feed(name="list", url=URL, key="ISIN")


def feed(**changes: object) -> Feed:
    return Feed(**{"name": "list", "url": URL, "key": "ISIN", **changes})  # type: ignore[arg-type]  # test data


def rows(body: bytes, described: Feed = PLAIN) -> list[tuple[str, ...]]:
    frame = extract(body, described)
    assert frame.dtypes == [pl.String] * frame.width
    return [tuple(frame.columns), *frame.rows()]


@pytest.mark.parametrize(
    "body",
    [
        b"ISIN,NAME\nA,x\nB,\n",
        b"ISIN,NAME\r\nA,x\r\nB,\r\n",
        b"ISIN,NAME\nA,x\nB,",
        b"\xef\xbb\xbfISIN,NAME\nA,x\nB,\n",
        b" ISIN , NAME\n A,x\nB ,\n",
        b'"ISIN","NAME"\n"A","x"\n"B",""\n',
        b"NAME,ISIN\nx,A\n,B\n",
        b"ISIN,NAME\nA,x\n\nB,\n\n",
    ],
)
def test_the_ways_people_write_one_list(body: bytes) -> None:
    assert rows(body) == [("ISIN", "NAME"), ("A", "x"), ("B", "")]


def test_values_stay_as_they_are_but_for_the_key() -> None:
    body = b'ISIN,NAME\n A , x \nB,"a, ""b""\nc"\n'
    assert rows(body) == [("ISIN", "NAME"), ("A", " x "), ("B", 'a, "b"\nc')]


def test_a_quote_inside_a_field_is_a_character() -> None:
    assert rows(b'ISIN,NAME\nA,5" PIPE\n')[1:] == [("A", '5" PIPE')]


def test_only_the_named_columns_are_kept_and_the_key_comes_first() -> None:
    body = b"A,B,ISIN,C,C,\n1,2,K,3,4,\n"
    assert rows(body, feed(columns=("B", "A"))) == [("ISIN", "B", "A"), ("K", "2", "1")]


@pytest.mark.parametrize(("encoding", "name"), [("cp1252", "Müller €"), ("big5", "台積電"), ("utf-16", "Ω")])
def test_a_declared_encoding(encoding: str, name: str) -> None:
    body = f"ISIN;NAME\nA;{name}\n".encode(encoding)
    assert rows(body, feed(encoding=encoding, delimiter=";"))[1:] == [("A", name)]


HEADER = ("SYMBOL", "ISIN")


@pytest.mark.parametrize("body", [b"SYMBOL, ISIN\nx,A\ny,B\n", b"x,A\ny,B\n"])
def test_a_declared_header_may_be_left_out_by_the_source(body: bytes) -> None:
    assert rows(body, feed(header=HEADER)) == [("ISIN", "SYMBOL"), ("A", "x"), ("B", "y")]


def test_a_header_that_is_not_the_declared_one_is_refused() -> None:
    with pytest.raises(ExtractFailed, match="not the one that"):
        extract(b"ISIN,SYMBOL\nA,x\n", feed(header=HEADER))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"ISIN NUMBER,NAME\nA,x\n", "no column 'ISIN'; the nearest is 'ISIN NUMBER'; the columns found are"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid x\n",
            "'version https://git-lfs.github.com/spec/v1'",
        ),
        (b"", "the columns found are: $"),
        (b"\nISIN,NAME\nA,x\n", "no column 'ISIN'"),
        (b"ISIN,A,A\n1,2,3\n", "'A' stands twice"),
        (b"ISIN,A,\n1,2,3\n", "a column has no name"),
        (b"ISIN,NAME\nA,x\nB\n", "line 3 has 1 fields instead of 2"),
        (b"ISIN,NAME\nA,x\nB,y,z\n", "line 3 has 3 fields instead of 2"),
        (b"ISIN,NAME\nA,x\n\nB,y\nC,\nD\n", "line 6 has 1 fields"),
        (b'ISIN,NAME\nA,"x\nB,y\n', "line 3 is no CSV"),
        (b'ISIN,NAME\nA,"x"y\n', "line 2 is no CSV"),
        (b"ISIN,NAME\nA,caf\xe9\n", "line 2 is not utf-8: byte 0xe9 at offset 15"),
        (b"ISIN,NAME\nA,\x00\n", "NUL characters"),
        (b"ISIN," + b"x" * 200_000, "line 1 is no header"),
    ],
)
def test_what_is_not_the_list_is_refused_with_the_place(body: bytes, words: str) -> None:
    with pytest.raises(ExtractFailed, match=words):
        extract(body, PLAIN)


def test_a_column_that_should_be_kept_or_compared_must_be_there() -> None:
    with pytest.raises(ExtractFailed, match="no column 'Name'; the nearest is 'NAME'"):
        extract(b"ISIN,NAME\nA,x\n", feed(columns=("Name",)))
    with pytest.raises(ExtractFailed, match="no column 'PRICE'"):
        extract(b"ISIN,NAME\nA,x\n", feed(identity=("PRICE",)))


FIELD = st.text(alphabet='ab,;" \n\t\u00fc', max_size=6)
TABLE = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(FIELD, min_size=width, max_size=width), max_size=6)
)


@given(TABLE, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(["\n", "\r\n"]))
def test_what_was_written_is_what_is_read(
    table: list[list[str]], quoting: Literal[0, 1], newline: str
) -> None:
    width = len(table[0]) if table else 2
    names = ["ISIN", *"BCD"][:width]
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=quoting, lineterminator=newline)
    writer.writerows([names, *table])
    expected = [(row[0].strip(), *row[1:]) for row in table]
    assert rows(file.getvalue().encode()) == [tuple(names), *expected]


@given(st.text(alphabet='ab,"\r\n\u00fc', max_size=40))
@example('a,b\n"x""",y\n')
@example('a,b\n"x\r\ny",z\n')
@example(',"""')
@example(',""a""')
@example(',"a"a"a"')
@example("a,\na\na,,")
def test_any_text_is_read_as_the_standard_library_reads_it_or_refused(text: str) -> None:
    body = f"ISIN,B\n{text}"
    try:
        expected = [row for row in csv.reader(io.StringIO(body, newline=""), strict=True) if row]
    except csv.Error:
        expected = []
    if expected and all(len(row) == 2 for row in expected):
        assert rows(body.encode()) == [("ISIN", "B"), *((key.strip(), other) for key, other in expected[1:])]
    else:
        with pytest.raises(ExtractFailed, match="line"):
            extract(body.encode(), PLAIN)


def test_gzip_is_told_by_its_first_bytes() -> None:
    assert unpacked(gzip.compress(b"a,b\n"), 10) == b"a,b\n"
    assert unpacked(gzip.compress(b"a,") + gzip.compress(b"b\n"), 10) == b"a,b\n"
    assert unpacked(b"a,b\n", 10) == b"a,b\n"


def test_a_gzip_that_is_cut_off_damaged_or_a_bomb_is_refused() -> None:
    whole = gzip.compress(b"abc" * 1000)
    with pytest.raises(ExtractFailed, match="cut off"):
        unpacked(whole[:-9], 10_000)
    with pytest.raises(ExtractFailed, match="damaged"):
        unpacked(whole[:12] + b"\xff\xff" + whole[14:], 10_000)
    with pytest.raises(ExtractFailed, match="more than size_limit, 2,999 bytes"):
        unpacked(whole, 2_999)
