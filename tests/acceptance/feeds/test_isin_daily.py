"""The provider of examples/isin-daily: its lists, its manners on good days and bad, its life as a process."""

import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import httpx
import pytest

from everytick.app import find_app
from everytick.clock import SystemClock
from everytick.errors import ExtractFailed, FeedRefused, FetchFailed
from everytick.feeds.catalogue import resolve
from everytick.feeds.extract.text import matches
from everytick.feeds.feed import Feed
from everytick.feeds.refresh import refresh
from everytick.feeds.section import read
from everytick.testing.provider import Provider
from everytick.tick import SECOND, parse_rfc3339

SPRING = parse_rfc3339("2010-04-01T00:00:00Z")
"""After all days of these tests; the pretend exchange begins in January."""

EXAMPLE = Path(__file__).parents[3] / "examples" / "isin-daily"
PROVIDER = EXAMPLE / "provider.py"

MENDS = {
    "good": None,
    "weekend": None,
    "late": None,
    "same": None,
    "shuffled": None,
    "page": (FetchFailed, "a page instead of a list"),
    "byte": (FetchFailed, "1 byte"),
    "broken": (FetchFailed, "."),
    "down": (FetchFailed, "refused"),
    "busy": (FetchFailed, "503"),
    "cut": (ExtractFailed, "line [0-9]+"),
    "renamed": (ExtractFailed, "ISIN NUMBER"),
    "half": (FeedRefused, "are gone"),
}
"""Why a list of each kind of day is not published; None where it is, or where it is the last good one."""


@contextmanager
def exchange(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, str(PROVIDER), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLE)
        yield import_module("provider")


class Stepped:
    """The exchange in this process; its days pass when a test says so."""

    def __init__(self, example: ModuleType) -> None:
        self._exchange = example.Exchange(SystemClock())
        self.url: str = self._exchange.url

    def kind(self, day: int) -> str:
        return str(self._exchange.kind(day))

    def day(self, kind: str) -> int:
        return next(day for day in range(42) if self.kind(day) == kind)

    def turn(self, day: int, *, early: bool = True) -> None:
        tomorrow = self._exchange.clock.now() + SECOND
        self._exchange.turn(self._exchange.hour._replace(day=day, early=early, tomorrow=tomorrow))

    def close(self) -> None:
        self._exchange.close()
        self._exchange.server_close()


@pytest.fixture
def stepped(example: ModuleType) -> Iterator[Stepped]:
    running = Stepped(example)
    yield running
    running.close()


def described() -> Feed:
    section = tomllib.loads((EXAMPLE / "everytick.toml").read_text())["feed"]["isins"]
    return replace(read("isins", resolve(section))[0], allow_private=("127.0.0.1/32",))


def listing(example: ModuleType, day: int) -> bytes:
    made = example.served(day, 1, "good", early=True).body
    assert isinstance(made, bytes)
    return made


def isins(body: bytes) -> list[str]:
    return sorted(line.split(",")[6] for line in body.decode().splitlines()[1:])


def test_its_feed_takes_any_day_after_any_other(
    example: ModuleType, provider: Provider, tmp_path: Path
) -> None:
    feed = replace(described(), url=provider.url, as_of=None)
    for day in (0, 1, 4, 7, 42, 43, 1000, 3):
        provider.serve(listing(example, day), headers={"Content-Type": "text/csv"})
        refreshed = refresh(feed, tmp_path, moment=day)
        assert refreshed.verdict == "published"
        assert 1_950 <= refreshed.rows <= 2_050
        assert refreshed.invalid == 0
        if day in {1, 7, 43}:
            assert min(refreshed.added, refreshed.removed, refreshed.changed) > 0
            assert refreshed.added + refreshed.removed + refreshed.changed < 30


def test_nothing_changes_on_its_weekend(example: ModuleType) -> None:
    days = [listing(example, day) for day in (3, 4, 5, 6, 7)]
    assert days[0] != days[1] == days[2] == days[3] != days[4]


