"""Verdicts: whether what one transaction made of a tick or a task is justified by what truly happened."""

from typing import Any

from everytick.clock import STEP
from everytick.plan import UNSTARTED
from everytick.policy import RERUNS, CatchingUp, Overlapping, jittered
from everytick.testing.simulation.known import Known
from everytick.testing.simulation.mirror import Caller, Edition, LawBroken, Meant, Mirror
from everytick.tick import TERMINAL, Key, Reason, State
from everytick.when import Instant


def judge(known: Known, before: Mirror, after: Mirror, call: str, caller: Caller) -> None:
    """Judge what one transaction made of one tick."""
    name = known.name_of(after.key)
    if before.state is State.RUNNING and after.state is not State.RUNNING:
        _settled(known, before, after, call, caller)
    elif before.state is State.PLANNED and after.state is State.RUNNING:
        if call != "claim" or after.holder != caller.process:
            raise LawBroken(f"{call} started {name} for process {after.holder}")
        if before.ready_at is None or before.ready_at > caller.now:
            raise LawBroken(f"{name} was started before it was ready")
    elif after.state in TERMINAL:
        _unrun(known, before, after, call)
    if after.state in TERMINAL and (after.ended_at is None or after.ended_at > caller.now + STEP):
        raise LawBroken(f"{name} ended in the future")


def _settled(known: Known, before: Mirror, after: Mirror, call: str, caller: Caller) -> None:
    """Judge the end of an attempt against what it truly did."""
    name = f"attempt {before.attempt} of {known.name_of(after.key)}"
    run = known.runs.get((after.key, before.attempt))
    if run is not None and not run.over:
        raise LawBroken(f"{name} is settled by {call}, but it still runs outside (law 7)")
    if call == "settle" and before.holder != caller.process:
        raise LawBroken(f"{name} is settled by {caller.process}, but {before.holder} holds it (law 4)")
    if call not in {"settle", "bury"}:
        raise LawBroken(f"{name} is settled by {call}")
    if call == "bury" or (after.key, before.attempt) in known.unstarted:
        truth = "lost"
    elif run is None:
        raise LawBroken(f"{name} is settled, but it never began")
    else:
        truth = run.outcome
    told = _told(known, before, after)
    if truth != told and not (told == "cancelled" and before.cancelled and truth != "succeeded"):
        raise LawBroken(f"{name} truly ended {truth}, but the ledger says {told}: {after}")
    policies = known.policies(after)
    failures = before.attempt - before.reruns
    if told in {"error", "timeout"} and (after.state is State.PLANNED) > (failures < policies.retry.attempts):
        raise LawBroken(f"{name} is tried again beyond {policies.retry.attempts} attempts")
    if after.reruns > RERUNS:
        raise LawBroken(f"{name} is run again after {after.reruns} losses")


def _told(known: Known, before: Mirror, after: Mirror) -> str:
    """Return how the ledger says that an attempt ended."""
    if after.state is State.PLANNED:
        outcomes = [
            outcome
            for number, _, outcome, late in known.kept.get(after.key, ())
            if number == before.attempt and not late
        ]
        if len(outcomes) != 1:
            raise LawBroken(f"attempt {before.attempt} of {known.name_of(after.key)} left {outcomes}")
        if (outcomes[0] == "lost") != (after.reruns > before.reruns):
            raise LawBroken(f"a rerun of {known.name_of(after.key)} is not counted as one")
        return outcomes[0]
    return after.reason.value if after.reason is not None else after.state.value


def _unrun(known: Known, before: Mirror, after: Mirror, call: str) -> None:
    """Judge the end of a tick that no attempt ended."""
    name = known.name_of(after.key)
    newest = known.editions[after.key.task_id][-1]
    if after.reason is None:
        justified = call == "cancel" or newest.status == "removed" or _pushed_out(known, before)
    else:
        justified = not before.active and _skipped(known, after)
    if not justified:
        raise LawBroken(f"{name} ended {after.state}({after.reason}) by {call} without cause: {before}")
    if known.runs.get((after.key, before.attempt)) is not None:
        raise LawBroken(f"{name} ran, and was {after.state}({after.reason}) by {call}")


def _skipped(known: Known, tick: Mirror) -> bool:
    """Tell whether a tick that nobody started may be skipped for its reason."""
    policies = known.policies(tick)
    now = tick.ended_at or 0
    if tick.reason is Reason.EXPIRED:
        within = policies.start_within
        task = known.edition(tick).task.name
        first_ready = jittered(policies, task, tick.key.due_at, tick.next_due)
        return within is not None and now > first_ready + within
    if tick.key.request:
        return False
    if tick.reason is Reason.MISSED:
        return _missed(known, tick, now)
    if tick.reason is Reason.PAUSED:
        newest = known.editions[tick.key.task_id][-1]
        return newest.status == "paused" and (newest.paused_until is None or now < newest.paused_until)
    if tick.reason is Reason.OVERLAP:
        limit = policies.overlap.limit
        limited = policies.overlap.kind in {Overlapping.SKIP, Overlapping.ALLOW} and limit is not None
        return limited and len(known.active[tick.key.task_id] - {tick.key}) >= (limit or 0)
    return tick.reason is Reason.SUPERSEDED and _superseded(known, tick.key)


