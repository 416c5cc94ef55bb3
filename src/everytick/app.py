"""The app: a set of tasks, and the ledger they live in.

app = Everytick("sqlite:///everytick.db")

@app.task(Cron("0 6 * * mon-fri", zone="Asia/Kolkata"), retry=Retry(5), finish_within="30m")
def refresh_prices(tick): ...
"""

import getpass
import inspect
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from everytick import settings
from everytick.clock import SystemClock
from everytick.config import LEDGER, RunnerSettings, load
from everytick.edits import Author, Edits
from everytick.errors import ConfigError, UsageError
from everytick.feeds import tasks as feed_tasks
from everytick.imports import LOADED, module_named, module_of_file
from everytick.ledgers.sqlite import SqliteLedger
from everytick.lines import Lines
from everytick.task import Call, Inline, Task, Work
from everytick.upkeep import Store
from everytick.versions import Versions
from everytick.when import Schedule
from everytick.when import schedule as parse_schedule

F = TypeVar("F", bound=Callable[..., object])

CONFIG = "everytick.toml"
"""The configuration of who names none."""

LINES = ".jsonl"
"""How the name of a file of tasks in JSON Lines ends."""


class Everytick:
    """A set of tasks and the ledger they live in.

    Args:
        ledger: The ledger's URL: ``sqlite:///file.db``, ``postgresql://USER@HOST/DATABASE``, or ``env:NAME``,
            which the environment's variable of that name holds.
        origin: Whose tasks these are; ``apply`` removes only tasks of its own origin. Unless told
            otherwise, the module that defines them.

    Attributes:
        tasks: The tasks, in the order of their definition.
        data: The folder of the feeds' lists.
        keep_ticks: For so many microseconds ``ledger prune`` keeps ticks, unless told otherwise there.
        runner: How a runner works.
    """

    def __init__(self, ledger: str = LEDGER, *, origin: str = "") -> None:
        self.ledger = ledger
        self.origin = origin
        self.tasks: list[Task] = []
        self.data = Path("everytick-data")
        self.keep_ticks: int | None = None
        self.runner = RunnerSettings()

    def task(
        self,
        schedule: Schedule | str,
        *,
        name: str = "",
        zone: str = "UTC",
        inline: bool = False,
        arguments: dict[str, Any] | None = None,
        **words: object,
    ) -> Callable[[F], F]:
        """Make a function a task; it is called with the Tick it runs.

        Args:
            schedule: When it is due.
            name: The task's name; the function's own unless told otherwise.
            zone: The zone of a schedule that is given as text.
            inline: Run it inside the runner's process: for quick and trusted work only.
            arguments: Keyword arguments beside the tick; JSON values.
            words: Policies, such as ``retry=Retry(5)``, ``finish_within="30m"``, ``overlap="queue_one"``.

        Raises:
            UsageError: The schedule or a policy cannot be read, or the function has no name to find it by.
        """
        when = parse_schedule(schedule, zone) if isinstance(schedule, str) else schedule
        if not isinstance(when, Schedule):
            raise UsageError(f"{schedule!r} is no schedule; write Cron(...), Every(...) or a text")
        stated, given = settings.policies(words), settings.arguments(arguments or {})

        def register(function: F) -> F:
            call = _call_of(function)
            work: Work = Inline(call=call, arguments=given) if inline else Call(call=call, arguments=given)
            self.tasks.append(
                Task(
                    name=name or function.__name__,
                    schedule=when,
                    work=work,
                    policies=stated,
                    origin=self.origin or call.rpartition(":")[0],
                )
            )
            return function

        return register

    def whose(self) -> str:
        """Return the origin of the tasks."""
        return self.origin or (self.tasks[0].origin if self.tasks else "python")

    def apply(self, tasks: Iterable[Task] | None = None, *, note: str = "") -> int:
        """Make the ledger hold these tasks, as ``everytick apply --yes`` does.

        What is there already is left alone, and what this app's origin had and has no longer is removed.
        Tasks may come from a generator: a million of them take little memory.

        Args:
            tasks: All that this app's origin is to have; those it has defined unless told otherwise.
            note: Why; kept with the change.

        Returns:
            The number of the change; 0 where there was nothing to do.

        Raises:
            UsageError: Two tasks have one name, one belongs to another origin, or tasks are given and the
                app does not say whose they are.
            EditRefused: Somebody edited one of the tasks meanwhile.
            LedgerError: The ledger cannot do it now.
        """
        if tasks is not None and not self.origin:
            raise UsageError(
                "say whose tasks these are, so that no others are removed: Everytick(..., origin='prices')"
            )
        with open_ledger(self.ledger) as ledger:
            edits = Edits(ledger, Versions(ledger))
            found = edits.compare(self.tasks if tasks is None else tasks, self.whose())
            return edits.apply(found, SystemClock().now, author(note))


