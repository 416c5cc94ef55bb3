"""The reference model: what a world truly did, and the laws that each move of the ledger must keep.

It shares no decision with the core. It hears of every committed row, of every edit as it was meant, and
of every attempt as the outside world saw it; it looks at each commit as a whole, at once.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from everytick.plan import UNSTARTED
from everytick.policy import Overlapping
from everytick.testing.simulation.known import Known
from everytick.testing.simulation.mirror import Backfill, Caller, LawBroken, Mirror
from everytick.testing.simulation.outside import Run
from everytick.testing.simulation.verdict import edited, judge, left_out
from everytick.tick import TERMINAL, TRANSITIONS, Key, Reason, State


class Model(Known):
    """Hears of all that happens in one world, and breaks off where a law is broken."""

    # What the outside world does.

    def started(self, run: Run) -> None:
        """Hear of an attempt that begins."""
        key = self.key_of(run.tick)
        what = f"attempt {run.attempt} of {run.tick}"
        tick = self.ticks.get(key)
        if tick is None or (tick.state, tick.attempt, tick.holder) != (
            State.RUNNING,
            run.attempt,
            run.process,
        ):
            raise LawBroken(f"{what} began without its claim in the ledger (law 3): {tick}")
        if (key, run.attempt) in self.runs:
            raise LawBroken(f"{what} began twice (once)")
        if key in self.alive[key.task_id]:
            raise LawBroken(f"{what} began beside another attempt of it (once)")
        limit = self.policies(tick).overlap.limit
        others = self.active[key.task_id] | self.alive[key.task_id]
        others = {other for other in others if self.ticks[other].begun < tick.begun}
        if run.attempt == 1 and limit is not None and len(others) >= limit:
            raise LawBroken(f"{what} began beside {self.listed(others)}; its limit is {limit} (law 6)")
        self.runs[key, run.attempt] = run
        self.alive[key.task_id].add(key)

    def _in_order(self, tick: Mirror) -> None:
        earlier = {key for key in self.waiting[tick.key.task_id] if key < tick.key}
        if earlier and self.policies(tick).overlap.kind is Overlapping.QUEUE_ALL:
            raise LawBroken(
                f"{self.name_of(tick.key)} began before {self.listed(earlier)}, which waits (queue_all)"
            )

    def ended(self, run: Run) -> None:
        """Hear of an attempt that is over."""
        key = self.key_of(run.tick)
        self.alive[key.task_id].discard(key)

    def refused(self, tick: str, attempt: int, lives_until: int) -> None:
        """Hear of an attempt that never began, because the lease it was told of was over."""
        self.unstarted.add((self.key_of(tick), attempt))
        if lives_until > self.machine.boot:
            raise LawBroken(f"attempt {attempt} of {tick} never began: the executor knew of no lease")

    # What is committed.

    def committed(self, call: str, moves: Sequence[tuple[Any, ...]], caller: Caller) -> None:
        """Hear of one transaction, and judge it."""
        change = 0
        moved: dict[Key, Mirror | None] = {}
        for kind, *row in moves:
            if kind == "change":
                change = row[0]
                caller.now = min(caller.now, row[2])
            elif kind in {"tick", "tick gone"}:
                self._tick(kind, row, call, moved, caller)
            elif kind in {"slot", "slot gone"}:
                self._slot(kind, row)
            else:
                self._other(kind, row, call, caller)
        if call == "request":
            self.manual[change] = next(iter(moved))
        for key, before in sorted(moved.items()):
            after = self.ticks.get(key)
            if after is not None:
                if after.state is State.RUNNING and not after.begun:
                    self.begun = after.begun = self.begun + 1
                    self._in_order(after)
                self._lane(after)
                self._room(key)
                if before is not None:
                    judge(self, before, after, call, caller)

    def _other(self, kind: str, row: list[Any], call: str, caller: Caller) -> None:
        if kind == "process":
            self.processes[row[0]] = row[1]
        elif kind == "task":
            self.names[row[0]], self.numbers[row[1]] = row[1], row[0]
        elif kind == "version":
            edited(self, row, caller)
        elif kind == "cursor":
            self._cursor(row, call)
        elif kind == "attempt":
            self._attempt(row)

    def _slot(self, kind: str, row: list[Any]) -> None:
        tick = self.ticks.get(Key(*row[:3]))
        if tick is None:
            raise LawBroken(f"a slot for {self.name_of(Key(*row[:3]))}, which has no row (law 6)")
        tick.lane = None if kind == "slot gone" else row[3]
        tick.cancelled |= kind == "slot" and bool(row[4])
        self.index(tick)

    def _tick(
        self, kind: str, row: list[Any], call: str, moved: dict[Key, Mirror | None], caller: Caller
    ) -> None:
        key = Key(*row[:3])
        known = self.ticks.get(key)
        if key not in moved:
            moved[key] = None if known is None else replace(known)
        if kind == "tick gone":
            if call != "edit" or known is None or known.state is not State.PLANNED or known.attempt > 1:
                raise LawBroken(f"{call} deleted {self.name_of(key)}: {known} (law 1)")
            if known.lane is not None:
                raise LawBroken(f"{call} deleted {self.name_of(key)}, which has a slot (law 6)")
            self.index(self.ticks.pop(key), gone=True)
            return
        was, attempt_was, holder_was, state, reason, attempt, reruns, holder, version = row[3:12]
        tick = Mirror(
            key=key,
            version=version,
            state=State(state),
            reason=reason and Reason(reason),
            attempt=attempt,
            reruns=reruns,
            holder=holder,
            prev_due=row[12],
            next_due=row[13],
            through=row[14],
            count=row[15],
            ready_at=row[16],
            ended_at=row[17],
            lane=known.lane if known else None,
            cancelled=known.cancelled if known else False,
            begun=known.begun if known else 0,
        )
        if was is not None:
            self._legal(known, tick, (was, attempt_was, holder_was))
        elif tick.state is State.SKIPPED:
            left_out(self, tick, caller)
        elif tick.state is not State.PLANNED:
            raise LawBroken(f"{self.name_of(key)} was born {tick.state} (law 2)")
        self.ticks[key] = tick
        self.index(tick)
        if not key.request and (tick.state is not State.PLANNED or tick.attempt > 1 or tick.lane is not None):
            reached = max(self.left.get(key.task_id, 0), tick.through or key.due_at)
            self.left[key.task_id] = reached

    def _legal(self, known: Mirror | None, tick: Mirror, was: tuple[str, int, int | None]) -> None:
        name = self.name_of(tick.key)
        if known is None or (known.state.value, known.attempt, known.holder) != was:
            raise LawBroken(f"{name} changed behind the model's back: {known} but was {was}")
        if known.state in TERMINAL:
            raise LawBroken(f"{name} had ended {known.state} and became {tick.state} (law 2)")
        if tick.state is not known.state and tick.state not in TRANSITIONS[known.state]:
            raise LawBroken(f"{name} went from {known.state} to {tick.state} (law 2)")
        again = known.state is State.RUNNING and tick.state is State.PLANNED
        if tick.attempt != known.attempt + again:
            raise LawBroken(f"{name} went from attempt {known.attempt} to {tick.attempt} (law 4)")

    def _room(self, key: Key) -> None:
        """Judge how many unstarted ticks a task has."""
        count = len(self.fresh[key.task_id, key.request])
        if count > UNSTARTED:
            raise LawBroken(f"{self.names[key.task_id]} has {count} unstarted ticks (request {key.request})")

    def _lane(self, tick: Mirror) -> None:
        """Judge that who is active has a lane, that nobody else has one, and that nobody ends with one."""
        held = tick.lane is not None and tick.lane >= 0
        if held != tick.active or (tick.lane is not None and tick.state in TERMINAL):
            raise LawBroken(f"{self.name_of(tick.key)} is {tick.state}, and its lane is {tick.lane} (law 6)")

    def _cursor(self, row: list[Any], call: str) -> None:
        task_id, request, version, planned_through, through = row
        before = self.cursors.get((task_id, request))
        if before is not None and planned_through < before and call != "edit":
            raise LawBroken(f"the cursor of {self.names[task_id]} moved back by {call} (law 7)")
        self.cursors[task_id, request] = planned_through
        if request and request not in self.backfills:
            self.backfills[request] = Backfill(
                task_id=task_id, request=request, version=version, after=planned_through, through=through
            )

    def _attempt(self, row: list[Any]) -> None:
        """Judge an attempt that did not end its tick, or a late result that is refused."""
        key, attempt, holder, outcome, refused_at = Key(*row[:3]), *row[3:]
        if refused_at is not None and self.processes.get(holder) != "dead":
            raise LawBroken(
                f"attempt {attempt} of {self.name_of(key)} was refused, though its holder {holder} lives"
            )
        self.kept.setdefault(key, []).append((attempt, holder, outcome, refused_at is not None))
