"""RQ's cron scheduler: schedules in the code, messages in Redis."""

import operator

from cell import told
from redis import Redis
from rq.cron import CronScheduler


def main() -> None:
    """Run; there is nothing to register beforehand."""
    cell = told()
    if cell.step == "register":
        return
    scheduler = CronScheduler(connection=Redis.from_url(cell.redis), logging_level="ERROR")
    for task in range(cell.tasks):
        scheduler.register(operator.truth, "handed-over", args=(task,), cron=cell.cron)
    cell.ready()
    scheduler.start()


if __name__ == "__main__":
    main()
