"""The command that plays schedules in virtual time: no ledger is read, none is written."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from everytick.cli import present
from everytick.cli.completion import zones
from everytick.cli.options import AppArgument, JsonOption, moment, value_of
from everytick.cli.outlook import Outlook, as_values, show
from everytick.cli.progress import Progress, progress
from everytick.cli.session import the_app
from everytick.clock import SystemClock
from everytick.errors import UnknownName, UsageError
from everytick.forecast import at_most, forecast, in_force
from everytick.policy import Duration
from everytick.rehearse import rehearse
from everytick.settings import duration, nearest
from everytick.spread import spread
from everytick.task import Task
from everytick.tick import SECOND
from everytick.when import Instant, format_duration, instant_of
from everytick.when.clockchange import upsets
from everytick.when.walltime import zone_named

MOST = 5_000_000
"""No more ticks are played: these take a quarter of a minute."""

_WALKED = 4 * MOST
_LONG = 100_000
_LAST = instant_of(datetime.fromisoformat("9990-01-01T00:00Z"))
_UNITS = (86_400 * SECOND, 3600 * SECOND, 60 * SECOND, SECOND, 1000)


def simulate(
    app: AppArgument = "",
    span: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long is played.")] = "30d",
    since: Annotated[
        str, typer.Option("--from", metavar="TIME", help="Where it begins; now unless told otherwise.")
    ] = "now",
    zone: Annotated[
        str,
        typer.Option(
            "--zone",
            "-z",
            autocompletion=zones,
            help="Whose clock shows times, days and hours, and reads --from.",
        ),
    ] = "",
    took: Annotated[
        list[str] | None,
        typer.Option(
            "--took",
            metavar="[TASK=]DURATION",
            help="How long an attempt takes, of all tasks or of one; repeatable. Shows who overlaps.",
        ),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Play schedules in virtual time: load, herds, clock changes.

    No ledger is read or written, and nothing runs. The tasks are taken as applied long ago, all at once:
    that decides what their intervals are counted from.
    """
    start = moment("--from", since, zone, SystemClock().now() // SECOND * SECOND)
    with value_of("--for"):
        end = start + duration(span)
    if end > _LAST:
        raise UsageError(f"--for {span} from there on is too near to the year 9999, where time ends here")
    stated = the_app(app).tasks
    took_of = _took(took or [], [task.name for task in stated])
    tasks = [in_force(task, start) for task in stated]
    total = _bounded(tasks, took_of, start, end, span)
    with progress("playing", long=total >= _LONG) as told:
        found = _play(stated, tasks, took_of, (start, end, zone or "UTC"), _counting(told, total))
    if as_json:
        present.write_json(as_values(found))
    else:
        show(found)


def _took(given: Sequence[str], names: Sequence[str]) -> dict[str, Duration]:
    """Return how long an attempt of each task takes, of those that were told."""
    found: dict[str, Duration] = {}
    for word in sorted(given, key=lambda word: "=" in word):  # what is told of one task goes before
        name, named, length = word.rpartition("=")
        if named and name not in names:
            raise UnknownName(f"--took {word}: there is no task '{name}'{nearest(name, set(names))}")
        with value_of(f"--took {word}"):
            found |= dict.fromkeys([name] if name else names, duration(length))
    return found


def _bounded(
    tasks: Sequence[Task], took_of: Mapping[str, Duration], start: Instant, end: Instant, span: str
) -> int:
    """Return how many ticks there are to play; those whose overlap is played count twice.

    Raises:
        UsageError: They are too many; the message says in how long they would not be.
    """
    counts = {task.name: at_most(task.schedule, start, end) for task in tasks}
    if sum(counts.values()) <= _WALKED:
        counts = {task.name: task.schedule.count(start - 1, end - 1) for task in tasks}
    ticks = sum(counts.values())
    if ticks <= MOST:
        return ticks + sum(count for name, count in counts.items() if name in took_of)
    most = max(counts, key=lambda name: counts[name])
    room = (end - start) * MOST // ticks
    unit = next((unit for unit in _UNITS if room >= unit), 1000)
    fitting = format_duration(timedelta(microseconds=max(unit, room - room % unit)))
    raise UsageError(
        f"{ticks:,} ticks are due in {span}, and {MOST:,} are played at most: try --for {fitting}; "
        f"'{most}' alone has {counts[most]:,}"
    )


def _counting(told: Progress, total: int) -> Progress:
    """Return what adds up the ticks that were played."""
    done = 0.0

    def more(ticks: float, _total: float = 0) -> None:
        nonlocal done
        done += ticks
        told(done, total)

    return more


def _play(
    stated: Sequence[Task],
    tasks: Sequence[Task],
    took_of: Mapping[str, Duration],
    where: tuple[Instant, Instant, str],
    progress: Progress,
) -> Outlook:
    start, end, zone = where

    def more(ticks: int) -> None:
        progress(ticks, 0)

    load = forecast(tasks, start, end, zone_named(zone), more)
    together = {name for herd in load.herds for name in herd.tasks}
    spreads = {task.name: spread(task, start) for task in stated if task.name in together}
    return Outlook(
        start=start,
        end=end,
        zone=zone,
        tasks=stated,
        load=load,
        rehearsals={
            task.name: rehearse(task, took_of[task.name], start, end, more)
            for task in tasks
            if task.name in took_of
        },
        upsets={task.name: list(upsets(task.schedule, start, end)) for task in tasks},
        spreads={name: how for name, how in spreads.items() if how is not None},
    )
