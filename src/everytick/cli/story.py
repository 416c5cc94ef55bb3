"""The story of one tick, told from the ledger: why it ran, did not run, or does not exist."""

import json
from collections.abc import Iterator

from everytick.cli import present
from everytick.cli.session import Session
from everytick.ledger import AttemptRow, Process
from everytick.plan import Status, Version
from everytick.policy import Overlapping
from everytick.presence import vanished
from everytick.tick import (
    NEVER,
    Reason,
    State,
    TickRow,
    parse_tick_name,
    rfc3339,
    tick_name,
)
from everytick.versions import revived
from everytick.when import Instant

_SKIPPED = {
    Reason.OVERLAP: "an earlier tick of the task was still active when it was ready, and the task's overlap "
    "policy skips then",
    Reason.SUPERSEDED: "it waited for an earlier tick to finish, and a newer tick took its place",
    Reason.MISSED: "nobody could start it before the next tick was due ({next_due}), and the task's catch-up "
    "policy leaves such ticks out",
    Reason.EXPIRED: "it was not started within the task's start deadline",
    Reason.PAUSED: "the task was paused when it was due",
    Reason.SHADOW: "it is only compared with another scheduler and never run",
}
_FAILED = {
    Reason.ERROR: "its attempt {attempt} failed, and no further attempt was allowed",
    Reason.TIMEOUT: "its attempt {attempt} took longer than the task's timeout and was stopped",
    Reason.LOST: "the process that ran its attempt {attempt} vanished, and the task does not rerun ticks "
    "whose fate is uncertain, or had done so as often as it may",
}


def tell(here: Session, name: str) -> list[str]:
    """Return the story of a tick, a sentence an item.

    Raises:
        UsageError: The name is none of a tick, or there is no such task.
    """
    row = here.tick(name)
    if row is None:
        return list(_absent(here, name))
    return [sentence for sentence in _lines(here, row) if sentence]


def _lines(here: Session, row: TickRow) -> Iterator[str]:
    name = tick_name(row.task, row.key.due_at, row.key.request)
    version = revived(here.ledger.versions(row.key.task_id)[row.version - 1])
    yield _origin(here, row, version)
    for attempt in here.ledger.attempts(row.key):
        yield _attempt(here, row, attempt)
    if row.started_at is not None:
        last = f" (attempt {row.attempt})" if row.attempt > 1 else ""
        yield f"It was started at {rfc3339(row.started_at)}{last}, {present.late(row)} after it was due."
    yield _ending(here, row)
    error, output = here.ledger.output(row.key, row.attempt)
    if error:
        yield f"It said: {error}"
    if output:
        yield f"everytick show {name} has what it printed."


def _origin(here: Session, row: TickRow, version: Version) -> str:
    if row.key.request:
        change = here.ledger.changes(after=row.key.request - 1, limit=1)[0]
        why = f": {change.note}" if change.note else ""
        return f"{change.actor} asked for it at {rfc3339(change.at)} ({change.act}{why})."
    what = version.schedule.sentence()
    span = f" through {rfc3339(row.through)}, {row.count} ticks in one row" if row.through else ""
    return f"It was due at {rfc3339(row.key.due_at)}{span}, by version {version.version} of the task: {what}."


def _attempt(here: Session, row: TickRow, attempt: AttemptRow) -> str:
    if attempt.refused_at is not None:
        return (
            f"A late result of attempt {attempt.attempt} ({attempt.outcome}) was refused at "
            f"{rfc3339(attempt.refused_at)}: another attempt held the tick by then."
        )
    error, _ = here.ledger.output(row.key, attempt.attempt)
    detail = f": {error}" if error else ""
    again = "a rerun follows" if attempt.outcome == "lost" else "another attempt follows"
    return (
        f"Attempt {attempt.attempt} started at {rfc3339(attempt.started_at)} and ended at "
        f"{rfc3339(attempt.ended_at)} with {attempt.outcome}{detail}; {again}."
    )


def _ending(here: Session, row: TickRow) -> str:
    ended = "" if row.ended_at is None else rfc3339(row.ended_at)
    next_due = "-" if row.next_due is None else rfc3339(row.next_due)
    match row.state:
        case State.SUCCEEDED:
            return f"It succeeded at {ended}, after {present.took(row)}."
        case State.CANCELLED:
            return f"It was cancelled at {ended}{_canceller(here, row)}."
        case State.SKIPPED if row.reason is not None:
            return f"It was skipped at {ended}: {_SKIPPED[row.reason].format(next_due=next_due)}."
        case State.FAILED if row.reason is not None:
            return f"It failed at {ended}: {_FAILED[row.reason].format(attempt=row.attempt)}."
        case State.RUNNING | State.QUEUED:
            return f"It is {row.state}, held by process {_holder(here, row.holder)}."
        case _:
            return _waiting(here, row)


