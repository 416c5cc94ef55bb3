"""Revise: decide what an edit of a task does to its versions and its ticks, without touching anything.

An edit, a pause, a resume and a removal are versions. What is due up to S keeps the version it has;
what was planned beyond S is deleted and planned anew under the new version, in force over (S, ...].
S is the moment of the edit, or the due_at of the newest tick that has left ``planned``, if that is later.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from everytick.plan import Status, Version, next_instant, stretches, wake_at
from everytick.task import Task
from everytick.tick import SECOND
from everytick.when import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a task stands in the ledger when it is edited.

    Attributes:
        task_id: The task.
        versions: Its versions that reach beyond its cursor, by number.
        planned_through: How far it is planned.
        settled_through: The newest instant whose scheduled tick has left ``planned``.
    """

    task_id: int
    versions: Sequence[Version]
    planned_through: Instant
    settled_through: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What to write.

    Attributes:
        task_id: The task.
        version: The new version; its ``since`` is S, and planned ticks due after it are deleted.
        planned_through: Where the cursor goes.
        next_due: When planning has to look at the task again.
        repointed: The next_due of the newest tick that stays planned: what it now waits to be missed by.
        held_until: Retries that a pause holds until then are considered again at once.
    """

    task_id: int
    version: Version
    planned_through: Instant
    next_due: Instant | None
    repointed: Instant | None
    held_until: Instant | None = None


def revise(
    standing: Standing, task: Task, status: Status, now: Instant, *, paused_until: Instant | None = None
) -> Revision:
    """Return what an edit writes.

    The anchor of intervals stays, so that frequent edits cannot put a tick off for ever; a task that
    was removed begins anew.

    Args:
        standing: How the task stands.
        task: The task as it is to be.
        status: Active, paused or removed.
        now: The moment of the edit.
        paused_until: When a pause ends by itself.
    """
    newest = standing.versions[-1]
    since = max(now, standing.settled_through or now, newest.since + 1)
    anchor = since if newest.status is Status.REMOVED else newest.anchor
    version = Version(
        version=newest.version + 1,
        since=since,
        status=status,
        paused_until=paused_until,
        anchor=anchor,
        task=task,
        schedule=task.schedule.bound(name=task.name, anchor=anchor),
    )
    planned_through = min(standing.planned_through, since)
    found = stretches([*standing.versions, version], planned_through)
    return Revision(
        task_id=standing.task_id,
        version=version,
        planned_through=planned_through,
        next_due=wake_at(found, planned_through, now),
        repointed=next_instant(found, since),
        held_until=newest.paused_until,
    )


def begin(task_id: int, task: Task, now: Instant) -> Revision:
    """Return what the first version of a task writes: it is in force from now on.

    Its intervals count from the whole second, so that its ticks have short names.
    """
    anchor = now - now % SECOND
    schedule = task.schedule.bound(name=task.name, anchor=anchor)
    version = Version(
        version=1,
        since=now,
        status=Status.ACTIVE,
        paused_until=None,
        anchor=anchor,
        task=task,
        schedule=schedule,
    )
    return Revision(
        task_id=task_id,
        version=version,
        planned_through=now,
        next_due=schedule.instant_after(now),
        repointed=None,
    )
