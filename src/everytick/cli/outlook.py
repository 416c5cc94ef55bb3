"""What a play of schedules showed: pictures and tables for people, one JSON value for machines."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from everytick.cli import present
from everytick.cli.picture import bars
from everytick.forecast import Load, Peak
from everytick.rehearse import Rehearsal
from everytick.spread import Spread
from everytick.task import Task
from everytick.tick import rfc3339
from everytick.when import Instant, format_duration, moment_of
from everytick.when.clockchange import Upset

_HEIGHT = 5
_HERDS = 5
_NAMES = 3
_DAYS = 6
_UPSETS = 4
_TASKS = 50
_SPREADS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What was found from ``start`` to before ``end``.

    Attributes:
        start: The first instant.
        end: The first instant behind the span.
        zone: Whose clock shows times and days.
        tasks: The tasks, as they are written.
        load: When how many ticks start.
        rehearsals: What overlap does, by the names of the tasks whose duration was told.
        upsets: What changes of the clocks do, by name.
        spreads: How those that start together can be spread, by name.
    """

    start: Instant
    end: Instant
    zone: str
    tasks: Sequence[Task]
    load: Load
    rehearsals: Mapping[str, Rehearsal]
    upsets: Mapping[str, Sequence[Upset]]
    spreads: Mapping[str, Spread]

    @property
    def ticks(self) -> int:
        """How many ticks there are in all."""
        return sum(self.load.ticks.values())

    def shown(self, instant: Instant) -> str:
        """Return an instant as the zone's clock shows it."""
        if self.zone == "UTC":
            return rfc3339(instant)
        return moment_of(instant).astimezone(ZoneInfo(self.zone)).isoformat()


def as_values(found: Outlook) -> dict[str, object]:
    """Return it as JSON values: instants as RFC 3339 in UTC, lengths in seconds."""
    load = found.load
    return {
        "from": rfc3339(found.start),
        "to": rfc3339(found.end),
        "zone": found.zone,
        "ticks": found.ticks,
        "tasks": [_task(found, task) for task in found.tasks],
        "busiest": {"second": _peak(load.second), "minute": _peak(load.minute)},
        "together": [
            {
                "tasks": list(herd.tasks),
                "times": herd.times,
                "first": rfc3339(herd.first),
                "spread": {
                    name: {how.key: how.value}
                    for name in herd.tasks
                    if (how := found.spreads.get(name)) is not None
                },
            }
            for herd in load.herds
        ],
        "load": {"bucket": load.width / 1_000_000, "ticks": list(load.buckets)},
        "hours": list(load.hours),
        "days": load.days,
        "days_without": [day.isoformat() for day in load.idle],
    }


def _task(found: Outlook, task: Task) -> dict[str, object]:
    name = task.name
    told: dict[str, object] = {
        "task": name,
        "schedule": str(task.schedule),
        "ticks": found.load.ticks[name],
        "days_without": found.load.idle_of[name],
        "clock_changes": [
            {
                "at": rfc3339(one.at),
                "zone": one.zone,
                "wall": one.wall.isoformat(),
                "times": one.times,
                "fate": one.fate,
                "to": None if one.to is None else rfc3339(one.to),
            }
            for one in found.upsets[name]
        ],
    }
    overlap = found.rehearsals.get(name)
    if overlap is not None:
        told["overlap"] = {
            "policy": task.policies.overlap.kind.value,
            "took": overlap.took / 1_000_000,
            "stopped_by_timeout": overlap.stopped,
            "ran": overlap.ran,
            "cancelled": overlap.cancelled,
            "waited": overlap.waited,
            "longest_wait": overlap.longest_wait / 1_000_000,
            "most_active": overlap.most_active,
            "most_waiting": overlap.most_waiting,
            "skipped": {reason.value: count for reason, count in sorted(overlap.skipped.items())},
            "left": overlap.left,
        }
    return told


def _peak(found: Peak | None) -> dict[str, object] | None:
    return None if found is None else {"at": rfc3339(found.at), "ticks": found.ticks}


def show(found: Outlook) -> None:
    """Show it to people."""
    from rich.text import Text

    from everytick.cli import tables

    console = tables.console()
    span = format_duration(timedelta(microseconds=found.end - found.start))
    of = f"{present.many(found.ticks, 'tick')} of {present.many(len(found.tasks), 'task')}"
    console.print(tables.headline(f"{span} from {found.shown(found.start)}", of))
    if found.load.second is not None and found.load.minute is not None:
        for line in _pictures(found):
            console.print(Text(line, no_wrap=True))
        peaks = (("fullest second", found.load.second), ("fullest minute", found.load.minute))
        console.print(
            tables.pairs(
                {what: f"{peak.ticks:,}, the first at {found.shown(peak.at)}" for what, peak in peaks}
                | {"days without": _idle(found.load)}
            )
        )
    console.print()
    console.print(_ticks(found) if found.tasks else "no tasks to play")
    if len(found.tasks) > _TASKS:
        console.print(f"and {len(found.tasks) - _TASKS:,} more tasks, which --json has too")
    if found.rehearsals:
        console.print()
        console.print(_overlap(found))
    for head, lines in (
        ("Starting in the same second", list(_herds(found))),
        (
            "To spread them (H goes by the task's name, jitter starts ticks later)",
            list(_spread(found)),
        ),
        ("When the clocks change", list(_upsets(found))),
    ):
        if lines:
            console.print()
            console.print(Text(head, style="bold"))
            for line in lines:
                console.print(tables.paragraph(line, "- "))


