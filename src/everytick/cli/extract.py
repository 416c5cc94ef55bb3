"""The command `extract`, which no pattern can keep busy or make eat the machine.

The search runs in a process of its own, with a bound on its memory, and is killed when its time is over: a
timeout of the expression library cannot reach into the making of a pattern, where nested repeats are written
out, nor can a signal handler, which waits until that is done.
"""

import json
import math
import os
import resource
import select
import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from everytick.errors import EverytickError, PatternError, UsageError
from everytick.settings import one_of

_LARGEST = 256 * 2**20
"""Bytes of a text that is searched."""

_MEMORY = 2 * 2**30
"""Bytes that a search may take: its text and all matches included."""

_LONGEST = 86_400
_ANSWER, _REFUSAL = b"=", b"!"


def extract(
    pattern: Annotated[str, typer.Argument(metavar="PATTERN", help="A regular expression.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file, or - for standard input.")] = "-",
    as_: Annotated[str, typer.Option("--as", metavar="int|float", help="Turn the values into numbers.")] = "",
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="Stop a runaway pattern.")
    ] = 10.0,
) -> None:
    """Print every match of a regular expression as a JSON list.

    Of a pattern with a group the first group counts, else the match.
    """
    from everytick.feeds.extract import text

    kind = one_of(as_, {"int": "int", "float": "float"}) if as_ else None
    if not 0 < timeout <= _LONGEST:
        raise UsageError(f"--timeout {timeout:g}: write seconds, more than 0 and at most a day")
    data = _read(file)

    def search() -> bytes:
        found = text.matches(pattern, text.decode(data, file), as_=kind, timeout=timeout)
        return json.dumps(found, ensure_ascii=False, indent=2).encode()

    sys.stdout.write(_bounded(search, timeout).decode() + "\n")


def _read(file: str) -> bytes:
    if file == "-" and sys.stdin is None:
        raise UsageError("standard input is closed; name a FILE")
    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as source:
            data = source.read(_LARGEST + 1)
    except OSError as fault:
        raise UsageError(f"{file}: {fault.strerror}") from fault
    if len(data) > _LARGEST:
        raise UsageError(f"{file} has more than {_LARGEST // 2**20} MiB; search it in parts")
    return data


def _bounded(search: Callable[[], bytes], seconds: float) -> bytes:
    """Return what a search finds, run in a process that is killed after so many seconds.

    Raises:
        UsageError: The search refused, or had to be stopped.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(search, writing, seconds)
    os.close(writing)
    with open(reading, "rb") as answer:  # noqa: PTH123 - a pipe has no path
        in_time = False
        try:
            in_time = bool(select.select([answer], [], [], seconds)[0])
        finally:
            if not in_time:
                os.kill(child, signal.SIGKILL)
        told = answer.read()
    _, status = os.waitpid(child, 0)
    if not in_time:
        raise PatternError(
            f"the pattern was stopped: it ran longer than {seconds:g} seconds; make it stricter (nested "
            "repeats run away), or allow more time with --timeout SECONDS"
        )
    if status != 0:
        raise PatternError("the pattern was stopped: it needs more memory than a search may take")
    if told.startswith(_REFUSAL):
        raise UsageError(told[1:].decode())
    return told[1:]


def _answer(search: Callable[[], bytes], writing: int, seconds: float) -> NoReturn:
    """Write a search's answer or refusal into a pipe, and end this process."""
    status = 1
    try:
        for what, most in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CPU, math.ceil(seconds) + 1)):
            hard = resource.getrlimit(what)[1]
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
        try:
            told = _ANSWER + search()
        except EverytickError as fault:
            told = _REFUSAL + str(fault).encode()
        with open(writing, "wb") as out:
            out.write(told)
        status = 0
    finally:
        os._exit(status)
