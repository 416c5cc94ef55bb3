"""Procrastinate: schedules in the code, a row in PostgreSQL for each job.

The worker serves a queue that stays empty: what is measured is how its periodic deferrer hands jobs over.
"""

from cell import told
from procrastinate import App, PsycopgConnector


def nothing(timestamp: int, task: int) -> None:
    """Stand for the work; nobody runs it."""
    del timestamp, task


def main() -> None:
    """Register or run."""
    cell = told()
    app = App(connector=PsycopgConnector(conninfo=cell.postgres))
    if cell.step == "register":
        with app.open():
            app.schema_manager.apply_schema()
        return
    work = app.task(nothing, name="nothing", queue="handed-over")
    for task in range(cell.tasks):
        app.periodic(cron=cell.cron, periodic_id=str(task), task_kwargs={"task": task})(work)
    cell.ready()
    app.run_worker(queues=["empty"])


if __name__ == "__main__":
    main()
