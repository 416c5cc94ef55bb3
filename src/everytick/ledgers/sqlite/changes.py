"""What people change in a SQLite ledger: edits, requests, backfills and cancels; each is written down."""

from collections.abc import Sequence

from msgspec.structs import replace

from everytick.consider import End
from everytick.ledger import Change, EditDecision, TaskRow
from everytick.ledgers import rows
from everytick.ledgers.rows import bound
from everytick.ledgers.sqlite.connection import Connection
from everytick.ledgers.sqlite.lanes import admit, end, wake
from everytick.plan import UNSTARTED, PlannedTick, Status
from everytick.proof.seal import Seal
from everytick.revise import Revision
from everytick.tick import NEVER, RESERVE, TERMINAL, Key, State
from everytick.when import Instant


class SqliteChanges:
    """What the commands do to a SQLite ledger."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def edit(self, change: Change, names: Sequence[str], decide: EditDecision) -> int:
        with self._db.transaction():
            change_id = change.id or self._change(change)
            known: dict[str, TaskRow] = {}
            numbers: dict[str, int] = {}
            for name in names:
                found = self._db.row("select_task", name=name)
                if found is not None:
                    known[name] = rows.task(found)
                numbers[name] = known[name].newest.task_id if found else self._number(name)
            for revision in decide(known, numbers):
                self._revise(revision, change_id, change.at)
            return change_id

    def _number(self, name: str) -> int:
        found = self._db.row("task_number", name=name)
        return int(found[0]) if found else self._db.insert("insert_task", name=name, origin="")

    def _change(self, change: Change) -> int:
        return self._db.insert(
            "insert_change",
            at=change.at,
            actor=change.actor,
            act=change.act,
            note=change.note,
            detail=change.detail,
        )

    def _revise(self, revision: Revision, change_id: int, now: Instant) -> None:
        version, task_id = revision.version, revision.task_id
        self._db.execute("adopt_task", task_id=task_id, origin=version.task.origin)
        self._db.execute(
            "insert_version",
            task_id=task_id,
            version=version.version,
            since=version.since,
            status=version.status.value,
            paused_until=version.paused_until,
            anchor=version.anchor,
            rules=version.schedule.rules(),
            definition=version.task.definition,
            change_id=change_id,
        )
        last_due = None
        if version.version > 1:
            self._db.execute("delete_planned", task_id=task_id, since=version.since)
            newest = self._db.row("newest_row", task_id=task_id, since=version.since)
            if newest is None:
                last_due = self._last_pruned(task_id)
            else:
                last_due = newest[1]
                self._db.execute(
                    "repoint_tick", task_id=task_id, due_at=newest[0], next_due=revision.repointed
                )
            self._stir(revision, now)
        self._db.execute(
            "set_cursor",
            task_id=task_id,
            version=version.version,
            planned_through=revision.planned_through,
            last_due=last_due,
            next_due=revision.next_due,
        )

    def _last_pruned(self, task_id: int) -> Instant | None:
        """Return the newest instant of a task of which no row is left."""
        found = self._db.rows("select_seals", tasks=rows.numbers([task_id]))
        return next((Seal.read(*row).last for row in found), None)

    def _stir(self, revision: Revision, now: Instant) -> None:
        """Let what waits for more than time be considered again under the new version."""
        task_id = revision.task_id
        for due_at, request, ready_at in self._db.rows("select_idle", task_id=task_id):
            if ready_at in (NEVER, revision.held_until):
                self._db.execute("delay_tick", task_id=task_id, due_at=due_at, request=request, ready_at=now)
        if revision.version.status is Status.REMOVED:
            self._db.execute("stop_backfills", task_id=task_id)

    def request(self, change: Change, task_id: int, tick: PlannedTick) -> Key:
        with self._db.transaction():
            change_id = self._change(change)
            last_due = (self._db.row("last_due", task_id=task_id) or (None,))[0]
            if last_due is not None and last_due >= tick.due_at:
                last_due = None
            ready_at = RESERVE if self._enough(task_id, change.at) else tick.ready_at
            asked = replace(tick, prev_due=last_due, ready_at=ready_at)
            self._db.execute("insert_tick", **rows.planned(task_id, change_id, asked, change.at))
            return Key(task_id, tick.due_at, change_id)

    def _enough(self, task_id: int, now: Instant) -> bool:
        """Tell whether as many ticks of a task that were asked for stand in line as may."""
        admit(self._db, [Key(task_id, 0, 1)], now)
        return len(self._db.rows("select_asked", task_id=task_id, cap=UNSTARTED)) >= UNSTARTED

    def backfill(self, change: Change, task_id: int, after: Instant, through: Instant, first: Instant) -> int:
        with self._db.transaction():
            change_id = self._change(change)
            version = (self._db.row("newest_version", task_id=task_id) or (1,))[0]
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

    def cancel(self, change: Change, key: Key) -> State | None:
        with self._db.transaction():
            found = self._db.row("select_state", **bound(key))
            if found is None:
                return None
            state = State(found[0])
            if state in TERMINAL:
                return state
            self._change(change)
            if state is State.RUNNING:
                self._db.execute("ask_to_stop", **bound(key))
            else:
                end(self._db, End(key=key, reason=None), change.at)
                wake(self._db, {key.task_id: 1}, change.at)
                admit(self._db, [key], change.at)
            return state
