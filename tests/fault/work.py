"""What the tasks of the fault tests do. It is not idempotent, and it writes down itself what it did.

work.py FILE SECONDS [LANE] [CHILD] [FAILS]     as a command
work.py:run                                     as a callable

Each line of FILE: tick, attempt, pid, word, microseconds of CLOCK_BOOTTIME.
The words: `start`, `end`; `twice`: another attempt of this tick still lives; `beside`: another tick holds
this lane. The last two are told by the kernel: each attempt locks two bytes of FILE as long as it lives, and
no death of any kind leaves a lock behind.
"""

import fcntl
import os
import select
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Protocol


class Tick(Protocol):
    """What a callable is told."""

    @property
    def name(self) -> str: ...
    @property
    def due_at(self) -> datetime: ...
    @property
    def attempt(self) -> int: ...


def run(tick: Tick, file: str, seconds: float, lane: int = 1, child: int = 0, fails: int = 0) -> str:
    """Work as an attempt of a tick.

    Args:
        tick: Which tick.
        file: Where to write it down.
        seconds: How long to work; a later attempt takes a tenth of it.
        lane: 1 if one tick of this task may be at work at once, 0 if several may.
        child: 1 to start a process in a session of its own, and to leave it behind.
        fails: Attempts up to this one fail, when their work is done.
    """
    log = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        byte = round((tick.due_at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1e6)
        _write(log, tick, "start" if _lock(log, byte) else "twice")
        if lane and not _lock(log, 0):
            _write(log, tick, "beside")
        if child:
            subprocess.Popen(["sleep", "1000"], start_new_session=True, stdout=subprocess.DEVNULL)
        select.select([], [], [], seconds if tick.attempt == 1 else seconds / 10)
        _write(log, tick, "end")
    finally:
        os.close(log)
    if tick.attempt <= fails:
        raise SystemExit(f"attempt {tick.attempt} was to fail")
    return f"worked for {seconds} s"


def _lock(log: int, byte: int) -> bool:
    try:
        fcntl.lockf(log, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _write(log: int, tick: Tick, word: str) -> None:
    boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000  # noqa: TID251 - a witness has its own watch
    os.write(log, f"{tick.name} {tick.attempt} {os.getpid()} {word} {boot}\n".encode())


class _Told:
    """The tick as a command is told it."""

    name = os.environ.get("EVERYTICK_TICK", "")
    due_at = datetime.fromisoformat(os.environ.get("EVERYTICK_DUE_AT", "1970-01-01T00:00:00Z"))
    attempt = int(os.environ.get("EVERYTICK_ATTEMPT", "0"))


if __name__ == "__main__":
    run(_Told(), sys.argv[1], float(sys.argv[2]), *map(int, sys.argv[3:]))
