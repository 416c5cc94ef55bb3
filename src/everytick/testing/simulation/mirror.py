"""What the model knows of one row, one version, one edit: plain values of its own."""

from dataclasses import dataclass, field

from everytick.task import Task
from everytick.tick import Key, Reason, State
from everytick.when import Instant, Schedule


class LawBroken(Exception):
    """What the ledger or a program did that no law allows."""


@dataclass(slots=True, kw_only=True)
class Edition:
    """A version of a task, as whoever edited it meant it."""

    number: int
    since: Instant
    status: str
    paused_until: Instant | None
    anchor: Instant
    task: Task
    schedule: Schedule


@dataclass(slots=True, kw_only=True)
class Mirror:
    """A tick as its row last was.

    Beside the row: its lane, whether somebody asked it to stop, and the how-manieth tick of its world it was
    to begin.
    """

    key: Key
    version: int
    state: State
    reason: Reason | None
    attempt: int
    reruns: int
    holder: int | None
    prev_due: Instant | None
    next_due: Instant | None
    through: Instant | None
    count: int
    ready_at: Instant | None
    ended_at: Instant | None
    lane: int | None = None
    cancelled: bool = False
    begun: int = 0

    @property
    def active(self) -> bool:
        """Tell whether it has begun and not ended: it runs, or is in back-off."""
        return self.state is State.RUNNING or (self.state is State.PLANNED and self.attempt > 1)


@dataclass(slots=True, kw_only=True)
class Backfill:
    """A backfill that was asked for; ``stopped`` where its task was removed since."""

    task_id: int
    request: int
    version: int
    after: Instant
    through: Instant
    stopped: bool = False


@dataclass(slots=True, kw_only=True)
class Meant:
    """An edit of one task as its author means it; a status of None keeps what there is."""

    task: Task | None
    status: str | None
    paused_until: Instant | None = None


@dataclass(slots=True)
class Caller:
    """Who is writing: a process or a person, the moment by its own clock, and what edits it means."""

    process: int
    now: Instant
    meant: dict[str, Meant] = field(default_factory=dict)
