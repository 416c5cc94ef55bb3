"""The days of examples/isin-daily: which go wrong, how, and what stands at the address then."""

import csv
from collections.abc import Iterator
from email.message import Message
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "isin-daily"
SEEDS = range(1, 40)
SIX_WEEKS = range(42)
WELL = {"good", "weekend"}
MILD = {"late", "same", "shuffled"}


@pytest.fixture(scope="module")
def days() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLE)
        yield import_module("days")


@pytest.fixture(scope="module")
def manners() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLE)
        yield import_module("manners")


def rows(body: bytes) -> dict[str, tuple[str, ...]]:
    """Return the rows of a list by their ISIN."""
    _, *found = csv.reader(body.decode().splitlines())
    return {row[6]: tuple(row) for row in found}


@pytest.mark.parametrize("seed", SEEDS)
def test_each_kind_comes_within_six_weeks_and_a_refusal_in_the_first(days: ModuleType, seed: int) -> None:
    kinds = [days.kind(day, seed) for day in SIX_WEEKS]
    assert set(kinds) == set(days.Kind)
    assert set(days.TOLD) == set(days.Kind)
    bad = [day for day, kind in enumerate(kinds) if kind not in WELL]
    assert set(kinds[:3]) == {"good"}
    assert bad[0] in {3, 4}
    assert kinds[bad[0]] not in MILD
    assert {later - earlier for earlier, later in pairwise(bad)} == {3, 4}
    assert all(kinds[day - 1] in WELL for day in bad)
    assert all({kinds[day] for day in three} - MILD for three in zip(bad, bad[1:], bad[2:], strict=False))


def test_its_calendar_comes_from_the_seed_alone_and_begins_anew(days: ModuleType) -> None:
    assert len({tuple(days.kind(day, seed) for day in SIX_WEEKS) for seed in SEEDS}) > 30
    again = 77  # the eleventh week: eleven kinds, two a week
    assert [days.kind(day, 3) for day in range(3, 200)] == [
        days.kind(day + again, 3) for day in range(3, 200)
    ]


def test_two_good_lists_differ_little_whatever_lies_between(days: ModuleType) -> None:
    good = [day for day in range(200) if days.kind(day) in WELL]
    lists = [rows(days.served(day, 1, days.kind(day), early=True).body) for day in good]
    for begin in range(0, len(lists), 20):
        for other in lists:
            gone = lists[begin].keys() - other.keys()
            changed = [
                isin for isin in lists[begin].keys() & other.keys() if lists[begin][isin] != other[isin]
            ]
            assert len(gone) < 0.05 * len(lists[begin])
            assert len(changed) < 0.05 * len(lists[begin])


def test_what_each_kind_does_to_the_list(days: ModuleType) -> None:
    day = 10
    before, today = (days.served(each, 1, days.Kind.GOOD, early=True) for each in (day - 1, day))

    def on(kind: str, *, early: bool = True) -> tuple[bytes, str]:
        found = days.served(day, 1, days.Kind(kind), early=early)
        assert (found.breaks is not None) == (kind == "broken")
        assert (found.made is None) == (kind in {"page", "busy"})
        assert found.status == (503 if kind == "busy" else 200)
        return found.body, f"{found.made:%a %d}" if found.made else ""

    assert on("good") == (today.body, "Thu 14")
    assert on("page")[0].startswith(b"<!DOCTYPE html>")
    assert len(on("byte")[0]) == 1
    cut = on("cut")[0]
    assert today.body.startswith(cut)
    assert 0 < cut.splitlines()[-1].count(b",") < 7
    assert on("broken") == (today.body, "Thu 14")
    assert len(rows(on("half")[0])) == (len(rows(today.body)) + 1) // 2
    assert on("renamed")[0].splitlines()[1:] == today.body.splitlines()[1:]
    assert b"ISIN NUMBER" not in on("renamed")[0]
    assert on("late") == on("same") == on("same", early=False) == (before.body, "Wed 13")
    assert on("late", early=False) == (today.body, "Thu 14")
    assert on("shuffled")[0] != before.body
    assert rows(on("shuffled")[0]) == rows(before.body)
    assert on("shuffled")[1] == "Thu 14"


def test_on_the_weekend_the_file_of_friday_stays(days: ModuleType) -> None:
    friday, saturday, sunday, monday = (
        days.served(day, 1, days.Kind(kind), early=True)
        for day, kind in ((11, "good"), (12, "weekend"), (13, "weekend"), (14, "good"))
    )
    assert saturday == sunday == friday != monday
    assert (monday.made - friday.made).days == 3


BODY = b"0123456789"
TAG = '"84d89877f0d4041efb6bf91a16f0248f"'
WEDNESDAY, THURSDAY = "Wed, 13 Jan 2010 06:00:00 GMT", "Thu, 14 Jan 2010 06:00:00 GMT"


@pytest.mark.parametrize(
    ("asked", "status", "sent"),
    [
        ({}, 200, BODY),
        ({"If-None-Match": TAG}, 304, b""),
        ({"if-none-match": f'"other", W/{TAG}'}, 304, b""),
        ({"If-None-Match": "*"}, 304, b""),
        ({"If-None-Match": '"other"'}, 200, BODY),
        ({"If-None-Match": '"other"', "If-Modified-Since": THURSDAY}, 200, BODY),
        ({"If-Modified-Since": THURSDAY}, 304, b""),
        ({"If-Modified-Since": WEDNESDAY}, 200, BODY),
        ({"If-Modified-Since": "yesterday"}, 200, BODY),
        ({"Range": "bytes=4-"}, 206, b"456789"),
        ({"Range": "bytes=4-6"}, 206, b"456"),
        ({"Range": "bytes=4-99"}, 206, b"456789"),
        ({"Range": "bytes=-3"}, 206, b"789"),
        ({"Range": "bytes=-99"}, 200, BODY),
        ({"Range": "bytes=0-9"}, 200, BODY),
        ({"Range": "bytes=10-"}, 416, b""),
        ({"Range": "bytes=-0"}, 416, b""),
        ({"Range": "bytes=6-4"}, 200, BODY),
        ({"Range": "bytes=-"}, 200, BODY),
        ({"Range": "bytes=0-1,4-5"}, 200, BODY),
        ({"Range": f"bytes={'9' * 5000}-"}, 200, BODY),
        ({"Range": "rows=1-2"}, 200, BODY),
        ({"Range": "bytes=4-", "If-Range": TAG}, 206, b"456789"),
        ({"Range": "bytes=4-", "If-Range": f"W/{TAG}"}, 200, BODY),
        ({"Range": "bytes=4-", "If-Range": '"other"'}, 200, BODY),
        ({"Range": "bytes=4-", "If-Range": THURSDAY}, 206, b"456789"),
        ({"Range": "bytes=4-", "If-Range": WEDNESDAY}, 200, BODY),
        ({"Range": "bytes=4-", "If-None-Match": TAG}, 304, b""),
    ],
)
def test_its_manners(
    days: ModuleType, manners: ModuleType, asked: dict[str, str], status: int, sent: bytes
) -> None:
    request = Message()
    for name, value in asked.items():
        request[name] = value
    told = manners.answer(request, BODY, days.made(10), "text/csv")
    assert told.status == status
    assert BODY[told.begin : told.end] == sent
    if status != 416:
        assert told.headers["ETag"] == TAG
        assert told.headers["Last-Modified"] == THURSDAY
    if status == 206:
        assert told.headers["Content-Range"] == f"bytes {told.begin}-{told.end - 1}/10"
    assert told.headers.get("Content-Length") == (None if status == 304 else str(len(sent)))
