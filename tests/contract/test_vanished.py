"""Who has ended, seen from where pids mean something else, or where those of others are hidden."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from everytick.ledgers.sqlite import SqliteLedger
from everytick.life.presence import Presence
from everytick.testing.clock import FakeClock

Needs = Callable[[object, str], None]

LOOK = """
import json, sys
from everytick.ledger import Process
from everytick.life.presence import ended, vanished
there, gone = (Process(**json.loads(said)) for said in sys.argv[1:])
print([ended(there), vanished(there), ended(gone), vanished(gone)])
"""
CONTAINER = ["unshare", "--pid", "--fork", "--mount-proc"]
HIDDEN = ["unshare", "--mount", "sh", "-ec", 'mount -t proc -o hidepid=2 proc /proc; exec setpriv "$@"', "sh"]
WITHOUT_RIGHTS = ["--regid", "65534", "--clear-groups", "--bounding-set", "-sys_ptrace,-kill"]


def looked(before: list[str], there: int, gone: int) -> str:
    """Return what is said of two processes of this machine, of which one has ended."""
    with SqliteLedger(":memory:") as ledger:
        presence = Presence(ledger, FakeClock(), "runner")
        presence.join()
        (own,) = ledger.processes()
    told = [msgspec.json.encode(replace(own, pid=pid)).decode() for pid in (there, gone)]
    command = [*before, sys.executable, "-c", LOOK, *told]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def gone() -> int:
    """A process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as program:
        program.wait()
    return program.pid


def test_from_its_own_machine_it_is_seen(gone: int) -> None:
    assert looked([], os.getpid(), gone) == "[False, False, True, True]"


def test_from_a_container_of_the_same_name_nobody_is_seen_to_have_ended(gone: int, needs: Needs) -> None:
    needs(os.geteuid() == 0, "root, to have pids of its own")
    assert looked(CONTAINER, os.getpid(), gone) == "[False, False, False, False]"


def test_where_the_processes_of_others_are_hidden_they_are_not_taken_for_ended(
    gone: int, needs: Needs
) -> None:
    needs(os.geteuid() == 0, "root, to hide processes")
    rights = ["setpriv", "--reuid", "65534", "--clear-groups"]
    with subprocess.Popen([*rights, "sleep", "60"]) as other:
        try:
            assert looked([*HIDDEN, *WITHOUT_RIGHTS], other.pid, gone) == "[False, False, True, True]"
        finally:
            other.kill()
