"""A folder in which people type `everytick`; no answer may ever be a traceback."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

EVERYTICK = Path(sys.executable).with_name("everytick")
_DEAF = 5
"""A program that has drawn nothing for so many seconds has not heard a Ctrl-C."""


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the command tells
        return json.loads(self.out)


class Shell:
    """Types commands in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def __call__(
        self, *words: str, code: int = 0, typed: str = "", environment: Mapping[str, str] | None = None
    ) -> Answer:
        """Type a command; it must end with this exit code."""
        ended = subprocess.run(
            [EVERYTICK, *words],
            cwd=self.folder,
            input=typed,
            env=surroundings(environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        answer = Answer(ended.returncode, ended.stdout, ended.stderr)
        assert "Traceback" not in answer.err, answer.err
        assert answer.code == code, (words, answer)
        return answer

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Keep a program running; it ends well when it is told to."""
        with subprocess.Popen(
            [EVERYTICK, *words],
            cwd=self.folder,
            env=surroundings(None),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as program:
            try:
                assert program.stdout is not None
                assert "Ctrl-C ends it" in program.stdout.readline()
                yield program
            finally:
                program.send_signal(signal.SIGINT)
                told, _ = program.communicate(timeout=60)
        assert program.returncode == 0, told
        assert "Traceback" not in told


class Screen:
    """A terminal of 80 by 24 in which one program runs; whatever happens, the program ends with it."""

    def __init__(
        self, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._screen, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.program = subprocess.Popen(
            command, cwd=folder, env=surroundings({"TERM": "xterm", **(environment or {})}),
            stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        )  # fmt: skip
        os.close(terminal)
        self.seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.program.poll() is None:
            os.killpg(self.program.pid, signal.SIGKILL)
            self.program.wait()
        os.close(self._screen)

    def read(self, seconds: float) -> bool:
        """Take in what is drawn within so many seconds; False at the program's end."""
        if select.select([self._screen], [], [], seconds)[0]:
            try:
                self.seen += os.read(self._screen, 65_536).decode("utf-8", "replace")
            except OSError:  # nobody writes any more
                return False
        return True

    def shows(self, *words: str, turns: int = 600) -> None:
        """Wait until all these words have been drawn."""
        for _ in range(turns):
            if all(word in self.seen for word in words):
                return
            if not self.read(0.1):
                break
        missing = [word for word in words if word not in self.seen]
        assert not missing, f"{missing} not in {self.seen[-4000:]}"

    def types(self, text: str) -> None:
        """Press keys."""
        os.write(self._screen, text.encode())

    def interrupt(self) -> int:
        """Press Ctrl-C until the program heeds it; return its exit code.

        One that comes between a question and the reading of its answer is lost, as Python has it.
        """
        self.program.send_signal(signal.SIGINT)
        silent, seen = 0, len(self.seen)
        while self.read(1.0) and self.program.poll() is None:
            silent, seen = (silent + 1, seen) if len(self.seen) == seen else (0, len(self.seen))
            if silent == _DEAF:
                self.program.send_signal(signal.SIGINT)
                silent = 0
        return self.program.wait(timeout=60)


def until(fact: Callable[[], object]) -> None:
    """Wait until something is so."""
    pause = threading.Event()
    for _ in range(3000):
        if fact():
            return
        pause.wait(0.01)
    pytest.fail("it did not come true")


def surroundings(more: Mapping[str, str] | None) -> dict[str, str]:
    """Return an environment in which nothing of the tester's own is set."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("EVERYTICK_")}
    own.pop("PYTHONUNBUFFERED", None)
    return own | {"COLUMNS": "80", "EVERYTICK_ACTOR": "tester"} | dict(more or {})
