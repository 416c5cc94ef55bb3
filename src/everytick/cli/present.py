"""How commands say things: lines for people, one JSON value for machines."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import chain

from everytick.ledger import TaskRow, VersionRow
from everytick.plan import Status
from everytick.tick import NEVER, SECOND, State, TickRow, rfc3339, tick_name
from everytick.when import Instant, format_duration


def write_json(value: object) -> None:
    """Write one JSON value; what an iterator in it yields is written one by one, as an array."""
    sys.stdout.writelines(_parts(value, ""))
    sys.stdout.write("\n")


def _parts(value: object, margin: str) -> Iterator[str]:
    if isinstance(value, Mapping) and any(isinstance(part, Iterator) for part in value.values()):
        inside = margin + "  "
        named = ((f"{json.dumps(name)}: ", part) for name, part in value.items())
        yield from _between("{", (chain([name], _parts(part, inside)) for name, part in named), "}", margin)
    elif isinstance(value, Iterator):
        yield from _between("[", (_parts(part, margin + "  ") for part in value), "]", margin)
    else:
        yield json.dumps(value, ensure_ascii=False, indent=2).replace("\n", f"\n{margin}")


def _between(begin: str, parts: Iterable[Iterable[str]], end: str, margin: str) -> Iterator[str]:
    """Yield parts on lines of their own, between brackets."""
    before = ""
    yield begin
    for part in parts:
        yield f"{before}\n{margin}  "
        yield from part
        before = ","
    yield f"\n{margin}{end}" if before else end


def write(text: str) -> None:
    """Write a line for people."""
    sys.stdout.write(text + "\n")


def ago(instant: Instant | None, now: Instant) -> str:
    """Return how far an instant is from now: ``in 3m``, ``2h ago``."""
    if instant is None:
        return "-"
    distance = instant - now
    length = _rounded(abs(distance))
    if length == "0s":
        return "now"
    return f"in {length}" if distance > 0 else f"{length} ago"


def took(row: TickRow) -> str:
    """Return how long a tick's last attempt took."""
    if row.started_at is None or row.ended_at is None:
        return "-"
    return elapsed(row.ended_at - row.started_at)


def late(row: TickRow) -> str:
    """Return how long after its due_at a tick was started."""
    if row.started_at is None:
        return "-"
    return elapsed(row.started_at - row.key.due_at)


def elapsed(length: int) -> str:
    """Return a length of time as people read it: to the millisecond below a second, else two units."""
    return f"{length // 1000}ms" if length < SECOND else _rounded(length)


def _rounded(length: int) -> str:
    """Return a duration with its two largest units."""
    seconds = length // SECOND
    if seconds == 0:
        return "0s"
    for unit, size in ((86_400, 3600), (3600, 60)):
        if seconds >= unit:
            seconds -= seconds % size
            break
    return format_duration(timedelta(seconds=seconds))


def outcome(row: TickRow) -> str:
    """Return a tick's state with its reason: ``skipped (missed)``."""
    return row.state.value + (f" ({row.reason.value})" if row.reason else "")


def tick_json(row: TickRow) -> dict[str, object]:
    """Return a tick as JSON values; times are RFC 3339 in UTC."""
    return {
        "tick": tick_name(row.task, row.key.due_at, row.key.request),
        "task": row.task,
        "due_at": rfc3339(row.key.due_at),
        "request": row.key.request,
        "version": row.version,
        "state": row.state.value,
        "reason": row.reason and row.reason.value,
        "attempt": row.attempt,
        "reruns": row.reruns,
        "count": row.count,
        "through": _time(row.through),
        "ready_at": None if row.state is not State.PLANNED else _time(row.ready_at),
        "started_at": _time(row.started_at),
        "ended_at": _time(row.ended_at),
        "summary": None if row.summary is None else json.loads(row.summary),
    }


def status(newest: VersionRow, now: Instant) -> Status:
    """Return a task's status; a pause that has ended by itself is over."""
    over = newest.status is Status.PAUSED and (newest.paused_until or NEVER) <= now
    return Status.ACTIVE if over else newest.status


def task_json(row: TaskRow, now: Instant) -> dict[str, object]:
    """Return a task as JSON values."""
    newest = row.newest
    return {
        "task": newest.name,
        "status": status(newest, now).value,
        "paused_until": _time(newest.paused_until),
        "version": newest.version,
        "since": rfc3339(newest.since),
        "origin": newest.origin,
        "definition": json.loads(newest.definition),
        "next_due": _time(row.next_due) if status(newest, now) is Status.ACTIVE else None,
    }


def _time(instant: Instant | None) -> str | None:
    if instant is None or instant >= 2**62:
        return None
    return rfc3339(instant)


def said(row: TickRow) -> str:
    """Return the result of a tick in a few words, and its attempt where that is not the first."""
    told = [] if row.summary is None else _result(json.loads(row.summary), row.state)
    if row.attempt > 1:
        told.append(f"attempt {row.attempt}")
    return ", ".join(told)


def _result(value: object, state: State) -> list[str]:
    """Return numbers with their names, texts alone."""
    if isinstance(value, dict):
        if "verdict" in value:
            from everytick.cli.verdict import in_short, is_summary, plain

            if is_summary(value):
                return [plain(in_short(value))]
        told = {key: part for key, part in value.items() if part not in (0, None, "", [], {})}
        return [part if isinstance(part, str) else f"{key} {part}" for key, part in told.items()]
    if isinstance(value, int) and state in {State.FAILED, State.CANCELLED}:
        return [f"exit status {value}"]
    return [] if value == 0 else [str(value)]


def many(count: int, one: str, more: str = "") -> str:
    """Return a count with its noun: ``1 task``, ``2 tasks``."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"
