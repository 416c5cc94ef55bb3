"""Settings: the words in which people state policies, read into values.

The same words serve everytick.toml and the keyword arguments of Everytick.task().
"""

import math
from collections.abc import Callable, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, TypeVar

from everytick.errors import UsageError
from everytick.policy import (
    CatchingUp,
    CatchUp,
    Duration,
    Overlap,
    Overlapping,
    Policies,
    Priority,
    Retry,
    Uncertain,
)
from everytick.when import parse_duration

P = TypeVar("P", CatchUp, Retry)

_SHORTEST = 1_000
_LONGEST = 36_525 * 86_400 * 1_000_000
"""A millisecond and a century, in microseconds: no duration is shorter or longer."""

_DAY = 86_400 * 1_000_000

_ENDLESS = 1e10  # seconds; nan is no less
_MOST = 1_000_000_000
_WIDEST = range(-(2**63), 2**64)
_DEEPEST = 50
_RETRY_WORDS = {"attempts", "backoff", "delay", "max_delay", "jitter", "on", "until"}


def duration(value: object) -> Duration:
    """Return microseconds of ``"30m"``, of a timedelta, or of a number of seconds.

    Raises:
        UsageError: It is none of these, shorter than 1 ms, or longer than a century.
    """
    if isinstance(value, timedelta):
        length = value // timedelta(microseconds=1)
    elif isinstance(value, str):
        length = parse_duration(value) // timedelta(microseconds=1)
    elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _ENDLESS:
        length = round(value * 1_000_000)
    else:
        raise UsageError(f"{value!r} is no duration; write it as '30s', '15m', '1h30m' or '2d'")
    if length < _SHORTEST:
        raise UsageError(f"{value!r} is too short: a duration is at least 1ms")
    if length > _LONGEST:
        raise UsageError(f"{value!r} is too long: a duration is at most 100 years")
    return length


def kept(value: object) -> Duration:
    """Return for how many microseconds ticks are kept.

    Raises:
        UsageError: It is no duration, or shorter than a day.
    """
    length = duration(value)
    if length < _DAY:
        raise UsageError(f"{value!r} is too short: ticks are kept for at least 1d")
    return length


def share(value: object) -> float:
    """Return 0.05 for ``"5%"`` or 0.05.

    Raises:
        UsageError: It is neither, or not between nothing and all.
    """
    try:
        if isinstance(value, str) and value.strip().endswith("%"):
            found = float(value.strip()[:-1]) / 100
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found = float(value)
        else:
            found = -1.0
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise UsageError(f"{value!r} is no share; write it as '5%' or 0.05")
    return found


