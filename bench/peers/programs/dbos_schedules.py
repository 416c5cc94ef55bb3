"""DBOS: schedules in PostgreSQL, a row there for each run of a workflow.

This process listens to a queue that stays empty: what is measured is how its scheduler hands runs over.
"""

import threading
from datetime import datetime

from cell import told
from dbos import DBOS, DBOSConfig


def main() -> None:
    """Register or run."""
    cell = told()
    config: DBOSConfig = {
        "name": "peers",
        "application_version": "1",
        "executor_id": "peers",
        "system_database_url": cell.postgres,
        "log_level": "CRITICAL",
        "enable_otlp": False,
    }
    config.update(cell.options.get("settings", {}))
    DBOS(config=config)

    @DBOS.workflow()
    def nothing(due: datetime, context: object) -> None:
        del due, context

    DBOS.listen_queues(["empty"])
    DBOS.launch()
    if cell.step == "run":
        cell.ready()
        threading.Event().wait()
    DBOS.register_queue("handed-over")
    fields = cell.cron.split()
    DBOS.apply_schedules(
        [
            {
                "schedule_name": str(task),
                "workflow_fn": nothing,
                "schedule": " ".join([fields[5], *fields[:5]]),
                "automatic_backfill": cell.options.get("backfill", False),
                "queue_name": "handed-over",
            }
            for task in range(cell.tasks)
        ]
    )
    DBOS.destroy()


if __name__ == "__main__":
    main()
