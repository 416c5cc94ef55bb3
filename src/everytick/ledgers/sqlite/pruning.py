"""How a SQLite ledger is rid of what is old."""

from collections.abc import Collection, Mapping, Sequence

from everytick.ledgers.rows import bound, numbers, sealed
from everytick.ledgers.sqlite.record import SqliteRecord
from everytick.proof.seal import Seal
from everytick.tick import NEVER, Key
from everytick.when import Instant


class SqlitePruning(SqliteRecord):
    """The pruning of a SQLite ledger."""

    def needed(self, tasks: Collection[int], newest: int) -> dict[int, tuple[Instant | None, Instant | None]]:
        found = self._db.rows("select_needed", tasks=numbers(tasks), newest=newest)
        return {task_id: (success, last) for task_id, success, last in found}

    def unsettled(self, bounds: Mapping[int, Instant], since: Instant) -> dict[int, Instant]:
        asked = {
            task_id: self._db.row("first_unsettled", task_id=task_id, through=through, since=since)
            for task_id, through in bounds.items()
        }
        return {task_id: row[0] for task_id, row in asked.items() if row is not None}

    def seal(self, seals: Sequence[Seal], before: Mapping[int, Seal]) -> list[Seal]:
        with self._db.transaction():
            known = {one.task_id: one for one in self.seals([one.task_id for one in seals])}
            mine = [one for one in seals if known.get(one.task_id) == before.get(one.task_id)]
            self._db.execute("delete_seals", tasks=numbers(one.task_id for one in mine))
            self._db.many("insert_seal", [sealed(one) for one in mine])
        return mine

    def delete_sealed(self, seals: Sequence[Seal], after: Mapping[int, Instant], limit: int) -> list[Key]:
        found: list[Key] = []
        with self._db.transaction():
            for one in seals:
                rows = self._db.rows(
                    "select_sealed",
                    task_id=one.task_id,
                    after=after.get(one.task_id, -NEVER),
                    through=one.through,
                    request=one.request,
                    limit=limit - len(found),
                )
                found += [Key(*row) for row in rows]
                if len(found) == limit:
                    break
            keys = [bound(key) for key in found]
            for statement in ("prune_outputs", "prune_attempts", "prune_tick"):
                self._db.many(statement, keys)
        return found
