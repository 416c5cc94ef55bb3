"""The ledger loses commits: an older copy takes its place while its processes live."""

import json
import socket
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from everytick.checkup import facts
from everytick.conclude import Attempt
from everytick.ledger import Change, Process
from everytick.ledgers.sqlite import SqliteLedger
from everytick.life import losses
from everytick.life.presence import LEASE, Presence
from everytick.policy import CatchingUp, CatchUp, Overlap, Overlapping, Policies, Uncertain
from everytick.task import Call, Task
from everytick.testing.clock import FakeClock
from everytick.testing.engine import Engine, task
from everytick.testing.executor import Act
from everytick.tick import Key, State, parse_rfc3339, tick_name

OTHER = Process(kind="runner", host="elsewhere", pid=7, boot="b", release="1", started_at=0)
LOST = "00:30:00Z failed(lost)"
RERUN = Policies()
ONCE = Policies(uncertain=Uncertain.SKIP)
QUEUE = Policies(
    uncertain=Uncertain.SKIP, overlap=Overlap(Overlapping.QUEUE_ALL), catch_up=CatchUp(CatchingUp.ALL)
)


class Story:
    """An engine on a file, and a copy of that file that can take its place."""

    def __init__(self, folder: Path, policies: Policies, seconds: float = 1.0) -> None:
        self.file, self.copy = folder / "everytick.db", folder / "copy.db"
        self.engine = Engine(ledger=SqliteLedger(str(self.file)), script=lambda _: Act(seconds=seconds))
        self.engine.apply(task("a", "*/10 * * * *", policies=policies))

    def dump(self) -> None:
        over(self.file, self.copy)

    def restore(self) -> None:
        over(self.copy, self.file)

    def accept(self) -> None:
        ledger, now = self.engine.ledger, self.engine.clock.now()
        detail = json.dumps({"through": losses.through(ledger, now)})
        change = Change(at=now, actor="test", act=losses.ACCEPTED, detail=detail)
        ledger.edit(change, [], lambda _known, _numbers: [])

    def starts(self) -> list[str]:
        return [one.job.key for one in self.engine.played]


