"""Tables of ``everytick.toml`` with odd values."""

import re
import tomllib
from collections.abc import Sequence
from random import Random

from everytick.errors import EverytickError, ExtractFailed
from everytick.feeds.catalogue import resolve
from everytick.feeds.extract import extract
from everytick.feeds.judge.check import check
from everytick.feeds.section import KEYS, read

from . import lists
from .damage import damaged
from .target import Target, refused

TABLES = [
    b"""
source = "nse-equities"
min_rows = 1
publish = "isins.csv"
""",
    b"""
url = "https://example.org/list.csv"
key = "ISIN NUMBER"
headers = { A = "b" }
hosts = ["a.example.org"]
allow_private = ["127.0.0.0/8", "::1"]
content_types = ["text/*"]
fetch_timeout = "60s"
size_limit = "2MB"
keep_downloads = 3
encoding = ["utf-8", "cp1252", "utf-16", "idna", "utf-7"]
delimiter = ","
none = ["-", ""]
columns = ["SYMBOL"]
identity = ["SYMBOL"]
as_of = { column = "DATE OF LISTING", format = "%d-%b-%Y" }
window = { every = "10m", within = "4h" }
same_on = ["sat", 2026-01-26]
max_removed = { hold = "5%", refuse = 0.5 }
max_added = "10.5%"
unknown_columns = "warn"
formats = ["csv", "jsonl"]
""",
    b"""
url = "https://example.org/list.csv"
key = "ISIN"
format = "text"
pattern = "(?P<ISIN>[A-Z0-9]{12})"
check = "isin"
""",
]
_VALUES = [
    *("true", "0", "-1", "1e400", "nan", "99999999999999999999999999", "1979-05-27", "[]", "{}", "[1]"),
    *('""', '" "', '"\\u0000"', '[""]', '"%"', '"100%"', '"1GB"', '"9999999999999999999999s"', '"ISIN"'),
    *('["ISIN"]', '["ISIN", "ISIN"]', '"utf-8"', '"rot13"', '"undefined"', '"unicode_escape"', '"\\t"'),
    *('"%Q"', '"[::1"', '"http://[/"', '["1.2.3.4/33"]', '{ hold = "1%" }', '{ column = "ISIN" }'),
    *('{ pattern = "(" }', '{ "ISIN" = ["A"] }', "{ a = 1 }", '"nse-equities"', '"utf-8-sig"', '"utf-7"'),
]  # fmt: skip


def run(body: bytes) -> str:
    """Read a table as ``[feed.NAME]``; write it back, read it again, and read a list with it."""
    try:
        table = tomllib.loads(body.decode())
    except (ValueError, RecursionError):
        return "no TOML"
    try:
        feed, rest = read("list", resolve(table))
    except EverytickError as refusal:
        return refused(refusal)
    assert read("list", feed.section()) == (feed, {}), "written back, it is another feed"
    assert rest.keys() <= table.keys(), "a key came from nowhere"
    if feed.format == "csv" and (feed.as_of is None or feed.as_of.pattern is None):
        try:
            check(extract(lists.invented()[0], feed, {}), feed)
        except ExtractFailed as refusal:
            refused(refusal)
    return "read"


def seeds() -> Sequence[bytes]:
    """Return the catalogue, and tables that have every key."""
    folder = lists.ROOT / "src" / "everytick" / "feeds" / "catalogue"
    return [*(file.read_bytes() for file in sorted(folder.glob("*.toml"))), *TABLES]


def damage(body: bytes, chance: Random) -> bytes:
    """Give some keys of a table other values; or damage its text."""
    if chance.random() < 0.3:
        return damaged(body, chance)
    keys = ["source", *sorted(KEYS)]
    body = re.sub(rb"(?m)^\[[^[]*", b"", body)  # its sub-tables, which end it
    for _ in range(chance.randint(1, 3)):
        key = chance.choice(keys)
        body = re.sub(rf"(?m)^{key}\b.*\n?".encode(), b"", body)
        body += f"\n{key} = {chance.choice(_VALUES)}\n".encode()
    return body


TABLE = Target(run=run, seeds=seeds, damage=damage)
