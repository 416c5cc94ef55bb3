"""The life of keys, the list as it stood, and what others read of it; the judge is a dict a day."""

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from everytick.errors import FeedError, UnknownName
from everytick.feeds.archive.folder import Archive
from everytick.feeds.ask.changes import changes
from everytick.feeds.ask.history import as_of, history, listing, snapshots
from everytick.feeds.ask.show import entries, show
from everytick.feeds.feed import AsOf, Feed, Limit
from everytick.feeds.refresh import refresh
from everytick.testing.provider import Provider
from everytick.tick import parse_rfc3339

DAY = 86_400_000_000
ANY = Limit()
FREE = Feed(
    name="list",
    url="",
    key="ID",
    allow_private=("127.0.0.0/8",),
    max_removed=ANY,
    max_added=ANY,
    max_changed=ANY,
)
DATED = replace(FREE, as_of=AsOf(pattern=r"# as of (\S+)"))

MARCH = parse_rfc3339("2026-03-10T00:00:00Z")
"""After the days that lists say they are of."""

State = dict[str, str]


def text(state: State, day: str | None = None) -> bytes:
    head = f"# as of {day}\n" if day else ""
    return (head + "ID,NAME\n" + "".join(f"{key},{name}\n" for key, name in state.items())).encode()


def spans(data: Path, key: str) -> list[tuple[int, str, int | None, str | None, str]]:
    return [
        (
            span.since.sequence,
            span.began,
            span.until.sequence if span.until else None,
            span.ended,
            span.row["NAME"],
        )
        for span in history(data, "list", key)
    ]


