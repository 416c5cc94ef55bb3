"""What a ledger has to do when it is copied, and when it becomes the copy of another."""

from dataclasses import replace

import pytest

from everytick import copier
from everytick.errors import LedgerDamaged, LedgerError, LedgerMoved, LedgerUnfinished
from everytick.ledgers.sqlite import SqliteLedger
from everytick.policy import Policies
from everytick.testing.clock import FakeClock
from everytick.testing.ledgers.scene import START, Scene, change, due
from everytick.testing.ledgers.uneven import MOMENT, uneven
from everytick.tick import State
from everytick.upkeep import KEYS, Row, Store

SEAL: Row = (1, START, '{"succeeded": 3}', "d1935")


class Copying:
    """The tests of a ledger as a whole."""

    def test_a_whole_ledger_is_taken_to_another(self, ledger: Store) -> None:
        uneven(ledger)
        with SqliteLedger(":memory:") as target:
            copied(ledger, target)
            assert everything(target) == everything(ledger)

    def test_a_ledger_becomes_the_copy_of_another_and_goes_on(self, ledger: Store) -> None:
        with SqliteLedger(":memory:") as source:
            source.begin_copy(source.tally())
            source.put("seal", [SEAL], None)
            source.end_copy({"task": 0, "change": 50, "process": 40})
            uneven(source)
            states = {row[STATE] for row in everything(source)["tick"]}
            assert states == {state.value for state in State} - {"queued"}
            assert all(everything(source)[table] for table in KEYS)
            copied(source, ledger)
            assert everything(ledger) == everything(source)
            assert ledger.migrations()
            assert ledger.migrate() == []
            for each in (source, ledger):
                scene = Scene(each)
                assert scene.runner() > 40
                scene.task("another")
                scene.request(scene.row("another").newest.task_id, MOMENT)
                scene.claim(scene.runner(), due(200), queues=("default", "slow", "flaky", "asked", "late"))
            assert everything(ledger) == everything(source)

    def test_numbers_that_were_given_are_never_given_again(self, ledger: Store) -> None:
        with SqliteLedger(":memory:") as source:
            source.begin_copy(source.tally())
            source.end_copy({"task": 0, "change": 50, "process": 40})
            Scene(source).task()
            copied(source, ledger)
        assert Scene(ledger).runner() == 41
        assert ledger.changes()[-1].id == 51
        assert Scene(ledger).request(Scene(ledger).row().newest.task_id, due(1)).request == 52

    def test_pages_bring_each_row_once_in_an_order_that_all_share(self, ledger: Store) -> None:
        uneven(ledger)
        with SqliteLedger(":memory:") as other:
            copied(ledger, other)
            for table in KEYS:
                rows = paged(ledger, table, 1000)
                assert rows == paged(ledger, table, 7) == paged(other, table, 1000)
                for number in {1, len(rows) // 2, len(rows)} - {0} if rows else ():
                    behind = rows[number - 1][: len(KEYS[table])]
                    assert [row for page in ledger.pages(table, behind, 3) for row in page] == rows[number:]

    def test_a_half_copy_goes_on_where_it_stopped(self, ledger: Store) -> None:
        with SqliteLedger(":memory:") as source:
            uneven(source)
            assert ledger.copying() is None
            begun = copier.begin(source, ledger)
            assert not begun.resumed
            with pytest.raises(LedgerUnfinished, match="not whole yet"):
                ledger.migrate()
            page = next(source.pages("tick", None, 5))
            ledger.put("tick", page, None)
            with pytest.raises(LedgerError, match="somebody else copies"):
                ledger.put("tick", page, None)
            assert ledger.tally()["tick"] == 5
            again = copier.begin(source, ledger)
            assert again.resumed
            assert again.arrived == 5
            assert again.places == dict.fromkeys(KEYS) | {"tick": page[-1][:3]}
            copied(source, ledger)
            assert ledger.copying() is None
            assert everything(ledger) == everything(source)

    def test_a_copy_is_begun_only_into_an_empty_ledger(self, ledger: Store) -> None:
        uneven(ledger)
        before = everything(ledger)
        with SqliteLedger(":memory:") as source:
            with pytest.raises(LedgerError, match="source is empty"):
                copier.begin(source, ledger)
            Scene(source).task()
            with pytest.raises(LedgerError, match="not empty; name a new one"):
                copier.begin(source, ledger)
        assert everything(ledger) == before
        assert ledger.copying() is None

    def test_a_half_copy_is_not_gone_on_with_from_another_source(self, ledger: Store) -> None:
        with SqliteLedger(":memory:") as source:
            uneven(source)
            begun = copier.begin(source, ledger)
            Scene(source).runner()
            with pytest.raises(LedgerError, match="before somebody went on with it"):
                copier.begin(source, ledger)
            copier.carry(source, ledger, begun, told)
            with pytest.raises(LedgerError, match="source has changed"):
                copier.finish(source, ledger, begun, MOMENT, told)
            with pytest.raises(LedgerError, match="is itself a half copy"):
                copier.begin(ledger, source)
        assert ledger.copying() is not None

    def test_a_copy_that_differs_from_its_source_is_found(self, ledger: Store) -> None:
        with SqliteLedger(":memory:") as source:
            uneven(source)
            begun = copier.begin(source, ledger)
            rows = paged(source, "output", 1000)
            altered = [*rows[:-1], (*rows[-1][:-1], "another output")]
            ledger.put("output", altered, None)
            copier.carry(source, ledger, copier.begin(source, ledger), told)
            with pytest.raises(
                LedgerDamaged, match=f"another row than its source: output task_id {rows[-1][0]}"
            ):
                copier.compare(source, ledger, begun, told)
            ledger.put("seal", [SEAL], None)
            with pytest.raises(LedgerDamaged, match=r"counted differently \(seal: 0 and 1\)"):
                copier.compare(source, ledger, begun, told)
        assert ledger.copying() is not None

    def test_a_ledger_that_was_given_up_is_still_copied(self, ledger: Store) -> None:
        uneven(ledger)
        before = everything(ledger)
        with SqliteLedger(":memory:") as target:
            begun = copier.begin(ledger, target)
            copier.carry(ledger, target, begun, told)
            copier.finish(ledger, target, begun, MOMENT, told, successor="sqlite:///first.db")
            with pytest.raises(LedgerError, match="not empty; name a new one"):
                copier.begin(target, ledger)
        ledger.move_to("sqlite:///second.db", ledger.tally())
        with pytest.raises(LedgerMoved, match=r"went on at sqlite:///second\.db"):
            ledger.migrate()
        with SqliteLedger(":memory:") as target:
            copied(ledger, target)
            assert everything(target) == everything(ledger) == before

    def test_a_ledger_that_goes_on_at_the_last_moment_is_not_given_up(self, ledger: Store) -> None:
        uneven(ledger)
        with SqliteLedger(":memory:") as target:
            begun = copier.begin(ledger, target)
            copier.carry(ledger, target, begun, told)
            joined = Scene(ledger).runner()
            with pytest.raises(LedgerError, match="source has changed"):
                copier.finish(ledger, target, begun, MOMENT, told, successor="sqlite:///first.db")
            assert target.copying() is not None
        assert ledger.beat(joined, 1, 0)
        assert Scene(ledger).request(next(ledger.tasks()).newest.task_id, due(1))
        assert ledger.migrate() == []

    def test_who_has_a_ledger_open_that_is_given_up_is_refused(self, ledger: Store) -> None:
        uneven(ledger)
        scene = Scene(ledger)
        stood_still = scene.runner()
        task_id = next(ledger.tasks()).newest.task_id
        begun = replace(change(), id=ledger.edit(change(), [], lambda _known, _numbers: []))
        for queue in ("held", "ready"):
            scene.task(queue, Policies(queue=queue))
        scene.plan(due(1))
        (held,) = scene.claim(stood_still, due(1), queues=("held",)).attempts
        before = everything(ledger)
        ledger.move_to("sqlite:///first.db", ledger.tally())
        for refused in (
            scene.runner,
            lambda: ledger.beat(stood_still, 1, 0),
            lambda: scene.request(task_id, due(1)),
            lambda: scene.task("another"),
            lambda: scene.task("another", within=begun),
            lambda: scene.claim(stood_still, due(1), queues=("ready",)),
            lambda: scene.settle(held, due(1)),
        ):
            with pytest.raises(LedgerMoved, match="Open it anew, and it tells where its tasks are"):
                refused()
        assert everything(ledger) == before


STATE = 8
"""Which column of a tick is its state."""


def copied(source: Store, target: Store) -> None:
    """Copy a ledger as the command does."""
    begun = copier.begin(source, target)
    copier.carry(source, target, begun, told)
    copier.compare(source, target, begun, told)
    copier.finish(source, target, begun, FakeClock("2026-01-02T00:00:00Z").now(), told)


def told(done: float, whole: float) -> None:
    """Hear how far it is."""
    assert 0 <= done <= whole


def everything(ledger: Store) -> dict[str, list[Row]]:
    """Return all rows of a ledger."""
    return {table: sorted(paged(ledger, table, 1000), key=repr) for table in KEYS}


def paged(ledger: Store, table: str, limit: int) -> list[Row]:
    """Return all rows of a table, read in pages, in their order."""
    found: list[Row] = []
    for page in ledger.pages(table, None, limit):
        assert 0 < len(page) <= limit
        found += page
    return found
