"""The goals: what is asked of Everytick beside its peers, and whether a run shows it."""

from dataclasses import dataclass

from peers.judge import Lateness
from peers.results import Results, burst_of
from peers.roster import ROWS, Row
from peers.words import late

TASKS = 10_000
OURS = "everytick-postgres"
MEMORY = "apscheduler-memory"
TIMES = 10
STORED = {"SQLite", "PostgreSQL", "Redis"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One goal.

    Attributes:
        ask: What is asked.
        found: What was measured.
        met: Whether that is enough.
    """

    ask: str
    found: str
    met: bool


def goals(results: Results) -> list[Goal]:
    """Return the goals that a run has measured."""
    ours = _lateness(results, OURS)
    found = []
    if ours:
        for name in ("p50", "p99"):
            found += [*_beside_stored(results, ours, name), *_beside_memory(results, ours, name)]
    for kind, words in (("between", "between two bursts"), ("within", "in the middle of a burst")):
        crash = next((one for one in results.crashes if (one.row, one.kind) == (OURS, kind)), None)
        if crash and crash.losses:
            lost, doubled, again = crash.losses.lost, crash.losses.doubled, crash.losses.again
            more = f", {again:,} started again by a second attempt that says so" if again else ""
            found.append(
                Goal(
                    ask=f"Killed {words}: no tick lost, none doubled",
                    found=f"{lost:,} lost, {doubled:,} doubled{more}",
                    met=lost == doubled == 0,
                )
            )
    return found


def _lateness(results: Results, row: str) -> Lateness | None:
    burst = burst_of(results.bursts, row, TASKS)
    return burst.lateness if burst else None


def _beside_stored(results: Results, ours: Lateness, name: str) -> list[Goal]:
    rivals: list[tuple[float, Row, Lateness]] = []
    for row in ROWS:
        burst = _lateness(results, row.key)
        if row.environment and row.keeps in STORED and burst:
            value = getattr(burst, name)
            rivals.append((burst.watched if value is None else value, row, burst))
    mine = getattr(ours, name)
    if not rivals or mine is None:
        return []
    least, row, burst = min(rivals, key=lambda rival: rival[0])
    theirs = getattr(burst, name)
    told, at = late(burst, theirs), "at least " if theirs is None else ""
    return [
        Goal(
            ask=f"{TASKS:,} at once, {name}: at least {TIMES} times better than the best peer that keeps "
            "its schedules in a database or in Redis",
            found=f"{late(ours, mine)} beside {told} ({row.title}): {at}{least / mine:.1f} times",
            met=least / mine >= TIMES,
        )
    ]


def _beside_memory(results: Results, ours: Lateness, name: str) -> list[Goal]:
    memory, mine = _lateness(results, MEMORY), getattr(ours, name)
    theirs = getattr(memory, name) if memory else None
    if memory is None or theirs is None or mine is None:
        return []
    return [
        Goal(
            ask=f"{TASKS:,} at once, {name}: no worse than APScheduler in memory, which keeps nothing",
            found=f"{late(ours, mine)} beside {late(memory, theirs)}",
            met=mine <= theirs,
        )
    ]
