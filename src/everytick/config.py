"""Configuration: everytick.toml, read into values; every fault names its file and line.

It holds no secrets: commands and callables find theirs in the runner's environment.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from everytick import settings
from everytick.errors import ConfigError, UsageError
from everytick.policy import Policies
from everytick.presence import LEASE
from everytick.task import Call, Command, Inline, Task, Work
from everytick.tick import SECOND
from everytick.when import Schedule
from everytick.when import schedule as parse_schedule

T = TypeVar("T")

LEDGER = "sqlite:///everytick.db"
"""The ledger of who names none."""

_TASK_WORDS = {
    "command", "call", "inline", "arguments", "directory", "environment", "schedule", "zone",
}  # fmt: skip
_TOP_WORDS = {"ledger", "origin", "data", "runner", "task", "feed"}
_RUNNER_WORDS = {"limit", "queues", "grace", "lease"}
_LATER = {
    "http": "HTTP requests come in a later release; run curl with command",
    "celery": "Celery tasks come in a later release",
}
_SHORTEST_LEASE = 2 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerSettings:
    """How a runner works.

    Attributes:
        limit: How many attempts it runs at once.
        queues: Which queues it serves.
        grace: How long it lets attempts run on when it is told to stop, in microseconds.
        lease: Microseconds without a beat after which a process may be called dead. One value for all
            processes of a ledger, schedulers too: who has a longer one than the others is buried alive.
    """

    limit: int = 8
    queues: tuple[str, ...] = ("default",)
    grace: int = 30 * SECOND
    lease: int = LEASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What everytick.toml says.

    Attributes:
        place: Where it stands, to find lines.
        ledger: The ledger's URL.
        origin: Whose tasks these are.
        data: The folder of the feeds' lists.
        runner: How a runner works.
        tasks: The tasks.
        feeds: The tables of the feeds, as they stand.
    """

    place: "Place"
    ledger: str = LEDGER
    origin: str
    data: Path
    runner: RunnerSettings = field(default_factory=RunnerSettings)
    tasks: tuple[Task, ...] = ()
    feeds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Place:
    """A TOML file, to name the line of a key.

    Args:
        file: Its path.
        text: What it says.
    """

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self._lines = text.splitlines()

    def line(self, *path: str) -> int | None:
        """Return the line of a key, counted from 1, or of the nearest table around it."""
        for depth in range(len(path), 0, -1):
            found = self._header(path[:depth]) if depth == len(path) else self._key(path, depth)
            if found is not None:
                return found
        return None

    def fault(self, message: str, *path: str) -> ConfigError:
        """Return an error about a key."""
        return ConfigError(message, file=str(self.file), line=self.line(*path))

    def _header(self, path: tuple[str, ...]) -> int | None:
        names = r"\s*\.\s*".join(rf"[\"']?{re.escape(part)}[\"']?" for part in path)
        header = re.compile(rf"\s*\[\s*{names}\s*\]")
        return next((n for n, line in enumerate(self._lines, 1) if header.match(line)), None)

    def _key(self, path: tuple[str, ...], depth: int) -> int | None:
        """Return the line in table path[:depth] that sets path[depth], or that table's header."""
        begin = self._header(path[:depth])
        if begin is None:
            return None
        key = re.compile(rf"\s*[\"']?{re.escape(path[depth])}[\"']?\s*[=.]")
        for number, line in enumerate(self._lines[begin:], begin + 1):
            if line.lstrip().startswith("["):
                break
            if key.match(line):
                return number
        return begin

    def top(self, key: str) -> int | None:
        """Return the line of a key that stands in no table."""
        word = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]|\s*\[\s*{re.escape(key)}\b")
        return next((n for n, line in enumerate(self._lines, 1) if word.match(line)), None)


def load(file: Path) -> Config:
    """Read a configuration file.

    Raises:
        ConfigError: It cannot be read; the message names the file, the line and the mend.
    """
    try:
        text = file.read_text("utf-8")
        whole = tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"there is no {file}; name another, or write one (docs/tutorial)") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"cannot be read: {fault}", file=str(file)) from fault
    except tomllib.TOMLDecodeError as fault:
        raise _toml_fault(file, fault) from fault
    return _config(Place(file, text), whole)


def _toml_fault(file: Path, fault: tomllib.TOMLDecodeError) -> ConfigError:
    found = re.search(r"\(at line (\d+), column \d+\)", str(fault))
    message = re.sub(r"\s*\(at .*\)", "", str(fault))
    return ConfigError(f"this is no TOML: {message}", file=str(file), line=int(found[1]) if found else None)


def _config(place: Place, whole: Mapping[str, Any]) -> Config:
    for word in whole:
        if word not in _TOP_WORDS:
            raise ConfigError(
                f"unknown key '{word}'{settings.nearest(word, _TOP_WORDS)}",
                file=str(place.file),
                line=place.top(word),
            )
    folder = place.file.resolve().parent
    origin = whole.get("origin", str(place.file.resolve()))
    tables = _tables(place, whole, "task")
    return Config(
        place=place,
        ledger=_ledger(whole.get("ledger", LEDGER), folder),
        origin=origin,
        data=folder / whole.get("data", "everytick-data"),
        runner=_runner(place, whole.get("runner", {})),
        tasks=tuple(_task(place, name, table, origin, folder) for name, table in tables.items()),
        feeds=_tables(place, whole, "feed"),
    )


