"""What surprises the writer of a cron line: changed clocks, herds, uneven steps, absent days."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from everytick.when.cronfield import FIELDS, Choice, Field
from everytick.when.walltime import Change, Projection

_AHEAD = 2 * 366 * 86_400
_STEP = re.compile(r"\*/([0-9]{1,5})")


def line_notes(words: tuple[str, ...], choices: tuple[Choice, ...]) -> Iterator[str]:
    """Yield the surprises that the text of a line holds, whatever the moment."""
    if words[-5] == "0" and words[:-5] in {(), ("0",)}:
        yield "It comes at the full hour, as most cron lines do: H in place of the minute spreads them"
    for field, word in zip(FIELDS[-len(words) :], words, strict=True):
        if found := _STEP.fullmatch(word):
            yield from _step_notes(field, int(found[1]))
    days, _, weekdays = choices[-3:]
    if not days.star and not weekdays.star:
        yield "It is enough that the day of month or the day of week matches (Vixie's rule)"
    elif days.values and days.values[0] > 28 and not days.marks:
        yield f"Months without a day {days.values[0]} are left out: L is the last day of every month"


def _step_notes(field: Field, step: int) -> Iterator[str]:
    size = field.hash_high - field.low + 1
    if field not in FIELDS[:3]:
        return
    if step >= size:
        yield f"*/{step} in the {field.name} is no more than {field.low}"
    elif size % step:
        yield f"*/{step} begins anew at {field.name} {field.low}: the step before that is shorter"


def clock_notes(plan: Projection, hours: Choice, moment: int) -> Iterator[str]:
    """Yield what the next changes of the clocks do to a line, after a moment in seconds."""
    told = set()
    for change in plan.changes(moment, moment + _AHEAD):
        forward = change.offset > change.offset_before
        rule = plan.gap if forward else plan.fold
        if forward in told or (hours.star and rule in {"skip", "both"}):
            continue
        told.add(forward)
        yield _gap_note(plan, change) if forward else _fold_note(plan, change)


def _gap_note(plan: Projection, change: Change) -> str:
    wall = plan.times.at_or_after(change.first_wall)
    time = _shown(wall if wall is not None else change.first_wall)
    if plan.gap == "skip":
        return f"{time} does not exist in {plan.zone.name}: nothing comes for it"
    comes = change.end_wall if plan.gap == "next" else change.first_wall - plan.grain
    then = _shown(comes).removeprefix(time[:11])
    return f"{time} does not exist in {plan.zone.name}: it comes at {then}, once"


def _fold_note(plan: Projection, change: Change) -> str:
    wall = plan.times.at_or_after(change.first_wall)
    time = _shown(wall if wall is not None else change.first_wall)
    counts = "both count" if plan.fold == "both" else f"the {plan.fold} counts"
    return f"{time} comes twice in {plan.zone.name}: {counts}"


def _shown(wall: int) -> str:
    shown = f"{datetime.fromtimestamp(wall, UTC):%Y-%m-%d %H:%M:%S}"
    return shown.removesuffix(":00")
