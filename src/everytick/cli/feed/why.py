"""The command that tells the story of a feed's day."""

from itertools import takewhile
from typing import Annotated

import typer

from everytick.cli import present
from everytick.cli.feed import values
from everytick.cli.feed.chosen import Chosen, Day, FeedArgument, chosen
from everytick.cli.feed.day import Known, events, readers, summed_up, ticks_of, to_do, unnoted
from everytick.cli.feed.standing import state
from everytick.cli.options import AppOption, JsonOption
from everytick.clock import SystemClock
from everytick.errors import FeedError
from everytick.feeds.archive.downloads import Downloads
from everytick.feeds.archive.record import Record
from everytick.feeds.archive.snapshot import Snapshot
from everytick.feeds.ask.show import entries
from everytick.when import Instant


def why(
    feed: FeedArgument,
    day: Annotated[str, typer.Argument(metavar="[DAY]", help="2026-11-22, today or yesterday.")] = "today",
    app: AppOption = "",
    *,
    everything: Annotated[bool, typer.Option("--all", help="A long day whole.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell the story of a day, in the zone of the schedule.

    What was tried, what came, what readers had meanwhile, what to do now.
    """
    which, now = chosen(app, feed), SystemClock().now()
    known = _known(which, Day.read(day, which.zone, now), now)
    if as_json:
        _write(known)
    else:
        _draw(known, everything=everything)


def _known(which: Chosen, day: Day, now: Instant) -> Known:
    found = state(which)
    if isinstance(found, FeedError):
        raise found
    since = () if found is None else entries(which.data, which.name, since=day.begin)
    return Known(
        which=which,
        day=day,
        now=now,
        found=found,
        entries=tuple(reversed([each for each in since if each.at < day.end])),
        noted=frozenset(each.tick for each in since),
        snapshots=() if found is None else _had(which, day),
        downloads={
            each.sha256: each for each in Downloads(which.data / "feeds" / which.name / "downloads").all()
        },
        ticks=ticks_of(which, day, now),
    )


def _had(which: Chosen, day: Day) -> tuple[Snapshot, ...]:
    """Return the lists that readers had on a day, the oldest first."""
    accepted = Record(which.data, which.name).snapshots()
    begun = [each for each in accepted if each.at < day.end]
    early = sum(1 for _ in takewhile(lambda each: each.at < day.begin, begun))
    return tuple(begun[max(0, early - 1) :])


def _draw(known: Known, *, everything: bool) -> None:
    from rich.text import Text

    from everytick.cli import tables

    console, day = tables.console(), known.day
    console.print(tables.headline(known.which.name, f"{day.date:%A} {day.date}, {known.which.zone.key}"))
    console.print(tables.paragraph(summed_up(known)))
    for event in events(known, everything=everything):
        console.print()
        console.print(tables.paragraph(event.what, f"{event.when}  ", " " * 10))
        for name, text in event.details.items():
            for number, line in enumerate(text.splitlines()):
                head = name if number == 0 else ""
                console.print(tables.paragraph(line, f"{'':10}{head:<11} "))
    missing = list(unnoted(known))
    if missing:
        console.print(Text("\nTicks that came to nothing", style="bold"))
        for line in missing:
            console.print(tables.paragraph(line, "  - "))
    console.print(Text("\nWhat readers had", style="bold"))
    for when, what in readers(known):
        console.print(tables.paragraph(what, f"  {when:<13} "))
    console.print(Text("\nWhat to do now", style="bold"))
    for line in to_do(known):
        console.print(tables.paragraph(line, "  ", "    "))


def _write(known: Known) -> None:
    story = [summed_up(known)]
    for event in events(known, everything=True):
        story.append(f"{event.when}  {event.what}")
        story += [f"{name}: {line}" for name, text in event.details.items() for line in text.splitlines()]
    story += unnoted(known)
    present.write_json(
        {
            "feed": known.which.name,
            "day": known.day.date.isoformat(),
            "zone": known.which.zone.key,
            "story": story,
            "entries": [values.of_entry(each) for each in known.entries],
            "readers": [values.of_snapshot(each) for each in known.snapshots],
            "to_do": list(to_do(known)),
        }
    )
