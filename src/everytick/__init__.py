"""Periodic tasks: every tick runs on time, once, and is accounted for.

The public names are looked up when they are first used, so that a worker process, which needs few of
them, stays small. Type checkers read ``__init__.pyi``.
"""

from importlib import import_module

from everytick.release import VERSION

_HOMES = {
    "At": "when",
    "Call": "task",
    "CatchUp": "policy",
    "Command": "task",
    "Cron": "when",
    "Every": "when",
    "Everytick": "app",
    "Inline": "task",
    "Overlap": "policy",
    "Policies": "policy",
    "Priority": "policy",
    "Retry": "policy",
    "Schedule": "when",
    "Task": "task",
    "Tick": "tick",
    "duration": "settings",
    "schedule": "when",
}

__all__ = [*sorted(_HOMES), "__version__"]  # noqa: PLE0604 - the names are the table's

__version__ = VERSION


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'everytick' has no attribute '{name}'")
    return getattr(import_module(f"everytick.{_HOMES[name]}"), name)
