"""A pretend exchange: serves a list of its shares on loopback, and lets days pass in seconds.

The list has the shape of a real one, the EQUITY_L.csv of the National Stock Exchange of India, down to the
spaces in its header. The companies are invented; the check digits of their ISINs are real arithmetic. On each
working day a few shares are listed, a few are delisted and a few companies change their name; on the weekend
nothing does. Whatever two days are compared, they differ in less than 5 % of the rows.

Run as ``python provider.py --port 0``: the first line it prints is the list's URL. It ends on SIGTERM, on
Ctrl-C, and with the process that started it.
"""

import argparse
import os
import signal
from collections.abc import Sequence
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Event, Thread
from typing import NamedTuple

from everytick.feeds.isin import check_digit

PATH = "/content/equities/EQUITY_L.csv"
HEADER = "SYMBOL,NAME OF COMPANY, SERIES, DATE OF LISTING, PAID UP VALUE, MARKET LOT, ISIN NUMBER, FACE VALUE"

KINDS = ["Imaginary", "Pretend", "Fictional", "Invented", "Storybook", "Phantom", "Makebelieve", "Dreamt"]
TOWNS = ["Nowherepur", "Fablabad", "Mythore", "Castlepatnam", "Rhymenagar", "Yarnkot", "Legendwada"]
TRADES = ["Tea", "Cement", "Kites", "Umbrellas", "Clocks", "Spices", "Lanterns", "Looms", "Ferries", "Maps"]
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]

STEADY, COMING, LISTED_OF_THOSE, RENAMING = 1_920, 240, 80, 60
A_DAY = 3


class Share(NamedTuple):
    """One row."""

    symbol: str
    name: str
    listed: str
    isin: str
    face: int


@lru_cache
def shares(seed: int) -> Sequence[Share]:
    """Return all shares there ever are: first those that stay, then those that come and go in turn."""
    draw = Random(seed)
    codes = draw.sample(range(1_000, 10_000), STEADY + COMING)
    return [share(draw, code) for code in codes]


def share(draw: Random, code: int) -> Share:
    """Return an invented share."""
    kind, town, trade = draw.choice(KINDS), draw.choice(TOWNS), draw.choice(TRADES)
    body = f"INE{code // 10:03d}{'XYZ'[code % 3]}010{code % 10}"
    listed = f"{draw.randrange(1, 29):02d}-{draw.choice(MONTHS)}-{draw.randrange(1995, 2026)}"
    return Share(
        symbol=f"{kind[:3]}{trade[:3]}{code}".upper(),
        name=f"{kind} {trade} of {town}",
        listed=listed,
        isin=f"{body}{check_digit(body)}",
        face=draw.choice([1, 2, 5, 10]),
    )


def listing(day: int, seed: int = 1) -> bytes:
    """Return the list of a day, counted from a Monday, 0; the same day and seed give the same bytes."""
    week, weekday = divmod(day, 7)
    worked = week * 5 + min(weekday, 4)
    everyone = shares(seed)
    begin = A_DAY * worked + turn(seed, "gone", worked)
    end = A_DAY * worked + LISTED_OF_THOSE + turn(seed, "new", worked)
    coming = [everyone[STEADY + place % COMING] for place in range(begin, end)]
    rows = [*enumerate(everyone[:STEADY]), *((STEADY, each) for each in coming)]
    renames = A_DAY * worked
    lines = sorted(
        f"{each.symbol},{title(each.name, (renames - place) // RENAMING + 1 if place < RENAMING else 0)},"
        f"EQ,{each.listed},{each.face},1,{each.isin},{each.face}"
        for place, each in rows
    )
    return "\n".join([HEADER, *lines, ""]).encode()


def turn(seed: int, what: str, worked: int) -> int:
    """Return by how many shares a day is ahead of an even pace: less than A_DAY."""
    return Random(f"{seed} {what} {worked}").randrange(A_DAY)


def title(name: str, renamed: int) -> str:
    """Return a company's name after so many changes of it."""
    return f"{name} {'Industries ' if renamed % 2 else ''}Limited"


class Exchange(ThreadingHTTPServer):
    """Serves the list of the day it has come to.

    Attributes:
        day: The day, counted from 0.
        seed: Which pretend exchange this is.
    """

    daemon_threads = True
    day = 0
    seed = 1


class Desk(BaseHTTPRequestHandler):
    """Answers a request."""

    server: Exchange

    def do_GET(self) -> None:
        """Send the list."""
        if self.path != PATH:
            self.send_error(404)
            return
        body = listing(self.server.day, self.server.seed)
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="A pretend exchange that serves a list of its shares.")
    parser.add_argument("--port", type=int, default=8723, help="0 takes any free one (default: %(default)s)")
    parser.add_argument(
        "--day", type=float, default=5.0, help="seconds that a day lasts (default: %(default)s)"
    )
    parser.add_argument(
        "--first-day", type=int, default=0, help="the day to begin with (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="which exchange to pretend (default: %(default)s)"
    )
    options = parser.parse_args()

    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    parent = os.getppid()
    exchange = Exchange(("127.0.0.1", options.port), Desk)
    exchange.day, exchange.seed = options.first_day, options.seed
    Thread(target=exchange.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{exchange.server_port}{PATH}", flush=True)

    Thread(target=let_days_pass, args=(exchange, options.day, stop), daemon=True).start()
    while not stop.wait(0.5) and os.getppid() == parent:
        pass
    exchange.shutdown()
    exchange.server_close()


def let_days_pass(exchange: Exchange, seconds: float, stop: Event) -> None:
    """Let the next day come, again and again."""
    while not stop.wait(seconds):
        exchange.day += 1


if __name__ == "__main__":
    main()
