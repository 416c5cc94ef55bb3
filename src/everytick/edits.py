"""Edits: what people do to tasks and ticks, written with who did it and why."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from everytick.differences import Difference, Differences, Found
from everytick.errors import EditRefused, UnknownName, UsageError
from everytick.ledger import Change, Ledger, TaskRow, TickFilter, VersionRow
from everytick.plan import PlannedTick, Status, Version
from everytick.revise import Revision, Standing, begin, revise
from everytick.task import Task
from everytick.tick import NEVER, TERMINAL, Key, State, tick_name
from everytick.versions import Versions, revived
from everytick.when import Instant

log = logging.getLogger("everytick")


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who makes a change, and why.

    Attributes:
        actor: A login name, or a program's.
        note: Why, in the actor's own words.
    """

    actor: str
    note: str = ""


PART = 10_000
"""So many tasks are written by one transaction: what they have is locked for a second, not for minutes."""

Told = Callable[[float, float], None]
"""Told how much is done, of how much."""


def _nobody(_done: float, _total: float) -> None:
    """Look away."""


class Edits:
    """Changes to the tasks and ticks of a ledger.

    Args:
        ledger: Where they are written.
        versions: The definitions that are edited.
    """

    def __init__(self, ledger: Ledger, versions: Versions) -> None:
        self._ledger = ledger
        self._versions = versions

    def compare(self, tasks: Iterable[Task], origin: str) -> Differences:
        """Return what applying these tasks would change; tasks of other origins are not looked at.

        Raises:
            NameTaken: Two of them have one name.
            UsageError: A task of that name belongs to another origin.
        """
        found = Differences(tasks, origin)
        found.keep(self._differing(found.wanted(), origin))
        return found

    def apply(
        self,
        differences: Differences,
        clock: Callable[[], Instant],
        author: Author,
        told: Told = _nobody,
    ) -> int:
        """Write what compare() found as one change; return its number, 0 for nothing to do.

        Up to PART of them are written whole or not at all. More are written in parts, by name, each in
        force from its own moment on: nobody's ticks wait for all of them. While one is written, a thread
        reads the next. What ends between two parts leaves the rest undone, which is told; comparing and
        applying again does it.

        Args:
            differences: What compare() found.
            clock: Tells the moment.
            author: Who applies them.
            told: Told how many are written, of how many.

        Raises:
            EditRefused: Somebody edited one of the tasks meanwhile; of its part nothing is written.
        """
        total = len(differences)
        detail = _json(differences.counts())
        number = done = 0
        try:
            with closing(differences.parts(PART)) as parts:
                for part in parts:
                    change = Change(
                        id=number,
                        at=clock(),
                        actor=author.actor,
                        act="apply",
                        note=author.note,
                        detail=detail,
                    )
                    number = self._apply(part, change)
                    done += len(part)
                    told(done, total)
        except BaseException as end:
            if number:
                _tell_half(end, f"{done:,} of {total:,} tasks are written, as change {number}")
            raise
        return number

    def _apply(self, differences: Sequence[Difference], change: Change) -> int:
        def decide(known: Mapping[str, TaskRow], numbers: Mapping[str, int]) -> list[Revision]:
            revisions = []
            for one in differences:
                name, row = one.name, known.get(one.name)
                if (row.newest.version if row else 0) != one.version:
                    raise EditRefused(f"task '{name}' was edited meanwhile; look at the difference again")
                if row is None:
                    revisions.append(begin(numbers[name], one.after, change.at))
                else:
                    status = _status(one, row, change.at)
                    until = row.newest.paused_until if status is Status.PAUSED else None
                    standing = self._standing(row, one.after)
                    revisions.append(revise(standing, one.after, status, change.at, paused_until=until))
            return revisions

        return self._ledger.edit(change, [one.name for one in differences], decide)

    def pause(self, name: str, now: Instant, author: Author, *, until: Instant | None = None) -> None:
        """Pause a task: its ticks are skipped(paused) until it is resumed, or until an instant.

        Raises:
            UnknownName: There is no such task.
            UsageError: It is paused already, or the pause would end before it begins.
        """
        if until is not None and until <= now:
            raise UsageError("a pause must end after it begins")
        self._set(name, Status.PAUSED, now, author, act="pause", until=until)

    def resume(self, name: str, now: Instant, author: Author) -> None:
        """Resume a paused task.

        Raises:
            UnknownName: There is no such task.
            UsageError: It is not paused.
        """
        self._set(name, Status.ACTIVE, now, author, act="resume")

    def _set(
        self,
        name: str,
        status: Status,
        now: Instant,
        author: Author,
        *,
        act: str,
        until: Instant | None = None,
    ) -> None:
        row = self.task(name)
        if _effective(row, now) is status:
            raise UsageError(f"task '{name}' is {status.value} already")

        def decide(known: Mapping[str, TaskRow], _: Mapping[str, int]) -> list[Revision]:
            if known[name].newest.version != row.newest.version:
                raise EditRefused(f"task '{name}' was edited meanwhile; look again")
            task = self._newest(known[name]).task
            return [revise(self._standing(known[name], task), task, status, now, paused_until=until)]

        change = Change(at=now, actor=author.actor, act=act, note=author.note, detail=_json({"task": name}))
        self._ledger.edit(change, [name], decide)

    def run(self, name: str, now: Instant, author: Author) -> Key:
        """Ask for one tick now; it waits its turn where the task is active.

        Raises:
            UnknownName: There is no such task.
        """
        row = self.task(name)
        version = self._newest(row)
        tick = PlannedTick(
            due_at=now,
            version=version.version,
            prev_due=None,
            next_due=None,
            ready_at=now,
            policies=version.task.policies,
        )
        change = Change(at=now, actor=author.actor, act="run", note=author.note, detail=_json({"task": name}))
        return self._ledger.request(change, row.newest.task_id, tick)

    def backfill(
        self, name: str, after: Instant, through: Instant, now: Instant, author: Author
    ) -> tuple[int, int]:
        """Ask for a tick at every instant that the schedule yields in (after, through].

        They wait their turn and are planned a hundred at a time, so that no number of them crowds out
        other tasks.

        Returns:
            The number of the change, and how many ticks it asks for.

        Raises:
            UnknownName: There is no such task.
            UsageError: There is no instant in the span.
        """
        row = self.task(name)
        version = self._newest(row)
        first = version.schedule.instant_after(after)
        if first is None or first > through:
            raise UsageError(f"task '{name}' is never due in that span; nothing to backfill")
        count = version.schedule.count(after, through)
        detail = _json({"task": name, "after": after, "through": through, "count": count})
        change = Change(at=now, actor=author.actor, act="backfill", note=author.note, detail=detail)
        return self._ledger.backfill(change, row.newest.task_id, after, through, first), count

    def cancel(self, name: str, key: Key, now: Instant, author: Author) -> State:
        """End a tick that has not started, or ask its attempt to stop; return the state it was in.

        Raises:
            UnknownName: There is no such tick.
            UsageError: It has ended.
        """
        tick = tick_name(name, key.due_at, key.request)
        change = Change(
            at=now, actor=author.actor, act="cancel", note=author.note, detail=_json({"tick": tick})
        )
        state = self._ledger.cancel(change, key)
        if state is None:
            raise UnknownName(f"there is no tick {tick}; everytick ticks {name} lists them")
        if state in TERMINAL:
            raise UsageError(f"{tick} has ended: it {_ENDED[state]}")
        return state

    def task(self, name: str) -> TaskRow:
        """Return a task that is not removed.

        Raises:
            UnknownName: There is none.
        """
        for row in self._ledger.tasks(name=name):
            if row.newest.status is not Status.REMOVED:
                return row
        raise UnknownName(f"there is no task '{name}'; everytick tasks lists them")

    def pause_if_failing(self, task: Task, now: Instant) -> bool:
        """Pause a task whose newest ticks have all failed, if its policies say so; tell whether.

        What failed before the last edit, or the last resume, does not count.
        """
        limit = task.policies.pause_after
        if limit is None:
            return False
        ended = tuple(TERMINAL - {State.SKIPPED})
        note = f"paused after {limit} failed ticks in a row; resume it when the cause is mended"
        try:
            since = self.task(task.name).newest.since
            newest = self._ledger.ticks(TickFilter(task=task.name, states=ended, since=since, limit=limit))
            if len(newest) < limit or any(tick.state is not State.FAILED for tick in newest):
                return False
            self.pause(task.name, now, Author(actor="everytick", note=note))
        except (UsageError, EditRefused):
            return False
        return True

    def _differing(self, wanted: Iterator[tuple[str, str]], origin: str) -> Iterator[Found]:
        """Yield what differs: goes through the tasks that are wanted and those of the ledger by name."""
        name, after = next(wanted, _END)
        for row in self._ledger.tasks():
            while name < row.newest.name:
                yield name, "add", "", after, 0
                name, after = next(wanted, _END)
            if name == row.newest.name:
                yield from _difference(row.newest, after, origin)
                name, after = next(wanted, _END)
            elif row.newest.origin == origin and self._can_be_removed(row):
                definition = row.newest.definition
                yield row.newest.name, "remove", definition, definition, row.newest.version
        while name != _END[0]:
            yield name, "add", "", after, 0
            name, after = next(wanted, _END)

    def _can_be_removed(self, row: TaskRow) -> bool:
        if row.newest.status is Status.REMOVED:
            return False
        try:
            self._newest(row)
        except UsageError as fault:
            log.error("not removed, define it anew first: %s", fault)  # noqa: TRY400 - a person's to mend
            return False
        return True

    def _newest(self, row: TaskRow) -> Version:
        self._versions.keep(row.newest)
        return self._versions.version(row.newest.task_id, row.newest.version)

    def _standing(self, row: TaskRow, task: Task) -> Standing:
        """Return how a task stands; what no release can plan any more, it stands beyond.

        Where the versions that reach beyond the cursor cannot be read, nobody knows their instants: the
        edit leaves them behind, and an audit says that it could only follow the chain.
        """
        newest = row.newest
        planned_through = row.planned_through
        self._versions.keep(newest)
        try:
            versions = self._versions.since(newest.task_id, newest.version, planned_through)
        except UsageError as fault:
            log.warning("task '%s' is planned anew from now on: %s", newest.name, fault)
            versions = [replace(revived(newest, task), status=Status.REMOVED, paused_until=None)]
            planned_through = NEVER
        return Standing(
            task_id=newest.task_id,
            versions=versions,
            planned_through=planned_through,
            settled_through=row.settled_through,
        )


