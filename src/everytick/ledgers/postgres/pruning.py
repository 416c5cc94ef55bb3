"""How a PostgreSQL ledger is rid of what is old."""

from collections.abc import Collection, Mapping, Sequence

from everytick.ledgers.postgres.arrays import numbers
from everytick.ledgers.postgres.record import PostgresRecord
from everytick.ledgers.rows import bound, sealed
from everytick.proof.seal import Seal
from everytick.tick import NEVER, Key
from everytick.when import Instant


class PostgresPruning(PostgresRecord):
    """The pruning of a PostgreSQL ledger."""

    def needed(self, tasks: Collection[int], newest: int) -> dict[int, tuple[Instant | None, Instant | None]]:
        found = self._db.rows("select_needed", tasks=numbers(tasks), newest=newest)
        return {task_id: (success, last) for task_id, success, last in found}

    def unsettled(self, bounds: Mapping[int, Instant], since: Instant) -> dict[int, Instant]:
        asked = [{"task_id": task_id, "through": through} for task_id, through in bounds.items()]
        return dict(self._db.batch("select_unsettled", asked, since=since))

    def seal(self, seals: Sequence[Seal], before: Mapping[int, Seal]) -> list[Seal]:
        return self._db.transact(lambda: self._seal(seals, before))

    def _seal(self, seals: Sequence[Seal], before: Mapping[int, Seal]) -> list[Seal]:
        tasks = [one.task_id for one in seals]
        self._db.rows("lock_tasks", tasks=numbers(tasks))
        known = {one.task_id: one for one in self.seals(tasks)}
        mine = [one for one in seals if known.get(one.task_id) == before.get(one.task_id)]
        self._db.execute("delete_seals", tasks=numbers(one.task_id for one in mine))
        self._db.many("insert_seals", [sealed(one) for one in mine])
        return mine

    def delete_sealed(self, seals: Sequence[Seal], after: Mapping[int, Instant], limit: int) -> list[Key]:
        asked = [
            {
                "task_id": one.task_id,
                "after": after.get(one.task_id, -NEVER),
                "through": one.through,
                "request": one.request,
            }
            for one in seals
        ]
        return self._db.transact(
            lambda: self._delete([Key(*row) for row in self._db.batch("select_sealed", asked, limit=limit)])
        )

    def _delete(self, found: list[Key]) -> list[Key]:
        keys = [bound(key) for key in found]
        for statement in ("prune_outputs", "prune_attempts", "prune_ticks"):
            self._db.many(statement, keys)
        return found
