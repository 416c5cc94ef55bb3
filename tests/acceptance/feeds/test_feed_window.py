"""A list that has to be there: fetched until its as-of date advances, then a deadline, then late."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from everytick.config import parse
from everytick.errors import FeedError, FeedRefused, NothingNew
from everytick.feeds.ask.show import entries, show
from everytick.feeds.feed import AsOf, Feed, Limit, Window
from everytick.feeds.refresh import refresh, run
from everytick.feeds.tasks import tasks
from everytick.policy import MINUTE, SECOND, Policies
from everytick.task import Call, Task
from everytick.testing.provider import Provider
from everytick.tick import Tick, parse_rfc3339
from everytick.when import moment_of

HOUR = 60 * MINUTE
LIST = Feed(
    name="list",
    url="",
    key="ID",
    allow_private=("127.0.0.0/8",),
    max_changed=Limit(),
    as_of=AsOf(column="DAY"),
    window=Window(every=600, within=4 * 3600),
    same_on=("sat", "sun", "2026-03-04"),
)
FRIDAY = "2026-03-06T18:00:00Z"


def text(day: str, name: str = "n") -> bytes:
    return f"ID,NAME,DAY\nA,{name},{day}\nB,{name},2026-01-01\n".encode()


def due(text: str) -> int:
    return parse_rfc3339(text)


@pytest.fixture
def feed(provider: Provider, tmp_path: Path) -> Feed:
    """A feed whose list of Thursday is published."""
    feed = replace(LIST, url=provider.url)
    provider.serve(text("2026-03-05"))
    refresh(feed, tmp_path, moment=due("2026-03-05T18:00:00Z"), tick="list@thursday")
    return feed


def test_the_list_of_before_is_nothing_new_until_the_new_one_is_there(
    feed: Feed, provider: Provider, tmp_path: Path
) -> None:
    for minute, body in enumerate((text("2026-03-05"), text("2026-03-05", "other"), text("2026-03-04"))):
        provider.serve(body)
        with pytest.raises(NothingNew, match=r"the list is still the one of 2026-03-0[45]"):
            refresh(
                feed, tmp_path, moment=due(FRIDAY) + minute * MINUTE, due_at=due(FRIDAY), tick="list@friday"
            )
    assert show(tmp_path, "list").published == 1
    provider.serve(text("2026-03-06"))
    done = refresh(feed, tmp_path, moment=due(FRIDAY) + HOUR, due_at=due(FRIDAY), tick="list@friday")
    assert (done.verdict, done.sequence, str(done.as_of)) == ("published", 2, "2026-03-06")
    assert refresh(feed, tmp_path, moment=due(FRIDAY) + 2 * HOUR, tick="list@friday") == done
    told = [(entry.act, entry.kind, entry.arrived) for entry in entries(tmp_path, "list")]
    assert told == [
        ("published", "", "other_bytes"),
        ("nothing_new", "NothingNew", "other_bytes"),
        ("nothing_new", "NothingNew", "other_bytes"),
        ("nothing_new", "NothingNew", "same_bytes"),
        ("published", "", "other_bytes"),
    ]


@pytest.mark.parametrize(
    ("due_at", "zone", "verdict"),
    [
        ("2026-03-07T12:00:00Z", "UTC", "unchanged"),
        ("2026-03-06T19:00:00Z", "UTC", "nothing new"),
        ("2026-03-06T19:00:00Z", "Asia/Kolkata", "unchanged"),  # Saturday has begun there
        ("2026-03-08T19:00:00Z", "Asia/Kolkata", "nothing new"),  # and Sunday is over
        ("2026-03-04T12:00:00Z", "UTC", "unchanged"),
    ],
)
def test_on_some_days_the_same_list_is_right(
    feed: Feed, tmp_path: Path, due_at: str, zone: str, verdict: str
) -> None:
    moment = due("2026-03-09T12:00:00Z")
    if verdict == "unchanged":
        assert refresh(feed, tmp_path, moment=moment, due_at=due(due_at), zone=zone).verdict == verdict
        return
    with pytest.raises(NothingNew):
        refresh(feed, tmp_path, moment=moment, due_at=due(due_at), zone=zone)


def test_on_such_a_day_a_correction_is_taken_and_an_older_list_is_not(
    feed: Feed, provider: Provider, tmp_path: Path
) -> None:
    saturday = due("2026-03-07T12:00:00Z")
    provider.serve(text("2026-03-05", "corrected"))
    assert refresh(feed, tmp_path, moment=saturday).verdict == "published"
    provider.serve(text("2026-03-04"))
    with pytest.raises(FeedRefused, match="older than the last good one"):
        refresh(feed, tmp_path, moment=saturday)


def test_the_first_list_and_lists_without_a_window_wait_for_nothing(feed: Feed, tmp_path: Path) -> None:
    assert show(tmp_path, "list").published == 1
    assert refresh(replace(feed, window=None), tmp_path, moment=due(FRIDAY)).verdict == "unchanged"


def test_a_date_from_the_answer_may_advance_though_the_bytes_do_not(
    provider: Provider, tmp_path: Path
) -> None:
    feed = replace(LIST, url=provider.url, as_of=AsOf(response="Last-Modified"))
    for day, number in (("Thu, 05", 5), ("Fri, 06", 6)):
        provider.serve(text("2026-03-05"), headers={"Last-Modified": f"{day} Mar 2026 10:00:00 GMT"})
        refreshed = refresh(feed, tmp_path, moment=due(FRIDAY))
        assert (refreshed.as_of and refreshed.as_of.day) == number
    assert (refreshed.verdict, refreshed.arrived) == ("unchanged", "same_bytes")


def task(tmp_path: Path, words: str) -> Task:
    text = f"""
        [feed.list]
        url = "http://127.0.0.1/list.csv"
        key = "ID"
        schedule = "0 18 * * mon-fri"
        zone = "Asia/Kolkata"
        {words}
    """
    (found,) = tasks(parse(tmp_path / "everytick.toml", text))
    return found


def policies(tmp_path: Path, words: str) -> Policies:
    return task(tmp_path, words).policies


PASSING = ("FetchFailed", "FeedError", "timeout")
WITHIN_A_WINDOW = (*PASSING, "NothingNew", "ExtractFailed", "FeedRefused", "FeedHeld")
WINDOW = 'as_of = { column = "DAY" }\nwindow = { every = "10m", within = "4h" }\n'


def test_a_window_stands_for_retries_and_a_deadline(tmp_path: Path) -> None:
    found = policies(tmp_path, WINDOW)
    assert found.finish_within == 4 * HOUR
    retry = found.retry
    assert retry.on == WITHIN_A_WINDOW
    assert (retry.backoff, retry.delay, retry.until) == ("fixed", 10 * MINUTE, "next")
    assert retry.wait(24, ["list"]) >= 10 * MINUTE
    assert sum(retry.wait(failures, [failures]) for failures in range(1, retry.attempts)) >= 4 * HOUR


def test_what_the_table_says_of_retries_and_deadlines_holds(tmp_path: Path) -> None:
    words = 'retry = { delay = "1m", attempts = 3 }\nfinish_within = "5h"\n'
    found = policies(tmp_path, WINDOW + words)
    assert (found.finish_within, found.retry.delay, found.retry.attempts) == (5 * HOUR, MINUTE, 3)
    assert found.retry.on == WITHIN_A_WINDOW


@pytest.mark.parametrize(
    ("words", "on"),
    [
        ("retry = 4", PASSING),
        ("retry = { attempts = 4 }", PASSING),
        ('retry = { attempts = 4, on = ["error"] }', ("error",)),
        ("", ("error", "timeout")),
    ],
)
def test_a_refused_list_is_not_retried_unless_somebody_says_so(
    tmp_path: Path, words: str, on: tuple[str, ...]
) -> None:
    retry = policies(tmp_path, words).retry
    assert (retry.on, retry.attempts) == (on, 4 if words else 1)


def test_a_worker_is_told_the_zone(feed: Feed, tmp_path: Path) -> None:
    work = task(tmp_path, WINDOW).work
    assert isinstance(work, Call)
    assert work.arguments["zone"] == "Asia/Kolkata"
    arguments: dict[str, Any] = {"name": "list", "feed": feed.section(), "data": str(tmp_path)}
    tick = Tick(task="list", due_at=moment_of(due("2026-03-06T19:00:00Z")), interval_start=None, attempt=1)
    assert run(tick, **arguments, zone="Asia/Kolkata")["verdict"] == "unchanged"
    again = Tick(task="list", due_at=moment_of(due(FRIDAY) + SECOND), interval_start=None, attempt=2)
    with pytest.raises(FeedError, match="still the one of 2026-03-05"):
        run(again, **arguments, zone="UTC")
