"""The note on choosing a scheduler says of those that were measured what the results that are kept say."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from .reader import ROOT

PATIENCE = 20.0
"""Up to how many seconds after the last due instant a burst was watched; the note names them."""

RESULTS: dict[str, Any] = json.loads((ROOT / "docs/reference/peers.json").read_bytes())


def silent(row: str, kind: str) -> int:
    """Return how many ticks a killed scheduler lost without a word."""
    (found,) = (one for one in RESULTS["crashes"] if (one["row"], one["kind"]) == (row, kind))
    return int(found["losses"]["lost"] - found["skipped"])


def doubled(row: str, kind: str) -> int:
    (found,) = (one for one in RESULTS["crashes"] if (one["row"], one["kind"]) == (row, kind))
    return int(found["losses"]["doubled"])


def harmless(row: str) -> bool:
    return not any(silent(row, kind) or doubled(row, kind) for kind in ("between", "within"))


def half_are_late(row: str) -> bool:
    """Tell whether half of 10,000 ticks had not come when the watch ended."""
    (found,) = (one for one in RESULTS["bursts"] if (one["row"], one["tasks"]) == (row, 10_000))
    return found["lateness"]["p50"] is None and found["lateness"]["watched"] >= PATIENCE


def faultless() -> bool:
    """Tell whether no fault run that is shown missed or doubled a tick."""
    text = (ROOT / "docs/reference/fault-runs.md").read_text("utf-8")
    rows = re.findall(r"^\| \*\*(?:missing|doubled)\*\* \|(.*)\|$", text, re.MULTILINE)
    return bool(rows) and all(cell.strip() == "**0**" for row in rows for cell in row.split("|"))


CLAIMS: dict[str, Callable[[], bool]] = {
    "**Celery Beat, django-celery-beat and RedBeat** run one of the two, and lose the other": lambda: all(
        95 <= silent(row, "between") <= 105
        for row in ("celery-beat", "celery-beat-synced", "django-celery-beat", "redbeat")
    ),
    "the first two send again what they had sent, unless they are told to write after each send": lambda: all(
        doubled(row, "within") > 50 and doubled(f"{row}-synced", "within") <= 1
        for row in ("celery-beat", "django-celery-beat")
    ),
    "RedBeat lost the rest, and the burst after it": lambda: silent("redbeat", "within") > 300,
    "**APScheduler** on a database loses nothing once it is told to be patient, and may repeat": lambda: all(
        not silent(row, kind) and doubled(row, kind) <= 1
        for row in ("apscheduler-postgres", "apscheduler-sqlite")
        for kind in ("between", "within")
    ),
    "As it comes, it drops what is more than a second late": lambda: (
        silent("apscheduler-postgres-default", "between") > 0
    ),
    "in memory, what it does not live to see": lambda: silent("apscheduler-memory", "between") >= 195,
    '**Everytick** loses and doubles nothing with `catch_up = "all"`': lambda: all(
        harmless(row) for row in ("everytick-postgres", "everytick-sqlite", "everytick-postgres-scheduler")
    ),
    "each other is a row with its reason": lambda: harmless("everytick-postgres-default"),
    "none in fault runs": faultless,
    "neither it nor django-celery-beat had sent half of them 20 s later": lambda: all(
        half_are_late(row) for row in ("celery-beat", "django-celery-beat")
    ),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_the_note_claims_is_what_was_measured(claim: str) -> None:
    text = (ROOT / "docs/why/choosing-a-scheduler.md").read_text("utf-8")
    said = " ".join(re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).split())
    assert claim in said, "the note does not say so any more: change or drop the claim"
    assert CLAIMS[claim](), "the results that are kept do not bear it out: change the note"
