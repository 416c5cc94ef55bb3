"""Callables that the tests of executors run."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from everytick.errors import FeedRefused, UsageError
from everytick.tick import Tick

calls = 0


def give(value: object) -> object:
    return value


def nothing() -> None:
    pass


def fail() -> None:
    raise ValueError("broken\nin two lines")


def refuse() -> None:
    raise UsageError("no such thing")


def refuse_a_list() -> None:
    raise FeedRefused("half of it is gone")


def leave(status: object) -> None:
    sys.exit(status)  # type: ignore[arg-type]


def interrupt() -> None:
    raise KeyboardInterrupt


def say(text: str) -> None:
    print(text)  # noqa: T201 - what it prints is what the test looks at
    os.write(2, b"and on stderr\n")


def shout(size: int) -> None:
    os.write(1, b"begin" + b"x" * size + b"end")


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang(ready: str) -> None:
    Path(ready).write_text(str(os.getpid()))
    threading.Event().wait()


def tidy(ready: str, done: str) -> None:
    try:
        hang(ready)
    finally:
        Path(done).write_text("cleaned up")


def stubborn(ready: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hang(ready)


def family(ready: str, *, apart: bool = True) -> None:
    """Start a child in our session, one in a group and, if ``apart``, one in a session of its own; hang."""
    children = [subprocess.Popen(["sleep", "1000"]), subprocess.Popen(["sleep", "1000"], process_group=0)]
    if apart:
        children.append(subprocess.Popen(["sleep", "1000"], start_new_session=True))
    pids = [os.getpid(), *(child.pid for child in children)]
    partial = Path(f"{ready}.new")
    partial.write_text(" ".join(map(str, pids)))
    partial.rename(ready)
    threading.Event().wait()


def desert(ready: str) -> None:
    """Leave a child behind."""
    child = subprocess.Popen(["sleep", "1000"])
    Path(ready).write_text(str(child.pid))


def count() -> int:
    global calls  # noqa: PLW0603 - what is looked at is that globals live on
    calls += 1
    return calls


def variable(name: str) -> str | None:
    found = os.environ.get(name)
    os.environ[name] = "spoiled"
    return found


def place() -> str:
    found = str(Path.cwd())
    os.chdir("/")
    return found


def by_name(times: int, *, tick: Tick) -> str:
    return f"{tick.name} {tick.attempt} {tick.interval_start} " * times


def by_place(moment: Tick, times: int) -> str:
    return by_name(times, tick=moment)


def without(times: int = 1) -> int:
    return times


async def in_future() -> None:
    pass


class Nested:
    @staticmethod
    def method() -> str:
        return "nested"


def expendable() -> int:
    return int(Path("/proc/self/oom_score_adj").read_text())
