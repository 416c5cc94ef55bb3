"""A tick: one due instant of one task, and the states it may pass through.

            plan                   claim (local executor)
    (cursor) ──▶ planned ───────────────────────────────▶ running ──▶ succeeded
                  │ ▲ │  claim (broker)         worker       │ ▲ ├──▶ failed      error, timeout, lost
                  │ │ └──────────────▶ queued ──────────────┘  │ └──▶ cancelled
                  │ │                   │ │                    │
                  │ └───────────────────┘ └─▶ skipped (expired)│
                  │ └── handed back                            │
                  │   ◀────────────────────────────────────────┘ retry or rerun: attempt + 1
                  ├──▶ skipped      overlap, superseded, missed, expired, paused, shadow
                  └──▶ cancelled

A tick ends in exactly one recorded outcome; a row that has ended never changes again.
An instant is an int: microseconds since 1970-01-01T00:00:00Z.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from types import MappingProxyType

import msgspec

from everytick.errors import UsageError
from everytick.when import Instant, instant_of, moment_of

SECOND = 1_000_000
NEVER: Instant = 2**63 - 1
"""The ready_at of a tick that waits for something other than time."""

RESERVE: Instant = NEVER - 1
"""The ready_at of a tick that somebody asked for, and that stands in reserve: its task has enough in line."""


class State(StrEnum):
    """Where a tick is in its life; see the picture above."""

    PLANNED = "planned"  # nobody has it
    QUEUED = "queued"  # claimed for a broker, certainly not started
    RUNNING = "running"  # may have started
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class Reason(StrEnum):
    """Why a tick failed or was skipped."""

    ERROR = "error"  # the attempt said so: an exception, or an exit status other than 0
    TIMEOUT = "timeout"  # stopped for taking too long
    LOST = "lost"  # its process vanished, and it was not to be run again
    OVERLAP = "overlap"  # an earlier tick of the task still ran
    SUPERSEDED = "superseded"  # it waited, and a newer tick took its place
    MISSED = "missed"  # the next one was due before this one could be considered
    EXPIRED = "expired"  # not started within its start deadline
    PAUSED = "paused"  # due while the task was paused
    SHADOW = "shadow"  # only compared with another scheduler, never run


FAILURES = frozenset({Reason.ERROR, Reason.TIMEOUT, Reason.LOST})
"""The reasons of a failed tick."""

SKIPS = frozenset(Reason) - FAILURES
"""The reasons of a skipped tick."""

TERMINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.SKIPPED})
"""The states that end a tick."""

TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.PLANNED: frozenset({State.QUEUED, State.RUNNING, State.SKIPPED, State.CANCELLED}),
        State.QUEUED: frozenset({State.RUNNING, State.PLANNED, State.SKIPPED, State.CANCELLED}),
        State.RUNNING: frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.PLANNED}),
        State.SUCCEEDED: frozenset(),
        State.FAILED: frozenset(),
        State.CANCELLED: frozenset(),
        State.SKIPPED: frozenset(),
    }
)
"""Every legal move of a tick; all others are refused by the ledger."""


class Key(msgspec.Struct, frozen=True, order=True, gc=False):
    """The unique key of a tick: law 1 of the ledger.

    Like a row it is no dataclass: an audit makes ten million of them, each in a quarter of the time.

    Attributes:
        task_id: The task's id in the ledger.
        due_at: The nominal instant; never changed by lateness, jitter or retries.
        request: 0 for a scheduled tick, else the id of the change that asked for it.
    """

    task_id: int
    due_at: Instant
    request: int = 0


class TickRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of the ledger, whole; what is not known yet is None.

    Attributes:
        key: Which tick; of a range row the first of its instants.
        task: The task's name.
        version: The version of the task that planned it.
        prev_due: The instant before it that has a row: the chain that an audit follows.
        next_due: The instant after it, as it was known: what it can be missed by.
        through: The last instant of a range row.
        count: How many instants the row stands for.
        state: Where it is in its life.
        reason: Why it failed or was skipped.
        queue: Which runners may claim it.
        priority: Its strict class.
        ready_at: When it may start; NEVER where it waits for something other than time.
        attempt: The number of its current or last attempt.
        reruns: How many of its attempts were lost and followed by another.
        holder: The process that has it.
        sent_at: When a broker confirmed it.
        started_at: When its current or last attempt was started.
        ended_at: When it ended.
        summary: What it returned, as JSON text.
        proof: The checksum it was given when it ended.
    """

    key: Key
    task: str
    version: int
    prev_due: Instant | None
    next_due: Instant | None
    through: Instant | None
    count: int
    state: State
    reason: Reason | None
    queue: str
    priority: int
    ready_at: Instant | None
    attempt: int
    reruns: int
    holder: int | None
    sent_at: Instant | None
    started_at: Instant | None
    ended_at: Instant | None
    summary: str | None
    proof: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What a task is told about the tick it runs.

    Attributes:
        task: The task's name.
        due_at: The nominal instant, UTC.
        interval_start: The previous due_at, UTC: the data interval is [interval_start, due_at).
            None for the first tick of a task.
        attempt: 1 for the first try; the fencing token of this one.
        request: 0 for a scheduled tick, else the number of the change that asked for it.
    """

    task: str
    due_at: datetime
    interval_start: datetime | None
    attempt: int
    request: int = 0

    @property
    def name(self) -> str:
        """The tick's name: ``report@2026-11-21T06:00:00Z``."""
        return tick_name(self.task, instant_of(self.due_at), self.request)


def tick_name(task: str, due_at: Instant, request: int = 0) -> str:
    """Return the name people use for a tick: ``report@2026-11-21T06:00:00Z``, ``#request`` behind it."""
    return f"{task}@{rfc3339(due_at)}" + (f"#{request}" if request else "")


def parse_tick_name(name: str) -> tuple[str, Instant, int]:
    """Return task, due_at and request of a tick's name.

    Raises:
        UsageError: The text is not of the form ``TASK@INSTANT[#REQUEST]``.
    """
    task, _, rest = name.rpartition("@")
    moment, _, request = rest.partition("#")
    try:
        due_at, number = parse_rfc3339(moment), int(request or 0)
    except (ValueError, UsageError):
        task, due_at, number = "", 0, 0
    if not task or not 0 <= number < NEVER:
        raise UsageError(f"'{name}' names no tick; write it as report@2026-11-21T06:00:00Z")
    return task, due_at, number


@lru_cache(maxsize=128)  # many ticks are due in one instant
def rfc3339(instant: Instant) -> str:
    """Return an instant as RFC 3339 in UTC, with a fraction only where it has one."""
    text = moment_of(instant).isoformat().removesuffix("+00:00")
    return (text.rstrip("0") if instant % SECOND else text) + "Z"


def parse_rfc3339(text: str) -> Instant:
    """Return the instant of an RFC 3339 text.

    Raises:
        ValueError: It is no date-time.
        ScheduleError: It names no offset; a naive date-time is never guessed.
    """
    return instant_of(datetime.fromisoformat(text))


def proof(key: Key, ending: tuple[object, ...]) -> int:
    """Return the checksum a row is given when it ends, so that a later change of it shows.

    Args:
        key: The tick.
        ending: through, count, state, reason, attempt and ended_at of the row, in this order.
    """
    through, count, state, reason, attempt, ended_at = ending
    text = f"{key.task_id} {key.due_at} {key.request} {through} {count} {state} {reason} {attempt} {ended_at}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
