"""Versions: only what is asked for is read, and what was read stays in bounds."""

import pytest

from everytick import versions as module
from everytick.errors import UsageError
from everytick.ledger import VersionRow
from everytick.ledgers.sqlite import SqliteLedger
from everytick.plan import Status
from everytick.task import Call, Task, read_definition
from everytick.versions import Versions
from everytick.when import schedule

DAY = 86_400_000_000
DEEP = '{"schedule":"* * * * *","work":{"type":"call","call":"a:b","arguments":{"x":%s}},"policies":{}}'


class Edited(SqliteLedger):
    """A ledger in which each task was edited each day for a year; what is read of it is told.

    Attributes:
        read: The versions, one batch after the other.
    """

    read: list[list[int]]

    def numbered(self, *wanted: tuple[int, int]) -> list[VersionRow]:
        self.read.append([number for _, number in wanted])
        task = Task(name="report", schedule=schedule("* * * * *"), work=Call(call="a:b"))
        return [
            VersionRow(
                task_id=task_id,
                name=task.name,
                origin=task.origin,
                version=number,
                since=number * DAY,
                status=Status.ACTIVE,
                paused_until=None,
                anchor=0,
                rules="",
                definition=task.definition,
                change_id=number,
            )
            for task_id, number in wanted
            if 1 <= number <= 365
        ]


@pytest.fixture
def ledger() -> Edited:
    made = Edited(":memory:")
    made.read = []
    return made


def test_of_many_versions_those_in_force_are_read(ledger: Edited) -> None:
    known = Versions(ledger)
    known.prepare([(1, 365), (2, 365)])
    assert [one.version for one in known.since(1, 365, 365 * DAY)] == [365]
    assert known.version(2, 365).since == 365 * DAY
    assert ledger.read == [[365, 365]]


def test_earlier_ones_are_read_as_far_back_as_planning_is(ledger: Edited) -> None:
    found = Versions(ledger).since(1, 365, 330 * DAY)
    assert [one.version for one in found] == list(range(330, 366))
    assert list(map(len, ledger.read)) == [1, 10, 10, 10, 10]


def test_the_first_one_ends_the_search(ledger: Edited) -> None:
    assert [one.version for one in Versions(ledger).since(1, 3, 0)] == [1, 2, 3]


def test_what_was_read_longest_ago_is_forgotten(ledger: Edited, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT", 3)
    known = Versions(ledger)
    for number in (1, 2, 3, 4, 2, 1):
        assert known.version(1, number).version == number
    assert ledger.read == [[1], [2], [3], [4], [1]]


def test_a_version_that_is_not_there_is_told(ledger: Edited) -> None:
    with pytest.raises(UsageError, match="task number 1 has no version 366"):
        Versions(ledger).version(1, 366)


def test_a_definition_too_deep_to_be_read_is_told() -> None:
    with pytest.raises(UsageError, match="the definition of task 'deep' cannot be read"):
        read_definition("deep", "python", DEEP % ("[" * 100_000 + "]" * 100_000))
