"""A definition that this release cannot read: its task is left alone, the others go on, an edit mends it."""

import sqlite3
from pathlib import Path

import pytest

from everytick.audit.auditor import audit
from everytick.differences import Difference
from everytick.errors import UsageError
from everytick.ledgers.sqlite import SqliteLedger
from everytick.plan import Status
from everytick.testing.engine import AUTHOR, Engine, task

HOURLY = "0 * * * *"
OTHERWISE = "30 * * * *"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Return an engine whose task ``lost`` has a definition that nobody can read."""
    path = tmp_path / "ledger.db"
    engine = Engine(ledger=SqliteLedger(str(path)))
    engine.apply(task("lost", HOURLY), task("sound", HOURLY))
    engine.run(hours=2, minutes=5)
    with sqlite3.connect(path) as tamper:
        tamper.execute("DROP TRIGGER task_version_stands")
        tamper.execute(
            'UPDATE task_version SET definition = \'{"from": "the future"}\' '
            "WHERE task_id = (SELECT id FROM task WHERE name = 'lost')"
        )
    tamper.close()
    again = Engine(ledger=SqliteLedger(str(path)))
    again.clock.wait(engine.clock.now())
    return again


def test_the_others_go_on(engine: Engine) -> None:
    engine.run(hours=3)
    assert [told.split()[1] for told in engine.told("sound")] == ["succeeded"] * 5
    assert len(engine.told("lost")) == 2


def test_an_apply_defines_it_anew_from_now_on(engine: Engine) -> None:
    engine.run(hours=1)
    assert engine.apply(task("lost", OTHERWISE), task("sound", HOURLY)) > 0
    engine.run(hours=2)
    assert engine.told("lost")[2:] == ["2026-01-01T03:30:00Z succeeded", "2026-01-01T04:30:00Z succeeded"]
    assert len(engine.told("sound")) == 5


def test_an_audit_follows_its_chain_and_says_so(engine: Engine) -> None:
    engine.run(hours=1)
    engine.apply(task("lost", OTHERWISE), task("sound", HOURLY))
    engine.run(hours=2)
    found = audit(engine.ledger, engine.clock.now())
    assert found.clean
    assert any("lost" in note for note in found.notes)


def test_it_can_be_removed_once_it_is_defined_anew(engine: Engine) -> None:
    assert engine.apply(task("sound", HOURLY)) == 0
    engine.apply(task("lost", OTHERWISE), task("sound", HOURLY))
    engine.apply(task("sound", HOURLY))
    assert next(engine.ledger.tasks(name="lost")).newest.status is Status.REMOVED


def test_a_pause_says_what_is_wrong_with_it(engine: Engine) -> None:
    with pytest.raises(UsageError, match="the definition of task 'lost' cannot be read"):
        engine.edits.pause("lost", engine.clock.now(), AUTHOR)


def test_comparing_tells_that_it_changes(engine: Engine) -> None:
    (only,) = engine.edits.compare([task("lost", HOURLY), task("sound", HOURLY)], "story")
    assert isinstance(only, Difference)
    assert (only.name, only.kind) == ("lost", "change")
