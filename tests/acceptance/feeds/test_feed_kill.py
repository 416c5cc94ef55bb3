"""A refresh, or a decision, is killed at every step it takes, and at random moments.

The published list is always whole, and what follows ends as if nobody had been killed.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from shutil import copytree
from threading import Event, Thread
from typing import Any, Literal

import polars as pl
import pytest

from everytick.errors import FeedRefused, UnknownName
from everytick.feeds import decide
from everytick.feeds.archive.folder import Archive
from everytick.feeds.ask.changes import changes
from everytick.feeds.ask.show import entries, show
from everytick.feeds.refresh import refresh
from everytick.feeds.section import read
from everytick.testing.provider import Provider, send

REFRESHER = Path(__file__).with_name("refresher.py")
OLD_ARCHIVE = Path(__file__).with_name("archive-7e46f90")
FEED = {
    "key": "ISIN",
    "allow_private": ["127.0.0.0/8"],
    "max_changed": "100%",
    "max_removed": {"hold": "50%"},
}

Do = Literal["refresh", "approve", "reject"]


def listing(day: int, rows: int = 300) -> bytes:
    """Return a list that differs from the day before in every row but its key, and in one key."""
    body = "".join(f"KEY{number:06d},name {number} of day {day}\n" for number in range(day, day + rows))
    return b"ISIN,NAME\n" + body.encode()


OLD, NEW, SHORT = listing(1), listing(2), listing(3, 20)
OLDEST = (OLD_ARCHIVE / "feeds" / "list" / "current.csv").read_bytes()
TWICE = NEW + NEW.splitlines(keepends=True)[1]


@dataclass(frozen=True, kw_only=True)
class Story:
    """What is there, what is served, what is done, and what others may read meanwhile.

    Attributes:
        before: The lists that were refreshed before, each with whether it was held.
        served: The list that is served now.
        do: What is done, and killed.
        words: Of the feed's table, beside the usual ones.
        after: The list that is published in the end.
        archive: What an earlier release left there.
    """

    before: tuple[bytes, ...] = (OLD,)
    served: bytes
    do: Do = "refresh"
    words: tuple[tuple[str, Any], ...] = ()
    after: bytes
    archive: Path | None = None


STORIES = {
    "the first list": Story(before=(), served=OLD, after=OLD),
    "a newer list, and what is let go": Story(
        before=(TWICE, OLD), served=TWICE, words=(("max_repeated", "1%"), ("keep_downloads", 1)), after=NEW
    ),
    "an archive of an earlier release": Story(
        before=(), served=NEW, words=(("max_removed", "100%"),), after=NEW, archive=OLD_ARCHIVE
    ),
    "the same list in other forms": Story(
        served=OLD,
        words=(("formats", ["csv", "jsonl"]), ("publish", ["copy.csv", "copy.parquet"])),
        after=OLD,
    ),
    "a list that is held": Story(served=SHORT, after=OLD),
    "a newer list ends a hold": Story(before=(OLD, SHORT), served=NEW, after=NEW),
    "a list is approved": Story(before=(OLD, SHORT), served=SHORT, do="approve", after=SHORT),
    "a list is rejected": Story(before=(OLD, SHORT), served=SHORT, do="reject", after=OLD),
}


class Refresher:
    """The process that obeys, and whose children are killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, REFRESHER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "POLARS_MAX_THREADS": "1"},
            text=True,
        )

    def order(self, do: Do, feed: dict[str, Any], data: Path, step: int) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(
            json.dumps({"do": do, "feed": feed, "data": str(data), "step": step}) + "\n"
        )
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> None:
        self._process.communicate(timeout=60)


@pytest.fixture(scope="module")
def refresher() -> Iterator[Refresher]:
    started = Refresher()
    yield started
    started.end()


def act(do: Do, section: dict[str, Any], data: Path, moment: int) -> None:
    """Do the deed here; it may be done already, and a list may be held or refused."""
    feed, _ = read("list", section)
    if do == "refresh":
        with suppress(FeedRefused):
            refresh(feed, data, moment=moment)
        return
    decision = {"approve": decide.approve, "reject": decide.reject}[do]
    with suppress(UnknownName):
        decision(data, "list", actor="ann", note="seen", moment=moment)


