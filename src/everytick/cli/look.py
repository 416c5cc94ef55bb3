"""Commands that read the ledger."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated

import typer

from everytick.cli import present
from everytick.cli.completion import states, task_names
from everytick.cli.definition import words
from everytick.cli.local import clock
from everytick.cli.options import AnyTaskArgument, AppOption, JsonOption, LedgerOption, ZoneOption, moment
from everytick.cli.session import Session, session
from everytick.errors import UnknownName, UsageError
from everytick.ledger import TaskRow, TickFilter, VersionRow
from everytick.life.presence import vanished
from everytick.plan import Status
from everytick.settings import nearest
from everytick.tick import NEVER, State, TickRow, parse_tick_name, rfc3339, tick_name
from everytick.versions import revived

_SHOWN = 1_000
"""So many tasks are shown to people, unless they say how many."""

_PAGE = 500

TickArgument = Annotated[str, typer.Argument(metavar="TICK", help="Such as report@2026-11-21T06:00:00Z.")]


def tasks(
    ledger: LedgerOption = "",
    app: AppOption = "",
    *,
    removed: Annotated[bool, typer.Option("--removed", help="Removed ones too.")] = False,
    limit: Annotated[
        int, typer.Option("-n", "--limit", min=0, help="At most so many; 0: 1,000, or all with --json.")
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """List the tasks: when each is due, and how it went last."""
    with session(ledger, app) as here:
        now = here.now()
        found = (row for row in here.ledger.tasks() if removed or row.newest.status is not Status.REMOVED)
        if as_json:
            some = islice(found, limit or None)
            present.write_json(_told(row, last, now) for row, last in _with_last(here, some, now))
            return
        rows = list(islice(found, limit or _SHOWN))
        from everytick.cli import tables

        made = tables.table("task", "schedule", "status", "next", "last", "ended", clip=("task", "schedule"))
        for row, one in _with_last(here, iter(rows), now):
            made.add_row(
                row.newest.name,
                _schedule(row.newest.definition),
                tables.styled(present.status(row.newest, now).value),
                present.ago(_next(row.newest, now), now),
                "-" if one is None else tables.styled(one.state.value),
                "-" if one is None else present.ago(one.ended_at, now),
            )
        tables.console().print(made if rows else "no tasks yet; everytick apply brings them in")
        if next(found, None) is not None:
            present.write(f"Only the first {len(rows):,} are shown; --limit N shows more.")
        if rows and all(vanished(one) for one in here.ledger.processes()):
            present.write("Nobody runs them: no scheduler and no runner lives; everytick up is both.")


def _told(row: TaskRow, last: TickRow | None, now: int) -> dict[str, object]:
    return present.task_json(row, now) | {"last": None if last is None else present.tick_json(last)}


def _with_last(here: Session, rows: Iterator[TaskRow], now: int) -> Iterator[tuple[TaskRow, TickRow | None]]:
    """Yield tasks, each with its newest tick that has ended; asked for by the page."""
    while page := list(islice(rows, _PAGE)):
        last = here.ledger.last([row.newest.task_id for row in page], now)
        yield from ((row, last.get(row.newest.task_id)) for row in page)


def _schedule(definition: str) -> str:
    """Return the schedule that a definition states, readable by this release or not."""
    try:
        return str(json.loads(definition)["schedule"])
    except (ValueError, KeyError, TypeError):
        return "cannot be read"


def _next(row: VersionRow, now: int) -> int | None:
    if present.status(row, now) is not Status.ACTIVE:
        return None
    try:
        return revived(row).schedule.instant_after(max(now, row.since))
    except UsageError:  # one that cannot be read hides no other; the doctor names it
        return None


def ticks(
    task: AnyTaskArgument = "",
    ledger: LedgerOption = "",
    app: AppOption = "",
    state: Annotated[
        list[str] | None,
        typer.Option("--state", "-s", autocompletion=states, help="Only in this state; repeatable."),
    ] = None,
    since: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Due at or after; a duration counts back.")
    ] = "",
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Due at or before.")] = "",
    zone: ZoneOption = "",
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, max=100_000, help="At most so many.")] = 20,
    *,
    planned: Annotated[bool, typer.Option("--planned", help="Those that are not due yet, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List ticks, newest due first."""
    with session(ledger, app) as here:
        now = here.now()
        if task:
            here.task(task)
        which = TickFilter(
            task=task or None,
            states=tuple(_state(word) for word in state or ()),
            since=moment("--from", since, zone, now, past=True) if since else 0,
            until=moment("--to", until, zone, now, past=True) if until else NEVER if planned else now,
            limit=limit,
        )
        rows = here.ledger.ticks(which)
        if as_json:
            present.write_json([present.tick_json(row) for row in rows])
        else:
            from everytick.cli import tables

            tables.console().print(tables.ticks_table(rows, now) if rows else "no ticks match")


def _state(word: str) -> State:
    try:
        return State(word)
    except ValueError:
        raise UsageError(
            f"'{word}' is no state; they are: {', '.join(State)}{nearest(word, set(State))}"
        ) from None


