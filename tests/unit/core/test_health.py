"""Alarms: what raises each, and what does not."""

from dataclasses import replace

import pytest

from everytick.health import PATIENCE, Facts, Kind, ProcessFacts, QueueFacts, TaskFacts, health
from everytick.policy import Policies, Priority
from everytick.when import Instant

HOUR = 3_600_000_000
NOW: Instant = 1_772_323_200_000_000
UP = ProcessFacts(id=1, kind="up", host="here", pid=11)
CALM = TaskFacts(task="a", policies=Policies(finish_within=HOUR, fresh_within=2 * HOUR), begun=NOW)


def alarms(facts: Facts) -> list[Kind]:
    return [alarm.kind for alarm in health(facts, NOW)]


def of_task(**said: object) -> list[Kind]:
    return alarms(Facts(tasks=[replace(CALM, **said)], processes=[UP]))  # type: ignore[arg-type]


def test_a_healthy_ledger_raises_no_alarm() -> None:
    facts = Facts(tasks=[CALM], queues=[QueueFacts(queue="default", ready_at=NOW)], processes=[UP])
    assert alarms(facts) == []


@pytest.mark.parametrize(
    ("said", "just", "over", "kind"),
    [
        ("awaited", NOW - HOUR, NOW - HOUR - 1, Kind.LATE),
        ("succeeded_at", NOW - 2 * HOUR, NOW - 2 * HOUR - 1, Kind.STALE),
        ("begun", NOW - 2 * HOUR, NOW - 2 * HOUR - 1, Kind.STALE),
        ("unplanned", NOW - PATIENCE, NOW - PATIENCE - 1, Kind.BEHIND),
    ],
)
def test_a_task_is_told_of_only_when_its_time_is_over(
    said: str, just: Instant, over: Instant, kind: Kind
) -> None:
    assert of_task(**{said: just}) == []
    assert of_task(**{said: over}) == [kind]


def test_without_deadlines_a_task_is_neither_late_nor_stale() -> None:
    assert of_task(policies=Policies(), awaited=0, succeeded_at=0) == []


def test_only_a_pause_for_failures_is_told() -> None:
    paused = replace(CALM, paused_for="paused after 3 failed ticks in a row")
    (alarm,) = health(Facts(tasks=[paused], processes=[UP]), NOW)
    assert alarm.kind is Kind.PAUSED
    assert "3 failed ticks" in alarm.sentence
    assert "everytick resume a" in alarm.mend


def test_a_queue_starves_when_nobody_claims_what_is_ready() -> None:
    queue = QueueFacts(queue="gpu", ready_at=NOW - PATIENCE - 1, priority=Priority.LOW, task="report")
    (alarm,) = health(Facts(queues=[queue], processes=[UP]), NOW)
    assert (alarm.kind, alarm.subject, alarm.since) == (Kind.STARVED, "gpu, low priority", queue.ready_at)
    assert alarm.sentence.endswith("unclaimed; report waits longest")
    assert "a higher class always comes first" in alarm.mend
    assert alarms(Facts(queues=[QueueFacts(queue="gpu", ready_at=None)], processes=[UP])) == []


def test_a_stepped_clock_and_a_silent_process_are_told() -> None:
    assert alarms(Facts(processes=[replace(UP, skew=-2_000_001)])) == [Kind.CLOCK]
    assert alarms(Facts(processes=[replace(UP, skew=2_000_000)])) == []
    assert alarms(Facts(processes=[replace(UP, silent=True, skew=9_000_000)])) == [Kind.DEAD]


def test_tasks_want_a_scheduler_and_a_runner() -> None:
    queue = QueueFacts(queue="default", ready_at=None)
    subjects = [alarm.subject for alarm in health(Facts(queues=[queue]), NOW)]
    assert subjects == ["scheduler", "runner"]
    runner = replace(UP, kind="runner")
    assert [alarm.subject for alarm in health(Facts(queues=[queue], processes=[runner]), NOW)] == [
        "scheduler"
    ]
    assert alarms(Facts()) == []


def test_lost_commits_are_told_first() -> None:
    facts = Facts(
        tasks=[CALM], queues=[QueueFacts(queue="default", ready_at=NOW)], lost=NOW, how="as noticed"
    )
    first, *_ = health(facts, NOW)
    assert (first.kind, first.since) == (Kind.LOST, NOW)
    assert "as noticed" in first.sentence
    assert "--accept-restore" in first.mend
