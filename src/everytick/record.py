"""The record: what a ledger keeps of what was, and how an audit reads it.

Part of the contract of every ledger; see ledger.py for the rest of it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from everytick.plan import Cursor, Status
from everytick.proof.seal import Seal
from everytick.tick import Key, TickRow
from everytick.when import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Who did what, and why; append-only.

    Attributes:
        id: Its number; 0 before it is written.
        at: When.
        actor: Who, such as a login name.
        act: ``apply``, ``edit``, ``pause``, ``resume``, ``remove``, ``run``, ``backfill``, ``cancel``, ...
        note: Why, in the actor's words.
        detail: What exactly, as JSON text.
    """

    id: int = 0
    at: Instant
    actor: str
    act: str
    note: str = ""
    detail: str = ""


class VersionRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of a task, as it was written.

    Attributes:
        task_id: The task.
        name: Its name.
        origin: Whose definitions it belongs to.
        version: Its number, from 1.
        since: It is in force over (since, the next version's since].
        status: Active, paused or removed.
        paused_until: When a pause ends by itself.
        anchor: What its intervals count from.
        rules: Fingerprint of the time zone data and calendars it was written under.
        definition: The task as JSON text.
        change_id: The change that wrote it.
    """

    task_id: int
    name: str
    origin: str
    version: int
    since: Instant
    status: Status
    paused_until: Instant | None
    anchor: Instant
    rules: str
    definition: str
    change_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """A backfill, whether it is planned to its end or not.

    Attributes:
        cursor: How far it is planned.
        change: Who asked for it, and over which span.
    """

    cursor: Cursor
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What an audit has to know of a task before it reads its rows.

    Attributes:
        task_id: The task.
        name: Its name.
        planned_through: How far its schedule is planned.
        versions: All its versions, by number.
        backfills: All its backfills, also those planned to their end, in order of their changes.
        before: The newest row of its schedule due at or before the moment that was asked for.
        seal: What was pruned of it; None where nothing was.
    """

    task_id: int
    name: str
    planned_through: Instant
    versions: Sequence[VersionRow]
    backfills: Sequence[Backfill]
    before: TickRow | None
    seal: Seal | None = None


class Record(Protocol):
    """What an audit asks a ledger."""

    def task_count(self) -> int:
        """Return how many tasks there are, removed ones too."""
        ...

    def histories(
        self, since: Instant | None, *, behind: int = 0, limit: int = 1000, names: Sequence[str] | None = None
    ) -> list[History]:
        """Return what an audit has to know of tasks, by their numbers, removed ones too.

        Args:
            since: Where the audit begins; None at the beginning, and then there is no row before it.
            behind: Only tasks with a higher number.
            limit: At most so many.
            names: Only tasks of these names.
        """
        ...

    def recorded(
        self,
        task_id: int,
        after: Instant,
        through: Instant,
        *,
        last: int | None = None,
        behind: Key | None = None,
    ) -> Iterator[TickRow]:
        """Return the rows of a task due in (after, through], by due_at and request, for an audit.

        Args:
            task_id: The task.
            after: Only what is due later.
            through: Only what is due by then.
            last: Not of one task alone, but of all from that number through this one, task by task.
            behind: Only what comes behind this one.

        Raises:
            UnreadableRow: A row holds what no release has written.
        """
        ...

    def recorded_by_time(
        self, after: Instant, through: Instant, *, behind: Key | None = None
    ) -> Iterator[TickRow]:
        """Return the rows of all tasks due in (after, through], by due_at: as they lie, where tasks are few.

        Args:
            after: Only what is due later.
            through: Only what is due by then.
            behind: Only what comes behind this one.

        Raises:
            UnreadableRow: A row holds what no release has written.
        """
        ...

    def recorded_before(self, task_id: int, request: int, moment: Instant) -> TickRow | None:
        """Return the newest row of a task's schedule, or of a backfill, due at or before a moment."""
        ...

    def backfills_asked(self, *tasks: int) -> list[Backfill]:
        """Return all backfills of tasks, also those planned to their end, by task and change."""
        ...

    def seals(self, tasks: Collection[int]) -> list[Seal]:
        """Return the seals of tasks, by task."""
        ...

    def standing(self, keys: Collection[Key]) -> set[Key]:
        """Return which of these ticks have a row."""
        ...
