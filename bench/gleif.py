"""How long a day of a list of nine million rows takes, end to end, and how much memory; beside it by hand.

    python bench/gleif.py [ROWS] [--whole]

The list is generated: as many rows as GLEIF's list of ISINs had in August 2026, ordered by LEI, with right
check digits; on the second day some are new, some gone, some have another LEI. It is served on loopback. The
first day fills the archive; the second is measured, in a process of its own, from the program's start to its
end. By hand means: pandas reads, sorts and compares the same day and writes it as CSV, python-stdnum checks
each ISIN. The check takes minutes, so it is made of a sample and told in proportion, unless --whole is given.
Both are in the dependency group "bench": pip install --constraint constraints.txt --group bench
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import file_digest
from http.server import BaseHTTPRequestHandler
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from time import process_time
from typing import Any
from urllib.request import urlopen

import polars as pl

from everytick.feeds.feed import Feed
from everytick.feeds.isin import check_digit
from everytick.feeds.refresh import refresh
from everytick.testing.provider import Provider
from figures import Watch, tell

ROWS = 9_118_616
ADDED, REMOVED, CHANGED = 3_000, 2_000, 500
MOST_SECONDS, MOST_MEMORY = 30.0, 2_500.0

PREFIXES = ("DE000", "DE00A", "DE00B", "DE00C", "US037", "US459", "US912", "GB00B", "XS203", "FR001")
ISSUERS = 90_000
SAMPLE = 500_000
CHUNK = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a child process took, and what it said.

    Attributes:
        wall: Seconds from its start to its end.
        cpu: CPU seconds.
        memory: The most it ever held at once (RSS), in MB.
        said: The outcome of its work.
    """

    wall: float
    cpu: float
    memory: float
    said: dict[str, Any]


def lei(number: int) -> str:
    """Return an LEI with right check digits (ISO 17442); those of rising numbers are in order."""
    body = f"{number:06d}00EVERYTICKQ"
    return f"{body}{98 - int(''.join(str(int(character, 36)) for character in f'{body}00')) % 97:02d}"


