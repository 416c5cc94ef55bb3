import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from everytick.feeds.archive.downloads import Download, Downloads, Partial


@pytest.fixture
def downloads(tmp_path: Path) -> Downloads:
    return Downloads(tmp_path)


def arrive(downloads: Downloads, body: bytes, *, asked: str = "list", at: int = 1) -> Download:
    with downloads.arrive() as file:
        file.write(body)
    download = Download(
        sha256=hashlib.sha256(body).hexdigest(),
        size=len(body),
        at=at,
        asked=asked,
        resource="there",
        url="https://example.org/list.csv",
        headers={"etag": '"1"'},
    )
    return downloads.keep(download, downloads.partial)


def names(downloads: Downloads) -> set[str]:
    return {path.name for path in downloads.folder.iterdir()}


def begin(downloads: Downloads) -> Partial:
    with downloads.arrive() as file:
        file.write(b"ISIN")
    partial = Partial(asked="list", resource="there", size=4, validator='"1"', headers={})
    downloads.cut(partial)
    return partial


def test_a_body_is_kept_under_its_digest(downloads: Downloads) -> None:
    kept = arrive(downloads, b"one")
    assert names(downloads) == {kept.sha256, f"{kept.sha256}.json"}
    assert downloads.path(kept.sha256).read_bytes() == b"one"
    assert downloads.all() == [kept]
    assert downloads.newest("list") == kept


def test_the_newest_is_the_last_that_came_whatever_its_moment(downloads: Downloads) -> None:
    one, two = arrive(downloads, b"one", at=9), arrive(downloads, b"two", at=3)
    assert downloads.all() == [two, one]
    again = arrive(downloads, b"one", at=3)
    assert [kept.sha256 for kept in downloads.all()] == [one.sha256, two.sha256]
    assert again.number == 3


def test_only_what_answers_the_same_question_counts(downloads: Downloads) -> None:
    one = arrive(downloads, b"one")
    arrive(downloads, b"two", asked="another")
    assert downloads.newest("list") == one
    assert downloads.newest("a third") is None


def test_what_is_gone_or_damaged_is_not_there(downloads: Downloads) -> None:
    one, two = arrive(downloads, b"one"), arrive(downloads, b"two")
    downloads.path(two.sha256).write_bytes(b"owt")
    assert downloads.newest("list") is None
    downloads.path(two.sha256).unlink()
    assert downloads.newest("list") is None
    (downloads.folder / f"{two.sha256}.json").write_text("{")
    assert downloads.newest("list") == one
    assert Downloads(downloads.folder / "never made").newest("list") is None


def test_a_body_without_its_note_was_never_kept(downloads: Downloads) -> None:
    one = arrive(downloads, b"one")
    (downloads.folder / f"{one.sha256}.json").unlink()
    assert downloads.all() == []
    downloads.prune(5)
    assert names(downloads) == set()


def test_the_oldest_go_and_those_that_are_needed_stay(downloads: Downloads) -> None:
    kept = [arrive(downloads, b"%d" % number) for number in range(5)]
    begin(downloads)
    downloads.prune(2, needed={kept[0].sha256})
    stay = {kept[place].sha256 for place in (0, 3, 4)}
    assert names(downloads) == stay | {f"{name}.json" for name in stay} | {"partial", "partial.json"}
    downloads.prune(0)
    assert names(downloads) == {"partial", "partial.json"}


def test_a_body_that_was_cut_off_can_be_carried_on(downloads: Downloads) -> None:
    partial = begin(downloads)
    assert downloads.begun("list") == partial
    assert downloads.begun("another") is None
    with downloads.arrive(partial) as file:
        file.seek(0, 2)
        file.write(b",NAME")
    assert downloads.partial.read_bytes() == b"ISIN,NAME"
    assert downloads.begun("list") is None  # its note is gone: nothing vouches for these bytes any more


def test_a_beginning_of_another_size_than_noted_is_none(downloads: Downloads) -> None:
    begin(downloads)
    downloads.partial.write_bytes(b"ISI")
    assert downloads.begun("list") is None


def test_a_new_body_ends_the_old_beginning(downloads: Downloads) -> None:
    begin(downloads)
    with downloads.arrive() as file:
        file.write(b"NAME")
    assert downloads.begun("list") is None
    begin(downloads)
    arrive(downloads, b"one")
    assert downloads.begun("list") is None
    begin(downloads)
    downloads.drop()
    assert downloads.begun("list") is None
    assert "partial" not in names(downloads)


def test_a_number_is_given_not_taken(downloads: Downloads) -> None:
    kept = arrive(downloads, b"one")
    assert downloads.keep(replace(kept, number=70, at=2)).number == 2


def test_what_was_left_half_done_is_removed(downloads: Downloads) -> None:
    kept = {(one := arrive(downloads, b"one")).sha256, f"{one.sha256}.json"}
    partial = begin(downloads)
    (downloads.folder / f".aside-{one.sha256}.json").write_text("{")
    downloads.prepare("list")
    assert names(downloads) == kept | {"partial", "partial.json"}
    assert downloads.begun("list") == partial
    downloads.prepare("another")
    assert names(downloads) == kept
    downloads.arrive().close()
    downloads.prepare("list")
    assert names(downloads) == kept
