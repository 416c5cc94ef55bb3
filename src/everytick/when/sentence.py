"""Cron lines in plain English."""

from collections.abc import Iterable
from datetime import date

from everytick.when.cronfield import HOUR, MINUTE, SECOND, Choice, Field, Mark, has_hash

_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = tuple(date(2000, month, 1).strftime("%B") for month in range(1, 13))
_NTH = ("", "first", "second", "third", "fourth", "fifth")
_FEW = 6


def cron_sentence(words: tuple[str, ...], choices: tuple[Choice, ...], zone: str) -> str:
    """Return what a cron line means.

    Args:
        words: The line's fields as they are written.
        choices: What each of them allows.
        zone: The zone whose wall clock counts.
    """
    days, months, weekdays = choices[-3:]
    sentence = f"{_times(words[:-3], choices[:-3])}{_days(days, weekdays)}"
    if len(months.values) < 12:
        sentence += f" in {_list(_MONTHS[month - 1] for month in months.values)}"
    hashed = _list(_hashed(words))
    chosen = f" ({hashed} chosen by a hash of the task's name)" if hashed else ""
    return f"{sentence}{chosen}, {zone} time"


def _hashed(words: tuple[str, ...]) -> Iterable[str]:
    names = ("second", "minute", "hour", "day of month", "month", "day of week")[-len(words) :]
    return (name for name, word in zip(names, words, strict=True) if has_hash(word))


def _times(words: tuple[str, ...], choices: tuple[Choice, ...]) -> str:
    minutes, hours = (choice.values for choice in choices[-2:])
    seconds = choices[0].values if len(choices) == 3 else (0,)
    if any(map(has_hash, words)):
        return _spread_times(words)
    if len(minutes) * len(hours) * len(seconds) <= _FEW:
        tail = [f":{second:02}" for second in seconds] if seconds != (0,) else [""]
        return "At " + _list(
            f"{hour:02}:{minute:02}{end}" for hour in hours for minute in minutes for end in tail
        )
    parts = []
    if seconds != (0,):
        parts.append(_each(SECOND, seconds))
    if len(minutes) < 60 or not parts:
        parts.append(_each(MINUTE, minutes))
    if len(hours) < 24:
        parts.append(_each(HOUR, hours))
    elif len(minutes) < 60 and parts[-1].startswith("minute"):
        parts.append("every hour")
    sentence = " of ".join(parts)
    return sentence[0].upper() + sentence[1:]


def _spread_times(words: tuple[str, ...]) -> str:
    names = ("second", "minute", "hour")[-len(words) :]
    told = (f"{name} {word.upper()}" for name, word in zip(names, words, strict=True) if word != "*")
    return "At " + ", ".join(told)


def _each(field: Field, values: tuple[int, ...]) -> str:
    """Return `every minute`, `every 5 minutes`, `minutes 0 to 29` or `minute 0, 15 and 40`."""
    if len(values) == field.high - field.low + 1:
        return f"every {field.name}"
    step = values[1] - values[0] if len(values) > 1 else 0
    even = len(values) > 2 and values == tuple(range(values[0], values[-1] + 1, step))
    if even and step > 1 and values[0] == field.low and values[-1] + step > field.high:
        return f"every {step} {field.name}s"
    if even and step > 1:
        return f"every {step} {field.name}s from {values[0]} to {values[-1]}"
    if even:
        return f"{field.name}s {values[0]} to {values[-1]}"
    return f"{field.name} {_list(map(str, values))}"


def _days(days: Choice, weekdays: Choice) -> str:
    by_day = _month_days(days) if days.marks or len(days.values) < 31 else ""
    by_weekday = _weekdays(weekdays) if weekdays.marks or len(weekdays.values) < 7 else ""
    if not days.star and not weekdays.star:
        return f" on {by_day or 'every day'}, and also on {by_weekday or 'every day'}"
    if by_day and by_weekday:
        return f" on {by_day}, if that is {by_weekday}"
    return f" on {by_day or by_weekday}" if by_day or by_weekday else " every day"


def _month_days(choice: Choice) -> str:
    told = [f"day {_list(map(str, choice.values))} of the month"] if choice.values else []
    told += sorted(_marked(mark) for mark in choice.marks)
    return " and on ".join(told)


def _weekdays(choice: Choice) -> str:
    values = choice.values
    told = []
    if len(values) > 2 and values == tuple(range(values[0], values[-1] + 1)):
        told.append(f"{_WEEKDAYS[values[0]]} to {_WEEKDAYS[values[-1]]}")
    elif values:
        told.append(_list(_WEEKDAYS[value] for value in values))
    told += sorted(_marked(mark) for mark in choice.marks)
    return " and on ".join(told)


def _marked(mark: Mark) -> str:
    if mark.kind == "last":
        return "the last day of the month"
    if mark.kind == "last workday":
        return "the last Monday to Friday of the month"
    if mark.kind == "nearest workday":
        return f"the Monday to Friday nearest to day {mark.day} of the month"
    which = "last" if mark.kind == "last weekday" else _NTH[mark.nth]
    return f"the {which} {_WEEKDAYS[mark.day]} of the month"


def _list(words: Iterable[str]) -> str:
    *others, last = [*words] or [""]
    return f"{', '.join(others)} and {last}" if others else last
