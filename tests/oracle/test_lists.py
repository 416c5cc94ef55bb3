"""Every real list that is delimited text, read by us and by the standard library's reader."""

import csv
import gzip
import io
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from everytick.errors import ExtractFailed
from everytick.feeds.catalogue import resolve
from everytick.feeds.extract import Extracted, extract
from everytick.feeds.feed import Feed
from everytick.feeds.section import read

FOLDER = Path(os.environ.get("EVERYTICK_DATA", Path(__file__).parents[3] / "shared" / "data"))

NSE = {"source": "nse-equities"}
AMFI = {"source": "amfi-navall"}
NSDL = {"source": "nsdl", "url": "https://nsdl.com/list.csv"}
DEBT_HEADER = [
    *("SYMBOL", "NAME OF COMPANY", "SERIES", "FACE VALUE", "PAID UP VALUE", "MKT LOT", "IP RATE"),
    *("DATE OF LISTING", "DATE OF ALLOTMENT", "REDEMPTION DATE", "REDEMPTION AMT", "CONVERSION DATE"),
    *("CONVERSION AMT", "INTEREST PAYMENT DT", "ISIN NUMBER"),
]
DEBT = NSE | {"header": DEBT_HEADER, "aliases": {}}
XETRA = {
    "delimiter": ";",
    "columns": ["WKN", "Mnemonic"],
    "as_of": {"pattern": r"Date Last Update:;(\S+)", "format": "%d.%m.%Y"},
}
PLAIN = {"key": "isin"}

LISTS: list[tuple[str, dict[str, Any], int]] = [
    *((f"amfi_navall/NAVAll-202507{day}.txt.gz", AMFI, rows) for day, rows in [
        ("16-1500Z", 17640), ("17", 17640), ("18", 17647), ("19", 17659), ("20", 17659), ("21", 17659),
        ("22", 17666), ("23", 17693), ("24", 17699), ("25", 17700),
    ]),
    ("amfi_navall/NAVAll-20250912.txt.gz", AMFI, 17575),
    ("amfi_navall/NAVAll-20250913.txt.gz", AMFI, 17577),
    *((f"nse_equity_l/EQUITY_L-{day}.csv", NSE, rows) for day, rows in [
        ("20210307", 1659), ("20220731", 1819), ("20231105", 1949), ("20250304", 2081), ("20250706", 2035),
        ("20251015-truncated", 1), ("20251015", 2186), ("20260130", 2229), ("20260710", 2384),
    ]),
    ("nse_equity_l/eq_etfseclist-20231105.csv", NSE | {"identity": ["SYMBOL"]}, 181),
    ("nse_equity_l/DEBT-20231105.csv", DEBT, 4142),
    ("xetra_t7/t7-xetr-allTradableInstruments-20191108.csv.gz", XETRA, 2665),
    ("xetra_t7/t7-xetr-allTradableInstruments-20211231.csv.gz", {"columns": ["WKN"]}, 3315),
    ("euronext/Euronext_Equities-20201215.csv", {"delimiter": ";", "encoding": ["utf-8", "cp1252"]}, 328),
    ("nsdl_casparser/isin-2025.3.1.csv.gz", NSDL, 288702),
    ("nsdl_casparser/isin-2026.5.1.csv.gz", NSDL, 259483),
    ("nsdl_casparser/scheme-2023.9.3.csv.gz", PLAIN, 25372),
    ("nsdl_scrape/ISIN-20230726-partial.csv.gz", NSDL, 6431),
    ("nsdl_scrape/ISIN-20250921-header-only.csv", NSDL, 0),
    *((f"global_identifiers/identifiers-202604{day}.csv.gz", PLAIN, rows) for day, rows in [
        ("01", 59178), ("02", 59177), ("04", 62391), ("05", 62998), ("06", 61353), ("07", 55935),
        ("08", 55760),
    ]),
    ("global_identifiers/identifiers-20260330.csv.gz", PLAIN, 47920),
    ("global_identifiers/identifiers-20260331.csv.gz", PLAIN, 59184),
    ("investpy/etfs.csv.gz", PLAIN, 11403),
    ("investpy/stocks.csv.gz", PLAIN, 39952),
]  # fmt: skip

NO_LISTS = [
    ("amfi_navall/NAVAll-20250716-0754Z.txt", AMFI, "the file is empty"),
    ("amfi_navall/NAVAll-20250914.txt", AMFI, "the file is a page"),
    ("nse_equity_l/EQUITY_L-20250505-lfs-pointer.csv", NSE, "the file is a Git LFS pointer"),
    ("nse_equity_l/DEBT-20231105.csv", NSE, "no column 'ISIN NUMBER'"),
    ("xetra_t7/t7-xetr-allTradableInstruments-20211231.csv.gz", XETRA, 'is ";" the delimiter'),
    ("nsdl_casparser/isin-2025.3.1.csv.gz", {"key": "ISIN"}, "the nearest is 'isin'"),
    ("hkex/ListOfSecurities-20211011.xlsx", {}, "an Excel workbook (.xlsx)"),
    ("asx/ISIN-20220628.xls", {}, "an old Excel workbook (.xls)"),
    ("firds/registry_response.xml", {}, "the file is XML"),
    ("firds/DLTINS_20210118_01of01_one-record.xml", {}, "the file is XML"),
    ("orders/response.json", {}, "the file is JSON"),
]


