"""The release before and this one at work on one ledger, as during a rolling deployment.

The releases before are the commit that began the work on PostgreSQL, which knows SQLite alone, and the first
one that kept a ledger on PostgreSQL. Both call themselves 0.1.0.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from everytick.release import VERSION
from everytick.testing.servers import PgBouncer, PostgresServer

from .sides import ROOT, Job, Release, Sides, history_has, release_of

Place = Callable[[PostgresServer | PgBouncer], str]

NEW = Release("new", ROOT / "src")
BEFORE = {"sqlite": "154d892", "postgres": "83a78f6"}
PROGRAMS = ("scheduler", "runner")
APP = ("--app", "jobs.toml")
JOBS = {
    "quick": Job(),
    "waiting": Job(seconds=0.4, policies='overlap = "queue_all"\ncatch_up = { policy = "all", limit = 100 }'),
    "newest": Job(seconds=1.3, policies='overlap = "queue_one"'),
    "several": Job(seconds=0.9, alone=False, policies='overlap = { policy = "allow", limit = 3 }'),
    "again": Job(fails=1, policies='retry = { attempts = 2, backoff = "fixed", delay = "300ms" }'),
}


@pytest.fixture(params=BEFORE)
def store(request: pytest.FixtureRequest) -> str:
    """Where the ledger lies."""
    return str(request.param)


@pytest.fixture
def old(store: str, tmp_path: Path, needs: Callable[[object, str], None]) -> Release:
    """The release before, from the history of this checkout."""
    commit = BEFORE[store]
    needs(history_has(commit), f"a checkout with its history: commit {commit} is not in this one")
    return release_of(commit, tmp_path / "before")


@pytest.fixture
def sides(store: str, tmp_path: Path, place: Place, request: pytest.FixtureRequest) -> Iterator[Sides]:
    """A folder in which both may run."""
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    if store == "postgres":
        url = place(request.getfixturevalue("postgres15"))
    made = Sides(tmp_path, url, JOBS)
    yield made
    made.close()


def test_both_run_on_one_ledger_until_the_older_is_ended(sides: Sides, old: Release) -> None:
    assert sides.ask(old, "--version").stdout == "everytick 0.1.0\n"
    assert sides.ask(NEW, "--version").stdout == f"everytick {VERSION}\n"
    sides.apply(old)
    theirs = [sides.start(old, kind) for kind in PROGRAMS]
    sides.all_go_on("old")

    migrated = sides.told(NEW, "ledger", "migrate", *APP)["migrations"]
    assert all(one["done"] or one["after"] for one in migrated)
    ours = [sides.start(NEW, kind) for kind in PROGRAMS]
    sides.both_work()

    sides.at_work("old")
    sides.kill(*theirs)
    sides.all_go_on("new")
    sides.apply(NEW)
    sides.all_go_on("new")
    theirs = [sides.start(old, kind) for kind in PROGRAMS]
    sides.both_work()

    sides.at_work("new")
    sides.kill(*ours)
    sides.all_go_on("old")
    sides.apply(old)
    sides.all_go_on("old")
    ours = [sides.start(NEW, kind) for kind in PROGRAMS]
    sides.both_work()

    for asks, answers in ((old, NEW), (NEW, old)):
        sides.ask(asks, "pause", "quick", *APP)
        sides.ask(answers, "resume", "quick", *APP)
        sides.ask(asks, "run", "newest", *APP)
    sides.all_go_on("old", "new")
    for release in (old, NEW):
        assert sides.told(release, "audit", *APP)["findings"] == []

    sides.stop(*theirs)
    sides.ask(NEW, "ledger", "migrate", "--after", *APP)
    sides.apply(NEW)
    sides.all_go_on("new")
    sides.stop(*ours)
    assert sides.told(NEW, "audit", *APP)["findings"] == []
    counts = sides.agree(NEW)
    assert counts["succeeded"] > 100
    assert counts["reruns"] >= 2