def state(data: Path) -> dict[str, Any]:
    """Return all that is to be the same, whether somebody was killed or not."""
    folder, shown = data / "feeds" / "list", show(data, "list")
    files = [path.relative_to(data) for path in data.rglob("*") if path.is_file() or path.is_symlink()]
    counted = {
        (entry.act, entry.sequence, entry.digest, entry.actor, entry.note, entry.superseded)
        for entry in entries(data, "list")
        if entry.act in {"published", "approved", "rejected", "held"}
    }
    return {
        "files": sorted(str(path) for path in files),
        "journal": counted,
        "held": shown.held and shown.held.snapshot.digest,
        "published": shown.published,
        "texts": [(folder / f"current.{form}").read_bytes() for form in ("csv", "jsonl")],
        "changes": changes(data, "list").shown(),
    }


def assert_whole(data: Path, allowed: set[bytes]) -> None:
    """The files behind the one pointer fit together, and the list is one that was once complete."""
    pointer = data / "feeds" / "list" / "current"
    if not pointer.is_symlink():
        return
    current = pointer.resolve(strict=True)
    manifest = json.loads((current / "manifest.json").read_bytes())
    for name, known in manifest.get("files", {}).items():
        body = (current / name).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (known["bytes"], known["sha256"])
    body = (current / "list.csv").read_bytes()
    assert body in allowed
    assert manifest["blake2b"] == hashlib.blake2b(body, digest_size=32).hexdigest()
    rows = [line.split(",") for line in body.decode().splitlines()[1:]]
    if "list.jsonl" in manifest.get("files", {}):
        lines = (current / "list.jsonl").read_text().splitlines()
        assert [list(json.loads(line).values()) for line in lines] == rows
    if "list.parquet" in manifest.get("files", {}):
        assert [list(row) for row in pl.read_parquet(current / "list.parquet").iter_rows()] == rows


@pytest.mark.parametrize("name", STORIES)
def test_killed_before_each_step(provider: Provider, tmp_path: Path, refresher: Refresher, name: str) -> None:
    story = STORIES[name]
    section = {**FEED, **dict(story.words), "url": provider.url}
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    if story.archive is not None:
        copytree(story.archive, prepared, symlinks=True, dirs_exist_ok=True)
    for moment, body in enumerate(story.before):
        provider.serve(body)
        act("refresh", {**section, "formats": ["csv", "jsonl", "parquet"]}, prepared, moment - 10)
    provider.serve(story.served)
    undisturbed = tmp_path / "undisturbed"
    copytree(prepared, undisturbed, symlinks=True)
    act(story.do, section, undisturbed, 2)
    assert (undisturbed / "feeds" / "list" / "current.csv").read_bytes() == story.after
    expected = state(undisturbed)
    for step in count(1):
        data = tmp_path / f"step-{step}"
        copytree(prepared, data, symlinks=True)
        status = refresher.order(story.do, section, data, step)
        assert_whole(data, {OLDEST, OLD, NEW, SHORT})
        if status >= 0:
            assert state(data) == expected
            break
        assert status == -signal.SIGKILL
        act(story.do, section, data, 3)
        assert_whole(data, {story.after})
        assert state(data) == expected, step
    assert step > 12, "the trap no longer sees the steps"


def test_killed_at_random_moments_under_the_eyes_of_a_reader(provider: Provider, tmp_path: Path) -> None:
    lists = {number: listing(number, 3000) for number in range(1, 4)}
    allowed, turn = set(lists.values()), count(1)
    provider.manners = lambda handler: send(handler, lists[next(turn) % 3 + 1])
    section, draw = {**FEED, "url": provider.url}, random.Random(20261121)
    feed, _ = read("list", section)
    refresh(feed, tmp_path, moment=1)
    with reader(tmp_path / "feeds" / "list" / "current.csv", allowed) as wrong:
        for _ in range(8):
            command = [sys.executable, str(REFRESHER), json.dumps(section), str(tmp_path)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                assert process.stdout.readline()
                Event().wait(draw.random() * 0.3)
                process.kill()
            assert_whole(tmp_path, allowed)
            assert not wrong
    sequences = Archive(tmp_path, "list").sequences()
    assert sequences == list(range(1, len(sequences) + 1))
    assert len(sequences) > 8
    newest = refresh(feed, tmp_path, moment=10**9).sequence
    assert newest >= len(sequences)
    published = [entry.sequence for entry in entries(tmp_path, "list") if entry.act == "published"]
    assert published == list(range(newest, 0, -1))


@contextmanager
def reader(path: Path, allowed: set[bytes]) -> Iterator[list[int]]:
    """Read the published list over and over; yield the sizes of those that were not whole."""
    stop, wrong = Event(), list[int]()

    def read_on() -> None:
        while not stop.wait(0.002):
            body = path.read_bytes()
            if body not in allowed:
                wrong.append(len(body))

    thread = Thread(target=read_on)
    thread.start()
    try:
        yield wrong
    finally:
        stop.set()
        thread.join()
