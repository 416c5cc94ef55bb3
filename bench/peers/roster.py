"""The roster: every row of the table, each peer at its best settings, and its default where that loses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ALL = (100, 1_000, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A scheduler with its settings.

    Attributes:
        key: Its name in results.
        title: Its name in tables.
        environment: The virtual environment it runs in; none for Everytick.
        program: What runs there; for Everytick, which of its programs.
        keeps: Where it keeps its schedules: ``memory``, ``a file``, ``SQLite``, ``PostgreSQL`` or ``Redis``.
        arrival: What is measured: the ``start`` of a body, a ``message`` in Redis, or a ``row``.
        settings: Its settings, in words.
        options: Its settings, for the program.
        bursts: How many tasks it is asked to run in one instant.
        crashes: Whether it is killed.
        loading: Seconds from its start to its first tick.
        registering: Seconds to register a thousand schedules.
        cron: Whether it is given cron lines.
        quick: Whether it works a burst off in so little time that a kill needs a large one.
    """

    key: str
    title: str
    environment: str = ""
    program: str
    keeps: str
    arrival: str
    settings: str
    options: Mapping[str, Any] = field(default_factory=dict)
    bursts: tuple[int, ...] = ALL
    crashes: bool = True
    loading: float = 4.0
    registering: float = 0.3
    cron: bool = False
    quick: bool = False


_APSCHEDULER = {"misfire_grace_time": None, "coalesce": False, "max_instances": 1000}
_EVERY_TICK = {"policies": {"catch_up": {"policy": "all", "limit": 100}, "overlap": "queue_all"}}
_OWN_SETTINGS = "--limit 10000, inline tasks, catch_up all, overlap queue_all"

