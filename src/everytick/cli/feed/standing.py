"""How a feed stands, in a word: good, stale, held, refused, failed, nothing new, never, damaged."""

from everytick.cli import present
from everytick.cli.feed.chosen import Chosen
from everytick.cli.verdict import act
from everytick.errors import FeedError, UnknownName
from everytick.feeds.ask.show import Shown, show
from everytick.when import Instant

Found = Shown | FeedError | None
"""How a feed stands; None where it was never refreshed, the error where nobody can read its archive."""

STYLES = {"good": "green", "held": "yellow", "stale": "yellow", "never": "dim"}
"""The colours of these words; the others are red."""


def state(which: Chosen) -> Found:
    """Return how a feed stands."""
    try:
        return show(which.data, which.name)
    except UnknownName:
        return None
    except FeedError as fault:
        return fault


def standing(which: Chosen, found: Found, now: Instant) -> tuple[str, str]:
    """Return it in a word, and in a few."""
    if isinstance(found, FeedError):
        return "damaged", "damaged"
    if found is None or (found.snapshot is None and found.last is None):
        return "never", "never refreshed"
    if found.held is not None:
        since = f"held {present.ago(found.held.snapshot.at, now)}"
        newer = found.refusal if found.refusal is not None and found.refusal.act != "held" else None
        return "held", since + (f"; {act(newer)} {present.ago(newer.at, now)}" if newer else "")
    if found.refusal is not None:
        return found.refusal.act, f"{act(found.refusal)} {present.ago(found.refusal.at, now)}"
    if stale(which, found, now):
        return "stale", "stale"
    if found.last is not None and found.last.act == "rejected":
        return "rejected", f"rejected {present.ago(found.last.at, now)}"
    return "good", "good"


def stale(which: Chosen, found: Found, now: Instant) -> bool:
    """Tell whether a list was found good longer ago than ``fresh_within`` allows."""
    within = which.task.policies.fresh_within
    if within is None or not isinstance(found, Shown):
        return False
    return found.good_at is None or now - found.good_at > within
