"""Tasks of every second, no two alike."""

from itertools import cycle

from .ground import Job

_SCHEDULES = ("every 1s", "* * * * * *")
_LENGTHS = (0.0, 0.1, 0.4, 0.8, 1.3)
_KINDS = ("call", "command", "call")
_POLICIES = (
    "",
    'overlap = "queue_one"',
    'uncertain = "skip"',
    'catch_up = { policy = "all", limit = 5 }',
    'overlap = { policy = "allow", limit = 2 }',
    'overlap = "queue_one"\nuncertain = "skip"\ncatch_up = { policy = "all", window = "20s" }',
    'overlap = "cancel_running"',
    'catch_up = { policy = "none", grace = "2s" }\npriority = "high"',
)


def mixture(count: int = 20) -> list[Job]:
    """Return so many tasks."""
    parts = zip(
        cycle(_SCHEDULES), cycle(_LENGTHS), cycle(_KINDS), cycle(_POLICIES), range(count), strict=False
    )
    return [
        Job(
            name=f"task-{number:02}",
            schedule=schedule,
            seconds=seconds,
            kind=kind,
            policies=policies,
            alone="allow" not in policies,
            child=number % 5 == 0,
        )
        for schedule, seconds, kind, policies, number in parts
    ]
