"""From versions and a cursor to ticks."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from everytick.plan import OWN_ROWS, UNSTARTED, Cursor, Plan, PlannedTick, Status, Version, plan
from everytick.policy import CatchingUp, CatchUp, Policies, jittered
from everytick.task import Call, Task
from everytick.tick import NEVER, Reason, State
from everytick.when import schedule

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
YEAR = 365 * 24 * HOUR


def version(
    when: str = "* * * * *",
    *,
    number: int = 1,
    since: int = 0,
    status: Status = Status.ACTIVE,
    until: int | None = None,
    policies: Policies | None = None,
) -> Version:
    rule = schedule(when)
    task = Task(name="job", schedule=rule, work=Call(call="m:f"), policies=policies or Policies())
    return Version(
        version=number,
        since=since,
        status=status,
        paused_until=until,
        anchor=0,
        task=task,
        schedule=rule.bound(name="job", anchor=0),
    )


def cursor(at: int = 0, *, last_due: int | None = None, unstarted: int = 0, **more: int) -> Cursor:
    return Cursor(
        task_id=1, version=1, planned_through=at, last_due=last_due, unstarted=unstarted, **more
    )  # fmt: skip


def on(found: Plan, unstarted: int = 0) -> Cursor:
    """Return the cursor that a plan leaves, with so many ticks that nobody has started."""
    return structs.replace(
        found.cursor, planned_through=found.planned_through, last_due=found.last_due, unstarted=unstarted
    )


def finished(
    versions: Sequence[Version], now: int, until: int, start: Cursor | None = None
) -> list[PlannedTick]:
    """Plan again and again, everything started between, until the cursor has come to ``until``."""
    ticks: list[PlannedTick] = []
    at = start or cursor()
    while True:
        found = plan(at, versions, now, until)
        ticks += found.ticks
        if found.planned_through == at.planned_through:
            return ticks
        at = on(found)


def instants(ticks: Sequence[PlannedTick], versions: Sequence[Version]) -> list[int]:
    """Return the instants that rows stand for, those of ranges one by one."""
    rules = {one.version: one.schedule for one in versions}
    found = []
    for tick in ticks:
        through = tick.through or tick.due_at
        span = list(rules[tick.version].instants(tick.due_at - 1, through))
        assert len(span) == tick.count
        assert (span[0], span[-1]) == (tick.due_at, through)
        found += span
    return found


def check_chain(ticks: Sequence[PlannedTick], last_due: int | None = None) -> None:
    for tick in ticks:
        assert tick.prev_due == last_due
        last_due = tick.through or tick.due_at


class TestAhead:
    def test_every_instant_through_the_horizon_gets_a_tick(self) -> None:
        found = plan(cursor(), [version()], 0, 5 * MINUTE)
        assert [tick.due_at for tick in found.ticks] == [n * MINUTE for n in (1, 2, 3, 4, 5)]
        assert {tick.state for tick in found.ticks} == {State.PLANNED}
        assert (found.planned_through, found.last_due, found.next_due) == (5 * MINUTE, 5 * MINUTE, 6 * MINUTE)

    def test_each_knows_the_instants_before_and_after_it(self) -> None:
        found = plan(cursor(10 * MINUTE, last_due=10 * MINUTE), [version()], 10 * MINUTE, 13 * MINUTE)
        assert [(tick.prev_due, tick.next_due) for tick in found.ticks] == [
            ((n - 1) * MINUTE, (n + 1) * MINUTE) for n in (11, 12, 13)
        ]

    def test_the_first_tick_of_a_task_has_none_before_it(self) -> None:
        assert plan(cursor(), [version()], 0, MINUTE).ticks[0].prev_due is None

    def test_where_nothing_is_due_only_the_cursor_moves(self) -> None:
        found = plan(cursor(), [version("0 6 * * *")], 0, HOUR)
        assert (found.ticks, found.planned_through, found.next_due) == ((), HOUR, 6 * HOUR)

    def test_after_its_last_instant_a_task_is_not_looked_at_again(self) -> None:
        found = plan(cursor(), [version("at 1970-01-01T00:05Z")], 0, HOUR)
        assert [(tick.due_at, tick.next_due) for tick in found.ticks] == [(5 * MINUTE, None)]
        assert found.next_due is None

    def test_jitter_moves_the_start_and_never_the_instant(self) -> None:
        policies = Policies(jitter=HOUR)
        for tick in plan(cursor(), [version(policies=policies)], 0, HOUR).ticks:
            assert tick.ready_at == jittered(policies, "job", tick.due_at, tick.next_due)
            assert tick.due_at <= tick.ready_at < (tick.next_due or 0)

    @given(steps=st.lists(st.integers(1, 400 * SECOND), max_size=12))
    def test_many_small_steps_give_the_same_rows_as_one(self, steps: list[int]) -> None:
        versions = [version("*/2 * * * *"), version("every 37s", number=2, since=9 * MINUTE)]
        end = sum(steps)
        whole = plan(cursor(), versions, 0, end)
        at = cursor()
        rows: list[PlannedTick] = []
        for passed in range(1, len(steps) + 1):
            found = plan(at, versions, 0, sum(steps[:passed]))
            rows += found.ticks
            at = on(found, unstarted=len(rows))
        assert tuple(rows) == whole.ticks
        if steps:
            assert (at.planned_through, at.last_due, found.next_due) == (
                whole.planned_through,
                whole.last_due,
                whole.next_due,
            )


class TestUnstarted:
    def test_a_task_has_at_most_a_hundred_and_the_rest_waits_behind_the_cursor(self) -> None:
        found = plan(cursor(), [version("* * * * * *")], 0, HOUR)
        assert len(found.ticks) == UNSTARTED
        assert found.planned_through == found.last_due == 100 * SECOND
        assert found.next_due == 101 * SECOND

    def test_those_it_has_count(self) -> None:
        assert len(plan(cursor(unstarted=97), [version()], 0, HOUR).ticks) == 3
        full = plan(cursor(unstarted=100), [version()], 0, HOUR)
        assert (full.ticks, full.planned_through, full.next_due) == ((), 0, MINUTE)

    def test_range_rows_need_no_room(self) -> None:
        found = plan(cursor(unstarted=100), [version()], 10 * HOUR, 11 * HOUR)
        assert [(tick.count, tick.reason) for tick in found.ticks] == [(500, Reason.MISSED)]

    def test_one_beyond_the_room_is_planned_when_there_is_room_again(self) -> None:
        first = plan(cursor(), [version("* * * * * *")], 0, HOUR)
        second = plan(on(first, unstarted=40), [version("* * * * * *")], 0, HOUR)
        assert [tick.due_at // SECOND for tick in second.ticks] == list(range(101, 161))
        assert second.ticks[0].prev_due == 100 * SECOND


class TestDowntime:
    def test_the_newest_hundred_keep_rows_of_their_own_and_one_range_stands_for_the_rest(self) -> None:
        found = plan(cursor(), [version()], 10 * HOUR, 10 * HOUR)
        wide, *own = found.ticks
        assert (wide.due_at, wide.through, wide.count) == (MINUTE, 500 * MINUTE, 500)
        assert (wide.state, wide.reason, wide.ready_at) == (State.SKIPPED, Reason.MISSED, None)
        assert [tick.due_at for tick in own] == [n * MINUTE for n in range(501, 601)]
        check_chain(found.ticks)

    def test_what_is_planned_late_queues_behind_what_is_ready(self) -> None:
        found = plan(cursor(), [version()], 3 * MINUTE, 5 * MINUTE)
        assert [(tick.ready_at or 0) // MINUTE for tick in found.ticks] == [3, 3, 3, 4, 5]

    def test_a_hundred_and_one_leave_one_row_that_is_no_range(self) -> None:
        first, *own = plan(cursor(), [version()], 101 * MINUTE, 101 * MINUTE).ticks
        assert (first.count, first.through, first.state) == (1, None, State.SKIPPED)
        assert len(own) == OWN_ROWS

    def test_a_year_of_seconds_is_counted_and_not_walked(self) -> None:
        class Counting(type(version("* * * * * *").schedule)):  # type: ignore[misc]
            asked = 0

            def instant_after(self, moment: int) -> int | None:
                Counting.asked += 1
                found: int | None = super().instant_after(moment)
                return found

        rule = Counting("* * * * * *")
        found = plan(cursor(), [structs.replace(version(), schedule=rule)], YEAR, YEAR + MINUTE)
        wide, *own = found.ticks
        assert wide.count == YEAR // SECOND - 100
        assert wide.through == YEAR - 100 * SECOND
        assert len(own) == 100
        assert Counting.asked < 1000

    def test_all_keeps_every_one(self) -> None:
        policies = Policies(catch_up=CatchUp(CatchingUp.ALL))
        rows = finished([version(policies=policies)], 10 * HOUR, 10 * HOUR)
        assert len(rows) == 600
        assert {tick.state for tick in rows} == {State.PLANNED}

    def test_all_with_a_limit_keeps_so_many_missed_and_the_newest(self) -> None:
        policies = Policies(catch_up=CatchUp(CatchingUp.ALL, limit=200))
        rows = finished([version(policies=policies)], 10 * HOUR, 10 * HOUR)
        assert [tick.count for tick in rows] == [399] + [1] * 201

    def test_all_with_a_window_keeps_what_was_due_within_it(self) -> None:
        policies = Policies(catch_up=CatchUp(CatchingUp.ALL, window=200 * MINUTE + 1))
        rows = finished([version(policies=policies)], 10 * HOUR, 10 * HOUR)
        assert rows[0].through == 399 * MINUTE
        assert [tick.count for tick in rows] == [399] + [1] * 201

    def test_what_is_past_its_start_deadline_expired_and_was_not_missed(self) -> None:
        policies = Policies(start_within=HOUR)
        wide, *own = plan(cursor(), [version(policies=policies)], 10 * HOUR, 10 * HOUR).ticks
        assert (wide.count, wide.reason) == (500, Reason.EXPIRED)
        assert len(own) == 100

    def test_a_start_deadline_within_the_rest_divides_it(self) -> None:
        policies = Policies(start_within=5 * HOUR)
        found = plan(cursor(), [version(policies=policies)], 10 * HOUR, 10 * HOUR).ticks
        assert [(tick.count, tick.reason) for tick in found[:2]] == [
            (299, Reason.EXPIRED),
            (201, Reason.MISSED),
        ]
        check_chain(found)

    def test_a_deadline_bounds_even_those_that_catch_up_with_all(self) -> None:
        policies = Policies(start_within=5 * HOUR, catch_up=CatchUp(CatchingUp.ALL))
        rows = finished([version(policies=policies)], 10 * HOUR, 10 * HOUR)
        assert [tick.count for tick in rows] == [299] + [1] * 301
        assert rows[0].reason is Reason.EXPIRED


class TestVersions:
    def test_the_cursor_walks_through_edits_and_each_instant_has_the_version_it_had(self) -> None:
        versions = [version(), version("30 * * * * *", number=2, since=3 * MINUTE)]
        rows = plan(cursor(), versions, 5 * MINUTE, 5 * MINUTE).ticks
        assert [(tick.due_at // SECOND, tick.version) for tick in rows] == [
            (60, 1), (120, 1), (180, 1), (210, 2), (270, 2)]  # fmt: skip
        check_chain(rows)

    def test_the_last_tick_before_an_edit_is_missed_by_the_first_after_it(self) -> None:
        versions = [version(), version("30 * * * * *", number=2, since=3 * MINUTE)]
        rows = plan(cursor(), versions, 5 * MINUTE, 5 * MINUTE).ticks
        assert [tick.next_due for tick in rows[:3]] == [2 * MINUTE, 3 * MINUTE, 210 * SECOND]

    def test_a_pause_that_is_over_is_one_range_row_however_short_or_long(self) -> None:
        versions = [
            version(),
            version(number=2, since=3 * MINUTE, status=Status.PAUSED),
            version(number=3, since=9 * HOUR),
        ]
        rows = finished(versions, 9 * HOUR, 9 * HOUR + 2 * MINUTE)
        assert [(tick.due_at // MINUTE, tick.count, tick.reason) for tick in rows] == [
            (1, 1, None), (2, 1, None), (3, 1, None), (4, 537, Reason.PAUSED),
            (541, 1, None), (542, 1, None)]  # fmt: skip
        check_chain(rows)

    def test_the_last_tick_before_a_pause_is_missed_by_the_first_after_it(self) -> None:
        versions = [
            version(),
            version(number=2, since=3 * MINUTE, status=Status.PAUSED),
            version(number=3, since=8 * MINUTE),
        ]
        rows = plan(cursor(), versions, 9 * MINUTE, 9 * MINUTE).ticks
        assert rows[2].next_due == 9 * MINUTE

    def test_a_pause_without_end_stops_the_cursor_until_an_edit(self) -> None:
        versions = [version(), version(number=2, since=3 * MINUTE, status=Status.PAUSED)]
        found = plan(cursor(), versions, 5 * MINUTE, HOUR)
        assert [tick.due_at // MINUTE for tick in found.ticks] == [1, 2, 3]
        assert (found.planned_through, found.next_due) == (3 * MINUTE, None)

    def test_a_pause_with_an_end_is_looked_at_when_the_first_tick_after_it_is_near(self) -> None:
        versions = [version(), version(number=2, since=3 * MINUTE, status=Status.PAUSED, until=10 * MINUTE)]
        during = plan(cursor(), versions, 5 * MINUTE, HOUR)
        assert (during.planned_through, during.next_due) == (3 * MINUTE, 11 * MINUTE)
        after = plan(on(during), versions, 10 * MINUTE, 12 * MINUTE)
        assert [(tick.due_at // MINUTE, tick.count, tick.reason) for tick in after.ticks] == [
            (4, 7, Reason.PAUSED), (11, 1, None), (12, 1, None)]  # fmt: skip

    def test_a_removed_task_has_its_instants_up_to_the_removal_and_none_after(self) -> None:
        versions = [version(), version(number=2, since=3 * MINUTE, status=Status.REMOVED)]
        found = plan(cursor(), versions, HOUR, HOUR)
        assert [tick.due_at // MINUTE for tick in found.ticks] == [1, 2, 3]
        assert found.next_due is None

    def test_between_removal_and_return_there_are_none(self) -> None:
        versions = [
            version(),
            version(number=2, since=3 * MINUTE, status=Status.REMOVED),
            version(number=3, since=7 * MINUTE),
        ]
        rows = plan(cursor(), versions, 9 * MINUTE, 9 * MINUTE).ticks
        assert [tick.due_at // MINUTE for tick in rows] == [1, 2, 3, 8, 9]
        check_chain(rows)


@st.composite
def histories(draw: st.DrawFn) -> list[Version]:
    """Draw versions of a task: edits, pauses with and without an end, removals."""
    versions: list[Version] = []
    since = 0
    for number in range(1, draw(st.integers(1, 5)) + 1):
        status = Status.ACTIVE if number == 1 else draw(st.sampled_from(Status))
        ends = status is Status.PAUSED and draw(st.booleans())
        until = since + draw(st.integers(1, 4 * HOUR)) if ends else None
        when = draw(
            st.sampled_from(["* * * * *", "*/7 * * * *", "every 83s", "30 */2 * * *", "*/20 * * * * *"])
        )
        kind = draw(st.sampled_from(["latest", "none", "limit", "window", "all"]))
        catch_up = {
            "latest": CatchUp(),
            "none": CatchUp(CatchingUp.NONE),
            "limit": CatchUp(CatchingUp.ALL, limit=draw(st.integers(1, 300))),
            "window": CatchUp(CatchingUp.ALL, window=draw(st.integers(1, 3 * HOUR))),
            "all": CatchUp(CatchingUp.ALL),
        }[kind]
        policies = Policies(
            catch_up=catch_up,
            start_within=draw(st.none() | st.integers(0, 3 * HOUR)),
            jitter=draw(st.sampled_from([0, 10 * MINUTE])),
        )
        versions.append(
            version(when, number=number, since=since, status=status, until=until, policies=policies)
        )
        since += draw(st.integers(1, 6 * HOUR))
    return versions


@given(versions=histories(), steps=st.lists(st.integers(1, 8 * HOUR), min_size=1, max_size=5))
def test_whatever_was_edited_and_whoever_was_down_rows_and_ranges_are_exactly_the_instants(
    versions: list[Version], steps: list[int]
) -> None:
    rows: list[PlannedTick] = []
    at = cursor()
    now = 0
    for step in steps:
        now += step
        known = [one for one in versions if one.since <= now]
        last = finished(known, now, now + MINUTE, at)
        rows += last
        end = rows[-1] if rows else None
        last_due = None if end is None else end.through or end.due_at
        planned = plan(structs.replace(at, last_due=last_due), known, now, now + MINUTE).planned_through
        at = cursor(max(planned, last_due or 0), last_due=last_due)
        if len(known) < len(versions):
            at = structs.replace(at, planned_through=min(at.planned_through, versions[len(known)].since))
            rows = [tick for tick in rows if (tick.through or tick.due_at) <= at.planned_through]
            at = structs.replace(at, last_due=(rows[-1].through or rows[-1].due_at) if rows else None)
    ends = [*(one.since for one in versions[1:]), NEVER]
    expected = []
    for one, through in zip(versions, ends, strict=True):
        if one.status is not Status.REMOVED:
            expected += list(one.schedule.instants(one.since, min(through, at.planned_through)))
    assert instants(rows, versions) == expected
    check_chain(rows)
    assert all(tick.reason is not None for tick in rows if tick.count > 1)


def test_a_cursor_that_is_planned_far_enough_stays_as_it_is() -> None:
    found = plan(cursor(HOUR), [version()], 0, HOUR)
    assert (found.ticks, found.planned_through) == ((), HOUR)


@pytest.mark.parametrize("late", [0, 5 * MINUTE, 10 * HOUR])
def test_planning_twice_from_where_it_stands_gives_nothing_twice(late: int) -> None:
    first = plan(cursor(), [version()], late, late + MINUTE)
    second = plan(on(first), [version()], late, late + MINUTE)
    assert not {tick.due_at for tick in first.ticks} & {tick.due_at for tick in second.ticks}
