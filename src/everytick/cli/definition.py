"""A task's definition in the words of the configuration; what is as it always is goes without saying."""

import shlex
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from enum import Enum

from everytick.policy import CatchUp, Overlap, Overlapping, Policies, Retry
from everytick.task import Command, Task
from everytick.when import format_duration

_DURATIONS = {
    "jitter", "timeout", "grace", "start_within", "finish_within", "fresh_within", "delay", "max_delay",
    "window",
}  # fmt: skip


def words(task: Task) -> dict[str, str]:
    """Return what a definition says, by the configuration's keys: schedule, work, and policies."""
    return {"schedule": str(task.schedule)} | _work(task) | _policies(task.policies)


def _work(task: Task) -> dict[str, str]:
    work = task.work
    if isinstance(work, Command):
        told = {"command": shlex.join(work.command), "directory": work.directory or ""}
        given: Mapping[str, Mapping[str, object]] = {"environment": work.environment}
    else:
        told, given = {type(work).__name__.lower(): work.call}, {"arguments": work.arguments}
    told |= {
        key: ", ".join(f"{name} = {part!r}" for name, part in table.items()) for key, table in given.items()
    }
    return {key: text for key, text in told.items() if text}


def _policies(policies: Policies) -> dict[str, str]:
    usual = Policies()
    given = ((each.name, getattr(policies, each.name)) for each in fields(Policies))
    return {name: _said(name, value) for name, value in given if value != getattr(usual, name)}


def _said(name: str, value: object) -> str:
    match value:
        case CatchUp():
            return ", ".join([value.kind, *_differing(value, CatchUp(value.kind))])
        case Overlap():
            limited = value.kind is Overlapping.ALLOW and value.limit is not None
            return f"{value.kind}, limit {value.limit}" if limited else value.kind
        case Retry():
            return ", ".join(_differing(value, Retry()))
        case Enum():
            return value.name.lower()
        case tuple():
            return " or ".join(str(part) for part in value)
        case float():
            return f"{value * 100:g}%"
        case int() if name in _DURATIONS:
            return format_duration(timedelta(microseconds=value))
        case _:
            return str(value)


def _differing(value: CatchUp | Retry, usual: CatchUp | Retry) -> list[str]:
    given = ((each.name, getattr(value, each.name)) for each in fields(value))
    return [f"{name} {_said(name, part)}" for name, part in given if part != getattr(usual, name)]
