"""How long a refresh of a large list takes, from a provider on loopback: a first list, the same, a change.

Run as ``python bench/feed.py [ROWS]``; 288,702 rows unless told otherwise, the size of a depository's list.
"""

import csv
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time
from urllib.request import urlopen

from everytick.feeds.ask.changes import changes
from everytick.feeds.feed import Feed
from everytick.feeds.isin import check_digit
from everytick.feeds.refresh import refresh
from everytick.testing.provider import Provider
from figures import Watch, tell

ROWS = 288_702
LIMIT = 3.0


def rows(first: int, last: int, day: int) -> Iterator[str]:
    """Yield rows; one in fifty has another name each day."""
    for number in range(first, last):
        body = f"INE{number:06d}01"
        name = f'"INVENTED COMPANY {number}, SERIES {day if number % 50 == 0 else 0}"'
        yield f"{body}{check_digit(body)},{name},ISSUER {number % 977},EQUITY SHARES,ACTIVE\n"


def listing(first: int, last: int, day: int) -> bytes:
    """Return a list as CSV."""
    return ("isin,name,issuer,type,status\n" + "".join(rows(first, last, day))).encode()


def spent(start: float, busy: float) -> str:
    """Return the seconds since then, on the wall and of the processors."""
    return f"{perf_counter() - start:6.2f} s {process_time() - busy:6.2f} s CPU"


def bare(url: str) -> float:
    """Return the seconds that a download takes, read with csv alone: no check, no difference, no file."""
    watch = Watch()
    with urlopen(url) as answer:
        known = {row["isin"]: row for row in csv.DictReader(answer.read().decode().splitlines())}
    assert known
    return watch.wall


def main() -> None:
    """Print a line for each refresh."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    days = {
        "first list": listing(0, count, 1),
        "unchanged": listing(0, count, 1),
        "1 % gone, 1 % new, 2 % changed": listing(count // 100, count + count // 100, 2),
    }
    slowest = (0.0, 0.0, "")
    print(f"{count:,} rows, {len(days['first list']) / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as folder, Provider() as provider:
        feed = Feed(name="bench", url=provider.url, allow_private=("127.0.0.0/8",), key="isin", check="isin")
        for moment, (what, body) in enumerate(days.items()):
            provider.serve(body)
            watch = Watch()
            refreshed = refresh(feed, Path(folder), moment=moment)
            wall, cpu = watch.wall, watch.cpu
            slowest = max(slowest, (wall, cpu, what))
            print(f"{what:32} {wall:6.2f} s {cpu:6.2f} s CPU   {refreshed.summary()}")
        start, busy = perf_counter(), process_time()
        changes(Path(folder), feed.name)
        print(f"{'feed changes':32} {spent(start, busy)}")
        floor = bare(provider.url)
    wall, cpu, what = slowest
    tell(
        f"a {count:,}-row list refreshed in under 3 s",
        f"{wall:.2f} s (the slowest, {what})",
        met=wall < LIMIT,
        cpu=f"{cpu:.2f} s",
        beside=f"downloaded and read with csv alone: {floor:.2f} s",
    )


if __name__ == "__main__":
    main()
