"""A reader who does what a document says: writes its files, types its commands, and compares what they say.

A comment before a block says what a reader does with it:

    <!-- file: NAME -->            writes it into a file; ``append: NAME`` puts it at the end of one
    <!-- source: NAME -->          the same in the folder that a local web server shows
    <!-- source: NAME in latin-1 -->
    <!-- run -->                   types the lines that begin with ``$ ``; the others are what they must say,
                                   ``...`` stands for anything
    <!-- run, exit 1 -->           the same, for commands that have to fail
    <!-- run for 9 seconds -->     the same, and then presses Ctrl-C
    <!-- serve -->                 starts that server, with the words of the block; it runs unseen without it
    <!-- wait 2 seconds -->        has no block

In what is written and typed, https://example.org/ stands for the local web server, and so does its port 8724.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Self

from .shell import EVERYTICK, surroundings

ROOT = Path(__file__).parents[2]
PORT = "8724"
_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^\n]+?) -->\n)(?:```(?P<language>\w+)\n(?P<text>.*?)```\n)?", re.DOTALL
)
_RUN = re.compile(r"run(?:, exit (?P<code>\d))?(?: for (?P<seconds>\d+) seconds)?")
_LONG_AGO = 1_700_000_000


@dataclass(frozen=True)
class Step:
    """One thing that a document has its reader do."""

    mark: str
    text: str


def steps(document: Path) -> Iterator[Step]:
    for found in _BLOCK.finditer(document.read_text("utf-8")):
        yield Step(found["mark"], found["text"] or "")


def typed(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a block with the lines that it must say."""
    command, said = "", list[str]()
    for line in text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, said
            command, said = line[2:], []
        else:
            said.append(line)
    if command:
        yield command, said


class Reader:
    """Does what a document says, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source = folder / "source"
        self.said: dict[str, str] = {}
        self._written = 0
        self._ends = ExitStack()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = str(free.getsockname()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def read(self, document: Path) -> Self:
        """Do all that it says, in its order."""
        found = list(steps(document))
        marks = [step.mark for step in found]
        if "serve" not in marks and any(mark.startswith("source: ") for mark in marks):
            self._serve()
        for step in found:
            self._follow(step)
        return self

    def _follow(self, step: Step) -> None:
        act, _, rest = step.mark.partition(": ")
        text = self._local(step.text)
        if act in {"file", "append"}:
            with (self.folder / rest).open("w" if act == "file" else "a", encoding="utf-8") as file:
                file.write(text)
        elif act == "source":
            name, _, encoding = rest.partition(" in ")
            self._show(name, step.text.encode(encoding or "utf-8"))
        elif act == "serve":
            ((command, _),) = typed(text)
            assert command == f"python3 -m http.server {self._port} --bind 127.0.0.1 --directory source"
            self._serve()
        elif found := re.fullmatch(r"wait (\d+) seconds", act):
            Event().wait(float(found[1]))
        else:
            run = _RUN.fullmatch(step.mark)
            assert run, f"nobody knows how to: {step.mark}"
            for command, said in typed(text):
                self._type(command, said, int(run["code"] or 0), run["seconds"])

    def _local(self, text: str) -> str:
        here = f"http://127.0.0.1:{self._port}/"
        url = re.compile(r'^url = "https://example\.org/([^"]*)"$', re.MULTILINE)
        text = url.sub(rf'url = "{here}\1"\nallow_private = ["127.0.0.1"]', text.replace(PORT, self._port))
        return text.replace("https://example.org/", here)

    def _show(self, name: str, body: bytes) -> None:
        """Put a file where the server shows it; each is made a minute after the one before."""
        self.source.mkdir(exist_ok=True)
        self._written += 1
        (self.source / name).write_bytes(body)
        made = _LONG_AGO + 60 * self._written
        os.utime(self.source / name, (made, made))

    def _serve(self) -> None:
        self.source.mkdir(exist_ok=True)
        server = subprocess.Popen(
            [sys.executable, "-u", "-m", "http.server", self._port, "--bind", "127.0.0.1"],
            cwd=self.source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._ends.enter_context(server)
        self._ends.callback(server.kill)
        assert server.stdout is not None
        assert server.stdout.readline().startswith(b"Serving HTTP")

    def _type(self, command: str, expected: list[str], code: int, seconds: str | None) -> None:
        words = shlex.split(command, comments=True)
        assert words[0] in {"everytick", "cat", "head"}, command
        program = EVERYTICK if words[0] == "everytick" else words[0]
        with subprocess.Popen(
            [program, *words[1:]],
            cwd=self.folder,
            env=surroundings({"EVERYTICK_ACTOR": "anna"}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as started:
            try:
                output, _ = started.communicate(timeout=float(seconds or 60))
            except subprocess.TimeoutExpired:
                assert seconds, f"{command} did not end"
                started.send_signal(signal.SIGINT)
                output, _ = started.communicate(timeout=30)
        assert started.returncode == code, f"{command}: {output}"
        assert "Traceback" not in output, output
        assert says(output, expected), f"{command} says:\n{output}\ninstead of:\n" + "\n".join(expected)
        self.said[command] = output


def says(output: str, expected: list[str]) -> bool:
    """Tell whether a command said what a document shows; how many spaces stand in a row does not count."""
    shown = _squeezed(expected)
    pattern = ".*?".join(re.escape(part) for part in shown.split("..."))
    return not shown or re.fullmatch(pattern, _squeezed(output.splitlines()), re.DOTALL) is not None


def _squeezed(lines: list[str]) -> str:
    return "\n".join(" ".join(line.split()) for line in lines).strip()
