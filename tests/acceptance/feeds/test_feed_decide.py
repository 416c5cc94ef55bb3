"""A list that is held: what a person decides, what ends it, and what is not read twice."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from everytick.errors import FeedError, FeedHeld, FeedRefused, UnknownName
from everytick.feeds.archive.folder import Archive
from everytick.feeds.archive.journal import Entry
from everytick.feeds.ask.changes import changes
from everytick.feeds.ask.quarantine import quarantined
from everytick.feeds.ask.show import entries, show
from everytick.feeds.decide import approve, reject
from everytick.feeds.feed import Feed, Limit
from everytick.feeds.refresh import refresh
from everytick.testing.provider import Provider

LIST = Feed(
    name="list", url="", key="ID", allow_private=("127.0.0.0/8",), max_removed=Limit(hold=0.5, refuse=0.9)
)
TEN, THREE, ELEVEN = range(10), range(3), range(11)


def text(numbers: range, name: str = "n") -> bytes:
    return b"ID,NAME\n" + "".join(f"K{number:02d},{name}{number}\n" for number in numbers).encode()


def body(data: Path) -> bytes:
    return (data / "feeds" / "list" / "current.csv").read_bytes()


def manifest(data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((data / "feeds" / "list" / "current.json").read_bytes())
    return found


@pytest.fixture
def feed(provider: Provider, tmp_path: Path) -> Feed:
    """A feed with a list of ten published, and one of three held."""
    feed = replace(LIST, url=provider.url, publish=("copy.csv",))
    provider.serve(text(TEN))
    refresh(feed, tmp_path, moment=1)
    provider.serve(text(THREE))
    with pytest.raises(FeedHeld, match=r"7 of the last good list's 10 rows are gone \(70\.0%\)"):
        refresh(feed, tmp_path, moment=2)
    return feed


def acts(data: Path) -> list[str]:
    return [str(entry.act) for entry in entries(data, "list")][::-1]


def test_the_same_list_again_is_the_same_hold(feed: Feed, tmp_path: Path) -> None:
    with pytest.raises(FeedHeld, match="everytick feed approve list publishes it"):
        refresh(feed, tmp_path, moment=3)
    shown = show(tmp_path, "list")
    assert shown.held is not None
    assert (shown.held.snapshot.at, shown.held.snapshot.rows, shown.held.snapshot.removed) == (2, 3, 7)
    assert (shown.published, shown.good_at, body(tmp_path)) == (1, 1, text(TEN))
    assert shown.refusal is not None
    assert (shown.refusal.act, shown.refusal.arrived) == ("held", "same_bytes")
    assert acts(tmp_path) == ["published", "held", "held"]


def test_it_is_published_when_a_person_approves_it(feed: Feed, tmp_path: Path) -> None:
    entry = approve(tmp_path, "list", actor="ann", note="a big delisting", moment=4)
    assert (entry.act, entry.sequence, entry.actor, entry.removed) == ("approved", 2, "ann", 7)
    assert body(tmp_path) == (tmp_path / "copy.csv").read_bytes() == text(THREE)
    assert (manifest(tmp_path)["approved_by"], manifest(tmp_path)["note"]) == ("ann", "a big delisting")
    assert len(changes(tmp_path, "list").keys("removed")) == 7
    shown = show(tmp_path, "list")
    assert (shown.held, shown.refusal, shown.good_at) == (None, None, 4)
    with pytest.raises(UnknownName, match="no list of feed 'list' is held"):
        approve(tmp_path, "list", actor="ann", note="again", moment=5)
    again = refresh(feed, tmp_path, moment=6)
    assert (again.verdict, again.arrived, again.rows) == ("unchanged", "same_bytes", 3)
    assert acts(tmp_path) == ["published", "held", "approved", "unchanged"]


def test_it_is_refused_for_good_when_a_person_rejects_it(
    feed: Feed, provider: Provider, tmp_path: Path
) -> None:
    entry = reject(tmp_path, "list", actor="bob", note="half a file", moment=4)
    assert (entry.act, entry.actor, entry.note, entry.sequence) == ("rejected", "bob", "half a file", 1)
    assert show(tmp_path, "list").held is None
    provider.serve(text(THREE) + b"\n")  # other bytes, the same list
    with pytest.raises(FeedRefused, match="bob rejected this very list: half a file") as refusal:
        refresh(feed, tmp_path, moment=5)
    assert not isinstance(refusal.value, FeedHeld)
    with pytest.raises(UnknownName, match="is held"):
        reject(tmp_path, "list", actor="bob", note="again", moment=6)
    assert body(tmp_path) == text(TEN)
    assert acts(tmp_path) == ["published", "held", "rejected", "refused"]
    provider.serve(text(range(1, 4)))  # another one is held again
    with pytest.raises(FeedHeld):
        refresh(feed, tmp_path, moment=7)


@pytest.mark.parametrize(("numbers", "act"), [(ELEVEN, "published"), (TEN, "unchanged")])
def test_a_good_list_ends_a_hold(
    feed: Feed, provider: Provider, tmp_path: Path, numbers: range, act: str
) -> None:
    held = show(tmp_path, "list").held
    assert held is not None
    provider.serve(text(numbers))
    refresh(feed, tmp_path, moment=3)
    shown = show(tmp_path, "list")
    assert shown.held is None
    assert shown.last is not None
    assert (shown.last.act, shown.last.superseded) == (act, held.snapshot.digest)
    assert not Archive(tmp_path, "list").content(held.snapshot).exists()


def test_another_list_that_is_held_takes_its_place(feed: Feed, provider: Provider, tmp_path: Path) -> None:
    before = show(tmp_path, "list").held
    provider.serve(text(range(2, 5)))
    with pytest.raises(FeedHeld):
        refresh(feed, tmp_path, moment=3)
    shown = show(tmp_path, "list")
    assert before is not None
    assert shown.held is not None
    assert shown.last is not None
    assert (shown.held.snapshot.at, shown.last.superseded) == (3, before.snapshot.digest)
    approve(tmp_path, "list", actor="ann", note="fine", moment=4)
    assert body(tmp_path) == text(range(2, 5))


def test_a_refused_or_broken_list_leaves_the_hold_alone(
    feed: Feed, provider: Provider, tmp_path: Path
) -> None:
    for served in (text(range(0)), b"<html>", text(range(20, 30))):
        provider.serve(served)
        with pytest.raises(FeedError):
            refresh(feed, tmp_path, moment=3)
    held = show(tmp_path, "list").held
    assert held is not None
    assert held.snapshot.rows == 3


def test_the_limits_may_be_raised_instead(feed: Feed, tmp_path: Path) -> None:
    refreshed = refresh(replace(feed, max_removed=Limit(hold=0.7)), tmp_path, moment=3)
    assert (refreshed.verdict, refreshed.removed) == ("published", 7)
    assert show(tmp_path, "list").held is None


def test_the_first_list_can_be_held_by_nothing_but_refused(provider: Provider, tmp_path: Path) -> None:
    provider.serve(text(TEN))
    with pytest.raises(FeedRefused, match="min_rows"):
        refresh(replace(LIST, url=provider.url, min_rows=11), tmp_path, moment=1)
    with pytest.raises(UnknownName, match="is held"):
        approve(tmp_path, "list", actor="ann", note="", moment=2)


def test_bytes_that_are_known_are_read_again_only_if_the_definition_changed(
    provider: Provider, tmp_path: Path
) -> None:
    feed = replace(LIST, url=provider.url)
    provider.serve(text(TEN), headers={"ETag": '"one"'})
    assert refresh(feed, tmp_path, moment=1).arrived == "other_bytes"
    again = refresh(feed, tmp_path, moment=2)
    assert (again.verdict, again.arrived, again.rows) == ("unchanged", "same_bytes", 10)
    with pytest.raises(FeedRefused, match="fewer than min_rows, 11"):
        refresh(replace(feed, min_rows=11), tmp_path, moment=3)
    fewer = refresh(replace(feed, columns=("ID",)), tmp_path, moment=4)
    assert (fewer.verdict, fewer.sequence, fewer.arrived) == ("published", 2, "same_bytes")
    assert body(tmp_path).splitlines()[0] == b"ID"
    provider.serve(text(TEN) + b"\n")
    other = refresh(replace(feed, columns=("ID",)), tmp_path, moment=5)
    assert (other.verdict, other.arrived) == ("unchanged", "other_bytes")
    assert [entry.arrived for entry in entries(tmp_path, "list")] == [
        "other_bytes",
        "same_bytes",
        "same_bytes",
        "same_bytes",
        "other_bytes",
    ]


def test_bytes_that_were_refused_are_refused_again(feed: Feed, provider: Provider, tmp_path: Path) -> None:
    provider.serve(text(range(20, 30)))
    for moment in (3, 4):
        with pytest.raises(FeedRefused, match="rows are gone"):
            refresh(feed, tmp_path, moment=moment)
    provider.serve(text(TEN))
    assert refresh(feed, tmp_path, moment=5).verdict == "unchanged"


def test_rows_in_quarantine_can_be_looked_at_whatever_became_of_the_list(
    provider: Provider, tmp_path: Path
) -> None:
    feed = replace(LIST, url=provider.url, max_repeated=0.2, max_invalid=0.2)
    provider.serve(text(TEN))
    refresh(feed, tmp_path, moment=1)
    assert quarantined(tmp_path, "list").total == 0
    provider.serve(text(TEN) + b"K03,other\n,nobody\n")
    refreshed = refresh(feed, tmp_path, moment=2)
    assert (refreshed.verdict, refreshed.invalid, refreshed.repeated) == ("unchanged", 1, 1)
    found = quarantined(tmp_path, "list")
    assert found.total == 2
    assert [(row.line, row.key, json.loads(row.row)["NAME"]) for row in found.rows] == [
        (12, "K03", "other"),
        (13, "", "nobody"),
    ]
    with pytest.raises(FeedRefused, match="max_repeated"):
        refresh(replace(feed, max_repeated=0.0), tmp_path, moment=3)
    assert quarantined(tmp_path, "list", limit=1).rows == found.rows[:1]
    with pytest.raises(UnknownName, match="no download ffff"):
        quarantined(tmp_path, "list", "ffff")


def test_what_arrived_is_kept_as_long_as_it_is_needed(provider: Provider, tmp_path: Path) -> None:
    feed = replace(LIST, url=provider.url, keep_downloads=2, max_removed=Limit())
    for moment in range(5):
        provider.serve(text(range(moment, moment + 10)))
        refresh(feed, tmp_path, moment=moment)
    downloads = tmp_path / "feeds" / "list" / "downloads"
    assert len([path for path in downloads.iterdir() if len(path.name) == 64]) == 2
    snapshot = show(tmp_path, "list").snapshot
    assert snapshot is not None
    assert (downloads / snapshot.raw_sha256).exists()


@pytest.mark.parametrize("decide", [approve, reject])
def test_nobody_decides_on_a_list_that_they_have_not_seen(
    feed: Feed, provider: Provider, tmp_path: Path, decide: Callable[..., Entry]
) -> None:
    seen = show(tmp_path, "list").held
    assert seen is not None
    provider.serve(text(range(2)))
    with pytest.raises(FeedHeld):
        refresh(feed, tmp_path, moment=3)
    with pytest.raises(
        FeedError, match="another list of feed 'list' is held by now, and nothing was decided"
    ):
        decide(tmp_path, "list", actor="ann", note="seen", moment=4, digest=seen.snapshot.digest)
    now = show(tmp_path, "list").held
    assert now is not None
    assert (now.snapshot.rows, body(tmp_path)) == (2, text(TEN))
    decide(tmp_path, "list", actor="ann", note="seen", moment=5, digest=now.snapshot.digest)
    assert show(tmp_path, "list").held is None
