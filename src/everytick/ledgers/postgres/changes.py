"""What people change in a PostgreSQL ledger: edits, requests, backfills and cancels; each is written down."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from everytick.consider import End
from everytick.ledger import Change, EditDecision, TaskRow
from everytick.ledgers import rows
from everytick.ledgers.postgres.arrays import array, numbers
from everytick.ledgers.postgres.connection import Clash, Connection
from everytick.ledgers.postgres.lanes import admit, ask_to_stop, end, wake
from everytick.ledgers.rows import bound
from everytick.plan import UNSTARTED, PlannedTick, Status
from everytick.proof.seal import Seal
from everytick.revise import Revision
from everytick.tick import NEVER, RESERVE, TERMINAL, Key, State
from everytick.when import Instant

T = TypeVar("T")

_SIGNS = ("backfill", "resume")
"""What may bring a cursor that begins in the past; next_plan looks for it."""

_PART = 10_000
"""So many tasks are read or written by one statement."""


class PostgresChanges:
    """What the commands do to a PostgreSQL ledger."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def edit(self, change: Change, names: Sequence[str], decide: EditDecision) -> int:
        return self._db.transact(
            lambda: self._edit(change, sorted(set(names)), decide), begin="begin_edit", clash=True
        )

    def _edit(self, change: Change, names: Sequence[str], decide: EditDecision) -> int:
        change_id = change.id or self._change(change)
        known: dict[str, TaskRow] = {}
        for part in _parts(names):
            known |= self._locked(part)
        found = {name: row.newest.task_id for name, row in known.items()}
        new: dict[int, str] = {}
        for part in _parts([name for name in names if name not in known]):
            found |= self._numbers(part)
            rest = [name for name in part if name not in found]
            new |= zip(self._free_numbers(len(rest)), rest, strict=True)
        found |= {name: number for number, name in new.items()}
        for revisions in _parts(decide(known, found)):
            self._make([one for one in revisions if one.task_id in new], new)
            self._db.many("adopt_tasks", [_owned(one) for one in revisions if one.task_id not in new])
            self._revise(revisions, change_id, change.at)
        return change_id

    def _locked(self, names: Sequence[str]) -> Mapping[str, TaskRow]:
        """Return tasks that nobody else plans, starts or edits now."""
        wanted = array(names)
        tasks = sorted({row[0] for row in self._db.rows("lock_cursors", names=wanted)})
        if not tasks:
            return {}
        self._db.rows("lock_planned", tasks=numbers(tasks))
        found = [rows.task(row) for row in self._db.rows("select_named", names=wanted)]
        return {row.newest.name: row for row in found}

    def _numbers(self, names: Sequence[str]) -> Mapping[str, int]:
        """Return the numbers of those tasks that are there without a version."""
        return dict(self._db.rows("task_numbers", names=array(names)))

    def _free_numbers(self, count: int) -> list[int]:
        """Return numbers for new tasks, which nobody else gets."""
        return [row[0] for row in self._db.rows("next_numbers", schema=self._db.quoted, count=count)]

    def _make(self, revisions: Sequence[Revision], names: Mapping[int, str]) -> None:
        """Make tasks; where somebody else made one of them meanwhile, all is looked at again."""
        made = [_owned(one) | {"name": names[one.task_id]} for one in revisions]
        if self._db.many("insert_tasks", made) != len(made):
            raise Clash

    def _change(self, change: Change) -> int:
        if change.act in _SIGNS:
            self._db.row("in_turn")
        found = self._db.row(
            "insert_change",
            at=change.at,
            actor=change.actor,
            act=change.act,
            note=change.note,
            detail=change.detail,
        )
        return 0 if found is None else int(found[0])

    def _revise(self, revisions: Sequence[Revision], change_id: int, now: Instant) -> None:
        self._db.many("insert_versions", [_version(one, change_id) for one in revisions])
        later = [one for one in revisions if one.version.version > 1]
        newest = self._cut(later) if later else {}
        if later:
            self._stir(later, now)
        self._db.many(
            "set_cursors",
            [
                {
                    "task_id": one.task_id,
                    "version": one.version.version,
                    "planned_through": one.planned_through,
                    "last_due": newest.get(one.task_id),
                    "next_due": one.next_due,
                }
                for one in revisions
            ],
        )

    def _cut(self, revisions: Sequence[Revision]) -> dict[int, Instant | None]:
        """Delete what was planned beyond the new versions; return the newest instants that stay, or stood."""
        since = [{"task_id": one.task_id, "since": one.version.since} for one in revisions]
        self._db.many("delete_planned", since)
        newest = {row[0]: row[1:] for row in self._db.batch("newest_rows", since)}
        self._db.many(
            "repoint_ticks",
            [
                {"task_id": one.task_id, "due_at": newest[one.task_id][0], "next_due": one.repointed}
                for one in revisions
                if one.task_id in newest
            ],
        )
        pruned = [one.task_id for one in revisions if one.task_id not in newest]
        found = self._db.rows("select_seals", tasks=numbers(pruned)) if pruned else []
        stood = {one.task_id: one.last for one in (Seal.read(*row) for row in found)}
        return stood | {task_id: row[1] for task_id, row in newest.items()}

    def _stir(self, revisions: Sequence[Revision], now: Instant) -> None:
        """Let what waits for more than time be considered again under the new versions."""
        held = {one.task_id: one.held_until for one in revisions}
        idle = self._db.rows("select_idle", tasks=numbers(sorted(held)))
        self._db.many(
            "delay_ticks",
            [
                {"task_id": task_id, "due_at": due_at, "request": request, "ready_at": now}
                for task_id, due_at, request, ready_at in idle
                if ready_at in (NEVER, held[task_id])
            ],
        )
        removed = [one.task_id for one in revisions if one.version.status is Status.REMOVED]
        if removed:
            self._db.execute("stop_backfills", tasks=numbers(removed))

    def request(self, change: Change, task_id: int, tick: PlannedTick) -> Key:
        def work() -> Key:
            change_id = self._change(change)
            _, last_due = self._db.row("newest_version", task_id=task_id) or (1, None)
            if last_due is not None and last_due >= tick.due_at:
                last_due = None
            key = Key(task_id, tick.due_at, change_id)
            admit(self._db, [key], change.at)
            enough = len(self._db.rows("select_asked", task_id=task_id, cap=UNSTARTED)) >= UNSTARTED
            ready_at = RESERVE if enough else tick.ready_at
            asked = replace(tick, prev_due=last_due, ready_at=ready_at)
            self._db.execute("insert_tick", **rows.planned(task_id, change_id, asked, change.at))
            return key

        return self._db.transact(work)

    def backfill(self, change: Change, task_id: int, after: Instant, through: Instant, first: Instant) -> int:
        def work() -> int:
            change_id = self._change(change)
            version, _ = self._db.row("newest_version", task_id=task_id) or (1, None)
            self._db.execute(
                "insert_backfill",
                task_id=task_id,
                request=change_id,
                version=version,
                after=after,
                first=first,
                through=through,
            )
            return change_id

        return self._db.transact(work)

    def cancel(self, change: Change, key: Key) -> State | None:
        def work() -> State | None:
            found = self._db.row("select_state", **bound(key))
            if found is None:
                return None
            state = State(found[0])
            if state in TERMINAL:
                return state
            self._change(change)
            if state is State.RUNNING:
                ask_to_stop(self._db, [key])
            else:
                end(self._db, [End(key=key, reason=None)], change.at)
                wake(self._db, {key.task_id: 1}, change.at)
                admit(self._db, [key], change.at)
            return state

        return self._db.transact(work)


def _parts(whole: Sequence[T]) -> list[Sequence[T]]:
    return [whole[first : first + _PART] for first in range(0, len(whole), _PART)]


def _owned(one: Revision) -> dict[str, object]:
    return {"task_id": one.task_id, "origin": one.version.task.origin}


def _version(one: Revision, change_id: int) -> dict[str, object]:
    """Return the values of insert_versions."""
    version = one.version
    return {
        "task_id": one.task_id,
        "version": version.version,
        "since": version.since,
        "status": version.status.value,
        "paused_until": version.paused_until,
        "anchor": version.anchor,
        "rules": version.schedule.rules(),
        "definition": version.task.definition,
        "change_id": change_id,
    }