def _canceller(here: Session, row: TickRow) -> str:
    """Return who asked for a tick's end, where that is known."""
    name, after = tick_name(row.task, row.key.due_at, row.key.request), 0
    while changes := here.ledger.changes(after=after, act="cancel"):
        for change in changes:
            if json.loads(change.detail).get("tick") == name:
                return f": {change.actor} asked for it" + (f", {change.note}" if change.note else "")
        after = changes[-1].id
    policies = here.versions.policies(row.key.task_id, row.version)
    newer = policies.overlap.kind is Overlapping.CANCEL_RUNNING
    return ": a newer tick of the task was due, and its overlap policy cancels then" if newer else ""


def _holder(here: Session, holder: int | None) -> str:
    found: Process | None = next((one for one in here.ledger.processes() if one.id == holder), None)
    if found is None:
        return f"{holder}, which has ended; it is given up when its lease is over"
    gone = (
        ", which has ended; a scheduler that watches notices when its lease is over"
        if vanished(found)
        else ""
    )
    return f"{holder} (pid {found.pid} on {found.host}){gone}"


def _waiting(here: Session, row: TickRow) -> str:
    now = here.now()
    if row.ready_at is None or row.ready_at == NEVER:
        ahead = [slot for slot in here.ledger.slots(row.key.task_id) if slot.lane >= 0]
        if not ahead:
            return "It waits until the task is resumed."
        first = tick_name(row.task, ahead[0].key.due_at, ahead[0].key.request)
        return f"It waits for {first}, which is active; everytick cancel {first} would end that one."
    if row.ready_at > now:
        return f"It is planned and may start at {rfc3339(row.ready_at)} ({present.ago(row.ready_at, now)})."
    runners = [one for one in here.ledger.processes() if one.kind in {"runner", "up"}]
    if not runners:
        return "It is ready, but no runner lives: start one with everytick up or everytick runner."
    return (
        f"It has been ready since {rfc3339(row.ready_at)}, and {len(runners)} runner(s) live: either all are "
        f"busy, or none serves the queue '{row.queue}' or can read the task."
    )


def _absent(here: Session, name: str) -> Iterator[str]:
    task, due_at, request = parse_tick_name(name)
    row = here.task(task)
    yield f"There is no row for {name}."
    if request:
        yield f"Change {request} asked for no tick at that instant."
        return
    versions = [revived(one) for one in here.ledger.versions(row.newest.task_id)]
    in_force = [one for one in versions if one.since < due_at]
    if not in_force:
        begin = rfc3339(versions[0].since)
        yield f"The task did not exist yet: its first version is in force from {begin} on."
        return
    version = in_force[-1]
    if version.status is Status.REMOVED:
        yield f"The task was removed at {rfc3339(version.since)}."
    elif version.schedule.instant_after(due_at - 1) != due_at:
        yield f"Its schedule does not yield that instant: {version.schedule.sentence()}."
        yield _neighbours(version, due_at)
    elif version.status is Status.PAUSED and due_at <= min(here.now(), version.paused_until or NEVER):
        since = rfc3339(version.since)
        yield f"The task is paused since {since}; one row will stand for the ticks of the pause when it ends."
    elif row.planned_through < due_at:
        yield _unplanned(here, due_at, row.planned_through)
    else:
        yield "Its schedule yields that instant, so a row is missing: everytick audit tells more."


def _neighbours(version: Version, due_at: Instant) -> str:
    before, after = version.schedule.instant_before(due_at), version.schedule.instant_after(due_at)
    shown = [rfc3339(instant) for instant in (before, after) if instant is not None]
    return f"The nearest instants are {' and '.join(shown)}."


def _unplanned(here: Session, due_at: Instant, through: Instant) -> str:
    if due_at > here.now():
        return f"It is not due yet, and planned nearer to its time; so far through {rfc3339(through)}."
    living = [one for one in here.ledger.processes() if one.kind in {"scheduler", "up"}]
    if not living:
        return f"No scheduler lives: planning stands at {rfc3339(through)}. Start everytick up."
    return f"Planning is behind: it stands at {rfc3339(through)}, and goes on as earlier ticks are started."
