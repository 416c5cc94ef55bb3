"""The runner: claims ticks that are ready, starts their attempts, and settles how they end."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from everytick.ability import Ability
from everytick.clock import Clock
from everytick.conclude import Attempt, Report, Settlement, conclude
from everytick.consider import Considered, Ready, Slot, consider
from everytick.edits import Edits
from everytick.errors import LedgerError, UsageError
from everytick.executor import Executor, Result
from everytick.jobs import job_of
from everytick.ledger import Claim, Ledger, Order
from everytick.life.losses import UNCERTAIN
from everytick.life.presence import Presence
from everytick.lookout import Lookout
from everytick.policy import Policies
from everytick.rescue import rescue
from everytick.suspects import SUSPECT, apart
from everytick.task import Call, Inline, Work
from everytick.tick import State, tick_name
from everytick.turns import Turns, crowded
from everytick.versions import Versions
from everytick.when import Instant

log = logging.getLogger("everytick.runner")

LATE = "not started: the runner had not renewed its lease in time"
"""Why inline work is given up that was just claimed."""

GLANCE = 500_000
"""Microseconds between two looks at whether somebody else has written."""

_PATIENCE = 2_000_000
"""Microseconds after which a runner looks for requests to stop even where nothing hints at any."""

_BATCH = 1000
_BEYOND = 20
_FURTHER = 1000
"""How much more of a line is read where few tasks fill what was read of it."""

_ROUNDS = 20


@dataclass(slots=True)
class _Running:
    attempt: Attempt
    executor: Executor
    abandoned: bool = False


class Runner:
    """One runner.

    Args:
        ledger: Its own connection to the ledger.
        clock: Its clock.
        presence: Its row in the ledger; shared where a scheduler lives in the same process.
        versions: The definitions it runs by.
        executors: How each kind of work is run.
        queues: The queues it serves.
        limit: How many attempts it runs at once.
        grace: How long it lets attempts run on when it is told to stop, in microseconds.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each part once
        self,
        ledger: Ledger,
        clock: Clock,
        presence: Presence,
        versions: Versions,
        executors: Mapping[type, Executor],
        *,
        queues: tuple[str, ...] = ("default",),
        limit: int = 8,
        grace: int = 30_000_000,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._presence = presence
        self._versions = versions
        self._edits = Edits(ledger, versions)
        self._executors = executors
        self._ability = Ability(executors, versions)
        self._turns = Turns()
        self._lookout = Lookout(ledger, queues)
        self._queues = queues
        self._limit = limit
        self._grace = grace
        self._life = 0
        self._running: dict[str, _Running] = {}
        self._unsettled: list[Settlement] = []
        self._doubtful = False
        self._stop_at: Instant | None = None
        self._hint = -1
        self._asked_at = 0
        self._looked: Instant = 0

    def step(self) -> Instant:
        """Settle, beat, stop what is to be stopped, claim and start; return when to come back."""
        self._collect()
        self._settle()
        if not self._alive():
            self._presence.join()
            self._versions.forget()
            self._ability.forget()
            self._versions.read_ahead()
            self._live_on()
        self._stop_requested()
        self._versions.look_again(self._clock.boot())
        self._ability.look_again(self._clock.boot())
        now = self._clock.now()
        if not (self._presence.trusted() and self._presence.whole()):
            return now + GLANCE
        self._lookout.look(now, self._clock.boot())
        for _ in range(_ROUNDS):
            more = self._claim()
            if more:
                self._collect()
            if self._places() <= 0 or not more:
                more = self._settle() or more
            if not more:
                return self._next(self._clock.now())
        return now

    def files(self) -> Sequence[int]:
        """Return the files that can be read when an attempt has ended."""
        found = {executor.fileno() for executor in self._executors.values()}
        return [file for file in found if file is not None]

    def finish(self) -> bool:
        """Settle what ends within the grace, then give the rest up as lost."""
        now = self._clock.now()
        if self._stop_at is None:
            self._stop_at = now + self._grace
        if self._doubtful:
            self._adopt()
        self._collect()
        self._settle()
        if self._running and now < self._stop_at and self._alive():
            return False
        for executor in set(self._executors.values()):
            executor.close()
        self._collect()
        self._settle()
        return not self._running and not self._unsettled

    def close(self) -> None:
        """Kill what still runs."""
        for executor in set(self._executors.values()):
            executor.close()

    def _alive(self) -> bool:
        """Beat, and let attempts live on; False where this process has no living row."""
        alive = bool(self._presence.id) and self._presence.beat()
        if self._presence.lives != self._life or not alive:
            self._abandon()
        if alive:
            self._live_on()
        return alive

    def _live_on(self) -> None:
        self._life = self._presence.lives
        for executor in set(self._executors.values()):
            executor.extend(self._presence.lives_until())

    def _abandon(self) -> None:
        """Kill what this process held in an earlier life: it is another's by now."""
        for key, running in self._running.items():
            if not running.abandoned:
                log.error("%s is no longer ours: the ledger does not know this process as alive", key)
                running.abandoned = True
                running.executor.stop(key, grace=0.0)

    def _claim(self) -> bool:
        """Claim what can be started at once, look at a little more; return whether there may be more."""
        if self._doubtful:
            self._adopt()
        now, left_out = self._clock.now(), self._without()
        ready = self._ledger.next_ready(self._queues, left_out)
        if ready is None or ready > now:
            return False
        self._looked = now
        claim = self._claimed(now, _BEYOND) or self._claimed(now, _FURTHER)
        self._begin(claim.attempts if claim else ())
        return bool(claim and claim.considered) or len(self._without()) > len(left_out)

    def _claimed(self, now: Instant, beyond: int) -> Claim | None:
        """Claim; None where so few tasks fill what was read that more is to be read first."""
        free = min(self._places(), _BATCH)
        short = False

        def decide(batch: Sequence[Ready], slots: Mapping[int, Sequence[Slot]]) -> Considered:
            nonlocal short
            short = beyond < _FURTHER and free > 0 and crowded(batch, free + beyond)
            return Considered() if short else self._consider(batch, slots, now, free)

        order = Order(
            holder=self._presence.id,
            queues=self._queues,
            limit=free,
            beyond=beyond,
            without=self._without(),
            beat=self._presence.beats,
        )
        self._doubtful = True
        claim = self._ledger.claim(order, now, decide)
        self._doubtful = False
        self._hint = -1
        return None if short else claim

    def _without(self) -> frozenset[int]:
        """Return the tasks that this runner cannot run."""
        return frozenset(self._versions.broken) | self._ability.lacking.keys()

    def _consider(
        self, batch: Sequence[Ready], slots: Mapping[int, Sequence[Slot]], now: Instant, places: int
    ) -> Considered:
        """Decide; nothing yet where a tick follows one whose end is not written: that looks active still."""
        ended = {one.attempt.key.task_id for one in self._unsettled}
        if any(ready.key.task_id in ended for ready in batch):
            return Considered()
        self._versions.prepare(
            (ready.key.task_id, number) for ready in batch for number in {ready.version, ready.newest}
        )
        able = [ready for ready in batch if self._readable(ready) and self._ability.has(ready)]
        if len(able) > places:
            able = self._turns.order(able, slots)
        able = apart(able, [one.attempt.reruns for one in self._running.values()])
        decided = consider(able, slots, self._versions.version, now, places)
        self._turns.serve(decided.starts)
        return decided

    def _readable(self, ready: Ready) -> bool:
        try:
            self._versions.version(ready.key.task_id, ready.version)
            if ready.newest != ready.version:
                self._versions.version(ready.key.task_id, ready.newest)
        except UsageError as fault:
            self._versions.leave_alone(ready.key.task_id, ready.newest, fault)
            return False
        return True

    def _adopt(self) -> None:
        """Start what an earlier claim may have committed although it failed: law 3."""
        known = {one.attempt.key for one in self._unsettled}
        known |= {running.attempt.key for running in self._running.values()}
        held = self._ledger.held(self._presence.id)
        self._begin([attempt for attempt in held if attempt.key not in known])

    def _begin(self, attempts: Sequence[Attempt]) -> None:
        """Start what this process holds; where the ledger fails on the way, the rest is adopted later."""
        self._doubtful = True
        for attempt in attempts:
            self._start(attempt)
        self._doubtful = False

    def _start(self, attempt: Attempt) -> None:
        try:
            version = self._versions.version(attempt.key.task_id, attempt.version)
        except UsageError as fault:
            lost = rescue(attempt, Policies(), self._clock.now(), str(fault))
            self._unsettled.append(lost)
            return
        if self._presence.uncertain(attempt):
            self._unsettled.append(rescue(attempt, version.task.policies, self._clock.now(), UNCERTAIN))
            return
        if isinstance(version.task.work, Inline) and not self._in_time():
            self._unsettled.append(rescue(attempt, version.task.policies, self._clock.now(), LATE))
            return
        job = job_of(attempt, version)
        executor = self._executor(attempt, version.task.work)
        self._running[job.key] = _Running(attempt, executor)
        executor.start(job)

    def _in_time(self) -> bool:
        """Tell whether the lease holds, or is renewed; of other work the executors see to that."""
        return self._clock.boot() < self._presence.lives_until() or self._alive()

    def _executor(self, attempt: Attempt, work: Work) -> Executor:
        """Return what runs an attempt: inline work that is suspect runs where it can kill nobody."""
        apart = isinstance(work, Inline) and attempt.reruns >= SUSPECT
        return self._executors[Call if apart else type(work)]

    def _stop_requested(self) -> None:
        hint, moment = self._ledger.hint(), self._clock.boot()
        if not self._running or (hint == self._hint and moment - self._asked_at < _PATIENCE):
            return
        asked = set(self._ledger.stop_requests(self._presence.id))
        self._hint, self._asked_at = hint, moment
        for name, running in self._running.items():
            attempt = running.attempt
            if attempt.key in asked and not attempt.cancel_requested:
                running.attempt = replace(attempt, cancel_requested=True)
                policies = self._versions.policies(attempt.key.task_id, attempt.version)
                running.executor.stop(name, grace=policies.grace / 1e6)

    def _places(self) -> int:
        """Return how many more attempts it may hold: each keeps its place until its end is written."""
        return self._limit - len(self._running) - len(self._unsettled)

    def _collect(self) -> None:
        """Take over how attempts ended."""
        now = self._clock.now()
        for executor in set(self._executors.values()):
            for result in executor.results():
                ended = self._running.pop(result.key, None)
                if ended is not None:
                    self._unsettled.append(self._concluded(ended, result, now))

    def _settle(self) -> bool:
        """Write how attempts ended; return whether any did."""
        if not self._unsettled:
            return False
        refused = self._ledger.settle(self._unsettled, self._clock.now())
        settled, self._unsettled = self._unsettled, []
        for one in refused:
            log.warning("refused: attempt %d of %s is another's by now", one.attempt.attempt, self._name(one))
        for one in settled:
            if one.state is State.FAILED and one not in refused:
                self._pause(one)
        return True

    def _concluded(self, running: _Running, result: Result, now: Instant) -> Settlement:
        attempt = running.attempt
        policies = self._versions.policies(attempt.key.task_id, attempt.version)
        report = Report(
            outcome=result.outcome, summary=result.summary, error=result.error, output=result.output
        )
        if result.outcome == "lost" or (result.outcome == "cancelled" and running.abandoned):
            return rescue(attempt, policies, now, result.error or "its process was killed")
        return conclude(attempt, report, policies, now)

    def _name(self, one: Settlement) -> str:
        """Return the name of a tick, as people know it."""
        key = one.attempt.key
        try:
            task = self._versions.version(key.task_id, one.attempt.version).task.name
        except UsageError:
            task = f"task number {key.task_id}"
        return tick_name(task, key.due_at, key.request)

    def _pause(self, failed: Settlement) -> None:
        key = failed.attempt.key
        version = self._versions.version(key.task_id, failed.attempt.version)
        try:
            self._edits.pause_if_failing(version.task, self._clock.now())
        except LedgerError as fault:
            log.warning("not paused yet, the next failed tick will: %s", fault)

    def _next(self, now: Instant) -> Instant:
        back = now + min(GLANCE, self._presence.due())
        if len(self._running) >= self._limit:
            return back
        ready = self._ledger.next_ready(self._queues, self._without())
        return back if ready is None or ready <= self._looked else min(back, ready)
