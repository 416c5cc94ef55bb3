"""The programs: up, scheduler, runner."""

import logging
import signal
import sys
import threading
from dataclasses import replace
from types import FrameType
from typing import Annotated

import typer

from everytick.app import open_ledger, programs
from everytick.cli import present
from everytick.cli.act import apply_quietly
from everytick.cli.session import AppArgument, AppOption, LedgerOption, Session, ledger_of, the_app
from everytick.cli.view import View
from everytick.clock import SystemClock
from everytick.config import RunnerSettings
from everytick.program import run

LimitOption = Annotated[
    int, typer.Option("--limit", min=0, help="Attempts at once; 0: as the configuration says, else 8.")
]
QueueOption = Annotated[list[str] | None, typer.Option("--queue", "-q", help="Serve this queue; repeatable.")]


class _Stop:
    """Notes SIGINT and SIGTERM; the second one ends the process at once."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self.asked = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self.asked.is_set():
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
    """Scheduler and runner in one process, live; applies the tasks by itself."""
    del no_web
    tasks = the_app(app)
    url = ledger or tasks.ledger
    with open_ledger(url) as opened:
        here = Session(opened)
        changed = apply_quietly(here, tasks)
        if not quiet:
            present.write(
                f"{present.many(len(tasks.tasks), 'task')} ({changed} changed) in {url}. Ctrl-C ends it."
            )
        view = None if quiet else View(url, tasks.data)
        _live("up", here, tasks.runner, limit=limit, queues=None, view=view)


def scheduler(ledger: LedgerOption = "", app: AppOption = "") -> None:
    """Plan ticks; any number of schedulers may run."""
    with open_ledger(ledger or ledger_of(app)) as opened:
        _live("scheduler", Session(opened), _settings(ledger, app), limit=0, queues=None, view=None)


def runner(
    ledger: LedgerOption = "", app: AppOption = "", limit: LimitOption = 0, queue: QueueOption = None
) -> None:
    """Run ticks; any number of runners may run."""
    with open_ledger(ledger or ledger_of(app)) as opened:
        _live("runner", Session(opened), _settings(ledger, app), limit=limit, queues=queue, view=None)


def _settings(ledger: str, app: str) -> RunnerSettings:
    """Return what the app says of runners; where a ledger alone is named, what holds by default."""
    return RunnerSettings() if ledger and not app else the_app(app).runner


def _live(
    kind: str,
    here: Session,
    how: RunnerSettings,
    *,
    limit: int,
    queues: list[str] | None,
    view: View | None,
) -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    how = replace(how, limit=limit or how.limit, queues=tuple(queues) if queues else how.queues)
    stop = _Stop(here.clock)
    presence, parts = programs(kind, here.ledger, here.clock, how)
    if view is not None:
        view.start()
    try:
        run(parts, presence, here.clock, stop.asked.is_set)
    finally:
        if view is not None:
            view.stop()