def over(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_nothing_starts_until_a_person_takes_the_ledger_as_it_is(folder: Path) -> None:
    story = Story(folder, RERUN)
    story.engine.run(minutes=15)
    story.dump()
    story.engine.run(minutes=20)
    before = story.starts()
    story.restore()
    story.engine.run(minutes=20)
    assert story.starts() == before
    (alarm,) = story.engine.ledger.changes(act=losses.LOST)
    assert "was at beat" in alarm.note
    told = facts(story.engine.ledger, story.engine.versions, story.engine.clock.now())
    assert (told.lost, told.how) == (alarm.at, alarm.note)
    story.accept()
    story.engine.run(minutes=20)
    assert len(story.starts()) > len(before)
    assert len(story.engine.ledger.changes(act=losses.LOST)) == 1
    assert facts(story.engine.ledger, story.engine.versions, story.engine.clock.now()).lost is None


def test_what_may_have_run_is_run_again_and_counted_as_a_rerun(folder: Path) -> None:
    story = Story(folder, RERUN)
    story.engine.run(minutes=15)
    story.dump()
    story.engine.run(minutes=6)
    story.restore()
    story.engine.run(minutes=1)
    story.accept()
    story.engine.run(minutes=15)
    row = story.engine.ledger.tick(Key(1, parse_rfc3339("2026-01-01T00:20:00Z")))
    assert row is not None
    assert (row.state, row.attempt, row.reruns) == (State.SUCCEEDED, 2, 1)
    assert len(story.starts()) == len(set(story.starts()))
    assert story.engine.told("a")[-2:] == ["2026-01-01T00:20:00Z succeeded", "2026-01-01T00:30:00Z succeeded"]


def elsewhere(patch: pytest.MonkeyPatch) -> None:
    """Be on another machine from now on: who ran here cannot be seen from there."""
    patch.setattr("everytick.life.presence.socket.gethostname", lambda: "elsewhere")


def test_a_runner_that_comes_between_a_restore_and_its_alarm_hears_those_who_were_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(folder, RERUN)
    story.engine.run(minutes=15)
    story.dump()
    story.engine.run(minutes=15)
    before = story.starts()
    story.restore()
    elsewhere(monkeypatch)
    story.engine.start_runner()
    story.engine.runner.step()
    story.engine.run(minutes=1)
    assert story.starts() == before
    assert len(story.engine.ledger.changes(act=losses.LOST)) == 1
    story.accept()
    story.engine.run(minutes=20)
    assert len(story.starts()) > len(before)


def test_a_runner_waits_for_the_dead_of_other_machines_for_half_a_lease(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(folder, RERUN)
    story.engine.run(seconds=30)
    story.engine.crash_runner()
    elsewhere(monkeypatch)
    story.engine.start_runner()
    key = story.engine.ask("a")
    story.engine.run(seconds=4)
    assert story.starts() == []
    story.engine.run(seconds=2)
    assert story.starts() == [f"{tick_name('a', key.due_at, key.request)}!1"]


def test_a_runner_waits_for_whoever_ran_on_another_machine_of_the_same_name(folder: Path) -> None:
    story = Story(folder, RERUN)
    elder = Process(kind="runner", host=socket.gethostname(), pid=7, boot="b", release="1", started_at=0)
    story.engine.ledger.register(elder)
    presence = Presence(story.engine.ledger, story.engine.clock, "runner")
    presence.join()
    assert not presence.whole()
    story.engine.clock.advance(microseconds=LEASE // 2)
    assert presence.whole()


def test_a_runner_waits_for_nobody_whom_it_sees_to_have_ended_on_its_own_machine(folder: Path) -> None:
    story = Story(folder, RERUN)
    story.engine.run(seconds=30)
    story.engine.crash_runner()
    (crashed,) = (one for one in story.engine.ledger.processes() if one.kind == "runner")
    story.engine.ledger.register(replace(crashed, pid=2**22 + 1))
    story.engine.start_runner()
    key = story.engine.ask("a")
    story.engine.runner.step()
    assert story.starts() == [f"{tick_name('a', key.due_at, key.request)}!1"]


def test_a_runner_hears_of_an_alarm_that_is_raised_while_it_registers(folder: Path) -> None:
    class Slow(SqliteLedger):
        def register(self, process: Process) -> int:
            alarm = Change(at=0, actor="everytick", act=losses.LOST)
            self.edit(alarm, [], lambda _known, _numbers: [])
            return super().register(process)

    with Slow(str(folder / "everytick.db")) as ledger:
        presence = Presence(ledger, FakeClock(), "runner")
        presence.join()
        assert not presence.whole()


@pytest.mark.parametrize("policies", [ONCE, QUEUE])
def test_what_may_have_run_is_not_run_again_where_it_is_to_run_once(folder: Path, policies: Policies) -> None:
    story = Story(folder, policies, seconds=400)
    story.engine.run(minutes=15)
    story.dump()
    story.engine.run(minutes=17)
    story.restore()
    story.engine.run(minutes=2)
    story.accept()
    story.engine.run(minutes=45)
    ticks = [key.rpartition("!")[0] for key in story.starts()]
    assert len(ticks) == len(set(ticks))
    told = [one[11:] for one in story.engine.told("a")]
    assert told[1:3] == ["00:20:00Z skipped(missed)" if policies is ONCE else "00:20:00Z failed(lost)", LOST]
    assert told[-1].endswith("succeeded")


def test_a_process_that_hears_of_it_late_raises_no_second_alarm(folder: Path) -> None:
    story = Story(folder, RERUN)
    story.engine.run(minutes=15)
    story.dump()
    story.engine.run(minutes=15)
    story.engine.running = False
    story.restore()
    story.engine.run(seconds=30)
    story.accept()
    story.engine.running = True
    story.engine.run(minutes=15)
    assert len(story.engine.ledger.changes(act=losses.LOST)) == 1
    assert story.engine.told("a")[-1].endswith("succeeded")


def test_a_row_of_another_under_the_same_number_is_not_taken_for_its_own(folder: Path) -> None:
    story = Story(folder, RERUN)
    story.dump()
    story.engine.run(seconds=1)
    story.restore()
    ledger = story.engine.ledger
    others = [ledger.register(OTHER), ledger.register(OTHER)]
    assert story.engine.presence.id in others
    story.engine.presence.doubt()
    story.engine.run(seconds=1)
    assert story.engine.presence.id not in others
    assert len(ledger.changes(act=losses.LOST)) == 1


def test_a_process_that_was_declared_dead_is_no_sign_of_a_loss(folder: Path) -> None:
    story = Story(folder, RERUN)
    story.engine.run(minutes=15)
    story.engine.running = False
    story.engine.run(minutes=15)
    story.engine.running = True
    story.engine.run(minutes=15)
    assert story.engine.ledger.changes(act=losses.LOST) == []


def test_whose_code_a_runner_had_is_not_what_the_ledger_says_under_its_number_now(folder: Path) -> None:
    story = Story(folder, RERUN)
    story.dump()
    story.engine.apply(calling("before"))
    story.engine.run(minutes=15)
    story.restore()
    story.engine.versions.forget()
    story.engine.apply(calling("after"))
    story.engine.executor.lacking.add("story:after")
    story.engine.run(minutes=1)
    story.accept()
    story.engine.run(minutes=10)
    assert {one.job.call for one in story.engine.played} == {"story:before"}
    assert story.engine.told("a")[-1] == "2026-01-01T00:20:00Z planned"


def calling(name: str) -> Task:
    """Return the task of the stories, with other code."""
    return msgspec.structs.replace(task("a", "*/10 * * * *"), work=Call(call=f"story:{name}"))


def test_what_was_asked_for_after_it_is_certain(folder: Path) -> None:
    story = Story(folder, ONCE)
    story.accept()
    known = losses.Losses(story.engine.ledger, story.engine.clock)
    known.look()
    moment = story.engine.clock.now()
    (accepted,) = story.engine.ledger.changes(act=losses.ACCEPTED)

    def attempt(due_at: int, request: int = 0, reruns: int = 0) -> Attempt:
        return Attempt(
            key=Key(1, due_at, request),
            attempt=1 + reruns,
            holder=1,
            reruns=reruns,
            version=1,
            prev_due=None,
            next_due=None,
            started_at=moment,
        )

    assert known.uncertain(attempt(moment))
    assert not known.uncertain(attempt(moment + 1))
    assert not known.uncertain(attempt(moment, reruns=1))
    assert not known.uncertain(attempt(moment, request=accepted.id + 1))
