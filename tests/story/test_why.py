"""The story of a tick, told after days that went wrong in every way."""

import pytest

from everytick.cli.session import Session
from everytick.cli.story import tell
from everytick.ledger import Change
from everytick.life.losses import LOST
from everytick.policy import CatchingUp, CatchUp, Overlap, Overlapping, Policies, Retry, Uncertain
from everytick.testing.engine import Engine, task
from everytick.testing.executor import Act
from everytick.tick import SECOND, Reason, rfc3339
from everytick.when import Instant

MINUTE = 60 * SECOND
START = "2026-03-01T00:00:00Z"


class Then(Session):
    """Somebody who asks at the engine's own moment."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.ledger)
        self.engine = engine

    def now(self) -> Instant:
        return self.engine.clock.now()


def told(engine: Engine, tick: str) -> str:
    return " ".join(tell(Then(engine), tick))


def first(engine: Engine, state: str, reason: Reason | None = None) -> str:
    """Return the first tick that ended like that."""
    row = next(row for row in engine.ticks() if (row.state, row.reason) == (state, reason))
    return f"work@{engine.told('work')[engine.ticks().index(row)].split()[0]}"


def test_a_success_that_came_late() -> None:
    engine = Engine(START, script=lambda _: Act(seconds=2400))
    engine.apply(task("work", "0 6 * * *", zone="Asia/Kolkata", policies=Policies(finish_within=30 * MINUTE)))
    engine.run(hours=2)
    story = told(engine, "work@2026-03-01T00:30:00Z")
    assert "It was due at 2026-03-01T00:30:00Z (Sun 06:00 in Asia/Kolkata), 1h30m ago: at 06:00" in story
    assert "It succeeded at 2026-03-01T01:10:00Z, after 40m." in story
    assert "That was late by 10m: it was to succeed within 30m (finish_within)." in story


def test_one_that_runs_too_long_is_late_already() -> None:
    engine = Engine(START, script=lambda _: Act(seconds=90_000))
    engine.apply(task("work", "0 6 * * *", policies=Policies(finish_within=30 * MINUTE)))
    engine.run(hours=7)
    story = told(engine, "work@2026-03-01T06:00:00Z")
    assert "It is running for 1h, held by process" in story
    assert "It is late by 30m" in story


@pytest.mark.parametrize(
    ("retry", "words"),
    [
        (Retry(), "its only attempt failed, ValueError: boom; the task has no retry."),
        (Retry(attempts=3), "attempt 3 failed, ValueError: boom; retry allows 3 attempts."),
        (Retry(attempts=3, on=("KeyError",)), "retry tries again only after KeyError."),
        (Retry(attempts=9, delay=40 * MINUTE, max_delay=40 * MINUTE, until="next"), "(retry until next)."),
    ],
)
def test_a_failure_says_why_nothing_more_is_tried(retry: Retry, words: str) -> None:
    engine = Engine(START, script=lambda _: Act(outcome="error", error="ValueError: boom"))
    engine.apply(task("work", "@hourly", policies=Policies(retry=retry)))
    engine.run(hours=3)
    story = told(engine, first(engine, "failed", Reason.ERROR))
    assert words in story
    assert "The task has never succeeded yet; everytick run work asks for a tick now." in story


def test_a_failure_that_mended_itself() -> None:
    hours = iter([Act(outcome="error", error="exit status 3"), *[Act()] * 9])
    engine = Engine(START, script=lambda _: next(hours))
    engine.apply(task("work", "@hourly"))
    engine.run(hours=3, minutes=1)
    assert "The task has succeeded since: work@2026-03-01T03:00:00Z is the newest" in told(
        engine, first(engine, "failed", Reason.ERROR)
    )


@pytest.mark.parametrize(
    ("uncertain", "losses", "words"),
    [
        (Uncertain.SKIP, 1, 'and uncertain = "skip" does not run such ticks again.'),
        (Uncertain.RERUN, 4, "and it had been run again 3 times, as often as that may be."),
    ],
)
def test_a_loss(uncertain: Uncertain, losses: int, words: str) -> None:
    engine = Engine(START, script=lambda _: Act(seconds=36_000))
    engine.apply(task("work", "@daily", policies=Policies(uncertain=uncertain)))
    engine.run(days=1, minutes=1)
    for _ in range(losses):
        engine.crash_runner()
        engine.start_runner()
        engine.run(minutes=5)
    story = told(engine, "work@2026-03-02T00:00:00Z")
    assert "vanished (" in story
    assert "nobody knows how far it came" in story
    assert words in story
    assert story.count("was lost after") == losses - 1


def test_each_skip_names_who_was_in_the_way_and_which_rule_decided() -> None:
    for overlap, reason, words in (
        (
            Overlap(),
            Reason.OVERLAP,
            "an earlier tick, work@2026-03-01T00:05:00Z, was still active, and overlap",
        ),
        (Overlap.allow(2), Reason.OVERLAP, 'overlap = "allow" of 2 leaves out'),
        (
            Overlap(Overlapping.QUEUE_ONE),
            Reason.SUPERSEDED,
            'a newer tick took its place: overlap = "queue_one"',
        ),
    ):
        engine = Engine(START, script=lambda _: Act(seconds=1500))
        engine.apply(task("work", "*/5 * * * *", policies=Policies(overlap=overlap)))
        engine.run(hours=1)
        assert words in told(engine, first(engine, "skipped", reason))


def test_a_start_deadline_names_who_was_active() -> None:
    queue = Overlap(Overlapping.QUEUE_ALL)
    engine = Engine(START, script=lambda _: Act(seconds=1500))
    engine.apply(task("work", "*/5 * * * *", policies=Policies(overlap=queue, start_within=10 * MINUTE)))
    engine.run(hours=1)
    story = told(engine, first(engine, "skipped", Reason.EXPIRED))
    assert "not started within 10m, its start deadline (start_within); work@2026-03-01T00:05:00Z" in story
    assert "was active when it was due" in story
    waits = told(engine, "work@2026-03-01T00:55:00Z")
    assert "It waits for work@2026-03-01T00:45:00Z, which is active" in waits
    assert "others that wait;" in told(engine, "work@2026-03-01T01:00:00Z")
    assert "Not started by 2026-03-01T01:05:00Z, it is left out (start_within)." in waits


@pytest.mark.parametrize(
    ("catch_up", "minutes", "words"),
    [
        (CatchUp(), 150, '(2026-03-01T02:00:00Z), and catch_up = "latest" runs only the newest'),
        (CatchUp(CatchingUp.NONE), 150, 'catch_up = "none" runs none of those'),
        (CatchUp(CatchingUp.NONE), 65, 'within 1m (the grace of catch_up = "none"): no runner was there'),
        (CatchUp(CatchingUp.ALL, limit=1), 250, "runs only those within its limit and window"),
    ],
)
def test_what_was_missed_while_nobody_was_there(catch_up: CatchUp, minutes: int, words: str) -> None:
    engine = Engine(START)
    engine.apply(task("work", "@hourly", policies=Policies(catch_up=catch_up)))
    engine.running = False
    engine.run(minutes=minutes)
    engine.start_runner()
    engine.run(minutes=1)
    assert words in told(engine, "work@2026-03-01T01:00:00Z")


def test_what_waits_for_a_back_off_or_for_the_end_of_a_pause() -> None:
    engine = Engine(START, script=lambda _: Act(outcome="error", error="exit status 3"))
    retry = Retry(attempts=3, delay=20 * MINUTE, max_delay=20 * MINUTE, jitter=0)
    engine.apply(task("work", "@hourly", policies=Policies(retry=retry)))
    engine.run(hours=1, minutes=1)
    story = told(engine, "work@2026-03-01T01:00:00Z")
    assert (
        "Attempt 1 started at 2026-03-01T01:00:00Z and failed after 0ms: exit status 3. It is tried again."
        in story
    )
    assert "It is planned and may start at 2026-03-01T01:20:00Z, in 19m." in story
    engine.pause("work")
    engine.run(minutes=90)
    assert "It waits until the task is resumed." in told(engine, "work@2026-03-01T01:00:00Z")
    assert "The task is paused since 2026-03-01T01:01:00Z; one row will stand" in told(
        engine, "work@2026-03-01T02:00:00Z"
    )


def test_a_late_start_is_explained() -> None:
    engine = Engine(START, script=lambda _: Act(seconds=420))
    policies = Policies(overlap=Overlap(Overlapping.QUEUE_ALL))
    engine.apply(task("work", "*/5 * * * *", policies=policies))
    engine.run(minutes=30)
    assert "2m after it was due: it waited for its turn, work@2026-03-01T00:05:00Z was active" in told(
        engine, "work@2026-03-01T00:10:00Z"
    )
    spread = Engine(START)
    spread.apply(task("work", "@hourly", policies=Policies(jitter=30 * MINUTE)))
    spread.run(hours=2)
    assert "after it was due, as its jitter would have it." in told(spread, "work@2026-03-01T01:00:00Z")


def test_one_that_stands_in_reserve_or_is_a_suspect_says_so() -> None:
    engine = Engine(START, script=lambda _: Act(seconds=600))
    engine.apply(task("work", "0 6 * * *", policies=Policies(overlap=Overlap.allow())))
    for _ in range(2):
        engine.ask("work")
        engine.ask("work")
        engine.run(seconds=5)
        engine.crash_runner()
        engine.run(seconds=20)
        engine.start_runner(limit=2)
    engine.run(seconds=5)
    suspect = next(row for row in engine.ticks() if row.reruns == 2 and row.state == "planned")
    name = f"work@{rfc3339(suspect.key.due_at)}#{suspect.key.request}"
    assert "It was lost 2 times, so it runs beside no other that was ever lost." in told(engine, name)
    asked = [engine.ask("work") for _ in range(110)]
    row = engine.ledger.tick(asked[-1])
    assert row is not None
    story = told(engine, f"work@{rfc3339(row.key.due_at)}#{row.key.request}")
    assert "It stands in reserve: 100 that were asked for before it have yet to start." in story


def test_nothing_is_started_after_commits_were_lost() -> None:
    engine = Engine(START)
    engine.apply(task("work", "0 * * * *"))
    engine.run(minutes=59)
    raised = Change(at=engine.clock.now(), actor="everytick", act=LOST, note="up 1 was at beat 9")
    engine.ledger.edit(raised, [], lambda _known, _numbers: [])
    engine.running = False
    engine.run(minutes=2)
    story = told(engine, f"work@{engine.told('work')[0].split()[0]}")
    assert "the ledger has lost commits, and nothing is started: up 1 was at beat 9" in story
    assert "everytick doctor --accept-restore" in story
