"""Text to schedule: the one grammar of the command line, the configuration and the ledger.

schedule := term { "|" term }
term     := simple { "minus" simple | "within" window [ "in" ZONE ] }
simple   := "(" schedule ")"
          | "every" duration [ "from" time ]
          | "at" time { "," time } [ "in" ZONE ]
          | cron line [ "in" ZONE ] [ "gap=" word ] [ "fold=" word ]
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache, reduce
from operator import or_
from typing import NamedTuple, cast

from everytick.errors import ScheduleError
from everytick.when.at import At, read_time
from everytick.when.cron import Cron
from everytick.when.duration import parse_duration
from everytick.when.every import Every
from everytick.when.place import part_of
from everytick.when.schedule import Schedule
from everytick.when.walltime import Fold, Gap, checked_fold, checked_gap, zone_named
from everytick.when.within import Within

_LONGEST = 2000
_DEEPEST = 10
_BRACKET = re.compile(r"[()|]")
_JOINT = re.compile(r"[()|]|(?<!\S)(?:minus|within)(?!\S)", re.IGNORECASE)
_JOINTS = frozenset({"minus", "within"})
_ZONE = re.compile(r"\s+in\s+(\S+)\s*$", re.IGNORECASE)
_OPTION = re.compile(r"\s+(gap|fold)=(\S*)\s*$", re.IGNORECASE)
_FROM = re.compile(r"(?<!\S)from(?!\S)", re.IGNORECASE)


class Part(NamedTuple):
    """A part of a text: the joint before it, where it begins, and what it says."""

    joint: str
    start: int
    text: str


def schedule(text: str, zone: str = "UTC") -> Schedule:
    """Read a schedule in any of its forms.

    Args:
        text: `0 6 * * mon-fri`, `@daily`, `every 15m`, `every 15m from 2026-01-01T00:00Z`,
            `at 2026-12-01T09:00`, `A | B`, `A minus B`, `A within 09:15-15:30 mon-fri`; with `in ZONE` behind
            a part to say its zone.
        zone: The zone of every part that names none.

    Raises:
        ScheduleError: The text cannot be read; the error points at the place.
    """
    if len(text) > _LONGEST:
        raise ScheduleError(f"A schedule has at most {_LONGEST} characters, not {len(text)}")
    return _read(text, zone)


@lru_cache(maxsize=4096)  # a hundred thousand tasks share a few texts
def _read(text: str, zone: str) -> Schedule:
    if not _BRACKET.search(text) and _JOINTS.isdisjoint(text.lower().split()):  # as most
        return _simple(text, Part("", 0, text), zone)
    with part_of(text, 0):
        return _union(text, zone)


def _union(text: str, zone: str) -> Schedule:
    return reduce(or_, (_term(text, part, zone) for part in _split(text, {"|"})))


def _term(text: str, term: Part, zone: str) -> Schedule:
    with part_of(text, term.start):
        first, *others = _split(term.text, {"minus", "within"})
        whole = _simple(term.text, first, zone)
        for part in others:
            if part.joint == "minus":
                whole -= _simple(term.text, part, zone)
            else:
                whole = _within(term.text, whole, part, zone)
        return whole


def _within(text: str, whole: Schedule, part: Part, zone: str) -> Schedule:
    with part_of(text, part.start):
        window, its_zone = _zoned(part.text, zone)
        return Within(whole, window, its_zone)


def _split(text: str, joints: set[str]) -> Iterator[Part]:
    """Yield the parts of a text between those joints that no bracket holds."""
    depth, start, joint = 0, 0, ""
    for found in _JOINT.finditer(text):
        word = found[0].lower()
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth > _DEEPEST:
            raise ScheduleError("Too many brackets in each other", text=text, position=found.start())
        if depth < 0:
            raise ScheduleError("This bracket closes nothing", text=text, position=found.start())
        if word in joints and depth == 0:
            yield Part(joint, start, text[start : found.start()])
            start, joint = found.end(), word
    if depth:
        raise ScheduleError("A bracket stays open", text=text, position=text.index("("))
    yield Part(joint, start, text[start:])


def _simple(text: str, part: Part, zone: str) -> Schedule:
    body = part.text.strip()
    indent = len(part.text) - len(part.text.lstrip())
    word = body.split(maxsplit=1)[0].lower() if body else ""
    with part_of(text, part.start + indent):
        if not word:
            raise ScheduleError("A schedule is missing here", text=text, position=0)
        if body.startswith("("):
            return _bracketed(body, zone)
        if word == "every":
            return _every(body)
        if word == "at":
            return _at(body, zone)
        if word.isalpha() and word != "h":
            near = get_close_matches(word, ("every", "at"), n=1)
            mend = f"did you mean {near[0]}?" if near else "it begins with every, at, or a cron field"
            raise ScheduleError(f"A schedule does not begin with {word!r}: {mend}", text=body, position=0)
        return _cron(body, zone)


def _bracketed(body: str, zone: str) -> Schedule:
    if not body.endswith(")"):
        raise ScheduleError(
            "Behind a bracket comes |, minus or within", text=body, position=body.rindex(")") + 1
        )
    with part_of(body, 1):
        return _union(body[1:-1], zone)


def _every(body: str) -> Schedule:
    found = _FROM.search(body)
    start = len("every")
    with part_of(body, start):
        period = parse_duration(body[start : found.start() if found else None])
    if not found:
        return Every(period)
    with part_of(body, found.end()):
        origin = read_time(body[found.end() :])
        if origin.tzinfo is None:
            raise ScheduleError("Say the offset of the anchor: 2026-01-01T00:00Z", text=body, position=1)
    return Every(period, origin)


def _at(body: str, zone: str) -> Schedule:
    times, its_zone = _zoned(body, zone)
    with part_of(body, len("at")):
        return At(*times[len("at") :].split(","), zone=its_zone)


def _cron(body: str, zone: str) -> Schedule:
    options: dict[str, str] = {}
    while found := _OPTION.search(body):
        with part_of(body, found.start(1)):
            (checked_gap if found[1].lower() == "gap" else checked_fold)(found[2].lower())
        options[found[1].lower()] = found[2].lower()
        body = body[: found.start()]
    line, its_zone = _zoned(body, zone)
    return Cron(
        line,
        zone=its_zone,
        gap=cast("Gap | None", options.get("gap")),
        fold=cast("Fold | None", options.get("fold")),
    )


def _zoned(text: str, zone: str) -> tuple[str, str]:
    found = _ZONE.search(text)
    if not found:
        return text, zone
    with part_of(text, found.start(1)):
        return text[: found.start()], zone_named(found[1]).name
