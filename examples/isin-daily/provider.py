"""A pretend exchange: serves a list of its shares on loopback, and lets days pass in seconds.

``exchange.py`` makes the list, ``days.py`` says what goes wrong with it on which day, ``manners.py`` what a
web server says to whom.

Run as ``python provider.py --port 0``: the first line it prints is the list's URL. It ends on SIGTERM, on
Ctrl-C, and with the process that started it. ``--calendar`` prints the days to come instead.
"""

import argparse
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

from days import MADE, TOLD, Kind, Served, kind, served
from manners import answer

from everytick.clock import Clock, SystemClock
from everytick.tick import SECOND
from everytick.when import Instant

PATH = "/content/equities/EQUITY_L.csv"
EARLY = 0.6
"""The part of a day on which a late list is not there yet."""
OPENING = 0.25
"""The part of the first day that is over when it opens: who comes at once, comes well within each day."""


class Hour(NamedTuple):
    """What time it is at the exchange.

    Attributes:
        day: The day, counted from a Monday, 0.
        early: Whether this is the part of it on which a late list is not there yet.
        tomorrow: When the next day begins, in real time.
    """

    day: int
    early: bool
    tomorrow: Instant


class Exchange(ThreadingHTTPServer):
    """Serves what the day has in store, at first of day 0; it refuses connections until ``turn`` opens it.

    Args:
        clock: Real time.
        port: Where on loopback; 0 takes any free one.
        seed: Which exchange to pretend.
        only_good: Whether nothing ever goes wrong.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, clock: Clock, port: int = 0, *, seed: int = 1, only_good: bool = False) -> None:
        super().__init__(("127.0.0.1", port or free_port()), Desk, bind_and_activate=False)
        self.server_bind()
        self.url = f"http://127.0.0.1:{self.server_port}{PATH}"
        self.clock, self.seed, self.only_good = clock, seed, only_good
        self.hour = Hour(day=0, early=True, tomorrow=0)
        self._serving: Thread | None = None

    def kind(self, day: int) -> Kind:
        """Return what a day is like."""
        found = kind(day, self.seed)
        return Kind.GOOD if self.only_good and found is not Kind.WEEKEND else found

    def turn(self, hour: Hour) -> None:
        """Let it be that time; on a day that is down nobody gets a connection."""
        self.hour = hour
        if self.kind(hour.day) is Kind.DOWN:
            self.close()
        elif self._serving is None:
            self.server_activate()
            self._serving = Thread(target=self.serve_forever, args=(0.05,), daemon=True)
            self._serving.start()

    def close(self) -> None:
        """Refuse connections, but keep the port, as Linux does if it was asked for by its number."""
        if self._serving is not None:
            self.shutdown()
            self._serving.join()
            self.socket.shutdown(socket.SHUT_RD)
            self._serving = None

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Say nothing of a visitor who hung up or fell silent."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Desk(BaseHTTPRequestHandler):
    """Answers one request, then hangs up."""

    server: Exchange
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        """Send what stands at the address."""
        hour = self.server.hour
        what = self.server.kind(hour.day)
        if self.path != PATH:
            self.send_error(404)
        elif what is Kind.DOWN:  # it came just before
            self.close_connection = True
        else:
            self._send(served(hour.day, self.server.seed, what, early=hour.early), hour)

    do_HEAD = do_GET  # noqa: N815 - the name is given

    def _send(self, found: Served, hour: Hour) -> None:
        status, begin, end = found.status, 0, len(found.body)
        headers = {"Content-Type": found.kind, "Content-Length": str(end), "Cache-Control": "no-store"}
        if found.made is not None:
            told = answer(self.headers, found.body, found.made, found.kind)
            status, headers, begin, end = told.status, dict(told.headers), told.begin, told.end
        elif status == 503:
            seconds = -(-(hour.tomorrow - self.server.clock.now()) // SECOND)
            headers["Retry-After"] = str(max(1, seconds))
        self.send_response(status)
        for name, value in {**headers, "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(found.body[begin : end if found.breaks is None else min(end, found.breaks)])

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - the name is given
        """Return the pretend date, for the header Date."""
        return format_datetime(MADE + timedelta(days=self.server.hour.day, hours=12), usegmt=True)

    def version_string(self) -> str:
        """Return what it calls itself."""
        return "PretendExchange"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def main() -> None:
    """Serve until told to stop, or tell what is to come."""
    options = read_options()
    if options.calendar is not None:
        print(calendar(options))
        return
    clock, stop = SystemClock(), Event()

    def end(*_: object) -> None:
        stop.set()
        clock.wake()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    first: int = options.first_day
    diary: Path | None = options.diary
    if diary is not None and diary.exists():
        first = int(diary.read_text("ascii")) + 1
    exchange = Exchange(clock, options.port, seed=options.seed, only_good=options.only_good)
    for day in days_pass(exchange, first, round(options.day * SECOND), stop):
        if day == first:
            print(exchange.url, flush=True)
        if diary is not None:
            note(day, diary)
    exchange.close()
    exchange.server_close()


def days_pass(exchange: Exchange, first: int, lasts: int, stop: Event) -> Iterator[int]:
    """Let one day come after the other, and yield each, until it is time to end."""
    clock, parent = exchange.clock, os.getppid()
    begun = clock.now() - round(lasts * OPENING)
    for day in count(first):
        today = begun + (day - first) * lasts
        exchange.turn(Hour(day, early=True, tomorrow=today + lasts))
        yield day
        if over(clock, today + round(lasts * EARLY), stop, parent):
            return
        exchange.turn(exchange.hour._replace(early=False))
        if over(clock, today + lasts, stop, parent):
            return


def over(clock: Clock, until: Instant, stop: Event, parent: int) -> bool:
    """Wait until then; tell at once if a signal came, or within half a second that the parent is gone."""
    while not stop.is_set() and os.getppid() == parent:
        now = clock.now()
        if now >= until:
            return False
        clock.wait(min(until, now + SECOND // 2))
    return True


def note(day: int, diary: Path) -> None:
    """Keep the day, for the next start."""
    aside = diary.with_name(diary.name + ".new")
    aside.write_text(f"{day}\n", "ascii")
    aside.replace(diary)


def calendar(options: argparse.Namespace) -> str:
    """Return the days to come as a table, or as JSON."""
    days = range(options.first_day, options.first_day + options.calendar)
    kinds = [
        what if what is Kind.WEEKEND or not options.only_good else Kind.GOOD
        for what in (kind(day, options.seed) for day in days)
    ]
    rows = [
        {"day": day, "date": f"{date_of(day):%Y-%m-%d}", "kind": str(what), "serves": TOLD[what]}
        for day, what in zip(days, kinds, strict=True)
    ]
    if options.json:
        return json.dumps(rows, indent=2)
    lines = [f"{'day':>5}  {'date':14}  {'kind':8}  what is served"]
    for row, day in zip(rows, days, strict=True):
        lines.append(f"{day:5}  {date_of(day):%a %Y-%m-%d}  {row['kind']:8}  {row['serves']}")
    return "\n".join(lines)


def date_of(day: int) -> datetime:
    """Return the pretend date of a day."""
    return MADE + timedelta(days=day)


def read_options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description="A pretend exchange that serves a list of its shares.")
    add = parser.add_argument
    add("--port", type=int, default=8723, help="0 takes any free one (default: %(default)s)")
    add("--day", type=float, default=5.0, help="seconds that a day lasts (default: %(default)s)")
    add(
        "--first-day", type=int, default=0, help="the day to begin with; 0 is a Monday (default: %(default)s)"
    )
    add("--seed", type=int, default=1, help="which exchange to pretend (default: %(default)s)")
    add("--only-good", action="store_true", help="nothing ever goes wrong")
    add("--diary", type=Path, metavar="FILE", help="keep the day here, and go on with the next one")
    add("--calendar", type=int, nargs="?", const=42, metavar="DAYS", help="print the days to come, and end")
    add("--json", action="store_true", help="print the calendar as JSON")
    options = parser.parse_args()
    if options.json and options.calendar is None:
        parser.error("--json belongs to --calendar")
    return options


if __name__ == "__main__":
    main()
