"""A rehearsal without a ledger says what a scheduler and a runner then do."""

from collections import Counter

import pytest

from everytick.policy import CatchingUp, CatchUp, Overlap, Overlapping, Policies
from everytick.rehearse import rehearse
from everytick.task import Task
from everytick.testing.engine import Engine, task
from everytick.testing.executor import Act
from everytick.tick import SECOND, State, parse_rfc3339

MINUTE = 60 * SECOND
START = parse_rfc3339("2026-03-01T00:00:00Z")


def bound(given: Task) -> Task:
    return Task(
        name=given.name,
        schedule=given.schedule.bound(name=given.name, anchor=START),
        work=given.work,
        policies=given.policies,
        origin=given.origin,
    )


@pytest.mark.parametrize("minutes", [5, 7, 23])
@pytest.mark.parametrize(
    "policies",
    [
        Policies(),
        Policies(overlap=Overlap(Overlapping.QUEUE_ONE)),
        Policies(overlap=Overlap(Overlapping.QUEUE_ALL)),
        Policies(overlap=Overlap(Overlapping.QUEUE_ALL), catch_up=CatchUp(CatchingUp.ALL)),
        Policies(overlap=Overlap(Overlapping.CANCEL_RUNNING)),
        Policies(overlap=Overlap.allow(2)),
        Policies(overlap=Overlap.allow()),
        Policies(overlap=Overlap(Overlapping.QUEUE_ALL), start_within=20 * MINUTE),
        Policies(timeout=3 * MINUTE),
        Policies(jitter=4 * MINUTE, overlap=Overlap(Overlapping.QUEUE_ONE)),
    ],
    ids=lambda policies: f"{policies.overlap.kind}-{policies.overlap.limit}-{policies.start_within}",
)
def test_it_ends_as_the_engine_does(policies: Policies, minutes: int) -> None:
    compare(policies, minutes, 90)


def test_beyond_the_bound_of_unstarted_ticks_both_are_late() -> None:
    compare(Policies(overlap=Overlap(Overlapping.QUEUE_ALL)), 30, 700)


def compare(policies: Policies, minutes: int, span: int) -> None:
    given = task("work", "*/5 * * * *", policies=policies)
    told = rehearse(bound(given), minutes * MINUTE, START + 1, START + span * MINUTE)
    engine = Engine("2026-03-01T00:00:00Z", script=lambda _: Act(seconds=minutes * 60))
    engine.apply(given)
    engine.run(microseconds=span * MINUTE - 1)
    rows = engine.ticks("work")
    began = {row.key for row in rows if row.started_at is not None}
    assert told.ran == len(began)
    assert told.skipped == Counter(row.reason for row in rows if row.state is State.SKIPPED)
    assert told.cancelled == sum(row.state is State.CANCELLED for row in rows)
    assert told.ran + told.skipped.total() + told.left == span // 5 - 1
    assert told.stopped is any(row.reason == "timeout" for row in rows)
    assert engine.breaches() == []
