"""Stories of tasks that cannot be reckoned with: they are left alone, and can be mended at any time."""

import pytest
from msgspec.structs import replace

from everytick.ledger import VersionRow
from everytick.ledgers.sqlite import SqliteLedger
from everytick.plan import Status
from everytick.testing.engine import Engine, task

ENDLESS = "* * * * * * minus * * * 2-6 * *"
"""Every second, but for five days that are more seconds than a search looks at."""


class GarbledLedger(SqliteLedger):
    """A ledger whose first task makes no sense while it is garbled."""

    garbled = False

    def numbered(self, *wanted: tuple[int, int]) -> list[VersionRow]:
        found = super().numbered(*wanted)
        return [replace(row, definition="{}") if self.garbled and row.task_id == 1 else row for row in found]


class ManyGarbledLedger(SqliteLedger):
    """A ledger whose tasks of that name make no sense."""

    def numbered(self, *wanted: tuple[int, int]) -> list[VersionRow]:
        found = super().numbered(*wanted)
        return [replace(row, definition="{}") if row.name.startswith("garbled") else row for row in found]


class ShortLedger(SqliteLedger):
    """A ledger that lacks the versions of its first task while it is short."""

    short = False

    def numbered(self, *wanted: tuple[int, int]) -> list[VersionRow]:
        return [row for row in super().numbered(*wanted) if not (self.short and row.task_id == 1)]


@pytest.fixture
def endless() -> Engine:
    """Return an engine shortly after a schedule gave up its search, a sound task beside it."""
    engine = Engine("2026-01-01T23:58:50Z")
    engine.apply(task("endless", ENDLESS), task("sound", "* * * * *"))
    engine.run_until("2026-01-02T00:00:10Z")
    return engine


def test_a_schedule_that_gives_up_its_search_does_not_stop_the_others(
    endless: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    endless.run(seconds=60)
    assert endless.told("sound") == [
        "2026-01-01T23:59:00Z succeeded",
        "2026-01-02T00:00:00Z succeeded",
        "2026-01-02T00:01:00Z succeeded",
    ]
    told = [record.message for record in caplog.get_records("setup")]
    assert len(told) == 1
    assert told[0].startswith("task 'endless' left alone: This takes 400,000 instants in a row away")
    assert not caplog.messages


def test_such_a_task_goes_on_once_its_schedule_is_mended(endless: Engine) -> None:
    endless.apply(task("endless", "* * * * *"), task("sound", "* * * * *"))
    endless.run(minutes=2)
    told = endless.told("endless")
    before = [f"2026-01-01T23:58:{second}Z" for second in range(51, 60)]
    before += [f"2026-01-01T23:59:{second:02}Z" for second in range(60)]
    assert [one.split()[0] for one in told[:-2]] == before
    assert told[-2:] == ["2026-01-02T00:01:00Z succeeded", "2026-01-02T00:02:00Z succeeded"]


def test_such_a_task_can_be_paused_and_removed(endless: Engine) -> None:
    endless.pause("endless")
    assert endless.edits.task("endless").newest.status is Status.PAUSED
    endless.apply(task("sound", "* * * * *"))
    assert [row.newest.status for row in endless.ledger.tasks()] == [Status.REMOVED, Status.ACTIVE]


def test_a_task_whose_newest_version_is_missing_does_not_stop_the_others() -> None:
    ledger = ShortLedger(":memory:")
    engine = Engine(ledger=ledger)
    engine.apply(task("short", "* * * * *"), task("sound", "* * * * *"))
    ledger.short = True
    engine.run(minutes=2)
    assert engine.told("short") == []
    assert engine.told("sound") == ["2026-01-01T00:01:00Z succeeded", "2026-01-01T00:02:00Z succeeded"]


def test_many_broken_tasks_do_not_keep_the_others_out() -> None:
    ledger = ManyGarbledLedger(":memory:")
    engine = Engine(ledger=ledger)
    engine.apply(
        *(task(f"garbled-{number}", "* * * * *") for number in range(2500)), task("sound", "* * * * *")
    )
    engine.run(minutes=2)
    assert engine.told("sound") == ["2026-01-01T00:01:00Z succeeded", "2026-01-01T00:02:00Z succeeded"]


def test_a_definition_that_makes_sense_again_is_taken_up_without_a_restart() -> None:
    ledger = GarbledLedger(":memory:")
    engine = Engine(ledger=ledger)
    engine.apply(task("garbled", "* * * * *"))
    ledger.garbled = True
    engine.run(minutes=2)
    assert engine.told("garbled") == []
    ledger.garbled = False
    engine.run(minutes=2)
    assert engine.told("garbled")[-2:] == [
        "2026-01-01T00:03:00Z succeeded",
        "2026-01-01T00:04:00Z succeeded",
    ]
    assert not engine.breaches()