def _pictures(found: Outlook) -> Iterator[str]:
    load = found.load
    top = f"{max(load.buckets):,}"
    gutter = max(len(top), 4)
    if len(load.buckets) > 1:
        width = format_duration(timedelta(microseconds=load.width))
        yield f"\nticks in each {width}"
        for number, line in enumerate(bars(load.buckets, _HEIGHT)):
            yield f"{top if number == 0 else '':>{gutter}} {line}"
        begin, end = (found.shown(instant)[:16] for instant in (found.start, found.end))
        room = max(len(load.buckets) - len(begin), len(end) + 2)
        yield f"{'':>{gutter}} {begin}{end:>{room}}"
    if load.days > 1:
        yield f"\nticks in each hour of the day, {found.zone} time"
        (line,) = bars(load.hours)
        yield f"{max(load.hours):>{gutter},} " + "".join(2 * block for block in line)
        yield f"{'':>{gutter}} " + "".join(f"{hour:<8}" for hour in ("00", "04", "08", "12", "16", "20"))
    yield ""


def _idle(load: Load) -> str:
    if not load.days:
        return "the span holds no whole day"
    if not load.idle:
        return f"none of {load.days:,}"
    told = ", ".join(f"{day:%a} {day}" for day in load.idle[:_DAYS])
    more = f" and {len(load.idle) - _DAYS:,} more" if len(load.idle) > _DAYS else ""
    return f"{len(load.idle):,} of {load.days:,}: {told}{more}"


def _ticks(found: Outlook) -> object:
    from everytick.cli import tables

    made = tables.table(
        "task",
        "schedule",
        "ticks",
        "days without",
        right=("ticks", "days without"),
        clip=("task", "schedule"),
    )
    for task in _shown_tasks(found, found.tasks):
        name = task.name
        made.add_row(name, str(task.schedule), f"{found.load.ticks[name]:,}", f"{found.load.idle_of[name]:,}")
    return made


def _overlap(found: Outlook) -> object:
    from everytick.cli import tables

    made = tables.table(
        "task", "took", "overlap", "ran", "not done", "waited", "longest",
        right=("ran", "not done", "waited"), clip=("task",),
    )  # fmt: skip
    for task in _shown_tasks(found, [task for task in found.tasks if task.name in found.rehearsals]):
        seen = found.rehearsals[task.name]
        skipped = [f"{count:,} {reason.value}" for reason, count in sorted(seen.skipped.items())]
        skipped += [f"{count:,} {what}" for what, count in (("stopped", seen.cancelled), ("left", seen.left))
                    if count]  # fmt: skip
        made.add_row(
            task.name,
            _length(seen.took) + (" (timeout)" if seen.stopped else ""),
            task.policies.overlap.kind.value,
            f"{seen.ran:,}",
            tables.styled("skipped", "\n".join(skipped)) if skipped else "-",
            f"{seen.waited:,}" if seen.waited else "-",
            _length(seen.longest_wait) if seen.waited else "-",
        )
    return made


def _shown_tasks(found: Outlook, tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks to show, in their own order: where they are many, those with the most ticks."""
    most = sorted(tasks, key=lambda task: -found.load.ticks[task.name])[:_TASKS]
    names = {task.name for task in most}
    return [task for task in tasks if task.name in names]


def _length(length: int) -> str:
    return format_duration(timedelta(milliseconds=length // 1000))


def _herds(found: Outlook) -> Iterator[str]:
    for herd in found.load.herds[:_HERDS]:
        times = "once, at" if herd.times == 1 else f"{herd.times:,} times, first at"
        yield f"{_named(herd.tasks)}: {times} {found.shown(herd.first)}"
    rest = len(found.load.herds) - _HERDS
    if rest > 0:
        yield f"and {present.many(rest, 'smaller herd')}; --json has more of them"


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES])
    more = len(names) - _NAMES
    return f"{len(names)} tasks, {shown}" + (f" and {more:,} more" if more > 0 else "")


def _spread(found: Outlook) -> Iterator[str]:
    """Tell how the tasks of the largest herds can be spread."""
    names = dict.fromkeys(name for herd in found.load.herds[:_HERDS] for name in herd.tasks)
    told = [f'{name}: {how.key} = "{how.value}"' for name in names if (how := found.spreads.get(name))]
    yield from told[:_SPREADS]
    if len(told) > _SPREADS:
        yield f"and so on for {len(told) - _SPREADS:,} more"


def _upsets(found: Outlook) -> Iterator[str]:
    for name, each in found.upsets.items():
        for one in each[:_UPSETS]:
            yield f"{name}: {one.sentence}"
        if len(each) > _UPSETS:
            yield f"{name}: and {present.many(len(each) - _UPSETS, 'more change')}"
