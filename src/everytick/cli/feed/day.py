"""What is known of one day of a feed, and how it is told."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from everytick.app import open_ledger
from everytick.cli import present
from everytick.cli.feed.chosen import Chosen, Day
from everytick.cli.feed.next import after_refusal
from everytick.cli.feed.standing import stale
from everytick.cli.session import is_there
from everytick.cli.verdict import plain, sentence
from everytick.errors import EverytickError
from everytick.feeds.archive.downloads import Download
from everytick.feeds.archive.journal import Act, Entry
from everytick.feeds.archive.snapshot import Snapshot
from everytick.feeds.ask.show import Shown
from everytick.ledger import TickFilter
from everytick.tick import State, TickRow, tick_name
from everytick.when import Instant

MOST_TICKS = 2_000
_MOST = 12
_FIRST = 4
_READERS = 6
_PLURAL: Mapping[Act, str] = {"nothing_new": "nothing new"}
_STEADY = frozenset[Act]({"unchanged", "held", "refused", "failed", "nothing_new"})
"""What may come to the same several times in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a day.

    Attributes:
        which: The feed.
        day: The day, in the zone of the feed's schedule.
        now: The moment.
        found: How the feed stands now; None where it was never refreshed.
        entries: The day's lines of the journal, the oldest first.
        noted: Names of the ticks that have a line, of that day or after it.
        snapshots: The lists that readers had on the day, the oldest first.
        downloads: What arrived and is still kept, by digest.
        ticks: Ticks that were due on the day, the oldest first.
    """

    which: Chosen
    day: Day
    now: Instant
    found: Shown | None
    entries: Sequence[Entry]
    noted: frozenset[str]
    snapshots: Sequence[Snapshot]
    downloads: Mapping[str, Download]
    ticks: Sequence[TickRow]


def ticks_of(which: Chosen, day: Day, now: Instant) -> tuple[TickRow, ...]:
    """Return the ticks that were due on a day, the oldest first; none where no ledger can be read."""
    if not is_there(which.ledger):
        return ()
    span = TickFilter(task=which.name, since=day.begin, until=min(day.end - 1, now), limit=MOST_TICKS)
    try:
        with open_ledger(which.ledger) as ledger:
            return tuple(reversed(ledger.ticks(span)))
    except EverytickError:  # everytick doctor tells what is wrong with it
        return ()


def summed_up(known: Known) -> str:
    """Return what the day came to, in a sentence."""
    entries = known.entries
    if not entries:
        return "No refresh ended on that day, and nobody decided anything."
    counts = Counter(entry.act for entry in entries)
    parts = ", ".join(f"{count:,} {_PLURAL.get(act, act)}" for act, count in counts.items())
    decided = sum(counts[act] for act in ("approved", "rejected"))
    tried = len(entries) - decided
    decisions = f" and {present.many(decided, 'decision')}" if decided else ""
    return f"{present.many(tried, 'refresh', 'refreshes')}{decisions}: {parts}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, or the same thing several times.

    Attributes:
        when: On the clock of the feed's zone.
        what: In a sentence.
        details: What there is to say of it, by name.
    """

    when: str
    what: str
    details: Mapping[str, str]


def events(known: Known, *, everything: bool) -> list[Event]:
    """Return what happened, in order.

    On a long day good refreshes in a row are told in one line, and the middle is left out; unless all is
    asked for.
    """
    groups = [list(group) for _, group in groupby(known.entries, key=_likeness)]
    if everything or len(groups) <= _MOST:
        return [_event(known, group) for group in groups]
    found: list[Event] = []
    for quiet, run in groupby(groups, key=lambda group: group[0].act in {"published", "unchanged"}):
        several = list(run)
        whole = [entry for group in several for entry in group]
        short = quiet and len(whole) > 1
        found += [_quiet(known, whole)] if short else [_event(known, one) for one in several]
    left = len(found) - _MOST
    if left <= 0:
        return found
    gap = Event(when="...", what=f"{left:,} more that --all shows.", details={})
    return [*found[:_FIRST], gap, *found[_FIRST + left :]]


def _quiet(known: Known, good: Sequence[Entry]) -> Event:
    """Return good refreshes in a row as one event."""
    counts = Counter(entry.act for entry in good)
    parts = ", ".join(f"{count:,} {act}" for act, count in counts.items())
    until = _clock(known, good[-1].at)
    return Event(
        when=_clock(known, good[0].at),
        what=f"{len(good):,} good refreshes until {until}: {parts}. --all shows them.",
        details={},
    )


def _likeness(entry: Entry) -> object:
    if entry.act not in _STEADY:
        return entry.at
    return entry.act, entry.kind, entry.reasons, entry.raw_sha256, entry.arrived == "not_modified"


