import csv
import gzip
import io
import json
from typing import Literal

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from everytick.errors import ExtractFailed
from everytick.feeds.extract import Extracted, extract
from everytick.feeds.extract.gzip import unpacked
from everytick.feeds.extract.rows import MANY
from everytick.feeds.feed import Feed

URL = "https://example.org/list.csv"
PLAIN = Feed(name="list", url=URL, key="ISIN")


def feed(**changes: object) -> Feed:
    return Feed(**{"name": "list", "url": URL, "key": "ISIN", **changes})  # type: ignore[arg-type]  # test data


def read(body: bytes, described: Feed = PLAIN) -> Extracted:
    extracted = extract(body, described, {})
    assert extracted.frame.dtypes == [pl.String] * extracted.frame.width
    assert not any(extracted.frame.null_count().row(0))
    return extracted


def rows(body: bytes, described: Feed = PLAIN) -> list[tuple[str, ...]]:
    frame = read(body, described).frame
    return [tuple(frame.columns), *frame.rows()]


def lines(extracted: Extracted) -> list[int]:
    return extracted.lines_of(pl.Series(range(extracted.frame.height), dtype=pl.UInt32)).to_list()


@pytest.mark.parametrize(
    "body",
    [
        b"ISIN,NAME\nA,x\nB,\n",
        b"ISIN,NAME\r\nA,x\r\nB,\r\n",
        b"ISIN,NAME\rA,x\rB,\r",
        b"ISIN,NAME\nA,x\nB,",
        b"\xef\xbb\xbfISIN,NAME\nA,x\nB,\n",
        b" ISIN , NAME\n A,x\nB ,\n",
        b'"ISIN","NAME"\n"A","x"\n"B",""\n',
        b"NAME,ISIN\nx,A\n,B\n",
        b"ISIN,NAME\nA,x\n\nB,\n\n",
        b"ISIN,NAME\r\n \r\nA,x\r\n \r\nB,\r\n",
        b"ISIN,NAME,\nA,x,\nB,,\n",
        b"\nISIN,NAME\nA,x\nB,\n",
    ],
)
def test_the_ways_people_write_one_list(body: bytes) -> None:
    assert rows(body) == [("ISIN", "NAME"), ("A", "x"), ("B", "")]


@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_a_mark_before_the_rows_is_a_character(end: bytes) -> None:
    body = b"ISIN,NAME" + end + b"\xef\xbb\xbfA,x" + end
    assert rows(body)[1:] == [("\ufeffA", "x")]


def test_values_stay_as_they_are_but_for_the_key() -> None:
    body = b'ISIN,NAME\n A , x \nB,"a, ""b""\nc"\n'
    assert rows(body) == [("ISIN", "NAME"), ("A", " x "), ("B", 'a, "b"\nc')]


def test_a_quote_inside_a_field_is_a_character() -> None:
    assert rows(b'ISIN,NAME\nA,5" PIPE\n')[1:] == [("A", '5" PIPE')]


def test_only_the_named_columns_are_kept_and_the_key_comes_first() -> None:
    body = b"A,B,ISIN,C,C,\n1,2,K,3,4,5\n"
    extracted = read(body, feed(columns=("B", "A")))
    assert extracted.frame.columns == ["ISIN", "B", "A"]
    assert extracted.frame.rows() == [("K", "2", "1")]
    assert extracted.names == ("A", "B", "ISIN", "C", "C", "")


def test_a_column_without_name_and_without_cells_is_none() -> None:
    assert read(b"ISIN,,NAME,\nA,,x,\n").names == ("ISIN", "NAME")
    with pytest.raises(ExtractFailed, match="a column has no name"):
        read(b"ISIN,,NAME,\nA,,x,y\n")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"ISIN,B\nA,x\nB,y\n", [2, 3]),
        (b"ISIN,B\n\nA,x\n\n\nB,y\n", [3, 6]),
        (b'ISIN,B\nA,"x\ny"\nB,"\n\n"\nC,z\n', [2, 4, 7]),
        (b'ISIN,B\r\nA,"x\r\ny"\r\nB,z\r\n', [2, 4]),
        (b'ISIN,B\rA,"x\ry"\rB,z', [2, 4]),
        (b'ISIN\nA\n\n"B"\n""\nC', [2, 4, 5, 6]),
        (b'title\n"\nISIN,B\nA,x\nb\nB,y\n', [4, 6]),
    ],
)
def test_each_row_knows_the_line_it_begins_on(body: bytes, expected: list[int]) -> None:
    assert lines(read(body)) == expected


