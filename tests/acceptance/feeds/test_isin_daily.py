"""The provider of examples/isin-daily: its lists, and its life as a process."""

import os
import select
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from runpy import run_path

import httpx
import pytest

from everytick.errors import FetchFailed
from everytick.feeds.feed import Feed, from_section
from everytick.feeds.refresh import refresh
from everytick.testing.provider import Provider

EXAMPLE = Path(__file__).parents[3] / "examples" / "isin-daily"


@contextmanager
def exchange(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, str(EXAMPLE / "provider.py"), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


def described() -> Feed:
    section = tomllib.loads((EXAMPLE / "everytick.toml").read_text())["feed"]["isins"]
    return from_section("isins", section)[0]


def listing(day: int) -> bytes:
    made = run_path(str(EXAMPLE / "provider.py"))["listing"](day)
    assert isinstance(made, bytes)
    return made


def test_its_feed_takes_any_day_after_any_other(provider: Provider, tmp_path: Path) -> None:
    feed = replace(described(), url=provider.url)
    for day in (0, 1, 4, 7, 42, 43, 1000, 3):
        provider.serve(listing(day))
        refreshed = refresh(feed, tmp_path, moment=day)
        assert refreshed.verdict == "published"
        assert 1_950 <= refreshed.rows <= 2_050
        assert refreshed.invalid == 0
        if day in {1, 7, 43}:
            assert min(refreshed.added, refreshed.removed, refreshed.changed) > 0
            assert refreshed.added + refreshed.removed + refreshed.changed < 30


def test_nothing_changes_on_its_weekend() -> None:
    assert listing(3) != listing(4) == listing(5) == listing(6) != listing(7)


def test_its_days_pass_and_its_lists_depend_on_seed_and_day_alone() -> None:
    with exchange("--day", "0.05") as (_, url):
        first, seen = httpx.get(url).content, set[bytes]()
        while len(seen) < 3:
            seen.add(httpx.get(url).content)
    with exchange("--day", "3600") as (_, url):
        again = httpx.get(url).content
    with exchange("--day", "3600", "--seed", "2") as (_, url):
        other = httpx.get(url).content
    assert again.splitlines()[0] == first.splitlines()[0] == other.splitlines()[0]
    assert b", ISIN NUMBER," in again.splitlines()[0]
    assert not set(again.splitlines()[1:]) & set(other.splitlines()[1:])


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
    command = [sys.executable, "-c", STARTER, sys.executable, str(EXAMPLE / "provider.py"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        process = os.pidfd_open(int(starter.stdout.readline()))
    ended, _, _ = select.select([process], [], [], 20)
    os.close(process)
    assert ended