@pytest.fixture(scope="module", autouse=True)
def _lists() -> None:
    """Say so where the real lists are not; they are too large, and not ours, to be kept in the project."""
    if not FOLDER.is_dir():
        words = f"the real lists are not at {FOLDER}; set EVERYTICK_DATA to their folder"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(words)
        pytest.skip(words)


def described(table: dict[str, Any]) -> Feed:
    return read("list", {"url": "https://example.org/", "key": "ISIN", **resolve(table)})[0]


def bytes_of(file: str) -> bytes:
    body = (FOLDER / file).read_bytes()
    return gzip.decompress(body) if file.endswith(".gz") else body


def judged(body: bytes, feed: Feed) -> list[tuple[int, dict[str, str]]]:
    """Return the rows as the standard library reads them, each with its line."""
    text = next(text for text in (_decoded(body, encoding) for encoding in feed.encoding) if text is not None)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=feed.delimiter)
    table = []
    before = 0
    for row in reader:
        table.append((before + 1, row))
        before = reader.line_num
    other = {alias: name for name, aliases in feed.aliases.items() for alias in aliases}
    keys = set(feed.key_from or [feed.key])
    for place, (_, row) in enumerate(table):
        names = [other.get(name.strip(), name.strip()) for name in row]
        if keys <= set(names):
            rows = table[place + 1 :]
            break
    else:
        names, rows = list(feed.header or ()), table[len(table[0][1]) != len(feed.header or ()) :]
    return [(line, dict(zip(names, row, strict=True))) for line, row in rows if len(row) == len(names)]


def _decoded(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        return None


@pytest.mark.parametrize(("file", "table", "rows"), LISTS, ids=[file for file, _, _ in LISTS])
def test_a_real_list_is_read_as_the_standard_library_reads_it(
    file: str, table: dict[str, Any], rows: int
) -> None:
    feed, body = described(table), bytes_of(file)
    extracted = extract(body, feed, {})
    frame = extracted.frame
    assert (frame.height, extracted.broken.height) == (rows, 0)

    others = frame.columns[1:]
    expected = [
        (line, key, *(row[name] for name in others))
        for line, row in judged(body, feed)
        for name in feed.key_from or [feed.key]
        if (key := row[name].strip()) not in feed.none
    ]
    places = frame.with_row_index().get_column("index")
    found = frame.insert_column(0, extracted.lines_of(places)).rows()
    assert found == expected


@pytest.mark.parametrize(("file", "table", "words"), NO_LISTS, ids=[file for file, _, _ in NO_LISTS])
def test_what_stands_in_a_real_lists_place_is_named(file: str, table: dict[str, Any], words: str) -> None:
    with pytest.raises(ExtractFailed) as refusal:
        extract(bytes_of(file), described(table), {})
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("file", "table", "day"),
    [
        ("amfi_navall/NAVAll-20250717.txt.gz", AMFI, "2025-07-16"),
        ("amfi_navall/NAVAll-20250913.txt.gz", AMFI, "2025-09-14"),
        ("xetra_t7/t7-xetr-allTradableInstruments-20191108.csv.gz", XETRA, "2019-11-08"),
    ],
)
def test_a_real_list_says_of_which_day_it_is(file: str, table: dict[str, Any], day: str) -> None:
    assert str(extract(bytes_of(file), described(table), {}).as_of) == day


def test_a_real_list_says_what_was_passed_over() -> None:
    extracted = extract(bytes_of("amfi_navall/NAVAll-20250717.txt.gz"), described(AMFI), {})
    assert (extracted.sections, extracted.keyless) == (1064, 192)


DAMAGED = [
    ("amfi_navall/NAVAll-20250717.txt.gz", AMFI),
    ("nse_equity_l/EQUITY_L-20260710.csv", NSE),
    ("nse_equity_l/eq_etfseclist-20231105.csv", NSE | {"identity": ["SYMBOL"]}),
    ("euronext/Euronext_Equities-20201215.csv", {"delimiter": ";", "encoding": ["utf-8", "cp1252"]}),
    ("nsdl_scrape/ISIN-20230726-partial.csv.gz", NSDL),
    ("xetra_t7/t7-xetr-allTradableInstruments-20191108.csv.gz", XETRA),
]
PIECES = st.sampled_from(
    [b"", b"\0", b'"', b"\xff", b"\n", b"\r", b"\r\n", b",", b";", b" ", b'""', b"\x1a", b"<"]
)


@pytest.mark.parametrize(("file", "table"), DAMAGED, ids=[file for file, _ in DAMAGED])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_real_list_loses_the_damaged_rows_only_or_is_refused(
    file: str, table: dict[str, Any], data: st.DataObject
) -> None:
    feed, whole = described(table), b"".join(bytes_of(file).splitlines(keepends=True)[:400])
    damaged = whole
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(damaged)))
        length = data.draw(st.sampled_from([0, 1, 2, 50, 1000, len(whole)]))
        damaged = damaged[:start] + data.draw(PIECES) + damaged[start + length :]
    try:
        extracted = extract(damaged, feed, {})
    except ExtractFailed as refusal:
        assert str(refusal)  # noqa: PT017 - a refusal is one of two right answers
        return
    assert _told_apart(extracted, damaged)


def _told_apart(extracted: Extracted, body: bytes) -> bool:
    """Tell whether no line is both a good row's and a broken one's, and all lie inside the text."""
    good = set(extracted.lines_of(extracted.frame.with_row_index().get_column("index")))
    broken = set(extracted.broken.get_column("line"))
    last = len(io.StringIO(body.decode("latin-1"), newline="").readlines())
    return not good & broken and all(1 <= line <= last for line in good | broken)
