"""Real lists, good and bad, each folder replayed in its order through a server with that source's manners.

The expected verdict stands beside each file. What was gained and lost is computed once more here, with the
standard library alone.
"""

import csv
import gzip
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from everytick.errors import FeedError
from everytick.feeds.ask.changes import changes
from everytick.feeds.catalogue import resolve
from everytick.feeds.decide import approve
from everytick.feeds.feed import Feed
from everytick.feeds.refresh import refresh
from everytick.feeds.section import read
from everytick.testing.provider import Provider, send

List = dict[str, tuple[str, ...]]
"""The rows of a list by their key, as far as they count."""

DAY = 86_400_000_000
TODAY = 20_780 * DAY
"""In November 2026, after all of them."""
PAGE = b"<html>\n<head><title>Access Denied</title></head>\n<body>Reference #18.2d</body></html>\n"


@dataclass(frozen=True)
class Day:
    """One file of a source.

    Attributes:
        file: Its name in the folder; a gzipped one is served as the source serves it, plain.
        verdict: What must become of it: published, unchanged, or the name of the error.
        words: What the error must say, as a regular expression.
        status: What the server answers.
        approved: Whether a person then approves what was held.
    """

    file: str
    verdict: str = "published"
    words: str = ""
    status: int = 200
    approved: bool = False


@dataclass(frozen=True)
class Source:
    """A source, its feed and its days.

    Attributes:
        folder: Where its files are.
        table: The feed's table.
        days: Its files, in their order.
        judge: What the standard library makes of a file.
        manners: What the server insists on.
        media_type: What it calls its files.
    """

    folder: str
    table: Mapping[str, Any]
    days: Sequence[Day]
    judge: Callable[[str], Iterator[tuple[str, tuple[str, ...]]]]
    encoding: str = "utf-8"
    media_type: str = "text/csv"
    browsers_only: bool = False
    moved: str = ""
    checked: bool = True
    name: str = field(default="")

    def list_of(self, body: bytes) -> List:
        found: List = {}
        for key, row in self.judge(body.decode(self.encoding)):
            if (key and not self.checked) or is_isin(key):
                found.setdefault(key, row)
        return found


