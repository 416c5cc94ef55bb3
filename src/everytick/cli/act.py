"""Commands that change the ledger: each leaves a change with who did it and why."""

import difflib
import json
from typing import Annotated

import typer

from everytick.app import Everytick, open_ledger
from everytick.cli import present
from everytick.cli.look import TaskArgument, TickArgument, the_tick
from everytick.cli.options import (
    AppArgument,
    AppOption,
    JsonOption,
    LedgerOption,
    NoteOption,
    ZoneOption,
    moment,
)
from everytick.cli.session import Session, author, session, the_app
from everytick.edits import Difference
from everytick.tick import TERMINAL, State, rfc3339, tick_name

_SIGNS = {"add": ("+", "green"), "change": ("~", "yellow"), "remove": ("-", "red")}


def plan(app: AppArgument = "", ledger: LedgerOption = "", *, as_json: JsonOption = False) -> None:
    """Show what apply would change in the ledger."""
    tasks = the_app(app)
    with open_ledger(ledger or tasks.ledger) as opened:
        differences = Session(opened).edits.compare(tasks.tasks, tasks.whose())
    if as_json:
        present.write_json([_difference_json(one) for one in differences])
        return
    _show(differences)


def apply(
    app: AppArgument = "",
    ledger: LedgerOption = "",
    note: NoteOption = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the ledger hold these tasks: asks first."""
    tasks = the_app(app)
    with open_ledger(ledger or tasks.ledger) as opened:
        here = Session(opened)
        differences = here.edits.compare(tasks.tasks, tasks.whose())
        if not as_json:
            _show(differences)
        if differences and not yes and not as_json:
            typer.confirm("Apply?", abort=True)
        change = here.edits.apply(differences, here.now(), author(note))
    if as_json:
        present.write_json({"change": change, "differences": [_difference_json(one) for one in differences]})
    elif change:
        present.write(f"Applied as change {change}.")


def apply_quietly(here: Session, app: Everytick) -> int:
    """Apply without asking, as `up` does; return how many tasks changed."""
    differences = here.edits.compare(app.tasks, app.whose())
    here.edits.apply(differences, here.now(), author("everytick up"))
    return len(differences)


def _difference_json(one: Difference) -> dict[str, object]:
    return {
        "task": one.name,
        "act": one.kind,
        "before": json.loads(one.before) if one.before else None,
        "after": None if one.kind == "remove" else json.loads(one.after.definition),
    }


def _show(differences: list[Difference]) -> None:
    from everytick.cli import tables

    console = tables.console()
    if not differences:
        present.write("The ledger holds these tasks already.")
    for one in differences:
        sign, style = _SIGNS[one.kind]
        console.print(f"{sign} {one.name}", style=style, markup=False)
        after = "" if one.kind == "remove" else one.after.definition
        if one.kind == "change":
            for line in difflib.ndiff(_lines(one.before), _lines(after)):
                if line[:1] in "+-":
                    console.print(f"    {line}", markup=False)
        elif one.kind == "add":
            console.print(f"    {one.after.schedule.sentence()}", markup=False, style="dim")


def _lines(definition: str) -> list[str]:
    whole = json.loads(definition)
    flat = {**{key: value for key, value in whole.items() if key != "policies"}, **whole["policies"]}
    return [f"{key}: {json.dumps(value)}" for key, value in flat.items()]


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
        key = here.edits.run(task, here.now(), author(note))
        name = tick_name(task, key.due_at, key.request)
        if not wait:
            present.write_json({"tick": name}) if as_json else present.write(f"{name} is ready to be run")
            return
        row = here.ledger.tick(key)
        while row is None or row.state not in TERMINAL:
            here.clock.wait(here.now() + 100_000)
            row = here.ledger.tick(key)
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
) -> None:
    """Pause a task: its ticks are skipped until it is resumed; manual runs go."""
    with session(ledger, app) as here:
        now = here.now()
        end = moment(until, zone, now) if until else None
        here.edits.pause(task, now, author(note), until=end)
        present.write(f"{task} is paused" + (f" until {rfc3339(end)}" if end else ""))


def resume(task: TaskArgument, ledger: LedgerOption = "", app: AppOption = "", note: NoteOption = "") -> None:
    """Resume a paused task."""
    with session(ledger, app) as here:
        here.edits.resume(task, here.now(), author(note))
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
    """Ask for a tick at each instant of a span that the schedule yields; they wait their turn."""
    with session(ledger, app) as here:
        now = here.now()
        first, last = moment(since, zone, now, past=True), moment(until, zone, now, past=True)
        change, count = here.edits.backfill(task, first - 1, last, now, author(note))
        if as_json:
            present.write_json({"change": change, "ticks": count})
        else:
            present.write(f"Asked for {count} ticks of {task} as change {change}.")


def cancel(tick: TickArgument, ledger: LedgerOption = "", app: AppOption = "", note: NoteOption = "") -> None:
    """End a tick that has not started, or ask its attempt to stop."""
    with session(ledger, app) as here:
        row = the_tick(here, tick)
        state = here.edits.cancel(row.task, row.key, here.now(), author(note))
        asked = "was asked to stop" if state is State.RUNNING else "is cancelled"
        present.write(f"{tick} {asked}")