STATES = st.dictionaries(st.sampled_from("ABCD"), st.sampled_from(["x", "y", ""]), min_size=1)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(days=st.lists(STATES, min_size=1, max_size=5))
def test_the_life_of_every_key_agrees_with_the_lists(
    days: list[State], provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp("data")
    feed, lived = replace(FREE, url=provider.url), list[State]()
    for moment, state in enumerate(days):
        provider.serve(text(state))
        refresh(feed, data, moment=moment)
        if not lived or lived[-1] != state:
            lived.append(state)
        assert dict(listing(data, "list", as_of(data, "list", moment)).iter_rows()) == state
    assert [snapshot.rows for snapshot in snapshots(data, "list")] == [len(state) for state in lived]
    for key in "ABCD":
        expected = list[tuple[int, str, int | None, str | None, str]]()
        before: str | None = None
        for sequence, state in enumerate(lived, 1):
            name = state.get(key)
            if name == before:
                continue
            if before is not None:
                since, began, _, _, was = expected[-1]
                expected[-1] = (since, began, sequence, "removed" if name is None else "changed", was)
            if name is not None:
                began = "changed" if before is not None else "back" if expected else "added"
                expected.append((sequence, began, None, None, name))
            before = name
        assert spans(data, key) == expected


def test_a_key_that_never_stood_there_has_no_life(provider: Provider, tmp_path: Path) -> None:
    provider.serve(text({"A": "x"}))
    refresh(replace(FREE, url=provider.url), tmp_path, moment=0)
    assert history(tmp_path, "list", "Z") == ()
    with pytest.raises(UnknownName, match="never refreshed"):
        history(tmp_path, "other", "A")


def test_a_day_is_the_lists_own_and_a_correction_counts_from_when_it_was_known(
    provider: Provider, tmp_path: Path
) -> None:
    feed = replace(DATED, url=provider.url)
    served = [
        (0, "2026-03-02", {"A": "monday"}),
        (1, "2026-03-02", {"A": "monday corrected"}),
        (2, "2026-03-04", {"A": "wednesday"}),
    ]
    for moment, day, state in served:
        provider.serve(text(state, day))
        refresh(feed, tmp_path, moment=MARCH + moment * DAY)

    def name(when: date | int, known: int | None = None) -> str:
        found = as_of(tmp_path, "list", when, known=known)
        return str(listing(tmp_path, "list", found).item(0, "NAME"))

    assert name(date(2026, 3, 2)) == name(date(2026, 3, 3)) == "monday corrected"
    assert name(date(2026, 3, 2), known=MARCH) == name(MARCH) == name(MARCH + DAY - 1) == "monday"
    assert name(date(2026, 3, 4)) == name(MARCH + 2 * DAY) == "wednesday"
    assert name(date(2026, 3, 4), known=MARCH + DAY) == "monday corrected"
    for before in (date(2026, 3, 1), MARCH - 1):
        with pytest.raises(UnknownName, match="had no list yet"):
            name(before)
    since = [span.since.as_of for span in history(tmp_path, "list", "A")]
    assert since == [date(2026, 3, 2), date(2026, 3, 2), date(2026, 3, 4)]


def test_a_day_of_a_list_that_says_none_is_that_of_its_acceptance(provider: Provider, tmp_path: Path) -> None:
    for moment, state in ((0, {"A": "x"}), (2 * DAY, {"A": "y"})):
        provider.serve(text(state))
        refresh(replace(FREE, url=provider.url), tmp_path, moment=moment)
    assert as_of(tmp_path, "list", date(1970, 1, 2)).sequence == 1
    assert as_of(tmp_path, "list", date(1970, 1, 3)).sequence == 2


def test_the_same_list_of_a_later_day_is_told_in_the_manifest(provider: Provider, tmp_path: Path) -> None:
    feed = replace(DATED, url=provider.url)
    for moment, day in enumerate(("2026-03-02", "2026-03-03")):
        provider.serve(text({"A": "x"}, day))
        refreshed = refresh(feed, tmp_path, moment=MARCH + moment)
        manifest = json.loads((tmp_path / "feeds" / "list" / "current.json").read_bytes())
        assert manifest["as_of"] == day
        assert show(tmp_path, "list").as_of == refreshed.as_of == date.fromisoformat(day)
    assert (refreshed.verdict, refreshed.arrived) == ("unchanged", "other_bytes")


def test_an_older_list_is_refused(provider: Provider, tmp_path: Path) -> None:
    feed = replace(DATED, url=provider.url)
    provider.serve(text({"A": "x"}, "2026-03-03"))
    refresh(feed, tmp_path, moment=MARCH)
    provider.serve(text({"A": "y"}, "2026-03-02"))
    with pytest.raises(FeedError, match="2026-03-02, older than the last good one's 2026-03-03"):
        refresh(feed, tmp_path, moment=MARCH + 1)


AWKWARD = {
    "A": 'a "quoted" name, and more',
    "B": "",
    "C": "two\nlines",
    "D": " blanks ",
    "É": "ünïcode \U0001f600",
}


def test_every_form_says_the_same(provider: Provider, tmp_path: Path) -> None:
    lines = ["ID,NAME", *(f'{key},"{name.replace(chr(34), chr(34) * 2)}"' for key, name in AWKWARD.items())]
    provider.serve("\n".join([*lines, ""]).encode())
    feed = replace(FREE, url=provider.url, publish=("out/list.parquet", "list.jsonl"))
    refresh(feed, tmp_path, moment=1)
    folder = tmp_path / "feeds" / "list"
    with (folder / "current.csv").open(newline="") as file:
        assert {row["ID"]: row["NAME"] for row in csv.DictReader(file)} == AWKWARD
    objects = [json.loads(line) for line in (folder / "current.jsonl").read_bytes().splitlines()]
    assert {each["ID"]: each["NAME"] for each in objects} == AWKWARD
    assert dict(pl.read_parquet(folder / "current.parquet").iter_rows()) == AWKWARD
    assert (tmp_path / "list.jsonl").read_bytes() == (folder / "current.jsonl").read_bytes()
    assert (tmp_path / "out" / "list.parquet").read_bytes() == (folder / "current.parquet").read_bytes()


def test_forms_come_and_go_with_the_definition(provider: Provider, tmp_path: Path) -> None:
    provider.serve(text({"A": "x"}))
    folder = tmp_path / "feeds" / "list"
    for formats, copies, expected in (
        (("csv",), (), {"csv"}),
        (("csv", "jsonl"), ("copy.parquet",), {"csv", "jsonl", "parquet"}),
        (("jsonl",), (), {"jsonl"}),
    ):
        refresh(replace(FREE, url=provider.url, formats=formats, publish=copies), tmp_path, moment=1)
        assert {path.suffix[1:] for path in folder.glob("current.*")} == {*expected, "json"}
        assert {path.suffix[1:] for path in (folder / "current").iterdir()} == {*expected, "json"}
        manifest = json.loads((folder / "current.json").read_bytes())
        assert manifest["files"].keys() == {f"list.{form}" for form in expected}
    assert show(tmp_path, "list").published == 1


def test_a_list_that_comes_back_is_kept_once(provider: Provider, tmp_path: Path) -> None:
    one, two = {"A": "x"}, {"B": "x"}
    for moment, state in enumerate((one, two, one)):
        provider.serve(text(state))
        refresh(replace(FREE, url=provider.url), tmp_path, moment=moment)
    archive = Archive(tmp_path, "list")
    assert archive.sequences() == [1, 2, 3]
    assert len(list((archive.folder / "content").iterdir())) == 2
    assert [dict(listing(tmp_path, "list", each).iter_rows()) for each in snapshots(tmp_path, "list")] == [
        one,
        two,
        one,
    ]
    assert [changes(tmp_path, "list", sequence).shown() for sequence in (1, 2, 3)] == [
        {"added": ["A"], "removed": [], "changed": [], "snapshot": 1},
        {"added": ["B"], "removed": ["A"], "changed": [], "snapshot": 2},
        {"added": ["A"], "removed": ["B"], "changed": [], "snapshot": 3},
    ]
    with pytest.raises(UnknownName, match="has no snapshot 4; the newest is 3"):
        changes(tmp_path, "list", 4)


def test_the_journal_can_be_asked_for_a_time(provider: Provider, tmp_path: Path) -> None:
    feed = replace(FREE, url=provider.url)
    provider.serve(text({"A": "x"}))
    for moment in range(4):
        refresh(feed, tmp_path, moment=moment)
    assert [entry.at for entry in entries(tmp_path, "list", since=1, until=3)] == [2, 1]
    assert [entry.act for entry in entries(tmp_path, "list", limit=1)] == ["unchanged"]


def test_of_old_lists_is_kept_what_came_and_went(provider: Provider, tmp_path: Path) -> None:
    feed = replace(FREE, url=provider.url, keep_snapshots=2)
    for day, state in enumerate([{"A": "x"}, {"A": "x", "B": "x"}, {"A": "y", "B": "x"}, {"B": "x"}], 1):
        provider.serve(text(state))
        refresh(feed, tmp_path, moment=day * DAY)
    first, second, third, fourth = snapshots(tmp_path, "list")
    assert [listing(tmp_path, "list", each).height for each in (first, third, fourth)] == [1, 2, 1]
    with pytest.raises(FeedError, match="keep_snapshots"):
        listing(tmp_path, "list", second)
    assert spans(tmp_path, "A") == [(1, "added", 3, "changed", "x"), (3, "changed", 4, "removed", "y")]
    (span,) = history(tmp_path, "list", "B")
    assert (span.since.sequence, span.until, span.row) == (2, None, {})
