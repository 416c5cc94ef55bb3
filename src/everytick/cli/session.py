"""One command's session: which ledger, and who acts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from everytick.app import CONFIG, LINES, Everytick, find_app, open_ledger
from everytick.clock import SystemClock
from everytick.config import LEDGER, load
from everytick.edits import Edits
from everytick.errors import UnknownName, UsageError
from everytick.ledger import Ledger, TaskRow
from everytick.ledgers.secrecy import SCHEMES, without_password
from everytick.ledgers.sqlite.connection import MEMORY
from everytick.plan import Status
from everytick.settings import nearest
from everytick.tick import Key, TickRow, parse_tick_name
from everytick.versions import Versions
from everytick.when import Instant

IN_MEMORY = "sqlite://"
"""An empty ledger that is gone when it is closed."""


class Session:
    """An open ledger and what commands do with it.

    Args:
        ledger: The ledger.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.clock = SystemClock()
        self.versions = Versions(ledger)
        self.edits = Edits(ledger, self.versions)

    def now(self) -> Instant:
        """Return the moment."""
        return self.clock.now()

    def task(self, name: str, *, removed: bool = True) -> TaskRow:
        """Return a task of that name.

        Args:
            name: The name.
            removed: Be it a removed one: its ticks are still told of.

        Raises:
            UnknownName: There is none; the message names the nearest.
        """
        for row in self._tasks(name, removed=removed):
            return row
        near = nearest(name, {row.newest.name for row in self._tasks(None, removed=removed)})
        raise UnknownName(f"there is no task '{name}'{near or '; everytick tasks lists them'}")

    def _tasks(self, name: str | None, *, removed: bool) -> Iterator[TaskRow]:
        found = self.ledger.tasks(name=name)
        return (row for row in found if removed or row.newest.status is not Status.REMOVED)

    def tick(self, name: str) -> TickRow | None:
        """Return the row of a tick, or the one row that stands for it and its neighbours.

        Raises:
            UsageError: The name is none of a tick, or there is no such task.
        """
        task, due_at, request = parse_tick_name(name)
        task_id = self.task(task).newest.task_id
        row = self.ledger.tick(Key(task_id, due_at, request))
        if row is None and not request:
            before = self.ledger.recorded_before(task_id, 0, due_at)
            row = before if before is not None and (before.through or 0) >= due_at else None
        return row


@contextmanager
def session(ledger: str, app: str = "") -> Iterator[Session]:
    """Open the ledger that the options, the environment or the configuration name.

    Raises:
        UsageError: None of them names one, or it is not there.
    """
    with open_ledger(that_is_there(ledger or ledger_of(app))) as opened:
        yield Session(opened)


def that_is_there(url: str) -> str:
    """Return the URL of a ledger that is there.

    Raises:
        UsageError: It is not: the name is wrong, or nothing was applied yet.
    """
    if not is_there(lasting(url)):
        where = place(url).removeprefix("sqlite:///")
        raise UsageError(f"there is no ledger at {where}; everytick up or everytick apply makes it")
    return url


def lasting(url: str) -> str:
    """Return the URL of a ledger that is kept.

    Raises:
        UsageError: It lies in memory, and is gone with this command.
    """
    scheme, _, path = _resolved(url).partition("://")
    if scheme == "sqlite" and path.removeprefix("/") in {"", MEMORY}:
        raise UsageError(
            f"{url} names no file: a ledger in memory is gone with this command; write sqlite:///everytick.db"
        )
    return url


def place(url: str) -> str:
    """Return where a ledger lies, as people may see it."""
    return without_password(_resolved(url))


def is_there(url: str) -> bool:
    """Tell whether there is a ledger; a URL that nobody can read is left to who opens it."""
    url = _resolved(url)
    scheme, _, path = url.partition("://")
    if scheme in SCHEMES:
        return _holds_ledger(url)
    return scheme != "sqlite" or path in {"", "/"} or Path(path.removeprefix("/")).exists()


def _resolved(url: str) -> str:
    """Return what the environment's variable holds, where the URL names one."""
    return os.environ.get(url.removeprefix("env:"), "") if url.startswith("env:") else url


def _holds_ledger(url: str) -> bool:
    try:
        from everytick.ledgers.postgres.found import holds_ledger
    except ModuleNotFoundError:
        return True
    return holds_ledger(url)


def ledger_of(app: str) -> str:
    """Return the URL of the ledger that an app, or everytick.toml of this folder, names.

    Raises:
        UsageError: There is no such app, or the environment lacks the variable that its file names.
    """
    if not app and not Path(CONFIG).exists():
        raise UsageError(
            f"name the ledger: --ledger sqlite:///file.db, --app APP, or an {CONFIG} in this folder"
        )
    if app.endswith(LINES):
        return ledger_of("") if Path(CONFIG).exists() else LEDGER
    if not (app or CONFIG).endswith(".toml"):
        return find_app(app).ledger
    config = load(Path(app or CONFIG))
    if config.ledger.startswith("env:") and not _resolved(config.ledger):
        raise config.place.fault(
            f"ledger: the environment has no {config.ledger.removeprefix('env:')}, which is to hold its URL",
            "ledger",
        )
    return config.ledger


def its_ledger(tasks: Everytick, app: str) -> str:
    """Return the URL of the ledger that goes with the tasks of an app.

    Raises:
        UsageError: The environment lacks the variable that the app's file names.
    """
    in_file = not app or app.endswith((".toml", LINES))
    return ledger_of(app) if in_file and tasks.ledger.startswith("env:") else tasks.ledger


def the_app(place: str) -> Everytick:
    """Return the tasks that an argument names; everytick.toml of this folder by default."""
    if not place and not Path(CONFIG).exists():
        raise UsageError(
            f"name the tasks: a .toml, .py or .jsonl file or module:app; there is no {CONFIG} here"
        )
    return find_app(place or CONFIG)