def _tables(place: Place, whole: Mapping[str, Any], kind: str) -> Mapping[str, Mapping[str, Any]]:
    tables = whole.get(kind, {})
    for name, table in tables.items() if isinstance(tables, Mapping) else [(kind, tables)]:
        if not isinstance(table, Mapping):
            raise place.fault(f"write each {kind} as a table of its own: [{kind}.NAME]", kind, name)
    return tables if isinstance(tables, Mapping) else {}


def _ledger(url: str, folder: Path) -> str:
    """Read a relative SQLite path from the folder of the configuration."""
    scheme, separator, path = url.partition(":///")
    if scheme == "sqlite" and separator and path and not path.startswith("/"):
        return f"sqlite:///{folder / path}"
    return url


def _runner(place: Place, table: Mapping[str, Any]) -> RunnerSettings:
    readers: Mapping[str, Callable[[Any], Any]] = {
        "limit": settings.whole,
        "queues": lambda value: tuple(settings.text(word) for word in value),
        "grace": settings.duration,
        "lease": _lease,
    }
    given = {}
    for word, value in table.items():
        if word not in readers:
            near = settings.nearest(word, _RUNNER_WORDS)
            raise place.fault(f"runner: unknown key '{word}'{near}", "runner", word)
        try:
            given[word] = readers[word](value)
        except UsageError as fault:
            raise place.fault(f"runner: {word}: {fault}", "runner", word) from fault
    return RunnerSettings(**given)


def _lease(value: object) -> int:
    length = settings.duration(value)
    if length < _SHORTEST_LEASE:
        raise UsageError("it must be at least 2s: a busy machine keeps a healthy process waiting for so long")
    return length


def _task(place: Place, name: str, table: Mapping[str, Any], origin: str, folder: Path) -> Task:
    policies = {word: value for word, value in table.items() if word in settings.POLICIES}
    for word in table.keys() - policies.keys() - _TASK_WORDS:
        hint = _LATER.get(word) or settings.nearest(word, _TASK_WORDS | settings.POLICIES.keys())
        raise place.fault(f"task '{name}': unknown key '{word}'{_aside(hint)}", "task", name, word)
    return Task(
        name=_checked(place, "task", name, "", lambda: name),
        schedule=read_schedule(place, "task", name, table),
        work=_checked(place, "task", name, "", lambda: _work(table, folder)),
        policies=read_policies(place, "task", name, policies),
        origin=origin,
    )


def _aside(hint: str) -> str:
    return hint if hint.startswith(";") or not hint else f": {hint}"


def read_schedule(place: Place, kind: str, name: str, table: Mapping[str, Any]) -> Schedule:
    """Return the schedule of a table.

    Raises:
        ConfigError: It has none, or one that cannot be read.
    """
    if "schedule" not in table:
        raise place.fault(
            f"{kind} '{name}' has no schedule; write schedule = \"0 6 * * mon-fri\" or \"every 15m\"",
            kind, name,
        )  # fmt: skip
    return _checked(
        place, kind, name, "schedule",
        lambda: parse_schedule(settings.text(table["schedule"]), table.get("zone", "UTC")),
    )  # fmt: skip


def read_policies(place: Place, kind: str, name: str, words: Mapping[str, Any]) -> Policies:
    """Return the policies of a table.

    Raises:
        ConfigError: A word says something impossible; the line is that word's.
    """
    try:
        return settings.policies(words)
    except UsageError as fault:
        word = str(fault).partition(":")[0]
        raise place.fault(f"{kind} '{name}': {fault}", kind, name, word) from fault


def _work(table: Mapping[str, Any], folder: Path) -> Work:
    kinds = [kind for kind in ("command", "call", "inline") if kind in table]
    if len(kinds) != 1:
        raise UsageError(
            'name what runs, once: command = ["program", "argument"] or call = "module:function"'
        )
    if kinds == ["command"]:
        return _command(table, folder)
    call = settings.text(table[kinds[0]])
    path, separator, function = call.rpartition(":")
    if not separator or not function:
        raise UsageError(f"'{call}' names no function; write call = \"package.module:function\"")
    if path.endswith(".py"):
        call = f"{folder / path}:{function}"
    arguments = dict(table.get("arguments", {}))
    return (
        Call(call=call, arguments=arguments) if kinds == ["call"] else Inline(call=call, arguments=arguments)
    )


def _command(table: Mapping[str, Any], folder: Path) -> Command:
    words = table["command"]
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise UsageError('a command is a list: command = ["sh", "-c", "make-report | mail boss"]')
    return Command(
        command=tuple(words),
        directory=str(folder / table["directory"]) if "directory" in table else None,
        environment={name: settings.text(value) for name, value in table.get("environment", {}).items()},
    )


def _checked(place: Place, kind: str, name: str, word: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ConfigError:
        raise
    except UsageError as fault:
        inside = f"{word}: " if word else ""
        message = str(fault).removeprefix(inside)
        path = (kind, name, word) if word else (kind, name)
        raise place.fault(f"{kind} '{name}': {inside}{message}", *path) from fault