def test_a_row_with_another_number_of_fields_is_set_aside_and_the_others_are_read() -> None:
    extracted = read(b'ISIN,NAME\nA,x\nB\nC,"y, z",1\nD,"v, w"\n\nE,u\nF,"s" t\nG,r\n')
    assert extracted.frame.rows() == [("A", "x"), ("D", "v, w"), ("E", "u"), ("G", "r")]
    assert [(line, reason) for line, reason, _ in extracted.broken.rows()] == [
        (3, "has 1 field instead of 2"),
        (4, "has 3 fields instead of 2"),
        (8, "is no CSV: ',' expected after '\"'"),
    ]
    assert [json.loads(row) for row in extracted.broken["row"]] == [["B"], ["C", "y, z", "1"], ['F,"s" t']]


def test_lines_without_a_delimiter_are_sections_where_the_feed_says_so() -> None:
    body = b"ISIN;NAME\r\n \r\nOpen Ended\r\n \r\nA;x\r\nB;y\r\nHouse\r\nC;z\r\n"
    extracted = read(body, feed(delimiter=";", sections=True))
    assert (extracted.frame.rows(), extracted.sections) == ([("A", "x"), ("B", "y"), ("C", "z")], 2)
    assert lines(extracted) == [5, 6, 8]
    without = read(body, feed(delimiter=";"))
    assert without.broken["reason"].to_list() == ["has 1 field instead of 2"] * 2
    assert without.sections == 0


def test_junk_lines_after_the_header_are_sections_too() -> None:
    body = b'\xef\xbb\xbfName;ISIN\n"European Trackers"\n"11 Aug 2026"\n"All data, as it is"\nx;A\n'
    assert read(body, feed(delimiter=";", sections=True)).frame.rows() == [("A", "x")]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"ISIN NUMBER,NAME\nA,x\n", "no column 'ISIN'; the nearest is 'ISIN NUMBER'; the columns found are"),
        (b"\nNAME,X\nA,x\n", "no column 'ISIN'; the columns found are: 'NAME', 'X'"),
        (b"ISIN;NAME\nA;x\n", r'is "," the delimiter, or ";"\?'),
        (b"ISIN\tNAME\nA\tx\n", r'is "," the delimiter, or "\\t"\?'),
        (b"ISINNAME\nAx\n", r'is "," the delimiter\?'),
        (b"version https://git-lfs.github.com/spec/v1\noid x\n", "the file is a Git LFS pointer"),
        (b"<html>\r\n<head>", "the file is a page instead of a list"),
        (b"<?xml version='1.0'?><a/>", "the file is XML"),
        (b'{"Table":[{"Column1":1}]}', "the file is JSON"),
        (b"PK\x03\x04\x14\0\x06\0\x08\0[Content_Types].xml", r"the file is an Excel workbook \(.xlsx\)"),
        (b"PK\x03\x04\x14\0\x06\0\x08\0list.csv", "the file is a zip file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", r"the file is an old Excel workbook \(.xls\)"),
        (b"", "the file is empty"),
        (b"\r\n", "the file is empty"),
        (b"ISIN,A,A\n1,2,3\n", "'A' stands twice"),
        (b"ISIN,NAME,ISIN\n1,2,3\n", "'ISIN' stands twice"),
        (b"ISIN,NAME\nA,x\nB\nC\n", "line 3 has 1 field instead of 2; so it is with 2 of 3 rows"),
        (b"ISIN,NAME\nA,x\nB,y\nC,z\nD", "cut off: line 5, its last, has 1 field instead of 2"),
        (b'ISIN,NAME\nA,x\nA,"x\nB,y\n', "line 3 is no CSV: unexpected end of data; a quote"),
        (b'ISIN,NAME\nA,x\nA,"x\nB",y\n', "line 3 has 3 fields instead of 2; a quote"),
        (b"ISIN,NAME\nA,caf\xe9\n", "line 2 is not utf-8: byte 0xe9 at offset 15"),
        (b"ISIN,NAME\nA,\x00\n", "NUL characters"),
        (b"ISIN," + b"x" * 200_000, "line 1 is no header"),
    ],
)
def test_what_is_not_the_list_is_refused_with_the_place(body: bytes, words: str) -> None:
    with pytest.raises(ExtractFailed, match=words):
        read(body)


def test_nobody_reads_on_among_countless_rows_that_are_none() -> None:
    for good in (3, MANY + 3):
        body = b"ISIN,NAME\n" + b"A,x\n" * good + b"B\n" * 3 * MANY
        count = max(good, MANY) + 1
        with pytest.raises(ExtractFailed, match=f"so it is with {count:,} of {count + good:,} rows"):
            read(body)


