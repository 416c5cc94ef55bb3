"""A seal: what pruning leaves of the ticks of a task that it audited and deleted.

A task has one seal at most. It stands for all that was ever pruned of the task, and says what the next row
must name as the one before it, so that the chain goes on. It is no signature, as the proof of a row is none.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol, Self

import msgspec

from everytick.tick import Key, State, TickRow
from everytick.when import Instant


class _Counts(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON of the column ``counts``."""

    request: int
    last: Instant | None
    rows: str
    ticks: dict[State, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What was pruned of a task.

    Attributes:
        task_id: The task.
        through: What was due by then is pruned.
        request: The newest change among what was pruned: a backfill that was asked for later is not of it.
        last: The last instant of its schedule by then; None where it had none.
        rows: Checksum over the rows in their order, and over the one of the seal before.
        ticks: Instants by their outcome.
        sound: Whether it says what was written.
    """

    task_id: int
    through: Instant
    request: int = 0
    last: Instant | None = None
    rows: str = ""
    ticks: Mapping[State, int] = field(default_factory=dict)
    sound: bool = True

    @classmethod
    def read(cls, task_id: int, through: Instant, counts: str, digest: str) -> Self:
        """Return a seal as a ledger keeps it."""
        try:
            said = msgspec.json.decode(counts, type=_Counts)
        except msgspec.MsgspecError:
            return cls(task_id=task_id, through=through, sound=False)
        return cls(
            task_id=task_id,
            through=through,
            request=said.request,
            last=said.last,
            rows=said.rows,
            ticks=said.ticks,
            sound=digest == _digest(task_id, through, counts),
        )

    @property
    def counts(self) -> str:
        """What a ledger keeps of it beside its key, as JSON."""
        said = _Counts(request=self.request, last=self.last, rows=self.rows, ticks=dict(self.ticks))
        return msgspec.json.encode(said, order="deterministic").decode()

    @property
    def digest(self) -> str:
        """The checksum of all that it says."""
        return _digest(self.task_id, self.through, self.counts)

    @property
    def count(self) -> int:
        """How many instants it stands for."""
        return sum(self.ticks.values())

    def holds(self, key: Key) -> bool:
        """Tell whether it stands for a tick of its task."""
        return key.due_at <= self.through and key.request <= self.request


class Sealing:
    """The rows of a task on their way under a seal.

    Args:
        before: The seal that the task has; None for the first.
        task_id: The task.
        through: What is due by then goes under it.

    Attributes:
        count: How many rows it took.
    """

    def __init__(self, before: Seal | None, task_id: int, through: Instant) -> None:
        self._before = before or Seal(task_id=task_id, through=through)
        self._through = through
        self._request = self._before.request
        self._last = self._before.last
        self._ticks = dict.fromkeys(State, 0) | dict(self._before.ticks)
        self._rows = blake2b(self._before.rows.encode(), digest_size=16)
        self.count = 0

    def take(self, row: TickRow) -> None:
        """Take the next row, by due_at and request."""
        key = row.key
        self.count += 1
        self._ticks[row.state] += row.count
        self._rows.update(f"{key.due_at} {key.request} {row.version} {row.prev_due} {row.proof}\n".encode())
        if key.request:
            self._request = max(self._request, key.request)
        else:
            self._last = row.through or key.due_at

    def seal(self, *requests: int) -> Seal:
        """Return the seal; backfills without a row are named by their numbers."""
        return Seal(
            task_id=self._before.task_id,
            through=self._through,
            request=max(self._request, *requests, 0),
            last=self._last,
            rows=self._rows.hexdigest(),
            ticks={state: count for state, count in self._ticks.items() if count},
        )


class Prunes(Protocol):
    """How a ledger is rid of what is old: first the seals are written, then what they stand for is deleted.

    So whatever ends a pruning half way, the next goes on with it, and an audit does not miss what is deleted.
    """

    def needed(self, tasks: Collection[int], newest: int) -> dict[int, tuple[Instant | None, Instant | None]]:
        """Return of each task when its newest success was due, and the last of its newest rows that ended.

        Args:
            tasks: The tasks.
            newest: So many rows are the newest ones; None stands for a task that has no more.
        """
        ...

    def unsettled(self, bounds: Mapping[int, Instant], since: Instant) -> dict[int, Instant]:
        """Return the first row of each task that cannot go, if there is one due by the task's bound.

        That is one that has not ended by ``since``, and a range row that reaches beyond the bound.
        """
        ...

    def seal(self, seals: Sequence[Seal], before: Mapping[int, Seal]) -> list[Seal]:
        """Write seals in the place of those before, by task; return those that were written.

        Where a task has another seal by now than the one before, somebody else prunes it, too.
        """
        ...

    def delete_sealed(self, seals: Sequence[Seal], after: Mapping[int, Instant], limit: int) -> list[Key]:
        """Delete ended rows that seals stand for, with their attempts and outputs; return which.

        Args:
            seals: Of different tasks; they are written.
            after: Nothing that was due earlier is left of these tasks.
            limit: At most so many rows.
        """
        ...


def _digest(task_id: int, through: Instant, counts: str) -> str:
    return blake2b(f"{task_id} {through} {counts}".encode(), digest_size=16).hexdigest()
