"""Commands that change the ledger: each leaves a change with who did it and why."""

import difflib
import json
import sys
from contextlib import ExitStack
from itertools import islice
from typing import Annotated

import typer

from everytick.app import Everytick, author, open_ledger
from everytick.cli import present
from everytick.cli.definition import words
from everytick.cli.look import TickArgument, the_tick
from everytick.cli.options import (
    AppOption,
    JsonOption,
    LedgerOption,
    NoteOption,
    OriginOption,
    TaskArgument,
    TasksArgument,
    ZoneOption,
    moment,
)
from everytick.cli.outcome import beats, ended
from everytick.cli.progress import progress
from everytick.cli.session import IN_MEMORY, Session, is_there, lasting, session
from everytick.cli.wanted import is_long, wanted
from everytick.differences import Difference, Differences
from everytick.edits import PART
from everytick.errors import UsageError
from everytick.lines import STDIN
from everytick.task import read_definition
from everytick.tick import State, rfc3339, tick_name

_SHOWN = 100
"""So many differences are shown one by one."""

_SIGNS = {"add": ("+", "green"), "change": ("~", "yellow"), "remove": ("-", "red")}


def plan(
    app: TasksArgument = "",
    ledger: LedgerOption = "",
    origin: OriginOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what apply would change; writes nothing."""
    with progress("reading", long=is_long(app)) as told, wanted(app, ledger, origin, told) as tasks:
        url = tasks.ledger
        with open_ledger(url if is_there(url) else IN_MEMORY) as opened:
            differences = tasks.compare(Session(opened))
    if as_json:
        present.write_json(map(_difference_json, differences))
    else:
        _show(differences)


def apply(
    app: TasksArgument = "",
    ledger: LedgerOption = "",
    note: NoteOption = "",
    origin: OriginOption = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the ledger hold these tasks: asks first."""
    if app == STDIN and not yes:
        raise UsageError("nobody can be asked where the tasks are read from; give --yes, or look with plan")
    with ExitStack() as stack:
        with progress("reading", long=is_long(app)) as told, wanted(app, ledger, origin, told) as tasks:
            here = Session(stack.enter_context(open_ledger(lasting(tasks.ledger))))
            differences = tasks.compare(here)
        if not as_json:
            _show(differences)
        if differences and not yes:
            _ask(as_json=as_json)
        with progress("applying", long=len(differences) > PART) as told:
            change = here.edits.apply(differences, here.now, author(note), told)
    if as_json:
        present.write_json({"change": change, "differences": map(_difference_json, differences)})
    elif change:
        present.write(f"Applied as change {change}.")


def _ask(*, as_json: bool) -> None:
    if as_json:
        raise UsageError(
            "with --json nobody is asked: give --yes too, or look first with everytick plan --json"
        )
    try:
        answer = input("Apply? [y/N] ") if sys.stdin else ""
    except EOFError:
        present.write("")
        raise UsageError("nobody answered, and nothing was applied; --yes applies without asking") from None
    except KeyboardInterrupt:
        present.write("\nNothing was applied.")
        raise typer.Exit(130) from None
    if answer.strip().lower() not in {"y", "yes"}:
        present.write("Nothing was applied.")
        raise typer.Exit(1)


def apply_quietly(here: Session, app: Everytick) -> int:
    """Apply without asking, as `up` does; return how many tasks changed."""
    differences = here.edits.compare(app.tasks, app.whose())
    here.edits.apply(differences, here.now, author("everytick up"))
    return len(differences)


def _difference_json(one: Difference) -> dict[str, object]:
    return {
        "task": one.name,
        "act": one.kind,
        "before": json.loads(one.before) if one.before else None,
        "after": None if one.kind == "remove" else json.loads(one.after.definition),
    }


def _show(differences: Differences) -> None:
    from everytick.cli import tables

    console = tables.console()
    if not differences:
        present.write("The ledger holds these tasks already.")
    for one in islice(differences, _SHOWN):
        sign, style = _SIGNS[one.kind]
        console.print(tables.paragraph(one.name, f"{sign} ", style=style))
        if one.kind == "change":
            before, after = _lines(_before(one)), _lines(words(one.after))
            for line in difflib.ndiff(before, after):
                if line[:1] in "+-":
                    console.print(tables.paragraph(line, "    ", " " * 8))
        elif one.kind == "add":
            console.print(tables.paragraph(one.after.schedule.sentence(), "    ", style="dim"))
    if len(differences) > _SHOWN:
        counts = ", ".join(f"{count:,} to {kind}" for kind, count in differences.counts().items() if count)
        present.write(f"... and so on: {counts}. --json tells all.")


def _before(one: Difference) -> dict[str, str]:
    try:
        return words(read_definition(one.name, one.after.origin, one.before))
    except UsageError:
        return {"definition": one.before}


def _lines(told: dict[str, str]) -> list[str]:
    return [f"{key}: {value}" for key, value in told.items()]


def run(
    task: TaskArgument,
    ledger: LedgerOption = "",
    app: AppOption = "",
    note: NoteOption = "",
    *,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="Until it has ended; exit 1 if it failed.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask for one tick of a task now."""
    with session(ledger, app) as here:
        here.task(task, removed=False)
        if wait and not beats(here):
            raise UsageError(
                "no runner lives, so nobody would run it: start everytick up or everytick runner first, "
                "or ask without --wait"
            )
        key = here.edits.run(task, here.now(), author(note))
        name = tick_name(task, key.due_at, key.request)
        if not wait:
            present.write_json({"tick": name}) if as_json else present.write(f"{name} is ready to be run")
            return
        row = ended(here, key, name)
        if as_json:
            present.write_json(present.tick_json(row))
        else:
            from everytick.cli import tables

            tables.console().print(tables.ticks_table([row], here.now()))
        if row.state is not State.SUCCEEDED:
            raise typer.Exit(1)


def pause(
    task: TaskArgument,
    ledger: LedgerOption = "",
    app: AppOption = "",
    note: NoteOption = "",
    until: Annotated[
        str, typer.Option("--until", metavar="TIME", help="Resume by itself: a time or a duration.")
    ] = "",
    zone: ZoneOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Pause a task: its ticks are skipped. Manual runs go."""
    with session(ledger, app) as here:
        here.task(task, removed=False)
        now = here.now()
        end = moment("--until", until, zone, now) if until else None
        here.edits.pause(task, now, author(note), until=end)
        if as_json:
            present.write_json({"task": task, "status": "paused", "until": end and rfc3339(end)})
        else:
            present.write(f"{task} is paused" + (f" until {rfc3339(end)}" if end else ""))


def resume(
    task: TaskArgument,
    ledger: LedgerOption = "",
    app: AppOption = "",
    note: NoteOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Resume a paused task."""
    with session(ledger, app) as here:
        here.task(task, removed=False)
        here.edits.resume(task, here.now(), author(note))
        if as_json:
            present.write_json({"task": task, "status": "active"})
        else:
            present.write(f"{task} is active")


def backfill(
    task: TaskArgument,
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="From this instant on.")],
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Through this instant.")] = "now",
    ledger: LedgerOption = "",
    app: AppOption = "",
    note: NoteOption = "",
    zone: ZoneOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Ask for the ticks of a span of the past; they wait their turn."""
    with session(ledger, app) as here:
        here.task(task, removed=False)
        now = here.now()
        first = moment("--from", since, zone, now, past=True)
        last = moment("--to", until, zone, now, past=True)
        if first > last:
            raise UsageError(f"--from {since} is later than --to {until}; nothing to backfill")
        change, count = here.edits.backfill(task, first - 1, last, now, author(note))
        if as_json:
            present.write_json({"change": change, "ticks": count})
        else:
            present.write(f"Asked for {present.many(count, 'tick')} of {task} as change {change}.")


def cancel(
    tick: TickArgument,
    ledger: LedgerOption = "",
    app: AppOption = "",
    note: NoteOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Cancel a tick: end it, or ask its attempt to stop."""
    with session(ledger, app) as here:
        row = the_tick(here, tick)
        state = here.edits.cancel(row.task, row.key, here.now(), author(note))
        asked = state is State.RUNNING
        if as_json:
            present.write_json({"tick": tick, "was": state.value, "asked_to_stop": asked})
        else:
            present.write(f"{tick} was asked to stop" if asked else f"{tick} is cancelled")
