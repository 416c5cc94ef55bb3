"""Somebody, or a disk, damages what is kept of a feed; or puts a part of it back from a backup."""

import json
from dataclasses import replace
from hashlib import blake2b, sha256
from pathlib import Path

import polars as pl
import pytest

from everytick.errors import FeedError, FeedHeld
from everytick.feeds.archive import content
from everytick.feeds.ask import closer
from everytick.feeds.ask.quarantine import quarantined
from everytick.feeds.ask.show import show
from everytick.feeds.feed import Feed, Limit
from everytick.feeds.refresh import refresh
from everytick.testing.provider import Provider

LIST = Feed(name="list", url="", key="ID", allow_private=("127.0.0.0/8",), max_removed=Limit(hold=0.5))
TWO, THREE, OTHER = b"ID,NAME\n1,a\n2,b\n", b"ID,NAME\n1,a\n2,b\n3,c\n", b"ID,NAME\n1,a\n2,b\n4,d\n"


@pytest.fixture
def feed(provider: Provider, tmp_path: Path) -> Feed:
    """A feed whose second list is published."""
    feed = replace(LIST, url=provider.url)
    for moment, body in enumerate((TWO, THREE), start=1):
        provider.serve(body)
        refresh(feed, tmp_path, moment=moment)
    return feed


def agrees(data: Path, expected: bytes) -> bool:
    """Tell whether readers find this list, and whether its manifest vouches for each file."""
    folder = data / "feeds" / "list"
    manifest = json.loads((folder / "current.json").read_bytes())
    files = {
        name: {"bytes": len(found), "sha256": sha256(found).hexdigest()}
        for name in manifest["files"]
        for found in ((folder / "current" / name).read_bytes(),)
    }
    published = (folder / "current.csv").read_bytes()
    named = blake2b(published, digest_size=32).hexdigest()
    return (published, manifest["files"], manifest["blake2b"]) == (expected, files, named)


@pytest.mark.parametrize("name", ["list.csv", "list.jsonl", "list.parquet", "manifest.json"])
@pytest.mark.parametrize("damage", ["gone", "cut short"])
def test_the_next_refresh_publishes_again_what_was_damaged(
    feed: Feed, tmp_path: Path, name: str, damage: str
) -> None:
    path = tmp_path / "feeds" / "list" / "current" / name
    path.write_bytes(path.read_bytes()[:9]) if damage == "cut short" else path.unlink()
    assert refresh(feed, tmp_path, moment=3).verdict == "unchanged"
    assert agrees(tmp_path, THREE)


def test_a_number_that_is_given_again_names_the_new_list(
    feed: Feed, provider: Provider, tmp_path: Path
) -> None:
    (tmp_path / "feeds" / "list" / "snapshots" / "000002.json").unlink()
    provider.serve(OTHER)
    assert refresh(feed, tmp_path, moment=3).sequence == 2
    assert agrees(tmp_path, OTHER)


def test_a_damaged_list_is_never_published_in_another_form(feed: Feed, tmp_path: Path) -> None:
    fewer = replace(feed, formats=("csv",))
    refresh(fewer, tmp_path, moment=3)
    folder = tmp_path / "feeds" / "list" / "content"
    other, kept = sorted(folder.iterdir(), key=lambda path: pl.read_parquet(path).height)
    whole = kept.read_bytes()
    for damaged in (whole[:-40], other.read_bytes()):
        kept.write_bytes(damaged)
        with pytest.raises(
            FeedError, match=r"the archived list [0-9a-f]{12} is .*; restore its file, .*\.parquet"
        ):
            refresh(feed, tmp_path, moment=4)
        assert agrees(tmp_path, THREE)
    kept.write_bytes(whole)
    refresh(feed, tmp_path, moment=5)
    assert agrees(tmp_path, THREE)


def test_what_a_killed_refresh_left_is_not_told_of_the_list_that_is_held(
    feed: Feed, provider: Provider, tmp_path: Path
) -> None:
    left = pl.DataFrame({"key": ["9"], "kind": ["added"]})
    left.write_parquet(tmp_path / "feeds" / "list" / "changes" / "000003.parquet")
    provider.serve(b"ID,NAME\n1,a\n")
    with pytest.raises(FeedHeld):
        refresh(feed, tmp_path, moment=3)
    _, found = closer.held(tmp_path, "list")
    assert found.shown() == {"added": [], "removed": ["2", "3"], "changed": [], "snapshot": 3}


def test_rows_that_count_by_now_are_no_longer_in_quarantine(provider: Provider, tmp_path: Path) -> None:
    feed = replace(LIST, url=provider.url, max_invalid=0.5)
    provider.serve(b"ID,NAME\nUS0378331005,a\nUS0378331006,b\n")
    refresh(replace(feed, check="isin"), tmp_path, moment=1)
    assert quarantined(tmp_path, "list").total == 1
    refresh(feed, tmp_path, moment=2)
    assert quarantined(tmp_path, "list").total == 0


def test_bytes_that_are_no_text_are_no_traceback(feed: Feed, tmp_path: Path) -> None:
    folder = tmp_path / "feeds" / "list"
    for path in (folder / "downloads").glob("*.json"):
        path.write_bytes(path.read_bytes().replace(b"http:", b"htt\xb2:"))
    refresh(feed, tmp_path, moment=3)  # it is fetched again
    for path in (folder / "snapshots" / "000002.json", folder / "journal.jsonl"):
        whole = path.read_bytes()
        path.write_bytes(whole.replace(b"http:", b"htt\xb2:"))
        with pytest.raises(FeedError, match=f"{path.name} is damaged"):
            refresh(feed, tmp_path, moment=4)
        path.write_bytes(whole)


def test_what_somebody_put_there_is_not_taken_for_ours(feed: Feed, tmp_path: Path) -> None:
    folder = tmp_path / "feeds" / "list"
    (folder / "snapshots" / "000002 copy.json").write_text("{}")
    (folder / "current").unlink()
    (folder / "current").symlink_to("elsewhere")
    assert show(tmp_path, "list").published is None
    refresh(feed, tmp_path, moment=3)
    assert show(tmp_path, "list").published == 2
    assert agrees(tmp_path, THREE)


def test_a_full_disk_has_one_name() -> None:
    frame = pl.DataFrame({"ID": [str(number) for number in range(100_000)]})
    full = Path("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        content.keep(frame, full)
    with full.open("wb") as file, pytest.raises(OSError, match="No space left"):
        content.keep(frame, file)