def is_isin(text: str) -> bool:
    if re.fullmatch(r"[A-Z]{2}[A-Z0-9]{9}[0-9]", text) is None:
        return False
    digits = [int(digit) for digit in "".join(str(int(each, 36)) for each in text)]
    doubled = [2 * digit if place % 2 else digit for place, digit in enumerate(reversed(digits))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def named(*columns: str, delimiter: str = ",", header: Sequence[str] = (), key: str) -> Any:  # noqa: ANN401 - a judge
    """Return a judge that reads columns by their names."""

    def judge(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        rows = csv.reader(text.removeprefix("\ufeff").splitlines(), delimiter=delimiter)
        names: Sequence[str] = header
        for row in rows:
            stripped = [cell.strip() for cell in row]
            if key in stripped:
                names = stripped
            elif names and len(row) == len(names):
                cells = dict(zip(names, row, strict=True))
                yield cells[key].strip(), tuple(cells[name] for name in columns)

    return judge


def funds(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Judge a list of AMFI: two ISINs in a row, lines of sections between rows."""
    for line in text.splitlines():
        cells = line.split(";")
        if len(cells) == 6 and cells[0].isdigit():
            for isin in cells[1:3]:
                yield isin.strip(), (cells[0], cells[3])


def orders(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for found in re.findall(r'"id":(\d+)', text):
        yield found, ()


def hong_kong(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Judge a workbook by the XML of its sheet."""
    with zipfile.ZipFile(io.BytesIO(text.encode("latin-1"))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    for row in sheet.split("</x:row>"):
        cells = dict(re.findall(r'<x:c r="([A-Z]+)\d+"[^>]*><x:v>([^<]*)</x:v>', row))
        yield cells.get("G", ""), (cells.get("A", ""),)


def australia(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Judge an old workbook by the text in it, mended where one record (0x3C) goes on in the next."""
    whole = re.sub("<\x00..\x00?", "", text, flags=re.DOTALL)
    yield from ((isin, ()) for isin in re.findall(r"(?<=\x00)[A-Z]{2}[0-9A-Z]{9}\d", whole))


NSE_HEADER = ["SYMBOL", "NAME OF COMPANY", "SERIES", "DATE OF LISTING", "PAID UP VALUE", "MARKET LOT"]
NSE_HEADER += ["ISIN NUMBER", "FACE VALUE"]
DEBT_HEADER = ["SYMBOL", "NAME OF COMPANY", "SERIES", "FACE VALUE", "PAID UP VALUE", "MKT LOT", "IP RATE"]
DEBT_HEADER += ["DATE OF LISTING", "DATE OF ALLOTMENT", "REDEMPTION DATE", "REDEMPTION AMT"]
DEBT_HEADER += ["CONVERSION DATE", "CONVERSION AMT", "INTEREST PAYMENT DT"]
NSE = ("SYMBOL", "NAME OF COMPANY")
NSE_TABLE: Mapping[str, Any] = {
    "key": "ISIN NUMBER",
    "columns": list(NSE),
    "header": NSE_HEADER,
    "check": "isin",
    "headers": {"User-Agent": "Mozilla/5.0"},
    "max_removed": {"hold": "10%", "refuse": "50%"},  # months lie between two of its lists, not days
}

SOURCES = [
    Source(
        folder="amfi_navall",
        table={
            "source": "amfi-navall",
            "columns": ["Scheme Code", "Scheme Name"],
            "identity": ["Scheme Code", "Scheme Name"],
        },
        judge=funds,
        media_type="text/plain",
        moved="/NAVAll.txt",
        days=[
            Day("NAVAll-20250716-0754Z.txt", "FetchFailed", "body of 1 byte"),
            Day("NAVAll-20250716-1500Z.txt.gz"),
            Day("NAVAll-20250717.txt.gz", "unchanged"),
            Day("NAVAll-20250718.txt.gz"),
            Day("NAVAll-20250719.txt.gz"),
            Day("NAVAll-20250720.txt.gz", "unchanged"),
            Day("NAVAll-20250721.txt.gz", "unchanged"),
            Day("NAVAll-20250722.txt.gz"),
            Day("NAVAll-20250723.txt.gz"),
            Day("NAVAll-20250724.txt.gz"),
            Day("NAVAll-20250725.txt.gz"),
            Day("NAVAll-20250912.txt.gz"),
            Day("NAVAll-20250913.txt.gz"),
            Day("NAVAll-20250914.txt", "FetchFailed", "404", status=404),
            Day("NAVAll-20250914.txt", "FetchFailed", "page instead of a list"),
            Day("NAVAll-20250725.txt.gz", "FeedRefused", "2025-07-2[45].* older|older.*2025-07-2[45]"),
        ],
    ),
    Source(
        folder="nse_equity_l",
        table=NSE_TABLE,
        judge=named(*NSE, header=NSE_HEADER, key="ISIN NUMBER"),
        browsers_only=True,
        days=[
            Day("EQUITY_L-20210307.csv"),
            Day("EQUITY_L-20220731.csv"),
            Day("EQUITY_L-20231105.csv"),
            Day("EQUITY_L-20250304.csv"),
            Day("EQUITY_L-20250505-lfs-pointer.csv", "FetchFailed", "(?i)git.lfs"),
            Day("EQUITY_L-20250706.csv"),
            Day("EQUITY_L-20251015.csv"),
            Day("EQUITY_L-20251015-truncated.csv", "FeedRefused", "2,185 of the last good list's 2,186 rows"),
            Day("EQUITY_L-20251015.csv", "unchanged"),
            Day("EQUITY_L-20260130.csv"),
            Day("EQUITY_L-20260710.csv"),
        ],
    ),
    Source(
        folder="nse_equity_l",
        name="etfs",
        table={"key": "ISIN Number", "encoding": ["utf-8", "cp1252"], "check": "isin", "max_repeated": "1%"},
        judge=named("Symbol", "Underlying", "Security Name", key="ISIN Number"),
        encoding="cp1252",
        days=[Day("eq_etfseclist-20231105.csv")],
    ),
    Source(
        folder="nse_equity_l",
        name="debt",
        table={
            "key": "ISIN",
            "header": [*DEBT_HEADER, "ISIN"],  # its own header stops before the last column
            "columns": ["SYMBOL"],
            "check": "isin",
            "none": "",
            "max_repeated": "30%",
        },
        judge=lambda text: ((row[14], (row[0],)) for row in csv.reader(text.splitlines()) if len(row) == 15),
        days=[Day("DEBT-20231105.csv")],
    ),
    Source(
        folder="xetra_t7",
        table={
            "key": "ISIN",
            "columns": ["WKN", "Mnemonic"],
            "delimiter": ";",
            "check": "isin",
            "as_of": {"pattern": r"Date Last Update:;(\S+)", "format": "%d.%m.%Y"},
        },
        judge=named("WKN", "Mnemonic", delimiter=";", key="ISIN"),
        moved="/resource/blob/1528/0a1b2c/data/t7-xetr-allTradableInstruments.csv",
        days=[
            Day("t7-xetr-allTradableInstruments-20191108.csv.gz"),
            Day("t7-xetr-allTradableInstruments-20211231.csv.gz", "ExtractFailed", "no column 'ISIN'"),
        ],
    ),
    Source(
        folder="euronext",
        table={
            "key": "ISIN",
            "columns": ["Name", "Symbol", "Market"],
            "delimiter": ";",
            "encoding": ["utf-8", "cp1252"],
            "check": "isin",
            "max_repeated": "2%",
        },
        judge=named("Name", "Symbol", "Market", delimiter=";", key="ISIN"),
        encoding="cp1252",
        days=[Day("Euronext_Equities-20201215.csv")],
    ),
    Source(
        folder="global_identifiers",
        table={
            "key": "isin",
            "columns": ["wkn"],
            "identity": ["isin"],
            "none": "",
            "check": "isin",
            "max_repeated": "15%",
        },
        judge=named(key="isin"),
        days=[
            Day("identifiers-20260330.csv.gz"),
            Day("identifiers-20260331.csv.gz"),
            Day("identifiers-20260401.csv.gz"),
            Day("identifiers-20260402.csv.gz"),
            Day("identifiers-20260404.csv.gz", "unchanged"),
            Day("identifiers-20260405.csv.gz"),
            Day("identifiers-20260406.csv.gz"),
            Day("identifiers-20260407.csv.gz"),
            Day("identifiers-20260408.csv.gz"),
        ],
    ),
    Source(
        folder="investpy",
        name="stocks",
        table={
            "key": "isin",
            "columns": ["name", "currency"],
            "none": "",
            "max_repeated": "10%",
            "check": "isin",
        },
        judge=named("name", "currency", key="isin"),
        days=[Day("stocks.csv.gz")],
    ),
    Source(
        folder="investpy",
        name="etfs",
        table={
            "key": "isin",
            "columns": ["name", "currency"],
            "none": "",
            "max_repeated": "35%",
            "check": "isin",
        },
        judge=named("name", "currency", key="isin"),
        days=[Day("etfs.csv.gz")],
    ),
    Source(
        folder="nsdl_casparser",
        table={"key": "isin", "check": "isin", "min_rows": 200_000},
        judge=named("name", "issuer", "type", "status", key="isin"),
        days=[
            Day("isin-2025.3.1.csv.gz"),
            Day("isin-2025.3.1.csv.gz", "unchanged"),
            Day(
                "isin-2026.5.1.csv.gz",
                "FeedHeld",
                "104,197 of the last good list's 288,702 rows",
                approved=True,
            ),
            Day("isin-2026.5.1.csv.gz", "unchanged"),
        ],
    ),
    Source(
        folder="nsdl_casparser",
        name="schemes",
        table={"key": "isin", "check": "isin", "max_repeated": "10%"},
        judge=named("name", key="isin"),
        days=[Day("scheme-2023.9.3.csv.gz")],
    ),
    Source(
        folder="nsdl_scrape",
        name="nsdl",
        table={"key": "ISIN", "check": "isin", "min_rows": 200_000},
        judge=named("Description", "Issuer", "Type", "Status", key="ISIN"),
        days=[
            Day("ISIN-20230726-partial.csv.gz", "FeedRefused", "6,431, fewer than min_rows, 200,000"),
            Day("ISIN-20250921-header-only.csv", "FeedRefused", "empty|no rows|0 rows"),
        ],
    ),
    Source(
        folder="nsdl_scrape",
        name="shrunk",
        table={
            "key": "ISIN",
            "aliases": {"ISIN": ["isin"], "Description": ["name"]},
            "columns": ["Description"],
            "check": "isin",
        },
        judge=lambda text: named("Description", key="ISIN")(
            text.replace("isin,name,", "ISIN,Description,", 1)
        ),
        days=[
            Day("../nsdl_casparser/isin-2025.3.1.csv.gz"),
            Day("ISIN-20230726-partial.csv.gz", "FeedHeld", "282,271 of the last good list's 288,702 rows"),
            Day("ISIN-20250921-header-only.csv", "FeedRefused", "empty|no rows|0 rows"),
            Day("../nsdl_casparser/isin-2025.3.1.csv.gz", "unchanged"),
        ],
    ),
    Source(
        folder="hkex",
        table={
            "key": "ISIN",
            "format": "excel",
            "columns": ["Stock Code"],
            "none": "",
            "check": "isin",
            "max_removed": "25%",  # two months of expired warrants
            "as_of": {"pattern": r"Updated as at (\S+)", "format": "%d/%m/%Y"},
        },
        judge=hong_kong,
        encoding="latin-1",
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        days=[
            Day("ListOfSecurities-20211011.xlsx"),
            Day("ListOfSecurities-20211203.xlsx"),
            Day("ListOfSecurities-20211011.xlsx", "FeedRefused", "of 2021-10-11, older"),
        ],
    ),
    Source(
        folder="asx",
        table={
            "key": "ISIN code",
            "format": "excel",
            "columns": ["ISIN code"],
            "sections": True,
            "check": "isin",
            "as_of": {"pattern": r"last updated: (\S+)", "format": "%d/%m/%y"},
        },
        judge=australia,
        encoding="latin-1",
        media_type="application/vnd.ms-excel",
        days=[Day("ISIN-20220628.xls")],
    ),
    Source(
        folder="firds",
        table={
            "key": "ISIN",
            "format": "text",
            "pattern": r"<Id>(?P<ISIN>[A-Z]{2}[A-Z0-9]{9}[0-9])</Id>",
            "content_types": ["application/xml"],
            "check": "isin",
        },
        judge=lambda text: ((isin, ()) for isin in re.findall(r"<Id>(\w{12})</Id>", text)),
        media_type="application/xml",
        days=[Day("DLTINS_20210118_01of01_one-record.xml")],
    ),
    Source(
        folder="orders",
        table={
            "key": "id",
            "format": "text",
            "pattern": r'"id":(?P<id>\d+)',
            "content_types": ["application/json"],
        },
        judge=orders,
        media_type="application/json",
        checked=False,
        days=[Day("response.json")],
    ),
]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: f"{source.folder}-{source.name}".strip("-"))
def test_every_day_of_a_real_source(source: Source, lists: Path, provider: Provider, tmp_path: Path) -> None:
    feed = described(source, provider)
    good: List = {}
    sequence = 0
    for moment, day in zip(count(TODAY, DAY), source.days, strict=False):
        body = plain(lists / source.folder / day.file)
        provider.manners = manners(source, body, day.status)
        arrived = {} if day.status != 200 or day.verdict.endswith("Failed") else source.list_of(body)
        if day.verdict in {"published", "unchanged"}:
            refreshed = refresh(feed, tmp_path, moment=moment)
            assert (day.file, refreshed.verdict) == (day.file, day.verdict)
        else:
            with pytest.raises(FeedError, match=day.words) as refused:
                refresh(feed, tmp_path, moment=moment)
            assert (day.file, type(refused.value).__name__) == (day.file, day.verdict)
            if day.approved:
                approve(
                    tmp_path,
                    feed.name,
                    actor="priya",
                    note="deleted securities were taken out",
                    moment=moment,
                )
        if day.verdict == "published" or day.approved:
            sequence += 1
            assert changes(tmp_path, feed.name).shown() == {
                **differences(good, arrived),
                "snapshot": sequence,
            }
            good = arrived
        assert published(tmp_path, feed, good) == good
    assert sequence == sum(day.verdict == "published" or day.approved for day in source.days)


def described(source: Source, provider: Provider) -> Feed:
    table = resolve(
        {**source.table, "url": provider.url, "allow_private": ["127.0.0.0/8"], "hosts": ["127.0.0.1"]}
    )
    return read(source.name or source.folder, table)[0]


def plain(file: Path) -> bytes:
    body = file.read_bytes()
    return gzip.decompress(body) if file.suffix == ".gz" else body


def manners(source: Source, body: bytes, status: int) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if source.browsers_only and not handler.headers.get("User-Agent", "").startswith("Mozilla/"):
            send(handler, PAGE, status=403, headers={"Content-Type": "text/html"})
        elif source.moved and handler.path != source.moved:
            send(handler, PAGE, status=301, headers={"Location": source.moved, "Content-Type": "text/html"})
        else:
            page = body.lstrip().startswith(b"<html")
            send(
                handler,
                body,
                status=status,
                headers={"Content-Type": "text/html" if page else source.media_type},
            )

    return answer


def differences(before: List, after: List) -> dict[str, list[str]]:
    return {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": sorted(key for key in before.keys() & after.keys() if before[key] != after[key]),
    }


def published(data: Path, feed: Feed, good: List) -> List:
    """Read what readers see, keeping the columns that the judge looks at."""
    file = data / "feeds" / feed.name / "current.csv"
    if not file.exists():
        return {}
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    width = len(next(iter(good.values()), ()))
    columns = [name for name in rows[0] if name != feed.key][:width]
    return {row[feed.key]: tuple(row[name] for name in columns) for row in rows}
