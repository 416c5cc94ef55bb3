"""A refresh is killed at every step it takes, and at random moments: the published list is always whole."""

import hashlib
import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Event, Thread

from everytick.feeds.archive import Archive
from everytick.feeds.changes import changes
from everytick.feeds.feed import Feed
from everytick.feeds.refresh import refresh
from everytick.testing.provider import Provider, send

REFRESHER = Path(__file__).with_name("refresher.py")
FEED = Feed(name="list", url="", allow_private=("127.0.0.0/8",), key="ISIN", max_removed=1.0, max_changed=1.0)


def listing(day: int, rows: int = 300) -> bytes:
    """Return a list that differs from the day before in every row but its key, and in one key."""
    body = "".join(f"KEY{number:06d},name {number} of day {day}\n" for number in range(day, day + rows))
    return b"ISIN,NAME\n" + body.encode()


def start(provider: Provider, data: Path, rounds: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, REFRESHER, provider.url, data, rounds],
        stdout=subprocess.PIPE,
        text=True,
    )


def assert_whole(data: Path, allowed: set[bytes]) -> None:
    """The pair behind the one pointer fits together, and the list is one that was once complete."""
    current = (data / "feeds" / "list" / "current").resolve(strict=True)
    body = (current / "list.csv").read_bytes()
    assert body in allowed
    manifest = json.loads((current / "manifest.json").read_bytes())
    assert manifest["bytes"] == len(body)
    assert manifest["blake2b"] == hashlib.blake2b(body, digest_size=32).hexdigest()
    assert (data / "feeds" / "list" / "current.csv").read_bytes() in allowed


def test_killed_before_each_step(provider: Provider, tmp_path: Path) -> None:
    old, new = listing(1), listing(2)
    feed, killed = replace(FEED, url=provider.url), 0
    for step in count(1):
        data = tmp_path / str(step)
        provider.serve(old)
        refresh(feed, data, moment=1)
        provider.serve(new)
        with start(provider, data, str(step)) as process:
            status = process.wait(60)
        assert_whole(data, {old, new})
        if status == 0:
            break
        assert status == -signal.SIGKILL
        killed += 1

        refresh(feed, data, moment=3)
        assert_whole(data, {new})
        assert Archive(data, "list").sequences() == [1, 2]
        assert changes(data, "list")["added"] == ["KEY000301"]
        assert list(data.rglob("*aside*")) == []
    assert killed >= 20, "the trap no longer sees the steps of a refresh"


def test_killed_at_random_moments_under_the_eyes_of_a_reader(provider: Provider, tmp_path: Path) -> None:
    lists = {number: listing(number, 3000) for number in range(1, 4)}
    allowed, turn = set(lists.values()), count(1)
    provider.manners = lambda handler: send(handler, lists[next(turn) % 3 + 1])
    feed, draw = replace(FEED, url=provider.url), random.Random(20261121)
    refresh(feed, tmp_path, moment=1)
    with reader(tmp_path / "feeds" / "list" / "current.csv", allowed) as wrong:
        for _ in range(8):
            with start(provider, tmp_path, "on") as process:
                assert process.stdout is not None
                assert process.stdout.readline()
                Event().wait(draw.random() * 0.3)
                process.kill()
            assert_whole(tmp_path, allowed)
            assert not wrong
    sequences = Archive(tmp_path, "list").sequences()
    assert sequences == list(range(1, len(sequences) + 1))
    assert len(sequences) > 8
    assert refresh(feed, tmp_path, moment=10**9).sequence >= len(sequences)


@contextmanager
def reader(path: Path, allowed: set[bytes]) -> Iterator[list[int]]:
    """Read the published list over and over; yield the sizes of those that were not whole."""
    stop, wrong = Event(), list[int]()

    def read() -> None:
        while not stop.wait(0.002):
            body = path.read_bytes()
            if body not in allowed:
                wrong.append(len(body))

    thread = Thread(target=read)
    thread.start()
    try:
        yield wrong
    finally:
        stop.set()
        thread.join()