def test_six_weeks_of_its_days_are_published_or_refused_as_they_deserve(
    example: ModuleType, stepped: Stepped, tmp_path: Path
) -> None:
    feed = replace(described(), url=stepped.url)
    current = tmp_path / "feeds" / "isins" / "current.csv"
    good, kinds = b"", set()
    for day in range(42):
        stepped.turn(day)
        kind = stepped.kind(day)
        kinds.add(kind)
        mend = MENDS[kind]
        if mend is None:
            before, good = good, listing(example, day) if kind in {"good", "weekend"} else good
            verdict = refresh(feed, tmp_path, moment=SPRING + day * SECOND).verdict
            assert (verdict == "published") == (good != before)
        else:
            with pytest.raises(mend[0], match=mend[1]):
                refresh(feed, tmp_path, moment=SPRING + day * SECOND)
        assert [line.split(",")[0] for line in current.read_text().splitlines()[1:]] == isins(good)
    assert kinds == set(MENDS)


def test_a_late_list_comes_later_on_the_same_day(example: ModuleType, stepped: Stepped) -> None:
    day = stepped.day("late")
    stepped.turn(day - 1)
    before = httpx.get(stepped.url)
    stepped.turn(day)
    known = {"If-None-Match": before.headers["ETag"], "If-Modified-Since": before.headers["Last-Modified"]}
    assert httpx.get(stepped.url, headers=known).status_code == 304
    stepped.turn(day, early=False)
    after = httpx.get(stepped.url, headers=known)
    assert after.status_code == 200
    assert after.content == listing(example, day)
    assert after.headers["Last-Modified"] != before.headers["Last-Modified"]


def test_the_same_list_is_not_sent_twice_and_shuffled_rows_are(stepped: Stepped) -> None:
    for kind, status in (("same", 304), ("shuffled", 200)):
        day = stepped.day(kind)
        stepped.turn(day - 1)
        before = httpx.get(stepped.url)
        stepped.turn(day)
        after = httpx.get(stepped.url, headers={"If-None-Match": before.headers["ETag"]})
        assert after.status_code == status
        assert (after.headers["ETag"] == before.headers["ETag"]) == (status == 304)


def test_its_manners(example: ModuleType, stepped: Stepped) -> None:
    stepped.turn(0)
    whole = httpx.get(stepped.url)
    assert whole.headers["Content-Type"] == "text/csv"
    assert int(whole.headers["Content-Length"]) == len(whole.content)
    assert whole.headers["Last-Modified"] == "Mon, 04 Jan 2010 06:00:00 GMT"
    assert whole.headers["Date"] == "Mon, 04 Jan 2010 18:00:00 GMT"
    head = httpx.head(stepped.url)
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]
    assert head.content == b""
    wanted = {"Range": "bytes=1000-", "If-Range": whole.headers["ETag"]}
    rest = httpx.get(stepped.url, headers=wanted)
    assert rest.status_code == 206
    assert rest.content == whole.content[1000:]
    assert rest.headers["Content-Range"] == f"bytes 1000-{len(whole.content) - 1}/{len(whole.content)}"
    stepped.turn(1)
    assert httpx.get(stepped.url, headers=wanted).content == listing(example, 1)
    assert httpx.get(stepped.url.replace("EQUITY_L", "DEBT")).status_code == 404


def test_a_day_that_is_down_or_busy_says_so_and_the_next_is_there(stepped: Stepped) -> None:
    down, busy = stepped.day("down"), stepped.day("busy")
    for _ in range(3):
        stepped.turn(down - 1)
        assert httpx.get(stepped.url).status_code == 200
        stepped.turn(down)
        with pytest.raises(httpx.ConnectError, match="refused"):
            httpx.get(stepped.url)
    stepped.turn(busy)
    answered = httpx.get(stepped.url)
    assert (answered.status_code, answered.headers["Retry-After"]) == (503, "1")
    stepped.turn(busy + 1)
    assert httpx.get(stepped.url).status_code == 200


def test_a_broken_connection_ends_before_its_time_however_often_it_is_resumed(
    example: ModuleType, stepped: Stepped
) -> None:
    day, parts = stepped.day("broken"), list[bytes]()
    stepped.turn(day)
    for _ in range(3):
        got = sum(map(len, parts))
        with httpx.stream("GET", stepped.url, headers={"Range": f"bytes={got}-"}) as answered:
            assert got + int(answered.headers["Content-Length"]) == len(listing(example, day))
            with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
                parts.extend(answered.iter_raw())
    assert sum(map(len, parts)) == len(listing(example, day)) // 2