def one_of(value: object, words: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the words stand for
    """Return what a word stands for.

    Raises:
        UsageError: There is no such word; the message names the nearest.
    """
    if isinstance(value, str) and value in words:
        return words[value]
    known = ", ".join(words)
    raise UsageError(f"{value!r} is not one of: {known}{nearest(str(value), words)}")


def nearest(word: str, words: Mapping[str, Any] | set[str]) -> str:
    """Return ``; did you mean 'x'?`` where a known word is near, else nothing."""
    found = get_close_matches(word, list(words), n=1, cutoff=0.6)
    return f"; did you mean '{found[0]}'?" if found else ""


def whole(value: object, least: int = 1) -> int:
    """Return a whole number from ``least`` to a thousand million.

    Raises:
        UsageError: It is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST:
        raise UsageError(f"{value!r} is not a whole number from {least} to {_MOST}")
    return value


def text(value: object) -> str:
    """Return a text that is not empty and that a program can be given: without a NUL.

    Raises:
        UsageError: It is none.
    """
    if not isinstance(value, str) or not value or "\0" in value:
        raise UsageError(f"{value!r} is not a text")
    return value


def texts(value: object) -> tuple[str, ...]:
    """Return a list of texts; one text alone counts as a list of one.

    Raises:
        UsageError: It is none, or empty.
    """
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not words:
        raise UsageError(f"{value!r} is not a list of texts")
    return tuple(text(word) for word in words)


def table(value: object) -> Mapping[str, Any]:
    """Return a table: names and their values.

    Raises:
        UsageError: It is none.
    """
    if not isinstance(value, Mapping):
        raise UsageError(f"{value!r} is not a table; write {{ name = ... }}")
    return value


def arguments(value: object) -> dict[str, Any]:
    """Return the keyword arguments of a function: a table of JSON values.

    Raises:
        UsageError: It is no table, or JSON cannot hold one of its values.
    """
    given = dict(table(value))
    for name, part in given.items():
        if not isinstance(name, str) or not _is_json(part, _DEEPEST):
            raise UsageError(f"{name} = {part!r} is no JSON value; dates, for one, are written as texts")
    return given


def _is_json(value: object, depth: int) -> bool:
    if isinstance(value, Mapping) and depth:
        return all(isinstance(key, str) and _is_json(part, depth - 1) for key, part in value.items())
    if isinstance(value, list | tuple) and depth:
        return all(_is_json(part, depth - 1) for part in value)
    if isinstance(value, int):
        return value in _WIDEST
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str)


def catch_up(value: object) -> CatchUp:
    """Return the policy of ``"latest"`` or ``{policy = "all", limit = 10, window = "1d"}``."""
    if isinstance(value, CatchUp):
        return _counted(value, "window", "grace")
    kinds = {kind.value: kind for kind in CatchingUp}
    if not isinstance(value, Mapping):
        return CatchUp(one_of(value, kinds))
    _only(value, {"policy", "limit", "window", "grace"})
    kind = one_of(value.get("policy"), kinds)
    given: dict[str, Any] = {}
    if "limit" in value:
        given["limit"] = whole(value["limit"])
    for word in {"window", "grace"} & value.keys():
        given[word] = duration(value[word])
    return CatchUp(kind, **given)


def overlap(value: object) -> Overlap:
    """Return the policy of ``"skip"`` or ``{policy = "allow", limit = 2}``."""
    if isinstance(value, Overlap):
        return value
    kinds = {kind.value: kind for kind in Overlapping}
    if isinstance(value, Mapping):
        _only(value, {"policy", "limit"})
        kind = one_of(value.get("policy"), kinds)
        limit = whole(value["limit"]) if "limit" in value else None
    else:
        kind, limit = one_of(value, kinds), None
    if kind is Overlapping.ALLOW:
        return Overlap.allow(limit)
    return Overlap(kind, 1 if limit is None else limit)


def retry(value: object) -> Retry:
    """Return the policy of ``{attempts = 5, backoff = "exponential"}`` or of a number of attempts."""
    if isinstance(value, Retry):
        return _counted(value, "delay", "max_delay")
    if not isinstance(value, Mapping):
        return Retry(whole(value))
    _only(value, _RETRY_WORDS)
    given: dict[str, Any] = {}
    if "attempts" in value:
        given["attempts"] = whole(value["attempts"])
    if "backoff" in value:
        given["backoff"] = one_of(value["backoff"], {"fixed": "fixed", "exponential": "exponential"})
    for word in {"delay", "max_delay"} & value.keys():
        given[word] = duration(value[word])
    if "jitter" in value:
        given["jitter"] = share(value["jitter"])
    if "on" in value:
        given["on"] = texts(value["on"])
    if "until" in value:
        given["until"] = one_of(value["until"], {"next": "next"})
    return Retry(**given)


def priority(value: object) -> Priority:
    """Return the class of ``"high"``, ``"normal"`` or ``"low"``."""
    return value if isinstance(value, Priority) else one_of(value, _PRIORITIES)


def uncertain(value: object) -> Uncertain:
    """Return the choice of ``"rerun"`` or ``"skip"``."""
    return one_of(value, {kind.value: kind for kind in Uncertain})  # type: ignore[no-any-return]


_PRIORITIES = {kind.name.lower(): kind for kind in Priority}

POLICIES: Mapping[str, Callable[[object], Any]] = {
    "catch_up": catch_up,
    "overlap": overlap,
    "retry": retry,
    "uncertain": uncertain,
    "jitter": duration,
    "timeout": duration,
    "grace": duration,
    "start_within": duration,
    "finish_within": duration,
    "fresh_within": duration,
    "pause_after": whole,
    "priority": priority,
    "queue": text,
}
"""How the word of each policy is read."""


def policies(words: Mapping[str, object]) -> Policies:
    """Return the policies that these words state.

    Raises:
        UsageError: A word is unknown or says something impossible; the message begins with it.
    """
    given = {}
    for word, value in words.items():
        reader = POLICIES.get(word)
        if reader is None:
            raise UsageError(f"unknown policy '{word}'{nearest(word, dict(POLICIES))}")
        try:
            given[word] = reader(value)
        except UsageError as fault:
            raise UsageError(f"{word}: {fault}") from fault
    return Policies(**given)


def _counted(policy: P, *words: str) -> P:
    """Return a policy that was made in Python: its durations have to be microseconds by then."""
    for word in words:
        length = getattr(policy, word)
        if length is not None and (type(length) is not int or not _SHORTEST <= length <= _LONGEST):
            raise UsageError(f"{word}={length!r} is no duration here; write {word}=duration({length!r})")
    return policy


def _only(given: Mapping[str, object], known: set[str]) -> None:
    for word in given:
        if word not in known:
            raise UsageError(f"unknown key '{word}'{nearest(word, known)}")
