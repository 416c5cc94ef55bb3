"""django-celery-beat: schedules in PostgreSQL."""

import json
from urllib.parse import urlsplit

import django
from beat import TASK, app, last_run, run
from cell import Cell, told
from django.conf import settings
from django.core.management import call_command


def set_up(cell: Cell) -> None:
    """Set Django up on the database of a cell."""
    url = urlsplit(cell.postgres)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.removeprefix("/"),
        "USER": url.username,
        "HOST": url.hostname,
        "PORT": url.port,
    }
    settings.configure(
        INSTALLED_APPS=["django_celery_beat"],
        DATABASES={"default": database},
        USE_TZ=True,
        TIME_ZONE="UTC",
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    )
    django.setup()


def register(cell: Cell) -> None:
    """Write the schedules in one go."""
    from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks  # noqa: PLC0415 - Django's models exist only once it is set up

    call_command("migrate", verbosity=0)
    every = IntervalSchedule.objects.create(every=cell.period, period=IntervalSchedule.SECONDS)
    sent = last_run(cell)
    PeriodicTask.objects.bulk_create(
        PeriodicTask(name=str(task), task=TASK, interval=every, args=json.dumps([task]), last_run_at=sent)
        for task in range(cell.tasks)
    )
    PeriodicTasks.update_changed()


def main() -> None:
    """Register or run."""
    cell = told()
    set_up(cell)
    if cell.step == "register":
        register(cell)
    else:
        run(app(cell), cell, "django_celery_beat.schedulers:DatabaseScheduler")


if __name__ == "__main__":
    main()
