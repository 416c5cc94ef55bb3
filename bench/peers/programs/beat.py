"""What the three schedulers of Celery share: an app whose messages go to one list in Redis."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from celery import Celery
from celery.apps.beat import Beat
from cell import Cell

TASK = "peers.nothing"


def app(cell: Cell, **settings: object) -> Celery:
    """Return an app that sends to the Redis of a cell."""
    made = Celery("peers", broker=cell.redis)
    made.conf.update(timezone="UTC", enable_utc=True, task_ignore_result=True, **settings)
    made.conf.update(cell.options.get("settings", {}))
    made.set_current()
    return made


def last_run(cell: Cell) -> datetime:
    """Return the moment at which each schedule says it was sent last: a period before the first instant."""
    return datetime.fromtimestamp(cell.begin, UTC) - timedelta(seconds=cell.period)


def run(made: Celery, cell: Cell, scheduler: str) -> None:
    """Run a scheduler of Celery until it is killed."""
    cell.ready()
    file = str(Path(cell.folder, "celerybeat-schedule"))
    Beat(app=made, scheduler=scheduler, schedule=file, loglevel="ERROR", quiet=True).run()
