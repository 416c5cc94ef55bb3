"""A task: what runs, on one schedule, under its policies.

A task is a value. What the ledger keeps of it is its definition, a JSON text that is the same for
equal tasks, so that applying an unchanged task writes nothing.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from everytick.errors import UsageError
from everytick.policy import Policies
from everytick.tick import Key, rfc3339, tick_name
from everytick.when import Instant, Schedule, moment_of
from everytick.when import schedule as parse_schedule

JSON = Any
"""What a JSON text can hold."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,199}")


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="call"):
    """A Python callable, run in a worker process.

    Attributes:
        call: ``package.module:function`` or ``/path/file.py:function``.
        arguments: Keyword arguments beside the tick; JSON values.
    """

    call: str
    arguments: dict[str, JSON] = {}


class Command(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="command"):
    """A program with its arguments, run without a shell.

    Attributes:
        command: The program and its arguments.
        directory: Where it runs; None for the runner's own directory.
        environment: Variables beside the runner's own and EVERYTICK_*.
    """

    command: tuple[str, ...]
    directory: str | None = None
    environment: dict[str, str] = {}


class Inline(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="inline"):
    """A Python callable, run inside the runner's own process: quick and trusted work only.

    Attributes:
        call: As for Call.
        arguments: As for Call.
    """

    call: str
    arguments: dict[str, JSON] = {}


Work = Call | Command | Inline
"""What runs."""


class _Definition(msgspec.Struct, frozen=True, kw_only=True):
    schedule: str
    work: Work
    policies: Policies


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    schedule: str
    work: Work
    policies: msgspec.Raw


_DEFAULT = Policies()
_WRITTEN = msgspec.json.Decoder(_Written)


@lru_cache(maxsize=4096)  # a hundred thousand tasks share a few
def _policies(text: bytes) -> Policies:
    return msgspec.json.decode(text, type=Policies)


class Task(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A task.

    Attributes:
        name: Unique in the ledger: letters, digits and ``_ . : / -``.
        schedule: When it is due, as it was written: not bound to an anchor.
        work: What runs.
        policies: What to do when time does not go as planned.
        origin: Which set of definitions it belongs to; ``apply`` removes only tasks of its own origin.
    """

    name: str
    schedule: Schedule
    work: Work
    policies: Policies = _DEFAULT
    origin: str = "python"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                f"'{self.name}' cannot name a task: begin with a letter or a digit, "
                "then letters, digits and _ . : / - only, 200 at most"
            )

    @property
    def definition(self) -> str:
        """The JSON text that the ledger keeps; equal tasks give equal texts."""
        whole = _Definition(schedule=str(self.schedule), work=self.work, policies=self.policies)
        return msgspec.json.encode(whole, order="deterministic").decode()


def read_definition(name: str, origin: str, text: str) -> Task:
    """Return the task that a definition describes.

    Raises:
        UsageError: The text is none that this release understands; the message names the task.
    """
    try:
        whole = _WRITTEN.decode(text)
        return Task(
            name=name,
            schedule=parse_schedule(whole.schedule),
            work=whole.work,
            policies=_policies(bytes(whole.policies)),
            origin=origin,
        )
    except (msgspec.DecodeError, RecursionError, UsageError) as fault:
        raise UsageError(f"the definition of task '{name}' cannot be read: {fault}") from fault


def environment(task: str, key: Key, attempt: int, interval_start: Instant | None) -> dict[str, str]:
    """Return the variables that tell a command about its tick."""
    told = {
        "EVERYTICK_TASK": task,
        "EVERYTICK_TICK": tick_name(task, key.due_at, key.request),
        "EVERYTICK_DUE_AT": rfc3339(key.due_at),
        "EVERYTICK_ATTEMPT": str(attempt),
    }
    if interval_start is not None:
        told["EVERYTICK_INTERVAL_START"] = rfc3339(interval_start)
    return told


def told(task: str, key: Key, attempt: int, interval_start: Instant | None) -> Mapping[str, JSON]:
    """Return the fields of the Tick that a callable is given, as JSON values."""
    return {
        "task": task,
        "due_at": _isoformat(key.due_at),
        "interval_start": None if interval_start is None else _isoformat(interval_start),
        "attempt": attempt,
        "request": key.request,
    }


@lru_cache(maxsize=128)  # many ticks are due in one instant
def _isoformat(instant: Instant) -> str:
    return moment_of(instant).isoformat()