def author(note: str) -> Author:
    """Return who is at the keyboard, and why."""
    try:
        name = os.environ.get("EVERYTICK_ACTOR") or getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return Author(actor=name, note=note)


def _call_of(function: Callable[..., object]) -> str:
    module, name = function.__module__, function.__qualname__
    if "<" in name:
        raise UsageError(
            f"task '{function.__name__}' is defined inside a function, where no worker can find it; "
            "define it at the top of its module"
        )
    if module == "__main__" or module.startswith(LOADED):
        return f"{Path(inspect.getfile(function)).resolve()}:{name}"
    return f"{module}:{name}"


def find_app(place: str) -> Everytick:
    """Return the tasks that a place defines.

    Args:
        place: A TOML file, a Python file (``jobs.py`` or ``jobs.py:app``), ``package.module:app``, or a
            file of tasks in JSON Lines (``tasks.jsonl``).

    Raises:
        UsageError: There is none; the message says how to name one.
    """
    if place.endswith(".toml"):
        return _from_config(Path(place))
    if place.endswith(LINES):
        return _from_lines(Path(place))
    where, _, name = place.partition(":")
    module = module_of_file(Path(where)) if where.endswith(".py") else module_named(where)
    apps = [value for value in vars(module).values() if isinstance(value, Everytick)]
    app = getattr(module, name, None) if name else apps[0] if len(apps) == 1 else None
    if not isinstance(app, Everytick):
        raise ConfigError(f"'{place}' names no Everytick; write {where}:NAME, where NAME = Everytick(...)")
    return app


def _from_config(path: Path) -> Everytick:
    config = load(path)
    app = Everytick(config.ledger, origin=config.origin)
    app.tasks = [*config.tasks, *feed_tasks.tasks(config)]
    app.data = config.data
    app.keep_ticks = config.keep_ticks
    app.runner = config.runner
    return app


def of_this_folder() -> Everytick:
    """Return an app without tasks, set as everytick.toml of this folder says, where there is one."""
    app = Everytick()
    if Path(CONFIG).exists():
        config = load(Path(CONFIG))
        app.ledger, app.data, app.runner = config.ledger, config.data, config.runner
        app.keep_ticks = config.keep_ticks
    return app


def _from_lines(path: Path) -> Everytick:
    app = of_this_folder()
    app.origin = str(path.resolve())
    with open_lines(path) as file:
        app.tasks = list(Lines(file, path, app.origin))
    return app


def open_lines(path: Path) -> BinaryIO:
    """Open a file of tasks in JSON Lines.

    Raises:
        ConfigError: It cannot be opened.
    """
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise ConfigError(f"there is no {path}; name another") from None
    except OSError as fault:
        raise ConfigError(f"cannot be read: {fault.strerror}", file=str(path)) from fault


def open_ledger(url: str, *, marked: bool = False) -> Store:
    """Open the ledger that a URL names.

    Args:
        url: ``sqlite:///file.db``, ``postgresql://USER@HOST/DATABASE``, or ``env:NAME``: the variable of the
            environment that holds one of those.
        marked: Open it even if it is the half copy of another, or was given up for one.

    Raises:
        ConfigError: The URL names no kind of ledger that this release has.
        LedgerError: It cannot be opened.
    """
    if url.startswith("env:"):
        return open_ledger(_of_environment(url.removeprefix("env:")), marked=marked)
    scheme, _, path = url.partition("://")
    if scheme == "sqlite":
        return SqliteLedger(path.removeprefix("/") or ":memory:", marked=marked)
    if scheme in {"postgresql", "postgres"}:
        return _postgres(url, marked=marked)
    known = "write sqlite:///everytick.db, or postgresql://USER@HOST/DATABASE"
    raise ConfigError(f"'{scheme or url}' names no ledger of this release; {known}")


def _of_environment(name: str) -> str:
    url = os.environ.get(name, "")
    if not url or url.startswith("env:"):
        raise ConfigError(f"env:{name} names the ledger, but the environment has no URL in {name}")
    return url


def _postgres(url: str, *, marked: bool) -> Store:
    try:
        from everytick.ledgers.postgres import PostgresLedger  # noqa: PLC0415 - psycopg takes 80 ms to load
    except ModuleNotFoundError as fault:
        raise ConfigError(
            f"a ledger on PostgreSQL needs {fault.name}: pip install 'everytick[postgres]'"
        ) from None
    return PostgresLedger(url, marked=marked)