def _event(known: Known, alike: Sequence[Entry]) -> Event:
    first, last = alike[0], alike[-1]
    when = _clock(known, first.at)
    what = f"{sentence(first)}."
    if len(alike) > 1:
        what = f"{what} So it went {len(alike):,} times, until {_clock(known, last.at)}."
    told = {
        "asked by": "" if first.actor else first.tick or "hand: everytick feed refresh",
        "arrived": "" if first.actor else _arrived(known, first),
        "read": "" if first.actor or first.arrived != "other_bytes" else _read(first),
        "compared": _compared(known, first),
        "against it": "" if first.act == "approved" else "\n".join(plain(each) for each in first.reasons),
        "warnings": "" if first.act == "unchanged" else "\n".join(plain(each) for each in first.warnings),
        "said": plain(first.note),
        "also": "the list that was held until then waits no longer" if first.superseded else "",
    }
    return Event(when=when, what=what, details={name: text for name, text in told.items() if text})


def _arrived(known: Known, entry: Entry) -> str:
    way = f", redirected from {' and '.join(entry.redirects)}" if entry.redirects else ""
    if not entry.raw_sha256:
        return ""
    if entry.arrived == "not_modified":
        return f"nothing: {entry.url} answered 304, not modified{way}"
    kept = known.downloads.get(entry.raw_sha256)
    size = f"{entry.raw_bytes:,} bytes" if entry.raw_bytes else "a file"
    status = f", status {entry.status}" if entry.status else ""
    made = (
        f", last modified {kept.headers['last-modified']}" if kept and "last-modified" in kept.headers else ""
    )
    same = ", the same as the last time" if entry.arrived == "same_bytes" else ""
    return f"{size} from {entry.url}{status}{same}{made}{way}"


def _read(entry: Entry) -> str:
    if not entry.digest:
        return ""
    of = f" of {entry.as_of}" if entry.as_of else ""
    parts = {"not valid": entry.invalid, "repeated": entry.repeated}
    left = ", ".join(f"{count:,} {what}" for what, count in parts.items() if count)
    return f"{entry.rows:,} rows{of}" + (f"; left out: {left}" if left else "")


def _compared(known: Known, entry: Entry) -> str:
    if not entry.digest or entry.act in {"unchanged", "rejected", "nothing_new"}:
        return ""
    before = [each for each in known.snapshots if each.at < entry.at]
    if not before:
        return "with nothing: it is the first list"
    figures = f"{entry.added:,} added, {entry.removed:,} removed, {entry.changed:,} changed"
    return f"with snapshot {before[-1].sequence}, {before[-1].rows:,} rows: {figures}"


def readers(known: Known) -> Iterator[tuple[str, str]]:
    """Yield from when on readers had which list."""
    throughout = "all day" if known.now >= known.day.end else "until now"
    if not known.snapshots or known.snapshots[0].at >= known.day.begin:
        yield "at first" if known.snapshots else throughout, "none: no list had been published yet"
    left = len(known.snapshots) - _READERS
    if left > 0:
        before = present.many(left, "list")
        yield "...", f"{before} before; everytick feed history {known.which.name} has them"
    for each in known.snapshots[max(0, left) :]:
        early = each.at < known.day.begin
        of = f", of {each.as_of}" if each.as_of else ""
        by = f", approved by {each.approved_by}" if each.approved_by else ""
        since = f", published {known.which.local(each.at):%Y-%m-%d %H:%M}" if early else ""
        when = "at first" if early else f"from {_clock(known, each.at)}"
        if early and len(known.snapshots) == 1:
            when = throughout
        yield when, f"snapshot {each.sequence}, {each.rows:,} rows{of}{since}{by}"


def unnoted(known: Known) -> Iterator[str]:
    """Yield the ticks that no line of the journal tells of: nobody ran them, or they were cut off."""

    def name(row: TickRow) -> str:
        return tick_name(row.task, row.key.due_at, row.key.request)

    silent = [row for row in known.ticks if name(row) not in known.noted and row.state is not State.SUCCEEDED]
    for state, group in groupby(silent, key=present.outcome):
        rows = list(group)
        count = sum(row.count for row in rows)
        due = _clock(known, rows[0].key.due_at)
        span = f"the first due at {due}" if count > 1 else f"due at {due}"
        yield f"{present.many(count, 'tick')} {state}, {span}; everytick why {name(rows[0])} tells more"


def to_do(known: Known) -> Iterator[str]:
    """Yield what a person can do now."""
    found, now, name = known.found, known.now, known.which.name
    if found is None or (found.good_at is None and found.refusal is None):
        yield f"everytick feed refresh {name} asks the source now."
    elif found.refusal is not None or found.held is not None:
        yield from after_refusal(found, now)
    else:
        good = present.ago(found.good_at, now)
        if stale(known.which, found, now):
            yield f"The list was last found good {good}, longer ago than fresh_within allows."
            yield "everytick doctor tells whether anybody is there to refresh it."
        elif found.last is not None and found.last.act == "rejected":
            yield "Nothing: the list that was held is rejected, and the next refresh asks the source again."
        else:
            yield f"Nothing: the list was found good {good}."


def _clock(known: Known, instant: Instant) -> str:
    return f"{known.which.local(instant):%H:%M:%S}"
