"""What the tasks do that two releases share: each attempt writes down when it starts and when it ends.

Each line of the file: tick, attempt, side, word. The side is the variable SIDE of the program that runs it.
The words are ``start``, ``end``, and ``beside``: another attempt of a task that is to be alone is at work.
"""

import fcntl
import os
import select
from pathlib import Path
from typing import Protocol


class Tick(Protocol):
    """What a callable is told."""

    @property
    def name(self) -> str: ...
    @property
    def attempt(self) -> int: ...


def work(tick: Tick, file: str, seconds: float, fails: int, version: int, *, alone: bool) -> None:
    """Work for so many seconds; attempts up to ``fails`` fail at the end."""
    del version  # it makes one definition differ from the next
    with Path(file).open("ab", buffering=0) as log, Path(file).with_suffix(".lock").open("wb") as lock:

        def write(word: str) -> None:
            log.write(f"{tick.name} {tick.attempt} {os.environ['SIDE']} {word}\n".encode())

        try:
            if alone:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            write("beside")
        write("start")
        select.select([], [], [], seconds)
        write("end")
    if tick.attempt <= fails:
        raise SystemExit(f"attempt {tick.attempt} was to fail")
