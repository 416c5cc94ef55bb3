"""An archive that an earlier release made (the commit is in its name) is read, and carried on."""

import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from everytick.errors import FeedRefused
from everytick.feeds.ask.changes import changes
from everytick.feeds.ask.history import history, listing, snapshots
from everytick.feeds.ask.show import entries, show
from everytick.feeds.feed import Feed, Limit
from everytick.feeds.refresh import refresh
from everytick.testing.provider import Provider

OLD = Path(__file__).with_name("archive-7e46f90")
DAY = 86_400_000_000
FEED = Feed(
    name="list",
    url="",
    key="ISIN",
    check="isin",
    allow_private=("127.0.0.0/8",),
    max_removed=Limit(hold=0.5),
    max_changed=Limit(hold=0.5),
)
ACTS = ["refused", "unchanged", "published", "published", "published"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    copytree(OLD, tmp_path, symlinks=True, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def feed(provider: Provider, data: Path) -> Feed:
    """The feed, whose source still has the last good list."""
    provider.serve((data / "feeds" / "list" / "current.csv").read_bytes())
    return replace(FEED, url=provider.url)


def test_it_is_read_as_it_is(data: Path) -> None:
    shown = show(data, "list")
    assert (shown.published, shown.good_at) == (3, 4 * DAY)
    assert shown.refusal is not None
    assert (shown.refusal.at, shown.refusal.kind) == (5 * DAY, "FeedRefused")
    assert [entry.act for entry in entries(data, "list")] == ACTS
    spans = [(span.began, span.ended) for span in history(data, "list", "GB0002634946")]
    assert spans == [("added", "removed"), ("back", None)]
    assert changes(data, "list", 2).shown() == {
        "added": [],
        "removed": ["GB0002634946"],
        "changed": ["US0378331005"],
        "snapshot": 2,
    }
    assert [listing(data, "list", each).height for each in snapshots(data, "list")] == [4, 3, 4]


def test_it_gets_a_journal_and_every_form(data: Path, feed: Feed) -> None:
    refreshed = refresh(feed, data, moment=6 * DAY)
    assert (refreshed.verdict, refreshed.sequence, refreshed.rows) == ("unchanged", 3, 4)
    assert [entry.act for entry in entries(data, "list")] == ["unchanged", *ACTS]
    assert show(data, "list").refusal is None
    manifest = json.loads((data / "feeds" / "list" / "current.json").read_bytes())
    assert sorted(manifest["files"]) == ["list.csv", "list.jsonl", "list.parquet"]


def test_a_tick_that_it_knows_is_done(data: Path, feed: Feed) -> None:
    (data / "feeds" / "list" / "refused.json").unlink()
    again = refresh(feed, data, moment=6 * DAY, tick="list@1970-01-05T00:00:00Z")
    assert (again.verdict, again.rows) == ("unchanged", 4)
    assert [entry.act for entry in entries(data, "list")] == ACTS[1:]


def test_it_is_compared_with(data: Path, feed: Feed, provider: Provider) -> None:
    provider.serve(b"ISIN,NAME\nUS0378331005,Apple Inc.\nDE0007164600,SAP SE\nINE002A01018,Reliance\n")
    refreshed = refresh(feed, data, moment=6 * DAY)
    assert (refreshed.sequence, refreshed.added, refreshed.removed, refreshed.changed) == (4, 0, 1, 1)


def test_a_column_that_is_gone_is_noticed(data: Path, feed: Feed, provider: Provider) -> None:
    provider.serve(b"ISIN\nUS0378331005\nDE0007164600\nINE002A01018\nGB0002634946\n")
    with pytest.raises(FeedRefused, match="column 'NAME' is gone"):
        refresh(feed, data, moment=6 * DAY)