def test_of_a_row_without_end_the_first_fields_are_kept() -> None:
    (kept,) = read(b"ISIN,NAME\nA,x\nB" + b",y" * 50_000 + b"\nC,z\n").broken["row"]
    assert json.loads(kept) == ["B", *["y"] * 9_999]


def test_a_row_larger_than_a_part_is_read_by_the_one_who_needs_no_room_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("everytick.feeds.extract.csv._PART", 16)
    monkeypatch.setattr("everytick.feeds.extract.csv._MOST", 32)
    given, real = list[int](), pl.read_csv

    def fast(part: bytes, *, has_header: bool, separator: str, schema: pl.Schema) -> pl.DataFrame:
        given.append(len(part))
        return real(part, has_header=has_header, separator=separator, schema=schema)

    monkeypatch.setattr(pl, "read_csv", fast)
    long = "x" * 100
    assert rows(f"ISIN,NAME\nA,x\nB,y\nC,z\nD,v\nE,{long}\nF,w\n".encode())[-2:] == [("E", long), ("F", "w")]
    assert given
    assert max(given) <= 32


def test_a_column_that_should_be_kept_or_compared_must_be_there_unless_the_feed_does_without() -> None:
    body = b"ISIN,NAME\nA,x\n"
    with pytest.raises(ExtractFailed, match="no column 'Name'; the nearest is 'NAME'"):
        read(body, feed(columns=("Name",)))
    with pytest.raises(ExtractFailed, match="no column 'PRICE'"):
        read(body, feed(identity=("PRICE",)))
    lenient = feed(columns=("PRICE", "NAME"), identity=("PRICE",), missing_columns="warn")
    assert rows(body, lenient) == [("ISIN", "NAME"), ("A", "x")]


@pytest.mark.parametrize("other", [b"C,x", b'C,x" PIPE', b'C,"x"'])
def test_a_field_that_is_too_large_is_set_aside_whatever_else_the_list_holds(other: bytes) -> None:
    body = b"ISIN,NAME\nA,x\nB," + b"y" * 140_000 + b"\n" + other + b"\n"
    extracted = read(body)
    assert extracted.frame.get_column("ISIN").to_list() == ["A", "C"]
    assert [(line, reason) for line, reason, _ in extracted.broken.rows()] == [
        (3, "is no CSV: field larger than field limit (131072)")
    ]


FIELD = st.text(alphabet='ab,;" \n\t\u00fc', max_size=6)
TABLE = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(FIELD, min_size=width, max_size=width), max_size=6)
)


@given(TABLE, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(["\n", "\r\n"]))
def test_what_was_written_is_what_is_read(
    table: list[list[str]], quoting: Literal[0, 1], newline: str
) -> None:
    names = ["ISIN", *"BCD"][: len(table[0]) if table else 2]
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
@example('a,5"\n"b\n5",c\n')
@example('"\r"')
@example('""')
def test_any_text_is_read_as_the_standard_library_reads_it_or_refused(text: str) -> None:
    body = f"ISIN,B\n{text}"
    try:
        expected = [row for row in csv.reader(io.StringIO(body, newline=""), strict=True) if row][1:]
    except csv.Error:
        expected = None
    try:
        extracted = read(body.encode())
    except ExtractFailed as refusal:
        assert "line" in str(refusal)  # noqa: PT017 - a refusal is one of two right answers
        assert expected is None or any(len(row) != 2 for row in expected)
    else:
        good = [(row[0].strip(), row[1]) for row in expected or () if len(row) == 2]
        odd = [row for row in expected or () if len(row) > 2 or (len(row) == 1 and row[0].strip())]
        if expected is None:
            assert extracted.broken["reason"].str.starts_with("is no CSV").any()
        else:
            assert extracted.frame.rows() == good
            assert [json.loads(row) for row in extracted.broken["row"]] == odd


@given(
    st.lists(
        st.sampled_from(["a,b", '"a,1",b', '"a\nc",b', "a", '"a"x,b', 'a,5"', "", "a,b,c", "\r"]), min_size=1
    )
)
def test_the_same_list_is_read_in_one_part_or_in_many(parts: list[str]) -> None:
    body = ("ISIN,B\n" + "\n".join(parts)).encode()
    described = feed(sections=True)

    def told() -> object:
        try:
            extracted = read(body, described)
        except ExtractFailed as refusal:
            return str(refusal)
        return extracted.frame.rows(), lines(extracted), extracted.broken.rows(), extracted.sections

    whole = told()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("everytick.feeds.extract.csv._PART", 1)
        assert told() == whole


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
