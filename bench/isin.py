"""How many ISINs are checked in a second: one at a time, all at once, and by python-stdnum if installed.

Run as ``python bench/isin.py [ROWS]``; 8,000,000 rows unless told otherwise, one in a hundred of them wrong.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from time import perf_counter

import polars as pl

from everytick.feeds.isin import are_isins, check_digit, is_isin
from figures import Watch, tell

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PREFIXES = ["IN", "US", "DE", "GB", "XS", "EZ"]
DISTINCT = 200_000
LIMIT = 2.0


def isins(rows: int) -> list[str]:
    """Return so many ISINs; every hundredth has a wrong check digit."""
    made = []
    for number in range(min(rows, DISTINCT)):
        rest, body = number * 2_654_435_761 % 36**9, ""
        for _ in range(9):
            rest, place = divmod(rest, 36)
            body += ALPHABET[place]
        body = PREFIXES[number % len(PREFIXES)] + body
        made.append(f"{body}{(check_digit(body) + (number % 100 == 0)) % 10}")
    return [*made * (rows // len(made)), *made[: rows % len(made)]]


def one_at_a_time(check: Callable[[str], bool], texts: list[str]) -> tuple[int, float]:
    """Return how many are valid, and the seconds it took to say so."""
    start = perf_counter()
    return sum(map(check, texts)), perf_counter() - start


def report(what: str, rows: int, valid: int, seconds: float) -> None:
    """Print one line."""
    print(f"{what:28}{rows:>10,} rows {seconds:7.2f} s {rows / seconds:>12,.0f} rows/s   {valid:,} valid")


def main() -> None:
    """Print a line for each way."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 8_000_000
    texts = isins(rows)
    few = texts[: min(rows, DISTINCT)]
    single = one_at_a_time(is_isin, few)
    report("is_isin, one at a time", len(few), *single)
    series = pl.Series(texts)
    for run in ("first", "second"):
        watch = Watch()
        valid = int(are_isins(series).sum())
        wall, cpu = watch.wall, watch.cpu
        report(f"are_isins, {run} run", rows, valid, wall)
    if find_spec("stdnum"):
        stdnum_check: Callable[[str], bool] = import_module("stdnum.isin").is_valid
        report("python-stdnum", len(few), *one_at_a_time(stdnum_check, few))
    else:
        print("python-stdnum is not installed")
    tell(
        f"{rows:,} ISINs checked in under 2 s",
        f"{wall:.2f} s",
        met=wall < LIMIT,
        cpu=f"{cpu:.2f} s",
        beside=f"one at a time in Python: {single[1] * rows / len(few):.1f} s",
    )


if __name__ == "__main__":
    main()