def _pushed_out(known: Known, tick: Mirror) -> bool:
    """Tell whether a tick in back-off makes way for another that cancels what is active."""
    open_ones = (known.ticks[key] for key in known.open[tick.key.task_id])
    kinds = {known.policies(one).overlap.kind for one in open_ones if one.key != tick.key}
    return tick.active and Overlapping.CANCEL_RUNNING in kinds


def _superseded(known: Known, key: Key) -> bool:
    """Tell whether a newer tick has taken a tick's place in the queue."""
    placed = known.waiting[key.task_id] | known.active[key.task_id]
    newer = [known.ticks[one] for one in placed if one > key]
    kinds = {known.policies(one).overlap.kind for one in (known.ticks[key], *newer)}
    return bool(newer) and bool(kinds & {Overlapping.QUEUE_ONE, Overlapping.CANCEL_RUNNING})


def _missed(known: Known, tick: Mirror, now: Instant) -> bool:
    """Tell whether a tick may be called missed at a moment."""
    edition = known.edition(tick)
    policy = edition.task.policies.catch_up
    overtaken = tick.next_due is not None and tick.next_due <= now
    if policy.kind is CatchingUp.NONE:
        ready_at = jittered(edition.task.policies, edition.task.name, tick.key.due_at, tick.next_due)
        return overtaken or now - ready_at > policy.grace
    if policy.kind is CatchingUp.LATEST or not overtaken:
        return overtaken
    old = policy.window is not None and now - tick.key.due_at > policy.window
    newer = edition.schedule.count(tick.key.due_at, now)
    return old or (policy.limit is not None and newer > policy.limit)


def left_out(known: Known, tick: Mirror, caller: Caller) -> None:
    """Judge a row that was born skipped: it stands for instants that nobody could run."""
    name = known.name_of(tick.key)
    edition = known.edition(tick)
    last = tick.through or tick.key.due_at
    found = edition.schedule.count(tick.key.due_at - 1, last)
    if found != tick.count or not edition.schedule.holds(last):
        raise LawBroken(f"{name} stands for {tick.count} instants, but there are {found} (law 1)")
    following = known.editions[tick.key.task_id][tick.version : tick.version + 1]
    end = min([caller.now, *(one.since for one in following)])
    if last > caller.now + STEP:
        raise LawBroken(f"{name} skips instants that are yet to come")
    if tick.reason is Reason.PAUSED:
        until = edition.paused_until
        if edition.status != "paused" or (until is not None and last > until):
            raise LawBroken(f"{name} is skipped(paused), but was due outside of the pause")
    elif tick.reason not in {Reason.MISSED, Reason.EXPIRED}:
        raise LawBroken(f"{name} was born skipped({tick.reason})")
    elif edition.schedule.count(last, end) < UNSTARTED:
        raise LawBroken(f"{name} swallows some of the newest hundred, which keep rows of their own")


def edited(known: Known, row: list[Any], caller: Caller) -> None:
    """Judge a new version against what its author meant."""
    task_id, number, since, status, paused_until, anchor, definition = row
    name = known.names[task_id]
    editions = known.editions.setdefault(task_id, [])
    newest = editions[-1] if editions else None
    meant = caller.meant.get(name) or _failing(known, task_id)
    task = meant.task or (newest.task if newest else None)
    if task is None or task.definition != definition:
        raise LawBroken(f"version {number} of {name} is not what its author wrote")
    wanted = _status(meant, newest, caller.now)
    if (status, paused_until) != wanted:
        raise LawBroken(f"version {number} of {name} is {status} {paused_until}, not {wanted}")
    begins = caller.now
    if newest is not None:
        begins = max(begins, known.left.get(task_id, 0), newest.since + 1)
    if since != begins or number != len(editions) + 1:
        raise LawBroken(f"version {number} of {name} is in force from {since}, not from {begins}")
    counts = since - since % 1_000_000
    if newest is not None:
        counts = since if newest.status == "removed" else newest.anchor
    if anchor != counts:
        raise LawBroken(f"version {number} of {name} counts from {anchor}, not from {counts}")
    editions.append(
        Edition(
            number=number,
            since=since,
            status=status,
            paused_until=paused_until,
            anchor=anchor,
            task=task,
            schedule=task.schedule.bound(name=name, anchor=anchor),
        )
    )
    if status == "removed":
        for backfill in known.backfills.values():
            backfill.stopped |= backfill.task_id == task_id


def _status(meant: Meant, newest: Edition | None, now: Instant) -> tuple[str, Instant | None]:
    """Return the status a version is to have; a change of a paused task keeps the pause."""
    if meant.status is not None:
        return meant.status, meant.paused_until
    if newest is None or newest.status != "paused":
        return "active", None
    over = newest.paused_until is not None and newest.paused_until <= now
    return ("active", None) if over else ("paused", newest.paused_until)


def _failing(known: Known, task_id: int) -> Meant:
    """Return the pause that a program itself may write, after so many failed ticks."""
    newest = known.editions[task_id][-1]
    limit = newest.task.policies.pause_after or 10**9
    ticks = (tick for tick in known.ticks.values() if tick.key.task_id == task_id)
    failed = [tick for tick in ticks if tick.state is State.FAILED and tick.key.due_at >= newest.since]
    if len(failed) < limit:
        raise LawBroken(f"{known.names[task_id]} was paused by a program after {len(failed)} failures")
    return Meant(task=None, status="paused")
