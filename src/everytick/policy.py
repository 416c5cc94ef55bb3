"""What a task wants done when time does not go as planned: values, not flags.

Durations are ints: microseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from hashlib import blake2b
from typing import Literal

from everytick.errors import UsageError

Duration = int
"""Microseconds."""

SECOND: Duration = 1_000_000
MINUTE: Duration = 60 * SECOND


class Priority(IntEnum):
    """Strict classes: of a queue, a ready tick of a lower number is always claimed first."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


class Overlapping(StrEnum):
    """What happens to a tick that is ready while an earlier one of its task is still active."""

    SKIP = "skip"  # it ends skipped(overlap)
    QUEUE_ONE = "queue_one"  # it waits; a newer one takes its place and it ends skipped(superseded)
    QUEUE_ALL = "queue_all"  # it waits its turn, by due_at
    CANCEL_RUNNING = "cancel_running"  # it waits, and the active one is asked to stop
    ALLOW = "allow"  # it runs beside, up to the limit; beyond that it ends skipped(overlap)


@dataclass(frozen=True, slots=True)
class Overlap:
    """An overlap policy.

    A tick is active from its first start to its outcome, the back-off between attempts included.

    Attributes:
        kind: See Overlapping.
        limit: How many may be active at once; None for as many as there are. Only ``allow`` has
            another limit than 1.
    """

    kind: Overlapping = Overlapping.SKIP
    limit: int | None = 1

    def __post_init__(self) -> None:
        if self.kind is not Overlapping.ALLOW and self.limit != 1:
            raise UsageError(f"overlap '{self.kind}' runs one tick at a time; only 'allow' takes a limit")
        if self.limit is not None and self.limit < 1:
            raise UsageError("the limit of overlap 'allow' must be at least 1")

    @classmethod
    def allow(cls, limit: int | None = None) -> "Overlap":
        """Return the policy that lets ticks run side by side."""
        return cls(Overlapping.ALLOW, limit)


class CatchingUp(StrEnum):
    """Which missed ticks still run; a tick is missed if the next one was due before it was considered."""

    LATEST = "latest"  # none of the missed: only the newest due tick runs
    ALL = "all"  # the missed ones within limit and window
    NONE = "none"  # none of the missed, nor any tick that is later than its grace


@dataclass(frozen=True, slots=True)
class CatchUp:
    """A catch-up policy.

    Attributes:
        kind: See CatchingUp.
        limit: For ``all``: at most so many of the newest missed ticks; None for all.
        window: For ``all``: only ticks due within so long before now; None for all.
        grace: For ``none``: how late a tick may be considered.
    """

    kind: CatchingUp = CatchingUp.LATEST
    limit: int | None = None
    window: Duration | None = None
    grace: Duration = MINUTE

    def __post_init__(self) -> None:
        if self.kind is not CatchingUp.ALL and (self.limit is not None or self.window is not None):
            raise UsageError(f"catch_up '{self.kind}' has no limit and no window; only 'all' has")
        if self.limit is not None and self.limit < 1:
            raise UsageError("the limit of catch_up 'all' must be at least 1")


@dataclass(frozen=True, slots=True)
class Retry:
    """When an attempt that failed is followed by another.

    Attributes:
        attempts: At most so many attempts in all, the first included. 1: no retry.
        backoff: ``fixed`` waits the same each time, ``exponential`` twice as long each time.
        delay: The first wait.
        max_delay: No wait is longer, its jitter aside.
        jitter: Up to this share is added to each wait, by a stable hash.
        on: What is tried again: ``error``, ``timeout``, or the name of an exception.
        until: ``next`` ends the retries before the next tick is due.
    """

    attempts: int = 1
    backoff: Literal["fixed", "exponential"] = "exponential"
    delay: Duration = 10 * SECOND
    max_delay: Duration = 10 * MINUTE
    jitter: float = 0.1
    on: tuple[str, ...] = ("error", "timeout")
    until: Literal["next"] | None = None

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise UsageError("retry attempts must be at least 1 (1 means: no retry)")
        if not 0 <= self.jitter <= 1:
            raise UsageError("retry jitter is a share between 0 and 1")

    def wait(self, failures: int, seed: Sequence[object]) -> Duration:
        """Return how long to wait after so many failed attempts.

        Args:
            failures: How many attempts of this tick have failed, at least 1.
            seed: What the jitter is derived from: the tick and the attempt.
        """
        doublings = min(failures - 1, 40) if self.backoff == "exponential" else 0
        wait = min(self.delay << doublings, self.max_delay)
        return wait + int(wait * self.jitter * fraction(*seed))


class Uncertain(StrEnum):
    """What to do with a tick whose attempt was lost, so that nobody knows whether it ran."""

    RERUN = "rerun"  # run it again, up to RERUNS times: it may have run twice
    SKIP = "skip"  # end it failed(lost): it may not have run at all


RERUNS = 3
"""How often a tick whose attempts are lost is run again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """All policies of one task.

    Attributes:
        catch_up: Which missed ticks still run.
        overlap: What happens while an earlier tick is active.
        retry: When a failed attempt is followed by another.
        uncertain: What to do after a loss.
        jitter: Ticks start up to so much later, spread by a stable hash of task and due_at.
        timeout: How long an attempt may take: then SIGTERM, and after ``grace`` SIGKILL.
        grace: The time between SIGTERM and SIGKILL.
        start_within: Start deadline, from ready_at: not started by then, the tick is skipped(expired).
            What somebody asked for, by hand or as a backfill, has none.
        finish_within: Finish deadline, from due_at: not succeeded by then, the task is late.
        fresh_within: Older than that since its last success, the task is stale.
        pause_after: Pause the task after so many failed ticks in a row.
        priority: Strict class for claiming.
        queue: Which runners may claim its ticks.
    """

    catch_up: CatchUp = field(default_factory=CatchUp)
    overlap: Overlap = field(default_factory=Overlap)
    retry: Retry = field(default_factory=Retry)
    uncertain: Uncertain = Uncertain.RERUN
    jitter: Duration = 0
    timeout: Duration | None = None
    grace: Duration = 10 * SECOND
    start_within: Duration | None = None
    finish_within: Duration | None = None
    fresh_within: Duration | None = None
    pause_after: int | None = None
    priority: Priority = Priority.NORMAL
    queue: str = "default"


def fraction(*seed: object) -> float:
    """Return a stable pseudo-random share in [0, 1) of what is given."""
    digest = blake2b(" ".join(str(part) for part in seed).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def jittered(policies: Policies, task: str, due_at: int, next_due: int | None) -> int:
    """Return when a tick may first start: due_at + jitter, always before the next one is due."""
    spread = policies.jitter
    if not spread:
        return due_at
    if next_due is not None:
        spread = min(spread, next_due - due_at)
    return due_at + int(spread * fraction(task, due_at))
