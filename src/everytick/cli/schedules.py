"""Commands about schedules: they need no ledger."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from everytick.cli import present
from everytick.cli.options import JsonOption, ZoneOption, moment
from everytick.clock import SystemClock
from everytick.tick import SECOND, rfc3339
from everytick.when import Instant, Schedule, moment_of, schedule
from everytick.when.walltime import zone_named

SpecArgument = Annotated[
    str, typer.Argument(metavar="SPEC", help='A schedule: "0 6 * * mon-fri", "every 15m", "@daily", ...')
]
FromOption = Annotated[
    str, typer.Option("--from", metavar="TIME", help="Only later than this; now unless told otherwise.")
]
NameOption = Annotated[str, typer.Option("--name", help="The task's name, which decides every H.")]


def next_(
    spec: SpecArgument,
    zone: ZoneOption = "",
    since: FromOption = "now",
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=100_000, help="How many.")] = 5,
    name: NameOption = "task",
    *,
    as_json: JsonOption = False,
) -> None:
    """Show the next instants of a schedule."""
    begin = moment("--from", since, zone, SystemClock().now() // SECOND * SECOND)
    zone = zone or "UTC"
    rule = schedule(spec, zone).bound(name=name, anchor=begin)
    found = upcoming(rule, begin, count)
    if as_json:
        present.write_json([rfc3339(instant) for instant in found])
        return
    from everytick.cli import tables

    made = tables.table("due (UTC)", f"in {zone}" if zone != "UTC" else "day", "after")
    place = ZoneInfo(zone_named(zone).name)
    for instant in found:
        local = moment_of(instant).astimezone(place)
        shown = local.strftime("%a %Y-%m-%d %H:%M:%S %z") if zone != "UTC" else local.strftime("%A")
        made.add_row(rfc3339(instant), shown, present.ago(instant, begin))
    tables.console().print(made)
    if len(found) < count:
        present.write("and never again" if found else "never")


def upcoming(rule: Schedule, moment: Instant, count: int) -> list[Instant]:
    """Return the next instants of a schedule."""
    found: list[Instant] = []
    while len(found) < count:
        following = rule.instant_after(found[-1] if found else moment)
        if following is None:
            break
        found.append(following)
    return found


def explain(
    spec: SpecArgument, zone: ZoneOption = "UTC", name: NameOption = "task", *, as_json: JsonOption = False
) -> None:
    """Say in words what a schedule means, and what to beware of."""
    now = SystemClock().now()
    rule = schedule(spec, zone).bound(name=name, anchor=now)
    sentence, notes = rule.sentence(), rule.notes(now)
    if as_json:
        present.write_json(
            {"schedule": str(schedule(spec, zone)), "sentence": sentence, "notes": list(notes)}
        )
        return
    from everytick.cli import tables

    console = tables.console()
    console.print(tables.paragraph(sentence[:1].upper() + sentence[1:] + "."))
    for note in notes:
        console.print(tables.paragraph(note, "- "))
