"""How a PostgreSQL ledger writes the ends of attempts."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from everytick.conclude import Settlement
from everytick.ledgers import rows
from everytick.ledgers.postgres.connection import Connection
from everytick.ledgers.postgres.lanes import admit, give_back, wake
from everytick.ledgers.rows import bound, forms
from everytick.tick import Key, State, proof
from everytick.when import Instant


class PostgresSettlements:
    """The settlements of a PostgreSQL ledger."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def settle(self, settlements: Sequence[Settlement], now: Instant) -> list[Settlement]:
        if not settlements:
            return []
        return self._db.transact(lambda: self._settle(settlements, now))

    def _settle(self, settlements: Sequence[Settlement], now: Instant) -> list[Settlement]:
        """Write settlements, those of one tick one after the other, the others in order of their keys."""
        refused: list[Settlement] = []
        rest = list(settlements)
        while rest:
            batch: dict[Key, Settlement] = {}
            later = []
            for one in rest:
                if one.attempt.key in batch:
                    later.append(one)
                else:
                    batch[one.attempt.key] = one
            refused += self._settle_batch([batch[key] for key in sorted(batch)], now)
            rest = later
        return refused

    def _settle_batch(self, batch: Sequence[Settlement], now: Instant) -> list[Settlement]:
        again, stopped = self._tried_again(batch)
        ending = [stopped.get(one.attempt.key, one) for one in batch]
        ended = self._ended([one for one in ending if one.state is not State.PLANNED], now)
        written = ended | again
        refused = [
            one
            for one in batch
            if one.attempt.key not in written and not any(self._stands(form) for form in forms(one))
        ]
        kept = [rows.kept(one, now, refused_at=None) for one in batch if one.attempt.key in again]
        kept += [rows.kept(one, now, refused_at=now) for one in refused]
        self._db.many("keep_outputs", [_said(one) for one in batch if _says(one, written)])
        give_back(self._db, ended)
        self._db.many("keep_attempts", kept)
        wake(self._db, Counter(key.task_id for key in ended), now)
        admit(self._db, ended, now)
        return refused

    def _ended(self, batch: Sequence[Settlement], now: Instant) -> set[Key]:
        """Write the outcomes of ticks; return those that were current."""
        found = self._db.done("end_attempts", [_ending(one, now) for one in batch], now=now)
        return {rows.key(one) for one in found}

    def _tried_again(self, batch: Sequence[Settlement]) -> tuple[set[Key], dict[Key, Settlement]]:
        """Plan next attempts, the ticks keep their lanes; where a stop was asked for none follows.

        Where there is one, the whole batch is locked first: all who lock slots do so in order of their keys.

        Returns:
            The ticks that are tried again, and the ends of those that are not.
        """
        wished = [one for one in batch if one.state is State.PLANNED]
        found = self._db.batch("lock_attempts", [_current(one) for one in batch] if wished else [])
        asked = {Key(*row[:3]): bool(row[3]) for row in found}
        going = [one for one in wished if asked.get(one.attempt.key) is False]
        stopped = [one for one in wished if asked.get(one.attempt.key) is True]
        values = [_current(one) | {"reruns": one.reruns, "ready_at": one.ready_at} for one in going]
        self._db.many("try_again", values)
        self._db.many("idle_slots", values)
        return {one.attempt.key for one in going}, {one.attempt.key: forms(one)[-1] for one in stopped}

    def _stands(self, one: Settlement) -> bool:
        """Tell whether this settlement was written before: its commit was in doubt."""
        found = self._db.row(
            "settled_before",
            **_current(one),
            outcome=one.report.outcome,
            state=one.state.value,
            reason=one.reason and one.reason.value,
        )
        return bool(found and found[0])


def _current(one: Settlement) -> dict[str, Any]:
    return bound(one.attempt.key) | {"attempt": one.attempt.attempt, "holder": one.attempt.holder}


def _ending(one: Settlement, now: Instant) -> dict[str, Any]:
    """Return the values of end_attempts."""
    ending = (None, 1, one.state, one.reason, one.attempt.attempt, now)
    return _current(one) | {
        "state": one.state.value,
        "reason": one.reason and one.reason.value,
        "summary": one.report.summary,
        "proof": proof(one.attempt.key, ending),
    }


def _says(one: Settlement, written: set[Key]) -> bool:
    return one.attempt.key in written and bool(one.report.error or one.report.output)


def _said(one: Settlement) -> dict[str, Any]:
    """Return the values of keep_outputs."""
    return bound(one.attempt.key) | {
        "attempt": one.attempt.attempt,
        "error": one.report.error,
        "output": one.report.output,
    }
