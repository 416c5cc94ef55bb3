"""APScheduler 3: jobs in memory, in SQLite or in PostgreSQL, run in the scheduler's own pool of threads."""

import sys
from datetime import UTC, datetime

from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.interval import IntervalTrigger
from cell import Cell, Notes, told

cell = told()
notes = Notes(cell.folder)


def body(task: int) -> None:
    """Note the start. The scheduled time is not handed to a job: it is read where it is, in the caller."""
    scheduled: datetime = sys._getframe(1).f_locals["run_time"]  # noqa: SLF001 - there is no other way to it
    notes.note(task, round(scheduled.timestamp()) * 1_000_000)


def fitted(scheduler: BaseScheduler) -> BaseScheduler:
    """Return a scheduler with the store and the defaults of this row."""
    stores = {
        "memory": MemoryJobStore,
        "sqlite": lambda: SQLAlchemyJobStore(f"sqlite:///{cell.folder}/jobs.db"),
        "postgres": lambda: SQLAlchemyJobStore(cell.postgres.replace("postgresql:", "postgresql+psycopg:")),
    }
    scheduler.configure(
        timezone=UTC,
        jobstores={"default": stores[cell.options["store"]]()},
        job_defaults=cell.options["defaults"],
    )
    return scheduler


def register(scheduler: BaseScheduler, cell: Cell) -> None:
    """Add the jobs."""
    begin = datetime.fromtimestamp(cell.begin, UTC)
    for task in range(cell.tasks):
        trigger = IntervalTrigger(seconds=cell.period, start_date=begin, timezone=UTC)
        scheduler.add_job(body, trigger, args=[task], id=str(task))


def main() -> None:
    """Register or run."""
    if cell.step == "register":
        if cell.options["store"] != "memory":
            scheduler = fitted(BackgroundScheduler())
            scheduler.start(paused=True)
            register(scheduler, cell)
            scheduler.shutdown()
        return
    scheduler = fitted(BlockingScheduler())
    if cell.options["store"] == "memory":
        register(scheduler, cell)
    cell.ready()
    scheduler.start()


if __name__ == "__main__":
    main()
