"""Why a tick has no row: it is not due yet, the task was not there, the schedule does not yield it."""

from collections.abc import Iterator
from datetime import UTC
from zoneinfo import ZoneInfo

from everytick.cli import present
from everytick.cli.local import clock, lowered, on_its_clock
from everytick.cli.session import Session
from everytick.ledger import TickFilter
from everytick.life.presence import vanished
from everytick.plan import Status, Version
from everytick.proof.seal import Seal
from everytick.tick import NEVER, Key, parse_tick_name, rfc3339, tick_name
from everytick.versions import revived
from everytick.when import Instant, Schedule, instant_of, moment_of
from everytick.when.clockchange import clocks


def absent(here: Session, name: str) -> Iterator[str]:
    """Yield the story of a tick that has no row, a sentence an item.

    Raises:
        UsageError: There is no such task, or nobody can read its versions.
    """
    task, due_at, request = parse_tick_name(name)
    row, now = here.task(task), here.now()
    yield f"There is no tick {name}."
    key = Key(row.newest.task_id, due_at, request)
    seal = next((one for one in here.ledger.seals([key.task_id]) if one.holds(key)), None)
    if request:
        yield _unasked(here, request) if seal is None else _pruned(seal)
        return
    asked = [
        one for one in here.ledger.ticks(TickFilter(task=task, since=due_at, until=due_at)) if one.key.request
    ]
    for one in reversed(asked):
        yield f"It was asked for as {tick_name(task, due_at, one.key.request)}: {present.outcome(one)}."
    versions = [revived(one) for one in here.ledger.versions(row.newest.task_id)]
    in_force = [one for one in versions if one.since < due_at]
    if not in_force:
        yield f"The task did not exist yet: it was first applied at {clock(versions[0].since)}."
        if versions[0].schedule.holds(due_at) and not asked:
            span = f"--from {rfc3339(due_at)} --to {rfc3339(due_at)}"
            yield f"everytick backfill {task} {span} would ask for it now."
        return
    version = in_force[-1]
    if version.status is Status.REMOVED:
        yield f"The task was removed at {clock(version.since)}."
    elif version.schedule.instant_after(due_at - 1) != due_at:
        yield from _not_on_schedule(task, version, due_at, now)
    elif version.status is Status.PAUSED and due_at <= min(now, version.paused_until or NEVER):
        since = clock(version.since)
        yield f"The task is paused since {since}; one row will stand for the ticks of the pause when it ends."
    elif row.planned_through < due_at:
        yield _unplanned(here, version, due_at, row.planned_through)
    elif seal is not None:
        yield _pruned(seal)
    else:
        yield "Its schedule yields that instant, so a row is missing: everytick audit tells more."


def _pruned(seal: Seal) -> str:
    ended = ", ".join(f"{count:,} {state}" for state, count in sorted(seal.ticks.items()))
    return f"What was due through {clock(seal.through)} was audited, and pruned: {ended}."


def _unasked(here: Session, request: int) -> str:
    found = [one for one in here.ledger.changes(after=request - 1, limit=1) if one.id == request]
    if not found:
        return f"#{request} stands for the change that asked for it, and there is no change {request}."
    change = found[0]
    what = f"{change.act} by {change.actor} at {clock(change.at)}"
    return f"#{request} stands for change {request} ({what}), which asked for no such tick."


def _not_on_schedule(task: str, version: Version, due_at: Instant, now: Instant) -> Iterator[str]:
    schedule = version.schedule
    yield f"The task is not due at that instant; it is due {lowered(schedule.sentence())}."
    meant = _on_the_wall(schedule, due_at)
    if meant is not None:
        local = on_its_clock(schedule, meant)
        yield f"The Z behind a time means UTC; you may have meant {tick_name(task, meant)}{local}."
        return
    near = (schedule.instant_before(due_at), schedule.instant_after(due_at))
    for where, instant in zip(("before", "after"), near, strict=True):
        if instant is not None:
            shown = f"{tick_name(task, instant)}{on_its_clock(schedule, instant)}"
            yield f"The nearest {where} it is {shown}, {present.ago(instant, now)}."


def _on_the_wall(schedule: Schedule, due_at: Instant) -> Instant | None:
    """Return the instant of the schedule that its own clock shows as what was written as UTC."""
    for zone in clocks(schedule):
        wall = moment_of(due_at).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if schedule.holds(instant_of(wall)):
            return instant_of(wall)
    return None


def _unplanned(here: Session, version: Version, due_at: Instant, through: Instant) -> str:
    now = here.now()
    if due_at > now:
        local = on_its_clock(version.schedule, due_at)
        when = present.ago(due_at, now)
        return f"It is due {when}{local}, and gets its row half a minute to a minute before that."
    living = [one for one in here.ledger.processes() if one.kind in {"scheduler", "up"} and not vanished(one)]
    if not living:
        return (
            f"No scheduler lives: nothing is planned beyond {clock(through)}. everytick up, or everytick "
            "scheduler, catches up; the task's catch_up says which of the missed ticks still run."
        )
    return (
        f"Planning is behind: it has come to {clock(through)}, and goes on as earlier ticks of the task are "
        "started. everytick doctor tells more."
    )