ROWS = (
    Row(
        key="everytick-postgres",
        title="Everytick, PostgreSQL",
        program="scheduler + runner",
        keeps="PostgreSQL",
        settings=f"one scheduler, two runners (one a core), each with {_OWN_SETTINGS}",
        options=_EVERY_TICK | {"runners": 2},
        arrival="start",
        loading=8.0,
        registering=1.0,
        quick=True,
    ),
    Row(
        key="everytick-postgres-one",
        title="Everytick, PostgreSQL, one runner",
        program="scheduler + runner",
        keeps="PostgreSQL",
        settings=f"one scheduler, one runner with {_OWN_SETTINGS}",
        options=_EVERY_TICK,
        arrival="start",
        crashes=False,
        loading=8.0,
        registering=1.0,
        quick=True,
    ),
    Row(
        key="everytick-sqlite",
        title="Everytick, SQLite",
        program="up",
        keeps="SQLite",
        settings=f"everytick up with {_OWN_SETTINGS}",
        options=_EVERY_TICK,
        arrival="start",
        loading=8.0,
        registering=1.0,
        quick=True,
    ),
    Row(
        key="apscheduler-memory",
        title="APScheduler 3, memory",
        environment="apscheduler",
        program="apscheduler_jobs.py",
        keeps="memory",
        arrival="start",
        settings="misfire_grace_time=None, coalesce=False, max_instances=1000",
        options={"store": "memory", "defaults": _APSCHEDULER},
        quick=True,
    ),
    Row(
        key="apscheduler-sqlite",
        title="APScheduler 3, SQLite",
        environment="apscheduler",
        program="apscheduler_jobs.py",
        keeps="SQLite",
        arrival="start",
        settings="misfire_grace_time=None, coalesce=False, max_instances=1000",
        options={"store": "sqlite", "defaults": _APSCHEDULER},
        bursts=(100, 1_000),
        registering=6.0,
    ),
    Row(
        key="apscheduler-postgres",
        title="APScheduler 3, PostgreSQL",
        environment="apscheduler",
        program="apscheduler_jobs.py",
        keeps="PostgreSQL",
        arrival="start",
        settings="misfire_grace_time=None, coalesce=False, max_instances=1000",
        options={"store": "postgres", "defaults": _APSCHEDULER},
        registering=4.5,
    ),
    Row(
        key="apscheduler-postgres-default",
        title="APScheduler 3, PostgreSQL, as it comes",
        environment="apscheduler",
        program="apscheduler_jobs.py",
        keeps="PostgreSQL",
        arrival="start",
        settings="its defaults: what is more than 1 s late is dropped",
        options={"store": "postgres", "defaults": {}},
        bursts=(1_000,),
        registering=4.5,
    ),
    Row(
        key="celery-beat",
        title="Celery beat",
        environment="celery",
        program="celery_beat.py",
        keeps="a file",
        arrival="message",
        settings="PersistentScheduler, relative=True",
        options={"relative": True},
    ),
    Row(
        key="celery-beat-synced",
        title="Celery beat, synced",
        environment="celery",
        program="celery_beat.py",
        keeps="a file",
        arrival="message",
        settings="PersistentScheduler, relative=True, beat_sync_every=1: the file is written after each send",
        options={"relative": True, "settings": {"beat_sync_every": 1}},
        bursts=(1_000,),
    ),
    Row(
        key="django-celery-beat",
        title="django-celery-beat",
        environment="django-celery-beat",
        program="django_beat.py",
        keeps="PostgreSQL",
        arrival="message",
        settings="DatabaseScheduler, as it comes",
        loading=7.0,
    ),
    Row(
        key="django-celery-beat-synced",
        title="django-celery-beat, synced",
        environment="django-celery-beat",
        program="django_beat.py",
        keeps="PostgreSQL",
        arrival="message",
        settings="DatabaseScheduler, beat_sync_every=1: the row is written after each send",
        options={"settings": {"beat_sync_every": 1}},
        bursts=(1_000,),
        loading=7.0,
    ),
    Row(
        key="redbeat",
        title="RedBeat",
        environment="redbeat",
        program="redbeat_redis.py",
        keeps="Redis",
        arrival="message",
        settings="relative=True, beat_max_loop_interval=1, redbeat_lock_timeout=25 (5 s come with it, "
        "less than a burst of 10,000 takes: it then ends itself)",
        options={"relative": True, "settings": {"beat_max_loop_interval": 1, "redbeat_lock_timeout": 25}},
        registering=1.5,
    ),
    Row(
        key="redbeat-default",
        title="RedBeat, as it comes",
        environment="redbeat",
        program="redbeat_redis.py",
        keeps="Redis",
        arrival="message",
        settings="its defaults: its lock outlives it by 25 minutes",
        bursts=(100,),
        registering=1.5,
    ),
    Row(
        key="procrastinate",
        title="Procrastinate",
        environment="procrastinate",
        program="procrastinate_periodic.py",
        cron=True,
        keeps="memory",
        arrival="row",
        settings="as it comes; it knows no other",
        loading=5.0,
    ),
    Row(
        key="dbos",
        title="DBOS",
        environment="dbos",
        program="dbos_schedules.py",
        cron=True,
        keeps="PostgreSQL",
        arrival="row",
        settings="automatic_backfill=True; its jitter of up to a tenth of the period cannot be turned off",
        options={"backfill": True},
        loading=7.0,
        registering=2.0,
    ),
    Row(
        key="dbos-default",
        title="DBOS, as it comes",
        environment="dbos",
        program="dbos_schedules.py",
        cron=True,
        keeps="PostgreSQL",
        arrival="row",
        settings="its defaults: automatic_backfill=False",
        bursts=(),
        loading=7.0,
    ),
    Row(
        key="rq",
        title="RQ cron",
        environment="rq",
        program="rq_cron.py",
        cron=True,
        keeps="memory",
        arrival="message",
        settings="cron lines with seconds",
        loading=5.0,
    ),
    Row(
        key="everytick-postgres-default",
        title="Everytick, PostgreSQL, as it comes",
        program="scheduler + runner",
        keeps="PostgreSQL",
        settings="catch_up latest, overlap skip: what is not run is a skipped tick with its reason",
        bursts=(),
        arrival="start",
        loading=8.0,
        registering=1.0,
        quick=True,
    ),
    Row(
        key="everytick-postgres-scheduler",
        title="Everytick, PostgreSQL, its scheduler alone killed",
        program="scheduler + runner",
        keeps="PostgreSQL",
        settings="as in the first row; the runners live on, as the workers of Celery or RQ would",
        options=_EVERY_TICK | {"runners": 2, "killed": 1},
        bursts=(),
        arrival="start",
        loading=8.0,
        registering=1.0,
        quick=True,
    ),
)
"""Every row, in the order of the table."""
