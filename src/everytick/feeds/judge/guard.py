"""Whether a list that arrived is one to believe, judged against the last good one.

A pure decision: facts and limits in, a judgement out. A share equal to its limit is within it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal

from everytick.feeds.feed import Feed, Limit
from everytick.feeds.judge.contract import Event

Severity = Literal["hold", "refuse"]
Verdict = Literal["publish", "hold", "refuse"]

_AHEAD = timedelta(days=1)
"""How far a list's day may be ahead of UTC's: in the east it begins earlier."""

_AGAIN = "the next refresh asks the source again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A person's word that a list is wrong.

    Attributes:
        actor: Who said so.
        note: Why.
    """

    actor: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of the list that arrived.

    Attributes:
        rows: Good rows: those that would be published.
        invalid: Rows in quarantine because their key is no good, or because they could not be read.
        invalid_examples: A few of them, for people.
        repeated: Rows in quarantine because their key stood in a row before.
        repeated_examples: A few of them, for people.
        events: How its columns differ from those of the last good list.
        warnings: What else a person should know, though it speaks against nothing.
        as_of: The day the list is of, where it says so.
        today: The day of the refresh, UTC; None where nobody knows.
        rejection: A person's word that this very list is wrong.
        before: Rows of the last good list; None for the first list ever.
        before_as_of: The day the last good list is of.
        added: Keys that the last good list lacks.
        removed: Keys of the last good list that are gone.
        changed: Keys in both whose identity differs.
    """

    rows: int
    invalid: int = 0
    invalid_examples: Sequence[str] = ()
    repeated: int = 0
    repeated_examples: Sequence[str] = ()
    events: Sequence[Event] = ()
    warnings: Sequence[str] = ()
    as_of: date | None = None
    today: date | None = None
    rejection: Rejection | None = None
    before: int | None = None
    before_as_of: date | None = None
    added: int = 0
    removed: int = 0
    changed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """One thing that speaks against publishing a list.

    Attributes:
        kind: Its name: rejected, empty, min_rows, max_invalid, max_repeated, columns, as_of, max_removed,
            max_added or max_changed.
        severity: Whether the list is held for a person to decide on, or refused.
        words: The figures, and the limit with its key.
        mend: What a person can do.
    """

    kind: str
    severity: Severity
    words: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is to become of a list.

    Attributes:
        objections: All that speaks against it.
        warnings: What a person should know of it, published or not.
    """

    objections: tuple[Objection, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """``publish`` where nothing speaks against it, else the gravest severity."""
        if not self.objections:
            return "publish"
        return "refuse" if any(each.severity == "refuse" for each in self.objections) else "hold"

    @property
    def reason(self) -> str:
        """All objections in one sentence, with what a person can do; empty where there are none."""
        decisive = [each for each in self.objections if each.severity == self.verdict]
        words = [each.words for each in self.objections]
        mends = dict.fromkeys(each.mend for each in decisive)
        return "; ".join([*words, *mends])


def judge(facts: Facts, feed: Feed) -> Judgement:
    """Return what is to become of a list.

    The first list ever has nothing to be compared with, so it only has to be a valid one.
    """
    objections = [*_of_a_person(facts), *_of_itself(facts, feed), *_of_columns(facts, feed)]
    if facts.before is not None:
        objections += _compared(facts, facts.before, feed)
    warned = tuple(each.words for each in facts.events if each.response == "warn")
    return Judgement(objections=tuple(objections), warnings=(*warned, *facts.warnings))


def _of_a_person(facts: Facts) -> list[Objection]:
    if facts.rejection is None:
        return []
    words = f"{facts.rejection.actor} rejected this very list: {facts.rejection.note}"
    return [Objection(kind="rejected", severity="refuse", words=words, mend=_AGAIN)]


def _of_itself(facts: Facts, feed: Feed) -> list[Objection]:
    found = []
    arrived = facts.rows + facts.invalid + facts.repeated
    if facts.rows == 0:
        words = "the list is empty" if arrived == 0 else "the list has no good row"
        found.append(Objection(kind="empty", severity="refuse", words=words, mend=_AGAIN))
    elif facts.rows < feed.min_rows:
        words = f"good rows: {facts.rows:,}, fewer than min_rows, {feed.min_rows:,}"
        mend = f"if the list is right, lower feed.{feed.name}.min_rows"
        found.append(Objection(kind="min_rows", severity="refuse", words=words, mend=mend))
    if facts.as_of is not None and facts.today is not None and facts.as_of > facts.today + _AHEAD:
        words = f"the list is of {facts.as_of}, which is yet to come"
        mend = f"if that is no slip of the source's, mend feed.{feed.name}.as_of"
        found.append(Objection(kind="as_of", severity="refuse", words=words, mend=mend))
    for kind, part, limit, what, examples in (
        ("max_invalid", facts.invalid, feed.max_invalid, "are not valid", facts.invalid_examples),
        ("max_repeated", facts.repeated, feed.max_repeated, "repeat a key", facts.repeated_examples),
    ):
        if _above(part, arrived, limit):
            share = f"{part:,} of {arrived:,} rows ({_percent(part, arrived, limit)})"
            words = f"{share} {what}{_some(examples)}, more than {_named(kind, limit)}"
            mend = f"if that is how the list is, raise feed.{feed.name}.{kind}"
            found.append(Objection(kind=kind, severity="refuse", words=words, mend=mend))
    return found


def _of_columns(facts: Facts, feed: Feed) -> list[Objection]:
    mend = f"see how feed.{feed.name} names its columns"
    return [
        Objection(kind="columns", severity="refuse", words=each.words, mend=mend)
        for each in facts.events
        if each.response == "refuse"
    ]


def _compared(facts: Facts, before: int, feed: Feed) -> list[Objection]:
    found = []
    if facts.as_of is not None and facts.before_as_of is not None and facts.as_of < facts.before_as_of:
        words = f"the list is of {facts.as_of}, older than the last good one's {facts.before_as_of}"
        found.append(Objection(kind="as_of", severity="refuse", words=words, mend=_AGAIN))
    common = before - facts.removed
    for kind, part, whole, limit, what in (
        (
            "max_removed",
            facts.removed,
            before,
            feed.max_removed,
            "{} of the last good list's {} rows are gone",
        ),
        ("max_added", facts.added, before, feed.max_added, "new rows: {}, beside the last good list's {}"),
        ("max_changed", facts.changed, common, feed.max_changed, "{} of the {} rows in both lists differ"),
    ):
        crossed = _crossed(part, whole, limit)
        if crossed is not None:
            severity, allowed = crossed
            share = f"{what.format(f'{part:,}', f'{whole:,}')} ({_percent(part, whole, allowed)})"
            words, mend = f"{share}, more than {_named(kind, allowed)}", _mend(severity, kind, feed)
            found.append(Objection(kind=kind, severity=severity, words=words, mend=mend))
    return found


def _crossed(part: int, whole: int, limit: Limit) -> tuple[Severity, float] | None:
    """Return the gravest limit that a share is above, if any."""
    if limit.refuse is not None and _above(part, whole, limit.refuse):
        return "refuse", limit.refuse
    if limit.hold is not None and _above(part, whole, limit.hold):
        return "hold", limit.hold
    return None


def _mend(severity: Severity, kind: str, feed: Feed) -> str:
    if severity == "hold":
        return f"everytick feed approve {feed.name} publishes it, everytick feed reject {feed.name} does not"
    return f"if the list is right, raise feed.{feed.name}.{kind}.refuse"


def _above(part: int, whole: int, limit: float) -> bool:
    """Tell exactly whether a share is above its limit; 29 of 100 is not above 0.29, whatever binary says."""
    return part > Fraction(limit).limit_denominator(10**9) * whole


def _percent(part: int, whole: int, limit: float) -> str:
    """Say a share that is above a limit, with as many digits as it takes to be told from it."""
    if whole == 0:
        return "all of them"
    percent, bound = 100 * part / whole, float(f"{limit * 100:g}")
    texts = [f"{percent:.{digits}f}" for digits in range(1, 10)]
    return f"{next((text for text in texts if float(text) > bound), texts[-1])}%"


def _named(kind: str, limit: float) -> str:
    return f"{kind}, {limit * 100:g}%"


def _some(examples: Sequence[str]) -> str:
    return f" ({', '.join(examples[:3])})" if examples else ""
