import os
import subprocess
import sys
from dataclasses import replace

import pytest

from everytick.ledger import Process
from everytick.ledgers.sqlite import SqliteLedger
from everytick.presence import LEASE, Presence, vanished
from everytick.testing.clock import FakeClock


@pytest.fixture
def this() -> Process:
    """The test's own process, as it registers itself."""
    with SqliteLedger(":memory:") as ledger:
        Presence(ledger, FakeClock(), "runner").join()
        (process,) = ledger.processes()
    return process


def test_a_silence_is_noticed_when_it_has_lasted_a_lease_and_not_before(this: Process) -> None:
    clock = FakeClock()
    with SqliteLedger(":memory:") as ledger:
        watcher = Presence(ledger, clock, "scheduler")
        watcher.join()
        silent = ledger.register(this)
        assert (watcher.silent(), watcher.patience()) == ([], LEASE)
        for _ in range(2):
            clock.advance(seconds=3.7)
            assert (watcher.silent(), watcher.patience() < LEASE) == ([], True)
        clock.advance(microseconds=watcher.patience() - 1)
        assert (watcher.silent(), watcher.patience()) == ([], 1)
        clock.advance(microseconds=1)
        assert [one.id for one in watcher.silent()] == [silent]
        assert watcher.patience() == LEASE


def test_a_process_that_lives_has_not_vanished(this: Process) -> None:
    assert this.pid == os.getpid()
    assert not vanished(this)


def test_a_process_that_ended_has_vanished(this: Process) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait(60)
    assert vanished(replace(this, pid=ended.pid))


def test_a_process_from_before_a_reboot_has_vanished(this: Process) -> None:
    assert vanished(replace(this, boot="another"))


def test_nothing_is_said_of_a_process_of_another_machine(this: Process) -> None:
    assert not vanished(replace(this, host="elsewhere", boot="another", pid=2**22))
