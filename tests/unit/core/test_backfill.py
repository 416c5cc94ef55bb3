"""From a request for past ticks to ticks."""

from msgspec.structs import replace

from everytick.plan import UNSTARTED, Cursor, Status, Version, plan
from everytick.policy import Policies, Priority
from everytick.task import Call, Task
from everytick.tick import State
from everytick.when import schedule

MINUTE = 60_000_000
HOUR = 60 * MINUTE
RULE = schedule("* * * * *")
ASKED = Cursor(
    task_id=1, request=9, version=1, planned_through=0, last_due=None, through=10 * HOUR, unstarted=0
)


def version(since: int = 0, status: Status = Status.ACTIVE, policies: Policies | None = None) -> Version:
    task = Task(name="job", schedule=RULE, work=Call(call="m:f"), policies=policies or Policies())
    return Version(
        version=1, since=since, status=status, paused_until=None, anchor=0, task=task, schedule=RULE
    )


def test_every_instant_of_the_span_is_a_tick_of_its_own_a_hundred_at_a_time() -> None:
    found = plan(ASKED, [version()], 20 * HOUR, 20 * HOUR)
    assert len(found.ticks) == UNSTARTED
    rows = list(found.ticks)
    while found.next_due is not None:
        at = replace(ASKED, planned_through=found.planned_through, last_due=found.last_due)
        found = plan(at, [version()], 20 * HOUR, 20 * HOUR)
        rows += found.ticks
    assert [tick.due_at // MINUTE for tick in rows] == list(range(1, 601))
    assert [tick.prev_due for tick in rows] == [None, *(tick.due_at for tick in rows[:-1])]
    assert {tick.state for tick in rows} == {State.PLANNED}


def test_it_ends_with_its_span() -> None:
    near = replace(ASKED, planned_through=10 * HOUR - 5 * MINUTE)
    found = plan(near, [version()], 20 * HOUR, 20 * HOUR)
    assert (len(found.ticks), found.planned_through, found.next_due) == (5, 10 * HOUR, None)


def test_it_reaches_back_before_the_version_was_written() -> None:
    found = plan(ASKED, [version(since=15 * HOUR)], 20 * HOUR, 20 * HOUR)
    assert found.ticks[0].due_at == MINUTE


def test_a_pause_does_not_stop_it() -> None:
    paused = version(since=15 * HOUR, status=Status.PAUSED)
    assert len(plan(ASKED, [paused], 20 * HOUR, 20 * HOUR).ticks) == UNSTARTED


def test_it_takes_only_what_other_tasks_leave_free() -> None:
    found = plan(ASKED, [version(policies=Policies(priority=Priority.HIGH))], 20 * HOUR, 20 * HOUR)
    assert {tick.policies.priority for tick in found.ticks} == {Priority.LOW}
    assert {tick.ready_at for tick in found.ticks} == {20 * HOUR}


def test_what_is_not_due_yet_waits_for_its_time() -> None:
    found = plan(ASKED, [version()], MINUTE, 2 * MINUTE)
    assert [tick.due_at // MINUTE for tick in found.ticks] == [1, 2]
    assert found.next_due == 3 * MINUTE
