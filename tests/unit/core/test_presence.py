import os
import subprocess
import sys
from dataclasses import replace

import pytest

from everytick.errors import LedgerError
from everytick.ledger import Change, Process
from everytick.ledgers.sqlite import SqliteLedger
from everytick.life.losses import LOST
from everytick.life.presence import LEASE, Presence, ended, vanished
from everytick.testing.clock import FakeClock


@pytest.fixture
def this() -> Process:
    """The test's own process, as it registers itself."""
    with SqliteLedger(":memory:") as ledger:
        Presence(ledger, FakeClock(), "runner").join()
        (process,) = ledger.processes()
    return process


SILENCE = LEASE * 7 // 8


def test_a_silence_is_noticed_when_it_has_lasted_long_enough_and_not_before(this: Process) -> None:
    clock = FakeClock()
    with SqliteLedger(":memory:") as ledger:
        watcher = Presence(ledger, clock, "scheduler")
        watcher.join()
        silent = ledger.register(this)
        assert (watcher.silent(), watcher.patience()) == ([], SILENCE)
        for _ in range(2):
            clock.advance(seconds=3.7)
            assert (watcher.silent(), watcher.patience() < SILENCE) == ([], True)
        clock.advance(microseconds=watcher.patience() - 1)
        assert (watcher.silent(), watcher.patience()) == ([], 1)
        clock.advance(microseconds=1)
        assert [one.id for one in watcher.silent()] == [silent]
        assert watcher.patience() == LEASE


class SlowLedger(SqliteLedger):
    """A ledger whose answer is on its way for four seconds; what it tells was so at the end of them."""

    clock = FakeClock()

    def processes(self) -> list[Process]:
        self.clock.advance(seconds=4)
        return super().processes()


def test_a_silence_begins_when_the_beat_was_read_and_ends_before_it_is_read_again(this: Process) -> None:
    with SlowLedger(":memory:") as ledger:
        clock = ledger.clock
        watcher = Presence(ledger, clock, "scheduler")
        watcher.join()
        silent = ledger.register(this)
        asked: list[int] = []
        while not asked or not (found := watcher.silent()):
            asked.append(clock.boot())
        assert [one.id for one in found] == [silent]
        assert (
            len(asked) == 5
        )  # read 4 s after the first was asked for; the fourth was asked for 8 s after that


@pytest.mark.parametrize("lease", [2_000_000, LEASE])
def test_who_cannot_beat_has_ended_all_it_held_a_quarter_of_a_lease_before_it_is_buried(lease: int) -> None:
    clock = FakeClock()
    with SqliteLedger(":memory:") as ledger:
        watcher = Presence(ledger, clock, "scheduler", lease)
        dying = Presence(ledger, clock, "runner", lease)
        watcher.join()
        dying.join()
        for _ in range(20):
            clock.advance(microseconds=dying.due())
            assert dying.beat()
            assert watcher.silent() == []
        killed = clock.boot()
        while not watcher.silent():
            clock.advance(microseconds=min(500_000, watcher.patience()))
        assert dying.lives_until() + lease // 4 <= clock.boot() < killed + lease
        assert dying.beats == 20


class TroubledLedger(SqliteLedger):
    """A ledger that fails while it is asked for changes."""

    trouble = False

    def changes(self, after: int = 0, limit: int = 100, act: str | None = None) -> list[Change]:
        if self.trouble:
            raise LedgerError("cut off")
        return super().changes(after, limit, act)


def test_trouble_while_it_joins_anew_is_no_loss_of_commits() -> None:
    clock = FakeClock()
    with TroubledLedger(":memory:") as ledger:
        process = Presence(ledger, clock, "runner")
        process.join()
        clock.advance(seconds=3)
        assert process.beat()
        assert ledger.bury(process.id, 1, clock.now(), lambda _: []) == 0
        clock.advance(seconds=3)
        assert not process.beat()
        ledger.trouble = True
        with pytest.raises(LedgerError):
            process.join()
        ledger.trouble = False
        process.doubt()
        if not process.beat():
            process.join()
        assert process.beat()
        assert ledger.changes(act=LOST) == []


def test_a_process_that_lives_has_not_vanished(this: Process) -> None:
    assert this.pid == os.getpid()
    assert not vanished(this)


def test_a_process_that_ended_has_vanished(this: Process) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as program:
        os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
        assert vanished(replace(this, pid=program.pid)), "before its parent has heard of it"
    assert vanished(replace(this, pid=program.pid))
    assert ended(replace(this, pid=program.pid))


def test_a_process_from_before_a_reboot_has_vanished(this: Process) -> None:
    assert vanished(replace(this, boot="another"))


def test_a_process_of_another_machine_of_this_name_is_not_seen_to_have_ended(this: Process) -> None:
    assert not ended(replace(this, boot="another", pid=2**22))


def test_nothing_is_said_of_a_process_of_another_machine(this: Process) -> None:
    assert not vanished(replace(this, host="elsewhere", boot="another", pid=2**22))
