"""The story of one tick that has a row, told from the ledger: why it ran, waits, failed or was left out.

Times are told to the second, as people read them; `show --json` has them whole.
"""

import json
from collections.abc import Iterator
from datetime import timedelta

from msgspec.structs import replace

from everytick.cli import present
from everytick.cli.absence import absent
from everytick.cli.local import clock, lowered, on_its_clock
from everytick.cli.session import Session
from everytick.errors import UsageError
from everytick.ledger import AttemptRow, Process, TickFilter
from everytick.life import losses
from everytick.life.presence import vanished
from everytick.plan import UNSTARTED, Status, Version
from everytick.policy import RERUNS, Overlapping, Policies, Uncertain, jittered
from everytick.suspects import SUSPECT
from everytick.tick import NEVER, RESERVE, SECOND, TERMINAL, Reason, State, TickRow, rfc3339, tick_name
from everytick.versions import revived
from everytick.when import Instant, format_duration

_WORTH_TELLING = 2 * SECOND
_NEAR = 50
_LAST_WORDS = 3


def tell(here: Session, name: str) -> list[str]:
    """Return the story of a tick, a sentence an item.

    Raises:
        UsageError: The name is none of a tick, or there is no such task.
    """
    row = here.tick(name)
    if row is None:
        return list(absent(here, name))
    return [sentence for sentence in _Story(here, row).sentences() if sentence]


def _named(row: TickRow) -> str:
    return tick_name(row.task, row.key.due_at, row.key.request)