def _tell_half(end: BaseException, written: str) -> None:
    """Tell what an apply has written that ended half-way; the last part may be in doubt."""
    if isinstance(end, EditRefused):
        raise EditRefused(f"{end}; {written}; apply again for the rest") from end
    log.warning("not all is applied: at least %s; apply again for the rest", written)


_END = ("\x7f", "")
"""Behind all names."""


def _difference(newest: VersionRow, after: str, origin: str) -> Iterator[Found]:
    """Yield what differs of a task that is wanted, and of which the ledger knows."""
    if newest.status is Status.REMOVED:
        yield newest.name, "add", "", after, newest.version
    elif newest.origin != origin:
        raise UsageError(
            f"task '{newest.name}' belongs to {newest.origin}, not to {origin}; "
            "give yours another name, or remove it there first; if these are its tasks, say so: "
            f'origin = "{newest.origin}"'
        )
    elif newest.definition != after:
        yield newest.name, "change", newest.definition, after, newest.version


_ENDED: Mapping[State, str] = {
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELLED: "was cancelled",
    State.SKIPPED: "was skipped",
}


def _effective(row: TaskRow, now: Instant) -> Status:
    """Return a task's status, a pause that ended by itself counted as over."""
    newest = row.newest
    over = newest.paused_until is not None and newest.paused_until <= now
    return Status.ACTIVE if newest.status is Status.PAUSED and over else newest.status


def _status(one: Difference, row: TaskRow, now: Instant) -> Status:
    if one.kind == "remove":
        return Status.REMOVED
    return Status.PAUSED if _effective(row, now) is Status.PAUSED else Status.ACTIVE


def _json(detail: Mapping[str, object]) -> str:
    return msgspec.json.encode(detail, order="deterministic").decode()
