"""Lists to damage: heads of the real ones where they are at hand, and invented ones in their shapes."""

import csv
import gzip
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from everytick.feeds.catalogue import resolve
from everytick.feeds.feed import Feed
from everytick.feeds.section import read

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("EVERYTICK_DATA", ROOT.parent / "shared" / "data"))
"""The real lists; they are too large, and not ours, to be kept in the project."""

ROWS = 40
"""Lines of a head."""

Table = Mapping[str, Any]

SMALL: Table = {"min_rows": 3, "max_invalid": "10%", "max_repeated": "5%"}
"""Heads are short, so that one bad row is a large share of them."""

NSE: Table = {"source": "nse-equities", **SMALL}
AMFI: Table = {"source": "amfi-navall", **SMALL}
EURONEXT: Table = {
    **SMALL,
    "key": "ISIN",
    "check": "isin",
    "delimiter": ";",
    "encoding": ["utf-8", "cp1252"],
    "identity": ["Name", "Market"],
}
XETRA: Table = {
    **SMALL,
    "key": "ISIN",
    "check": "isin",
    "delimiter": ";",
    "columns": ["WKN", "Mnemonic"],
    "as_of": {"pattern": r"Date Last Update:;(\S+)", "format": "%d.%m.%Y"},
}


def described(table: Table) -> Feed:
    """Return the feed that a table describes, sources of the catalogue included."""
    return read("list", resolve({"url": "https://example.org/list.csv", **table}))[0]


@cache
def heads(pattern: str, rows: int = ROWS) -> tuple[bytes, ...]:
    """Return the first lines of the real lists whose names fit; none where they are not at hand."""
    return tuple(
        b"".join(_whole(file).splitlines(keepends=True)[:rows]) for file in sorted(FOLDER.glob(pattern))
    )


def _whole(file: Path) -> bytes:
    body = file.read_bytes()
    return gzip.decompress(body) if file.suffix == ".gz" else body


@cache
def invented(days: int = 2) -> tuple[bytes, ...]:
    """Return the first lines of the example's lists, which have the shape of NSE's."""
    sys.path.insert(0, str(ROOT / "examples" / "isin-daily"))
    try:
        exchange = import_module("exchange")
    finally:
        sys.path.pop(0)
    return tuple(b"".join(exchange.listing(day).splitlines(keepends=True)[:ROWS]) for day in range(days))


def nse() -> tuple[bytes, ...]:
    """Return lists like NSE's."""
    return (*invented(), *heads("nse_equity_l/EQUITY_L-202[1-6]*.csv")[-2:])


def amfi() -> tuple[bytes, ...]:
    """Return lists like AMFI's: two keys in a row, lines between the rows."""
    return (_made(_funds), *heads("amfi_navall/NAVAll-2025071*.txt.gz", 2 * ROWS)[-2:])


def euronext() -> tuple[bytes, ...]:
    """Return lists like Euronext's: quotes, and names in cp1252."""
    return (_made(_quotes), *heads("euronext/*.csv"))


def xetra() -> tuple[bytes, ...]:
    """Return lists like Xetra's: lines before the header, and many columns."""
    return (_made(_instruments), *heads("xetra_t7/*-20191108.csv.gz", 10))


def no_lists() -> tuple[bytes, ...]:
    """Return what real servers sent in a list's place."""
    return (
        b"\n",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        *heads("amfi_navall/NAVAll-20250914.txt"),
        *heads("nse_equity_l/*-truncated.csv"),
        *heads("nsdl_scrape/*-header-only.csv"),
    )


def _made(write: Callable[[Sequence[Mapping[str, str]]], Iterator[str]]) -> bytes:
    rows = [*csv.DictReader(invented()[0].decode().splitlines(), skipinitialspace=True)]
    return "".join(f"{line}\r\n" for line in write(rows)).encode("cp1252")


def _funds(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    yield "Scheme Code;ISIN Div Payout/ ISIN Growth;ISIN Div Reinvestment;Scheme Name;Net Asset Value;Date"
    for place, (one, other) in enumerate(zip(rows[::2], rows[1::2], strict=False)):
        if place % 5 == 0:
            yield " "
            yield f"Pretend Fund {place}"
        second = other["ISIN NUMBER"] if place % 2 else "-"
        first, name = one["ISIN NUMBER"], one["NAME OF COMPANY"]
        yield f"{100_000 + place};{first};{second};{name};1.{place};16-Jul-2025"


def _quotes(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    yield 'Name;ISIN;Symbol;Market;"Trading Currency"'
    for row in rows:
        isin, name = row["ISIN NUMBER"], row["NAME OF COMPANY"]
        yield f'"{name}, S.A. «é»";{isin};{row["SYMBOL"]};"Euronext Paris";EUR'


def _instruments(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    yield from ("Market:;XETR", "Date Last Update:;08.11.2019", "Instrument;ISIN;WKN;Mnemonic;Empty;")
    for row in rows:
        yield f"{row['NAME OF COMPANY']};{row['ISIN NUMBER']};{row['PAID UP VALUE']};{row['SYMBOL']};;"