def _length(length: int) -> str:
    return format_duration(timedelta(milliseconds=length // 1000))


class _Story:
    """What is known of one tick."""

    def __init__(self, here: Session, row: TickRow) -> None:
        self.here = here
        self.row = row
        self.now = here.now()
        self.policies: Policies = here.versions.policies(row.key.task_id, row.version)

    def sentences(self) -> Iterator[str]:
        row = self.row
        yield self._origin()
        for attempt in self.here.ledger.attempts(row.key):
            yield self._attempt(attempt)
        if row.started_at is not None:
            last = f" (attempt {row.attempt})" if row.attempt > 1 else ""
            late = f"{present.late(row)} after it was due"
            yield f"It was started at {clock(row.started_at)}{last}, {late}{self._delay(row.started_at)}."
        yield self._ending()
        yield self._deadline()
        yield from self._words()
        yield self._since()

    def _origin(self) -> str:
        row = self.row
        if row.key.request:
            change = self.here.ledger.changes(after=row.key.request - 1, limit=1)[0]
            why = f": {change.note}" if change.note else ""
            return f"{change.actor} asked for it at {clock(change.at)} ({change.act}{why})."
        versions = self.here.ledger.versions(row.key.task_id)
        try:
            version: Version | None = revived(versions[row.version - 1])
        except UsageError:
            version = None
        rule = "" if version is None else f": {lowered(version.schedule.sentence())}"
        older = f", by version {row.version} of the task, which is now at {len(versions)}"
        verb = "was" if row.key.due_at <= self.now else "is"
        local = "" if version is None else on_its_clock(version.schedule, row.key.due_at)
        when = f"{rfc3339(row.key.due_at)}{local}"
        if row.through:
            when = f"{when}, the first of {row.count:,} that share one row, through {rfc3339(row.through)}"
        else:
            when += f", {present.ago(row.key.due_at, self.now)}"
        return f"It {verb} due at {when}{older if row.version < len(versions) else ''}{rule}."

    def _attempt(self, attempt: AttemptRow) -> str:
        if attempt.refused_at is not None:
            return (
                f"A late result of attempt {attempt.attempt} ({attempt.outcome}) was refused at "
                f"{clock(attempt.refused_at)}: another attempt held the tick by then."
            )
        error, _ = self.here.ledger.output(attempt.key, attempt.attempt)
        detail = f": {error}" if error else ""
        how = {"lost": "was lost", "timeout": "was stopped, as it took too long,"}.get(
            attempt.outcome, "failed"
        )
        tried = attempt.attempt + 1 < self.row.attempt or self.row.started_at is not None
        again = "It was tried again" if tried else "It is tried again"
        return (
            f"Attempt {attempt.attempt} started at {clock(attempt.started_at)} and {how} after "
            f"{present.elapsed(attempt.ended_at - attempt.started_at)}{detail}. {again}."
        )

    def _delay(self, started: Instant) -> str:
        """Return why the first attempt did not start when the tick was due, where that took long."""
        row = self.row
        if row.attempt > 1 or started - row.key.due_at < _WORTH_TELLING:
            return ""
        ready = self._ready_at()
        if started - ready < _WORTH_TELLING:
            return ", as its jitter would have it"
        rival = self._active_at(ready)
        if rival is not None and rival.ended_at is not None and rival.ended_at <= started:
            return f": it waited for its turn, {_named(rival)} was active when it was due"
        return ": nobody had a place free for it before, or nobody was there"

    def _ready_at(self) -> Instant:
        """Return when its first attempt might start."""
        due_at = self.row.key.due_at
        if self.row.key.request:
            return due_at
        return jittered(self.policies, self.row.task, due_at, self.row.next_due)

    def _active_at(self, moment: Instant) -> TickRow | None:
        """Return another tick of the task whose last attempt ran at a moment."""
        states = (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.RUNNING)
        which = TickFilter(task=self.row.task, states=states, until=moment, limit=_NEAR)
        for one in self.here.ledger.ticks(which):
            ended = one.ended_at or NEVER
            if one.key != self.row.key and (one.started_at or NEVER) <= moment <= ended:
                return one
        return None

    def _ending(self) -> str:
        row = self.row
        ended = clock(row.ended_at or 0)
        match row.state:
            case State.SUCCEEDED:
                result = present.said(replace(row, attempt=1))
                return f"It succeeded at {ended}, after {present.took(row)}{': ' if result else ''}{result}."
            case State.CANCELLED:
                return f"It was cancelled at {ended}{self._canceller()}."
            case State.SKIPPED if row.reason is not None:
                return f"It was skipped at {ended}: {self._skipped(row.reason, row.ended_at or 0)}."
            case State.FAILED if row.reason is not None:
                return f"It failed at {ended}: {self._failed(row.reason)}."
            case State.RUNNING | State.QUEUED:
                since = "" if row.started_at is None else f" for {present.elapsed(self.now - row.started_at)}"
                return f"It is {row.state}{since}, held by process {self._holder()}."
            case _:
                return self._waiting()

    def _skipped(self, reason: Reason, at: Instant) -> str:
        policies = self.policies
        match reason:
            case Reason.OVERLAP:
                rival = self._active_at(at)
                who = "an earlier tick of the task" if rival is None else f"an earlier tick, {_named(rival)},"
                kind = f'overlap = "{policies.overlap.kind}"'
                many = f" of {policies.overlap.limit}" if (policies.overlap.limit or 1) > 1 else ""
                return f"{who} was still active, and {kind}{many} leaves out what is ready meanwhile"
            case Reason.SUPERSEDED:
                kind = f'overlap = "{policies.overlap.kind}"'
                return (
                    f"it waited for an earlier tick to finish, and a newer tick took its place: {kind} "
                    "lets one wait"
                )
            case Reason.MISSED:
                return self._missed(at)
            case Reason.EXPIRED:
                within = _length(policies.start_within or 0)
                rival = self._active_at(self._ready_at())
                why = "" if rival is None else f"; {_named(rival)} was active when it was due"
                return f"it was not started within {within}, its start deadline (start_within){why}"
            case Reason.PAUSED:
                return f"the task was paused when it was due{self._pauser(at)}"
            case _:
                return "it is only compared with another scheduler and never run"

    def _missed(self, at: Instant) -> str:
        catch_up = self.policies.catch_up
        rule = f'catch_up = "{catch_up.kind}"'
        overtaken = self.row.next_due is not None and self.row.next_due <= at
        if not overtaken and self.row.through is None:
            grace = _length(catch_up.grace)
            return f"nobody considered it within {grace} (the grace of {rule}): no runner was there"
        by = "" if self.row.next_due is None else f" ({clock(self.row.next_due)})"
        bounds = {"latest": "runs only the newest", "none": "runs none of those"}
        left = bounds.get(catch_up.kind, "runs only those within its limit and window")
        return f"nobody had come to start it when the next tick was due{by}, and {rule} {left}"

    def _pauser(self, at: Instant) -> str:
        """Return who paused the task, and why."""
        last, after = None, 0
        while changes := self.here.ledger.changes(after=after, act="pause"):
            mine = (one for one in changes if json.loads(one.detail).get("task") == self.row.task)
            last = next((one for one in reversed([*mine]) if one.at <= at), last)
            after = changes[-1].id
        if last is None:
            return ""
        return f": {last.actor} paused it at {clock(last.at)}" + (f", {last.note}" if last.note else "")

    def _failed(self, reason: Reason) -> str:
        retry, row = self.policies.retry, self.row
        number = "its only attempt" if row.attempt == 1 else f"attempt {row.attempt}"
        if reason is Reason.LOST:
            spent = f"it had been run again {RERUNS} times, as often as that may be"
            rule = 'uncertain = "skip" does not run such ticks again'
            chosen = rule if self.policies.uncertain is Uncertain.SKIP else spent
            error, _ = self.here.ledger.output(row.key, row.attempt)
            what = f" ({error})" if error else ""
            return f"the process that ran {number} vanished{what}, nobody knows how far it came, and {chosen}"
        if reason is Reason.TIMEOUT:
            timeout = _length(self.policies.timeout or 0)
            told = f"{number} took longer than the task's timeout, {timeout}, and was stopped"
        else:
            error, _ = self.here.ledger.output(row.key, row.attempt)
            told = f"{number} failed" + (f", {error}" if error else "")
        if row.attempt - row.reruns >= retry.attempts:
            allowed = (
                "the task has no retry" if retry.attempts == 1 else f"retry allows {retry.attempts} attempts"
            )
        elif retry.until == "next":
            allowed = "its next attempt would have come after the next tick (retry until next)"
        else:
            allowed = f"retry tries again only after {' or '.join(retry.on)}"
        return f"{told}; {allowed}"

    def _canceller(self) -> str:
        """Return who asked for the tick's end, where that is known."""
        after = 0
        while changes := self.here.ledger.changes(after=after, act="cancel"):
            for change in changes:
                if json.loads(change.detail).get("tick") == _named(self.row):
                    return f": {change.actor} asked for it" + (f", {change.note}" if change.note else "")
            after = changes[-1].id
        newer = self.policies.overlap.kind is Overlapping.CANCEL_RUNNING
        return (
            ': a newer tick was due, and overlap = "cancel_running" stops the one that runs' if newer else ""
        )

    def _holder(self) -> str:
        holder = self.row.holder
        found: Process | None = next((one for one in self.here.ledger.processes() if one.id == holder), None)
        if found is None:
            return f"{holder}, which has ended; a scheduler gives it up when its lease is over"
        gone = ", which has ended; a scheduler gives it up when its lease is over" if vanished(found) else ""
        return f"{holder} ({found.kind}, pid {found.pid} on {found.host}){gone}"

    def _waiting(self) -> str:
        row, now = self.row, self.now
        queued = any(
            slot.key == row.key and slot.lane < 0 for slot in self.here.ledger.slots(row.key.task_id)
        )
        if row.ready_at == RESERVE:
            return f"It stands in reserve: {UNSTARTED} that were asked for before it have yet to start."
        if queued or row.ready_at is None or row.ready_at == NEVER:
            return self._standing_by()
        if row.ready_at > now:
            when = f"{clock(row.ready_at)}, {present.ago(row.ready_at, now)}"
            return f"It is planned and may start at {when}."
        lost = losses.alarm(self.here.ledger)
        if lost is not None:
            return (
                f"It is ready, but the ledger has lost commits, and nothing is started: {lost.note}. Put the "
                "newest copy there is in its place, then everytick doctor --accept-restore."
            )
        runners = [one for one in self.here.ledger.processes() if one.kind in {"runner", "up"}]
        living = [one for one in runners if not vanished(one)]
        if not living:
            return "It is ready, but no runner lives: start one with everytick up or everytick runner."
        return (
            f"It has been ready since {clock(row.ready_at)}, and {present.many(len(living), 'runner')} "
            f"{'lives' if len(living) == 1 else 'live'}: either all are busy, or none serves the queue "
            f"'{row.queue}' and has the task's code. everytick doctor tells more.{self._apart()}"
        )

    def _apart(self) -> str:
        if self.row.reruns < SUSPECT:
            return ""
        return f" It was lost {self.row.reruns} times, so it runs beside no other that was ever lost."

    def _standing_by(self) -> str:
        """Return what it waits for that is no moment: its turn, or the end of a pause."""
        slots = sorted(self.here.ledger.slots(self.row.key.task_id), key=lambda slot: slot.key)
        active = [slot.key for slot in slots if slot.lane >= 0 and slot.key != self.row.key]
        ahead = sum(slot.lane < 0 and slot.key < self.row.key for slot in slots)
        if active:
            first = tick_name(self.row.task, active[0].due_at, active[0].request)
            behind = (
                f", behind {present.many(ahead, 'other that waits', 'others that wait')}" if ahead else ""
            )
            return (
                f"It waits for {first}, which is active{behind}; everytick cancel {first} would end that one."
                f"{self._start_deadline()}"
            )
        if present.status(self.here.task(self.row.task).newest, self.now) is Status.PAUSED:
            return "It waits until the task is resumed."
        return "It waits for its turn, which comes as soon as a runner has a place free."

    def _start_deadline(self) -> str:
        within = self.policies.start_within
        if within is None or self.row.key.request:
            return ""
        return f" Not started by {clock(self._ready_at() + within)}, it is left out (start_within)."

    def _deadline(self) -> str:
        """Return whether its success came, or will come, after its finish deadline."""
        row, within = self.row, self.policies.finish_within
        if within is None or row.state in TERMINAL - {State.SUCCEEDED}:
            return ""
        behind = (row.ended_at or self.now) - row.key.due_at - within
        if behind <= 0:
            return ""
        verb = "That was" if row.state is State.SUCCEEDED else "It is"
        by, limit = present.elapsed(behind), _length(within)
        return f"{verb} late by {by}: it was to succeed within {limit} (finish_within)."

    def _words(self) -> Iterator[str]:
        """Yield what a tick that failed printed last, and where there is more."""
        row = self.row
        _, output = self.here.ledger.output(row.key, row.attempt)
        if not output.strip():
            return
        if row.state is State.FAILED:
            lines = output.rstrip().splitlines()
            yield "The last it printed: " + " / ".join(line.strip() for line in lines[-_LAST_WORDS:])
        yield f"everytick show {_named(row)} has what it printed."

    def _since(self) -> str:
        """Return whether the task has succeeded since a tick of it did not."""
        row = self.row
        if row.state not in TERMINAL - {State.SUCCEEDED}:
            return ""
        good = self.here.ledger.ticks(TickFilter(task=row.task, states=(State.SUCCEEDED,), limit=1))
        if not good:
            return f"The task has never succeeded yet; everytick run {row.task} asks for a tick now."
        if (good[0].ended_at or 0) > (row.ended_at or 0):
            return f"The task has succeeded since: {_named(good[0])} is the newest that did."
        return (
            f"The task has not succeeded since; {_named(good[0])} was the last that did. "
            f"everytick run {row.task} asks for a tick now."
        )
