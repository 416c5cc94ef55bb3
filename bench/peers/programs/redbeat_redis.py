"""RedBeat: schedules in Redis."""

from beat import TASK, app, last_run, run
from celery.schedules import schedule
from cell import told
from redbeat import RedBeatSchedulerEntry
from redbeat.schedulers import get_redis


def main() -> None:
    """Register or run.

    The first due instant that save() computes depends on the moment of the call: what is meant is set.
    """
    cell = told()
    made = app(cell, redbeat_redis_url=cell.redis, redbeat_redis_options={})
    if cell.step == "run":
        run(made, cell, "redbeat.RedBeatScheduler")
        return
    every = schedule(cell.period, relative=cell.options.get("relative", False), app=made)
    sent = last_run(cell)
    for task in range(cell.tasks):
        entry = RedBeatSchedulerEntry(
            name=str(task), task=TASK, schedule=every, args=[task], last_run_at=sent, app=made
        )
        entry.save()
        get_redis(made).zadd(made.redbeat_conf.schedule_key, {entry.key: cell.begin})


if __name__ == "__main__":
    main()
