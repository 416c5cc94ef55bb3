"""What a ledger has to do with the lives of processes."""

from collections.abc import Sequence

import pytest

from everytick.conclude import Attempt, Settlement
from everytick.ledger import Ledger, Process
from everytick.testing.ledgers.scene import START, Scene, due
from everytick.tick import State


class Sweeping:
    """The tests of register(), beat(), retire(), bury(), process(), processes(), held() and moment()."""

    def test_a_process_is_written_down_under_a_number_that_nobody_had(self, ledger: Ledger) -> None:
        process = Process(
            kind="runner", host="here", pid=7, boot="b", release="1", started_at=START, beat=0, skew=3
        )
        first = ledger.register(process)
        ledger.retire(first)
        second = ledger.register(process)
        assert second > first > 0
        (found,) = ledger.processes()
        assert found == Process(
            id=second, kind="runner", host="here", pid=7, boot="b", release="1", started_at=START, skew=3
        )

    def test_a_beat_is_renewed_from_the_one_before_and_may_be_told_twice(self, ledger: Ledger) -> None:
        runner = Scene(ledger).runner()
        assert ledger.beat(runner, 1, 5)
        assert ledger.beat(runner, 1, 5)
        assert ledger.beat(runner, 2, 6)
        assert [(one.beat, one.skew) for one in ledger.processes()] == [(2, 6)]

    def test_a_beat_that_does_not_follow_is_refused(self, ledger: Ledger) -> None:
        runner = Scene(ledger).runner()
        assert not ledger.beat(runner, 2, 0)
        assert not ledger.beat(runner + 1, 1, 0)
        assert [one.beat for one in ledger.processes()] == [0]

    def test_a_process_that_ended_has_no_beat(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        gone, dead = scene.runner(), scene.runner()
        ledger.retire(gone)
        assert ledger.bury(dead, 0, due(1), _nothing) == 0
        assert ledger.processes() == []
        assert not ledger.beat(gone, 1, 0)
        assert not ledger.beat(dead, 1, 0)

    def test_a_process_is_found_whatever_became_of_it(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        gone, dead, alive = scene.runner(), scene.runner(), scene.runner()
        ledger.beat(dead, 1, 0)
        ledger.retire(gone)
        ledger.bury(dead, 1, due(1), _nothing)
        found = [ledger.process(number) for number in (gone, dead, alive)]
        assert [(one.id, one.beat, one.status) for one in found if one is not None] == [
            (gone, 0, "gone"),
            (dead, 1, "dead"),
            (alive, 0, "alive"),
        ]
        assert ledger.process(alive + 1) is None

    def test_a_clock_of_its_own_goes_on(self, ledger: Ledger) -> None:
        first = ledger.moment()
        second = ledger.moment()
        assert (first is None) == (second is None)
        assert first is None or second is None or START < first <= second

    def test_a_process_that_holds_an_attempt_has_not_ended_well(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger)
        ledger.retire(attempt.holder)
        assert [one.id for one in ledger.processes()] == [attempt.holder]
        scene.settle(attempt, due(1))
        ledger.retire(attempt.holder)
        assert ledger.processes() == []

    def test_the_dead_are_buried_once_and_their_attempts_settled(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger)
        told: list[Sequence[Attempt]] = []

        def decide(held: Sequence[Attempt]) -> list[Settlement]:
            told.append(held)
            return scene.rescued(held, due(2))

        assert ledger.bury(attempt.holder, 0, due(2), decide) == 1
        assert ledger.bury(attempt.holder, 0, due(2), decide) is None
        assert told == [[attempt]]
        row = scene.tick(attempt.key)
        assert (row.state, row.attempt, row.reruns, row.ready_at) == (State.PLANNED, 2, 1, due(2))
        assert ledger.held(attempt.holder) == []
        assert ledger.output(row.key, 1) == ("it vanished", "")

    def test_a_process_that_beat_meanwhile_lives(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger)
        ledger.beat(attempt.holder, 1, 0)
        before = scene.facts(attempt.key.task_id)
        assert ledger.bury(attempt.holder, 0, due(2), _nothing) is None
        assert scene.facts(attempt.key.task_id) == before

    def test_an_error_of_the_decision_leaves_the_process_alive(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger)
        before = scene.facts(attempt.key.task_id)
        with pytest.raises(ZeroDivisionError):
            ledger.bury(attempt.holder, 0, due(2), lambda _: [][1 // 0 :])
        assert scene.facts(attempt.key.task_id) == before

    def test_what_a_process_holds_is_its_own(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger)
        scene.task("other")
        other = scene.runner()
        scene.plan(due(1))
        second = scene.started(other, due(1))
        assert ledger.held(attempt.holder) == [attempt]
        assert ledger.held(other) == [second]


def _nothing(_: Sequence[Attempt]) -> list[Settlement]:
    return []


def _running(ledger: Ledger) -> tuple[Scene, Attempt]:
    scene = Scene(ledger)
    scene.task()
    runner = scene.runner()
    scene.plan(due(1))
    return scene, scene.started(runner, due(1))