def show(
    name: Annotated[str, typer.Argument(metavar="TASK|TICK", autocompletion=task_names)],
    ledger: LedgerOption = "",
    app: AppOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Show a task with its ticks, or a tick with its output."""
    with session(ledger, app) as here:
        if "@" in name:
            _show_tick(here, name, as_json=as_json)
        else:
            _show_task(here, name, as_json=as_json)


def _show_task(here: Session, name: str, *, as_json: bool) -> None:
    now = here.now()
    row = here.task(name)
    newest = here.ledger.ticks(TickFilter(task=name, until=now, limit=10))
    versions = here.ledger.versions(row.newest.task_id)
    if as_json:
        told = {"ticks": [present.tick_json(tick) for tick in newest]}
        present.write_json(present.task_json(row, now) | told)
        return
    version = revived(row.newest)
    following = _next(row.newest, now)
    lines = {"when": version.schedule.sentence(), "next": present.ago(following, now)}
    if following is not None:
        lines["next"] += f", {rfc3339(following)}"
    from everytick.cli import tables

    console = tables.console()
    console.print(tables.headline(name, _standing(versions, now)))
    console.print(tables.pairs(lines | words(version.task)))
    console.print(tables.ticks_table(newest, now) if newest else "no ticks yet")


def _standing(versions: Sequence[VersionRow], now: int) -> str:
    first, newest = versions[0], versions[-1]
    status = present.status(newest, now)
    end = newest.paused_until if status is Status.PAUSED else None
    until = f" until {rfc3339(end)}" if end else ""
    since = f", the first of {rfc3339(first.since)}" if first is not newest else ""
    return f"{status.value}{until}, version {newest.version}{since}, of {newest.origin}"


def the_tick(here: Session, name: str) -> TickRow:
    """Return the tick of that name; of a range row, one for all it stands for.

    Raises:
        UnknownName: There is none.
    """
    row = here.tick(name)
    if row is None:
        raise UnknownName(
            f"there is no tick {name}; everytick ticks {name.partition('@')[0]} lists them, "
            "everytick why tells more"
        )
    return row


def _show_tick(here: Session, name: str, *, as_json: bool) -> None:
    row = the_tick(here, name)
    attempts = here.ledger.attempts(row.key)
    outputs = {number: here.ledger.output(row.key, number) for number in range(1, row.attempt + 1)}
    if as_json:
        told = {
            "attempts": [
                {
                    "attempt": one.attempt,
                    "outcome": one.outcome,
                    "started_at": rfc3339(one.started_at),
                    "ended_at": rfc3339(one.ended_at),
                    "refused": one.refused_at is not None,
                }
                for one in attempts
            ],
            "error": outputs[row.attempt][0],
            "output": outputs[row.attempt][1],
        }
        present.write_json(present.tick_json(row) | told)
        return
    from everytick.cli import tables

    console = tables.console()
    console.print(tables.ticks_table([row], here.now()))
    for number, (error, output) in outputs.items():
        if error or output:
            console.print(f"attempt {number}", style="bold")
            console.print("\n".join(part for part in (error, output.rstrip()) if part))


def why(
    name: Annotated[
        str,
        typer.Argument(
            metavar="TICK|TASK",
            autocompletion=task_names,
            help="Such as report@2026-11-21T06:00:00Z; of a task its newest tick.",
        ),
    ],
    ledger: LedgerOption = "",
    app: AppOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Tell why a tick ran, did not run, or does not exist."""
    from everytick.cli import story

    with session(ledger, app) as here:
        tick = _tick_of(here, name)
        lines = [*_pause(here, name), *story.tell(here, tick)]
        if as_json:
            present.write_json({"tick": tick, "story": lines})
            return
        from everytick.cli import tables

        if tick != name:
            tables.console().print(tables.headline(tick, "the newest that was due"))
        for line in lines:
            tables.console().print(line, markup=False)


def _pause(here: Session, name: str) -> Iterator[str]:
    """Yield what keeps a task from having newer ticks, where a person paused it."""
    if "@" in name:
        return
    newest = here.task(name).newest
    if present.status(newest, here.now()) is Status.PAUSED:
        until = f" until {clock(newest.paused_until)}" if newest.paused_until else ""
        yield (
            f"The task is paused since {clock(newest.since)}{until}: what is due is skipped, and counted "
            f"when the pause ends. everytick resume {name} ends it."
        )


def _tick_of(here: Session, name: str) -> str:
    """Return the tick that a name stands for: of a task its newest that was due.

    Raises:
        UsageError: It stands for none; the message says how to name one.
    """
    task, at, instant = name.rpartition("@")
    if not at:
        now = here.now()
        row = here.task(name)
        newest = here.ledger.ticks(TickFilter(task=name, until=now, limit=1))
        if newest:
            return tick_name(name, newest[0].key.due_at, newest[0].key.request)
        following = _next(row.newest, now)
        if following is None:
            raise UsageError(f"task '{name}' has had no tick, and none is to come; everytick show {name}")
        return tick_name(name, following)
    try:
        parse_tick_name(name)
    except UsageError:
        here.task(task)
        raise UsageError(
            f"'{instant}' is no instant of a tick; write it in UTC, as in {task}@2026-11-21T06:00:00Z, "
            f"or with an offset. everytick ticks {task} lists them"
        ) from None
    return name