def isins(numbers: pl.Expr) -> pl.Expr:
    """Return an ISIN for each number below ten million, no two the same."""
    place, serial = numbers % len(PREFIXES), numbers // len(PREFIXES) * 387_421 % 10**6
    digits = [serial // 10**power % 10 for power in range(6)]
    total = sum((2 * digit - 9 * (digit > 4).cast(pl.Int64) for digit in digits[::2]), pl.lit(0))
    total += sum(digits[1::2], pl.lit(0))
    rest = pl.lit(pl.Series([check_digit(f"{prefix}000000") for prefix in PREFIXES])).gather(place)
    tail = serial * 10 + (rest - total) % 10
    return pl.concat_str(pl.lit(pl.Series(PREFIXES)).gather(place), tail.cast(pl.String).str.zfill(7))


def write(path: Path, count: int, day: int) -> None:
    """Write the list of a day as CSV; on the second it has so many rows."""
    number, old = pl.col("number"), count - ADDED + REMOVED
    step = old // REMOVED
    gone = (number % step == 0) & (number // step < REMOVED)
    another = (number % step == 1) & (number // step < CHANGED) & (day == 2)
    leis = pl.lit(pl.Series([lei(issuer) for issuer in range(ISSUERS)]))
    ordered = ((number / old) ** 3 * ISSUERS).cast(pl.Int64)
    issuer = pl.when(number < old).then(ordered).otherwise(number) + another.cast(pl.Int64)
    last = old + ADDED if day == 2 else old
    with path.open("wb") as file:
        for first in range(0, last, CHUNK):
            numbers = pl.int_range(first, min(first + CHUNK, last), eager=True).alias("number").to_frame()
            chunk = numbers.filter(~gone) if day == 2 else numbers
            listed = chunk.select(LEI=leis.gather(issuer % ISSUERS), ISIN=isins(number))
            listed.write_csv(file, include_header=first == 0)


def send(path: Path, handler: BaseHTTPRequestHandler) -> None:
    """Answer a request with a file."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/csv")
    handler.send_header("Content-Length", str(path.stat().st_size))
    handler.send_header("Connection", "close")
    handler.end_headers()
    with path.open("rb") as file:
        shutil.copyfileobj(file, handler.wfile, 1 << 20)


def refreshed(folder: Path, url: str, moment: int) -> dict[str, Any]:
    """Refresh the feed; its server is on loopback, which has to be allowed."""
    feed = Feed(name="gleif", url=url, key="ISIN", check="isin", allow_private=("127.0.0.0/8",))
    return dict(refresh(feed, folder, moment=moment).summary())


def by_hand(folder: Path, url: str) -> dict[str, Any]:
    """Do the same day with pandas, all but the check: read, sort, compare, write, rename."""
    pandas: Any = import_module("pandas")
    with urlopen(url) as answer, (folder / "arrived").open("wb") as file:
        shutil.copyfileobj(answer, file, 1 << 20)
    after = pandas.read_csv(folder / "arrived", dtype=str, keep_default_na=False)[["ISIN", "LEI"]]
    before = pandas.read_csv(folder / "list.csv", dtype=str, keep_default_na=False)
    after = after.sort_values("ISIN")
    both = before.merge(after, on="ISIN", how="outer", suffixes=("_before", ""), indicator=True)
    side = both["_merge"]
    changed = (side == "both") & (both["LEI"] != both["LEI_before"])
    after.to_csv(folder / "aside.csv", index=False)
    (folder / "aside.csv").replace(folder / "list.csv")
    return {
        "rows": len(after),
        "added": int((side == "right_only").sum()),
        "removed": int((side == "left_only").sum()),
        "changed": int(changed.sum()),
    }


def checked_by_hand(path: Path, most: int) -> dict[str, Any]:
    """Check so many ISINs with python-stdnum."""
    is_valid = import_module("stdnum.isin").is_valid
    keys = pl.read_csv(path, columns=["ISIN"], n_rows=most)["ISIN"].to_list()
    busy, watch = process_time(), Watch()
    valid = sum(map(is_valid, keys))
    return {"checked": len(keys), "valid": valid, "wall": watch.wall, "cpu": process_time() - busy}


WORKS: dict[str, Callable[..., dict[str, Any]]] = {
    "refreshed": lambda folder, url, moment: refreshed(Path(folder), url, int(moment)),
    "by_hand": lambda folder, url: by_hand(Path(folder), url),
    "checked_by_hand": lambda path, most: checked_by_hand(Path(path), int(most)),
}


def child(work: str, *arguments: str) -> None:
    """Do one piece of work in this process, and say what came of it."""
    said = WORKS[work](*arguments)
    # ru_maxrss begins with what the parent held at the fork; this high water mark is the program's own.
    status = Path("/proc/self/status").read_text("ascii").splitlines()
    memory = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1000
    print(json.dumps({"cpu": process_time(), "memory": memory, "said": said}))


def spent(work: str, *arguments: object) -> Spent:
    """Do one piece of work in a process of its own."""
    program = [sys.executable, __file__, "--child", work, *map(str, arguments)]
    watch = Watch()
    done = subprocess.run(program, stdout=subprocess.PIPE, check=True)
    found = Spent(wall=watch.wall, **json.loads(done.stdout))
    print(
        f"{work:16} {found.wall:7.2f} s {found.cpu:7.2f} s CPU {found.memory:7,.0f} MB   {found.said}",
        flush=True,
    )
    return found


def beside(folder: Path, first: Path, provider: Provider, *, count: int, sample: int) -> str:
    """Do the second day by hand, see that it comes to the same bytes, and say what it took."""
    missing = [name for name in ("pandas", "stdnum") if not find_spec(name)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    pl.scan_csv(first).select("ISIN", "LEI").sort("ISIN").sink_csv(folder / "list.csv")
    day = spent("by_hand", folder, provider.url)
    check = spent("checked_by_hand", folder / "arrived", sample).said
    scale = count / check["checked"]
    wall, cpu = day.wall + check["wall"] * scale, day.cpu + check["cpu"] * scale
    told = "" if scale == 1 else f", checks in proportion from {check['checked']:,}"
    return (
        f"pandas and python-stdnum: {wall:.0f} s, CPU {cpu:.0f} s, {day.memory / 1000:.1f} GB "
        f"({day.wall:.0f} s without the checks{told})"
    )


def same(one: Path, other: Path) -> bool:
    """Tell whether two files hold the same bytes."""
    digests = []
    for path in (one, other):
        with path.open("rb") as file:
            digests.append(file_digest(file, "sha256").digest())
    return digests[0] == digests[1]


def run(folder: Path, count: int, sample: int) -> None:
    """Measure both days, and the second by hand."""
    days = [folder / "day1.csv", folder / "day2.csv"]
    for number, path in enumerate(days, 1):
        write(path, count, number)
    print(f"{count:,} rows, {days[1].stat().st_size / 1e6:.0f} MB, {os.cpu_count()} cores", flush=True)
    data, hand = folder / "data", folder / "hand"
    hand.mkdir()
    with Provider() as provider:
        for moment, path in enumerate(days):
            provider.manners = partial(send, path)
            day = spent("refreshed", data, provider.url, moment)
        expected = {"rows": count, "added": ADDED, "removed": REMOVED, "changed": CHANGED}
        assert expected.items() <= day.said.items(), day.said
        floor = beside(hand, days[0], provider, count=count, sample=sample)
    if (hand / "list.csv").exists():
        assert same(data / "feeds" / "gleif" / "current.csv", hand / "list.csv")
    tell(
        f"a {count:,}-row day refreshed in under 30 s and 2.5 GB",
        f"{day.wall:.1f} s, {day.memory / 1000:.2f} GB at most",
        met=day.wall < MOST_SECONDS and day.memory < MOST_MEMORY,
        cpu=f"{day.cpu:.1f} s",
        beside=floor,
    )


def main(arguments: Sequence[str]) -> None:
    """Measure, or be one of the processes that are measured."""
    if "--child" in arguments:
        child(*arguments[1:])
        return
    numbers = [int(argument) for argument in arguments if argument != "--whole"]
    count = numbers[0] if numbers else ROWS
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), count, count if "--whole" in arguments else SAMPLE)


if __name__ == "__main__":
    main(sys.argv[1:])