def test_visitors_who_hang_up_leave_no_trace() -> None:
    with exchange("--day", "3600") as (process, url):
        address = (urlsplit(url).hostname, urlsplit(url).port)
        for asked in (
            b"",
            b"GET /content/equi",
            f"GET {urlsplit(url).path} HTTP/1.1\r\n\r\n".encode(),
            b"\0\xff\r\n" * 9,
        ):
            for _ in range(5):
                with socket.create_connection(address) as visitor:
                    visitor.sendall(asked)
                    visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert httpx.get(url).status_code == 200
        process.terminate()
        _, trouble = process.communicate(timeout=20)
    assert (process.returncode, trouble) == (0, "")


def said(*options: str) -> str:
    ended = subprocess.run([sys.executable, PROVIDER, *options], capture_output=True, text=True, check=True)
    return ended.stdout


def test_its_calendar_tells_what_its_days_serve(stepped: Stepped) -> None:
    told = json.loads(said("--calendar", "20", "--json", "--first-day", "3"))
    assert [(each["day"], each["kind"]) for each in told] == [
        (day, stepped.kind(day)) for day in range(3, 23)
    ]
    assert (told[0]["date"], told[-1]["date"]) == ("2010-01-07", "2010-01-26")
    table = said("--calendar").splitlines()
    assert len(table) == 1 + 42
    assert max(map(len, table)) <= 80
    assert all(each["serves"] in table[1 + each["day"]] for each in told)
    calm = json.loads(said("--calendar", "--json", "--only-good"))
    assert {each["kind"] for each in calm} == {"good", "weekend"}


def test_only_good_days_if_told(example: ModuleType) -> None:
    with exchange("--day", "3600", "--only-good", "--first-day", "4") as (_, url):
        assert httpx.get(url).content == listing(example, 4)


def test_it_goes_on_with_the_day_after_the_one_in_its_diary(example: ModuleType, tmp_path: Path) -> None:
    diary = str(tmp_path / "day")
    for day in (1, 2, 3):
        with exchange("--day", "3600", "--diary", diary, "--first-day", "1") as (_, url):
            assert httpx.get(url).content == listing(example, day)


def test_its_days_pass_also_one_that_is_down_and_its_lists_depend_on_seed_and_day_alone(
    example: ModuleType, stepped: Stepped
) -> None:
    down = stepped.day("down")
    with exchange("--day", "0.2", "--first-day", str(down)) as (_, url):
        seen = set[bytes]()
        while len(seen) < 2:
            try:
                seen.add(httpx.get(url).content)
            except httpx.ConnectError:
                continue
    with exchange("--day", "3600") as (_, url):
        first = httpx.get(url).content
    with exchange("--day", "3600", "--seed", "2") as (_, url):
        other = httpx.get(url).content
    assert first == listing(example, 0)
    assert first.splitlines()[0] == other.splitlines()[0]
    assert b", ISIN NUMBER," in first.splitlines()[0]
    assert not set(first.splitlines()[1:]) & set(other.splitlines()[1:])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told(number: signal.Signals, tmp_path: Path) -> None:
    with exchange() as (process, url):
        process.send_signal(number)
        assert process.wait(20) == 0
        with pytest.raises(FetchFailed):
            refresh(replace(described(), url=url), tmp_path, moment=1)


STARTER = """
import subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
process.stdout.readline()
print(process.pid)
"""


def test_it_ends_with_the_process_that_started_it() -> None:
    command = [sys.executable, "-c", STARTER, sys.executable, str(PROVIDER), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        process = os.pidfd_open(int(starter.stdout.readline()))
    ended, _, _ = select.select([process], [], [], 20)
    os.close(process)
    assert ended


def test_its_readme_shows_tables_of_real_lists_and_patterns_that_work(tmp_path: Path) -> None:
    text = (EXAMPLE / "README.md").read_text("utf-8")
    tables = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(tables) == 2
    for place, table in enumerate(tables):
        assert len(table.splitlines()) == 1 + 3
        file = tmp_path / f"{place}.toml"
        file.write_text(table, "utf-8")
        assert [task.name for task in find_app(str(file)).tasks] == ["isins"]
    (response,) = re.findall(r"for the ids in `(.*?)`", text)
    first, second = re.findall(r"everytick extract '(.*?)'", text)
    assert matches(first, response) == ["1", "653", "3"]
    assert matches(second, response, as_="int") == [1, 653]


def test_its_readme_tells_of_every_kind_of_bad_day() -> None:
    text = (EXAMPLE / "README.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == MENDS.keys() - {"good", "weekend"}
