"""Celery beat with the scheduler it comes with: schedules in the configuration, last runs in a file."""

from beat import TASK, app, last_run, run
from celery.schedules import schedule
from cell import told


def main() -> None:
    """Run; there is nothing to register beforehand."""
    cell = told()
    if cell.step == "register":
        return
    every = schedule(cell.period, relative=cell.options.get("relative", False))
    sent = last_run(cell)
    made = app(cell)
    made.conf.beat_schedule = {
        str(task): {"task": TASK, "schedule": every, "args": (task,), "last_run_at": sent}
        for task in range(cell.tasks)
    }
    run(made, cell, "celery.beat:PersistentScheduler")


if __name__ == "__main__":
    main()
