"""The programs: up, scheduler, runner."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from everytick.app import open_ledger
from everytick.assembly import programs
from everytick.cli import present
from everytick.cli.act import apply_quietly
from everytick.cli.options import AppArgument, AppOption, LedgerOption
from everytick.cli.session import Session, its_ledger, ledger_of, place, that_is_there, the_app
from everytick.clock import SystemClock
from everytick.config import RunnerSettings
from everytick.program import run

LimitOption = Annotated[
    int, typer.Option("--limit", min=0, help="Attempts at once; 0: as the configuration says, else 8.")
]
log = logging.getLogger("everytick")

QueueOption = Annotated[list[str] | None, typer.Option("--queue", "-q", help="Serve this queue; repeatable.")]


class _Stop:
    """Notes SIGINT, SIGTERM and a closed terminal; a second SIGINT or SIGTERM ends the process at once."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self.asked = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as it is under nohup
            signal.signal(signal.SIGHUP, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.asked.is_set() and number != signal.SIGHUP:  # shell and kernel may both send that one
            raise SystemExit(128 + number)
        self.asked.set()
        self._clock.wake()


def up(
    app: AppArgument = "",
    ledger: LedgerOption = "",
    limit: LimitOption = 0,
    *,
    no_web: Annotated[
        bool, typer.Option("--no-web", help="Without the dashboard (there is none yet).")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only troubles.")] = False,
) -> None:
    """Run it all: scheduler and runner in one, live.

    It applies the tasks by itself.
    """
    del no_web
    tasks = the_app(app)
    url = ledger or its_ledger(tasks, app)
    with open_ledger(url) as opened:
        here = Session(opened)
        changed = apply_quietly(here, tasks)
        if not quiet:
            held = f"{present.many(len(tasks.tasks), 'task')} ({changed} changed)"
            present.write(f"{held} in {place(url)}. Ctrl-C ends it.")
        _live("up", here, tasks.runner, limit=limit, view=None if quiet else _view(url, tasks.data))


def _view(url: str, data: Path) -> Callable[[threading.Event], AbstractContextManager[None]]:
    from everytick.cli.view import View

    return lambda ending: View(url, data, ending)


def scheduler(ledger: LedgerOption = "", app: AppOption = "") -> None:
    """Plan ticks; any number of schedulers may run."""
    url = that_is_there(ledger or ledger_of(app))
    with open_ledger(url) as opened:
        _live("scheduler", Session(opened), _settings(ledger, app), limit=0, where=place(url))


def runner(
    ledger: LedgerOption = "", app: AppOption = "", limit: LimitOption = 0, queue: QueueOption = None
) -> None:
    """Run ticks; any number of runners may run."""
    url = that_is_there(ledger or ledger_of(app))
    with open_ledger(url) as opened:
        how = _settings(ledger, app)
        _live("runner", Session(opened), how, limit=limit, queues=queue, where=place(url))


def _settings(ledger: str, app: str) -> RunnerSettings:
    """Return what the app says of runners; where a ledger alone is named, what holds by default."""
    return RunnerSettings() if ledger and not app else the_app(app).runner


def _live(
    kind: str,
    here: Session,
    how: RunnerSettings,
    *,
    limit: int,
    queues: list[str] | None = None,
    where: str = "",
    view: Callable[[threading.Event], AbstractContextManager[None]] | None = None,
) -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    how = replace(how, limit=limit or how.limit, queues=tuple(queues) if queues else how.queues)
    stop = _Stop(here.clock)
    presence, parts = programs(kind, here.ledger, here.clock, how)
    if where:
        _announce(kind, where, here)
    with view(stop.asked) if view else nullcontext():
        run(parts, presence, here.clock, stop.asked.is_set)


def _announce(kind: str, where: str, here: Session) -> None:
    """Say where a program works: one that works on another ledger than meant has no troubles to tell of."""
    log.info("%s, pid %d, works on %s", kind, os.getpid(), where)
    if next(iter(here.ledger.tasks()), None) is None:
        log.warning("there are no tasks yet; everytick apply brings them in")
