"""`everytick ledger migrate`, as it is typed: by this release, and by one after it that has migrations more.

The later release is a copy of this one's source, with a number of its own and two migrations.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from everytick.ledgers.statements import migrations
from everytick.release import VERSION
from everytick.testing.servers import PgBouncer, PostgresServer

from .sides import ROOT, Job, Release, Sides

Place = Callable[[PostgresServer | PgBouncer], str]

NOW = Release("now", ROOT / "src")
LATER = "99.0.0"
ADDED, TAKEN = "0098-before-colours", "0099-after-colours"
SCRIPTS = {
    "sqlite": ("ALTER TABLE task ADD COLUMN colour TEXT;", "DROP VIEW ticks;\nPRAGMA user_version = 99;"),
    "postgres": ("ALTER TABLE everytick.task ADD COLUMN colour text;", "DROP VIEW everytick.ticks;"),
}
APP = ("--app", "jobs.toml")


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The release after this one."""
    source = tmp_path_factory.mktemp("later") / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
    told = source / "everytick/release.py"
    told.write_text(told.read_text().replace(f'"{VERSION}"', f'"{LATER}"'))
    for store, scripts in SCRIPTS.items():
        folder = source / "everytick/ledgers/sql" / store / "migrations"
        for name, script in zip((ADDED, TAKEN), scripts, strict=True):
            folder.joinpath(f"{name}.sql").write_text(script)
    return Release("later", source)


@pytest.fixture(params=SCRIPTS)
def store(request: pytest.FixtureRequest) -> str:
    """Where the ledger lies."""
    return str(request.param)


@pytest.fixture
def sides(store: str, tmp_path: Path, place: Place, request: pytest.FixtureRequest) -> Iterator[Sides]:
    """A folder with a ledger of this release."""
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    if store == "postgres":
        url = place(request.getfixturevalue("postgres15"))
    made = Sides(tmp_path, url, {"quick": Job()})
    made.apply(NOW)
    yield made
    made.close()


def runs(sides: Sides, program: "subprocess.Popen[bytes]") -> None:
    """Wait until the ledger knows a program."""
    sides.until(lambda: f"pid {program.pid} on" in sides.ask(NOW, "doctor", *APP, code=None).stdout)


def states(sides: Sides, release: Release, *words: str) -> dict[str, tuple[bool, str]]:
    """Return of each migration whether it has run, and by which release."""
    told = sides.told(release, "ledger", "migrate", *words, *APP)["migrations"]
    return {one["name"]: (one["done"], one["release"]) for one in told}


class TestNothingToDo:
    def test_a_new_ledger_has_seen_all_that_its_release_knows(self, sides: Sides, store: str) -> None:
        known = {one.name: (True, VERSION) for one in migrations(store).values()}
        assert states(sides, NOW) == known
        told = sides.told(NOW, "ledger", "migrate", "--after", *APP)
        assert told["ran"] == []
        assert states(sides, NOW, "--after") == known

    def test_it_is_shown_as_a_table(self, sides: Sides) -> None:
        said = sides.ask(NOW, "ledger", "migrate", *APP).stdout
        assert re.search(rf"0001 +before +has run, by {re.escape(VERSION)}", said)
        assert "Nothing waited" not in said

    def test_who_asks_for_what_waits_hears_that_nothing_does(self, sides: Sides) -> None:
        said = sides.ask(NOW, "ledger", "migrate", "--after", *APP).stdout
        assert said.splitlines()[-1] == "Nothing waited: the ledger is as this release has it."

    def test_there_is_no_ledger(self, tmp_path: Path) -> None:
        nowhere = Sides(tmp_path, f"sqlite:///{tmp_path / 'typo.db'}", {})
        refused = nowhere.ask(NOW, "ledger", "migrate", "--ledger", nowhere.url, code=2)
        assert "there is no ledger at" in refused.stderr
        assert list(tmp_path.iterdir()) == []


class TestBefore:
    def test_what_a_release_adds_is_added_at_once_and_told(self, sides: Sides, later: Release) -> None:
        said = sides.ask(later, "ledger", "migrate", *APP).stdout
        assert re.search(rf"{ADDED} +before +has just run, by {LATER}", said)
        assert re.search(rf"{TAKEN} +after +waits for --after", said)
        told = sides.told(later, "ledger", "migrate", *APP)
        assert told["ran"] == []
        assert states(sides, later)[ADDED] == (True, LATER)
        assert states(sides, later)[TAKEN] == (False, "")
        sides.apply(NOW)
        assert [one["task"] for one in sides.told(NOW, "tasks", *APP)] == ["quick"]


class TestAfter:
    def test_it_is_refused_while_an_older_release_lives(self, sides: Sides, later: Release) -> None:
        runner = sides.start(NOW, "runner")
        runs(sides, runner)
        refused = sides.ask(later, "ledger", "migrate", "--after", *APP, code=2)
        who = rf"runner \d+ \(pid {runner.pid} on {re.escape(os.uname().nodename)}\) runs Everytick {VERSION}"
        assert re.search(f"{who}: end it, or start {LATER} in its place", refused.stderr)
        assert refused.stdout == ""
        assert states(sides, later)[TAKEN] == (False, "")
        sides.stop(runner)
        said = sides.ask(later, "ledger", "migrate", "--after", *APP).stdout
        assert re.search(rf"{TAKEN} +after +has just run, by {LATER}", said)

    def test_a_later_release_is_no_hindrance(self, sides: Sides, later: Release) -> None:
        runner = sides.start(later, "runner")
        runs(sides, runner)
        assert sides.told(later, "ledger", "migrate", "--after", *APP)["ran"] == [TAKEN]
        assert states(sides, later, "--after")[TAKEN] == (True, LATER)
        sides.stop(runner)

    def test_one_that_was_killed_is_waited_for_and_no_longer(self, sides: Sides, later: Release) -> None:
        runner = sides.start(NOW, "runner")
        runs(sides, runner)
        sides.kill(runner)
        assert sides.told(later, "ledger", "migrate", "--after", *APP)["ran"] == [ADDED, TAKEN]

    def test_then_an_older_release_is_refused(self, sides: Sides, later: Release) -> None:
        sides.ask(later, "ledger", "migrate", "--after", *APP)
        for words in (("ledger", "migrate"), ("tasks",), ("runner",), ("apply",)):
            where = ("jobs.toml", "--yes") if words == ("apply",) else APP
            refused = sides.ask(NOW, *words, *where, code=2)
            assert re.search("a newer Everytick .* Upgrade Everytick", refused.stderr)
        assert sides.told(later, "audit", *APP)["findings"] == []
