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
from everytick.ledgers.secrecy import tells_password
from everytick.life.presence import LEASE
from everytick.policy import Policies
from everytick.task import Call, Command, Inline, Task, Work
from everytick.tick import SECOND
from everytick.when import Schedule
from everytick.when import schedule as parse_schedule
from everytick.when.walltime import zone_named

T = TypeVar("T")

LEDGER = "sqlite:///everytick.db"
"""The ledger of who names none."""

_COMMAND_WORDS = {"command", "directory", "environment"}
_CALL_WORDS = {"call", "inline", "arguments"}
_TASK_WORDS = {*_COMMAND_WORDS, *_CALL_WORDS, "schedule", "zone"}
_TOP_WORDS = {"ledger", "origin", "data", "keep_ticks", "runner", "task", "feed"}
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
        keep_ticks: For so many microseconds a pruning keeps ticks; None where nothing is said.
        runner: How a runner works.
        tasks: The tasks.
        feeds: The tables of the feeds, as they stand.
    """

    place: "Place"
    ledger: str = LEDGER
    origin: str
    data: Path
    keep_ticks: int | None = None
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
        return self._top(path[0])

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

    def _top(self, key: str) -> int | None:
        """Return the line of a key that stands in no table, or of the first table under that name."""
        word = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]")
        header = re.compile(rf"\s*\[\[?\s*[\"']?{re.escape(key)}[\"']?\s*[\].]")
        inside = False
        for number, line in enumerate(self._lines, 1):
            if header.match(line) or (not inside and word.match(line)):
                return number
            inside = inside or line.lstrip().startswith("[")
        return None


def load(file: Path) -> Config:
    """Read a configuration file.

    Raises:
        ConfigError: It cannot be read; the message names the file, the line and the mend.
    """
    try:
        text = file.read_text("utf-8-sig")  # Windows editors put a byte order mark before the text
    except FileNotFoundError:
        raise ConfigError(f"there is no {file}; name another, or write one (docs/tutorial)") from None
    except OSError as fault:
        raise ConfigError(f"cannot be read: {fault.strerror}", file=str(file)) from fault
    except UnicodeDecodeError as fault:
        line = fault.object.count(b"\n", 0, fault.start) + 1
        raise ConfigError("this is not UTF-8; save it as such", file=str(file), line=line) from fault
    return parse(file, text)


def parse(file: Path, text: str) -> Config:
    """Return what the text of a configuration file says.

    Args:
        file: Where it stands: relative paths begin in its folder.
        text: The text, TOML.

    Raises:
        ConfigError: It cannot be used; the message names the file, the line and the mend.
    """
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise _toml_fault(file, text, fault) from fault
    except (RecursionError, ValueError) as fault:  # nested a thousand deep; a number of 5,000 digits
        raise ConfigError("this is no TOML that can be read: too deep or too long", file=str(file)) from fault
    return _config(Place(file, text), whole)


def _toml_fault(file: Path, text: str, fault: tomllib.TOMLDecodeError) -> ConfigError:
    message, _, place = str(fault).rpartition(" (at ")
    found = re.match(r"line (\d+)", place)
    line = int(found[1]) if found else text.count("\n") + 1  # at end of document
    return ConfigError(f"this is no TOML: {message}", file=str(file), line=line)


def _config(place: Place, whole: Mapping[str, Any]) -> Config:
    for word in whole:
        if word not in _TOP_WORDS:
            raise place.fault(f"unknown key '{word}'{settings.nearest(word, _TOP_WORDS)}", word)
    folder = place.file.resolve().parent
    origin = _top(place, whole, "origin", str(place.file.resolve()), settings.text)
    tables, feeds = _tables(place, whole, "task"), _tables(place, whole, "feed")
    for name in tables.keys() & feeds.keys():
        raise place.fault(
            f"feed '{name}': a task of that name stands at line {place.line('task', name)}, and a feed is "
            "a task; give one of them another name",
            "feed", name,
        )  # fmt: skip
    return Config(
        place=place,
        ledger=_top(place, whole, "ledger", LEDGER, lambda url: _ledger(url, folder)),
        origin=origin,
        data=folder / _top(place, whole, "data", "everytick-data", settings.text),
        keep_ticks=_top(place, whole, "keep_ticks", None, settings.kept) if "keep_ticks" in whole else None,
        runner=_runner(place, _top(place, whole, "runner", {}, settings.table)),
        tasks=tuple(read_task(place, name, table, origin, folder) for name, table in tables.items()),
        feeds=feeds,
    )


def _top(place: Place, whole: Mapping[str, Any], word: str, without: Any, read: Callable[[Any], T]) -> T:  # noqa: ANN401 - what a file says
    try:
        return read(whole.get(word, without))
    except UsageError as fault:
        raise place.fault(f"{word}: {fault}", word) from fault


def _tables(place: Place, whole: Mapping[str, Any], kind: str) -> Mapping[str, Mapping[str, Any]]:
    tables = whole.get(kind, {})
    for name, table in tables.items() if isinstance(tables, Mapping) else [(kind, tables)]:
        if not isinstance(table, Mapping):
            raise place.fault(f"write each {kind} as a table of its own: [{kind}.NAME]", kind, name)
    return tables if isinstance(tables, Mapping) else {}


def _ledger(value: object, folder: Path) -> str:
    """Read a relative SQLite path from the folder of the configuration."""
    url = settings.text(value)
    scheme, separator, path = url.partition(":///")
    if url.startswith("env:") and url != "env:":
        return url
    if url.startswith(("postgresql://", "postgres://")):
        if tells_password(url):
            raise UsageError(
                "a password does not belong in this file; write it into PGPASSWORD, ~/.pgpass or a file "
                'named by password_file=, or write "env:NAME" and the whole URL into that variable'
            )
        return url
    if scheme != "sqlite" or not separator:
        raise UsageError(
            f"'{url.partition('://')[0]}' names no ledger of this release; write \"sqlite:///everytick.db\", "
            '"postgresql://USER@HOST/DATABASE" or "env:NAME"'
        )
    return url if not path or path.startswith("/") else f"sqlite:///{folder / path}"


def _runner(place: Place, table: Mapping[str, Any]) -> RunnerSettings:
    readers: Mapping[str, Callable[[Any], Any]] = {
        "limit": settings.whole,
        "queues": settings.texts,
        "grace": settings.duration,
        "lease": _lease,
    }
    given = {}
    for word, value in table.items():
        if word not in readers:
            near = settings.nearest(word, dict(readers))
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


def read_task(place: Place, name: str, table: Mapping[str, Any], origin: str, folder: Path) -> Task:
    """Return the task that a table describes.

    Args:
        place: Where it stands.
        name: Its name.
        table: What it says.
        origin: Whose task it is.
        folder: Where relative paths in it begin.

    Raises:
        ConfigError: It cannot be used; the message names the file, the line and the mend.
    """
    policies = {word: value for word, value in table.items() if word in settings.POLICIES}
    for word in table.keys() - policies.keys() - _TASK_WORDS:
        hint = _LATER.get(word) or settings.nearest(word, _TASK_WORDS | settings.POLICIES.keys())
        raise place.fault(f"task '{name}': unknown key '{word}'{_aside(hint)}", "task", name, word)
    when = read_schedule(place, "task", name, table)
    work = _checked(place, "task", name, "", lambda: _work(place, name, table, folder))
    stated = read_policies(place, "task", name, policies)
    return _checked(
        place, "task", name, "",
        lambda: Task(name=name, schedule=when, work=work, policies=stated, origin=origin),
    )  # fmt: skip


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
    zone = "UTC"
    if "zone" in table:
        zone = _checked(place, kind, name, "zone", lambda: zone_named(settings.text(table["zone"])).name)
    return _checked(
        place, kind, name, "schedule", lambda: parse_schedule(settings.text(table["schedule"]), zone)
    )


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


def _work(place: Place, name: str, table: Mapping[str, Any], folder: Path) -> Work:
    kinds = [kind for kind in ("command", "call", "inline") if kind in table]
    if len(kinds) != 1:
        raise UsageError(
            'name what runs, once: command = ["program", "argument"] or call = "module:function"'
        )
    (kind,) = kinds
    for word in table.keys() & (_CALL_WORDS if kind == "command" else _COMMAND_WORDS):
        raise place.fault(f"task '{name}': '{word}' does not go with '{kind}'", "task", name, word)

    def read(word: str, reader: Callable[[Any], T]) -> T:
        return _checked(place, "task", name, word, lambda: reader(table[word]))

    if kind == "command":
        return Command(
            command=read("command", _command),
            directory=str(folder / read("directory", settings.text)) if "directory" in table else None,
            environment=read("environment", _environment) if "environment" in table else {},
        )
    call = read(kind, lambda value: _call(value, folder))
    arguments = read("arguments", settings.arguments) if "arguments" in table else {}
    return Call(call=call, arguments=arguments) if kind == "call" else Inline(call=call, arguments=arguments)


def _call(value: object, folder: Path) -> str:
    call = settings.text(value)
    path, _, function = call.rpartition(":")
    if not path or not function:
        raise UsageError(f"'{call}' names no function; write call = \"package.module:function\"")
    return f"{folder / path}:{function}" if path.endswith(".py") else call


def _command(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise UsageError('a command is a list: command = ["sh", "-c", "make-report | mail boss"]')
    program, *others = value
    if not all(isinstance(word, str) and "\0" not in word for word in others):
        raise UsageError(f"each part is a text, numbers too: {others!r}")
    return settings.text(program), *others


def _environment(value: object) -> dict[str, str]:
    given = settings.table(value)
    for name, content in given.items():
        if not name or "=" in name or "\0" in name:
            raise UsageError(f"'{name}' cannot name a variable")
        if not isinstance(content, str) or "\0" in content:
            raise UsageError(f"{name} = {content!r} is not a text")
    return dict(given)


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
