"""What an edit writes."""

from hypothesis import given
from hypothesis import strategies as st

from everytick.plan import Status, Version
from everytick.revise import Standing, begin, revise
from everytick.task import Call, Task
from everytick.when import schedule

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def task(when: str = "every 10m") -> Task:
    return Task(name="job", schedule=schedule(when), work=Call(call="m:f"))


def version(
    when: str = "every 10m",
    number: int = 1,
    since: int = 0,
    status: Status = Status.ACTIVE,
    until: int | None = None,
) -> Version:
    one = task(when)
    return Version(
        version=number,
        since=since,
        status=status,
        paused_until=until,
        anchor=0,
        task=one,
        schedule=one.schedule.bound(name="job", anchor=0),
    )


def standing(*versions: Version, planned: int = HOUR, settled: int | None = None) -> Standing:
    return Standing(
        task_id=1, versions=versions or (version(),), planned_through=planned, settled_through=settled
    )


def test_a_new_task_is_in_force_from_now_on_and_its_intervals_count_from_now() -> None:
    found = begin(1, task(), 7 * MINUTE)
    assert (found.version.version, found.version.since, found.version.anchor) == (1, 7 * MINUTE, 7 * MINUTE)
    assert (found.planned_through, found.next_due) == (7 * MINUTE, 17 * MINUTE)


def test_an_edit_is_in_force_from_now_on_where_nothing_beyond_has_begun() -> None:
    found = revise(standing(settled=20 * MINUTE), task("every 4m"), Status.ACTIVE, 25 * MINUTE)
    assert (found.version.version, found.version.since) == (2, 25 * MINUTE)
    assert found.planned_through == 25 * MINUTE
    assert found.next_due == found.repointed == 28 * MINUTE


def test_it_begins_behind_the_newest_tick_that_has_left_planned() -> None:
    found = revise(standing(settled=40 * MINUTE), task("every 4m"), Status.ACTIVE, 25 * MINUTE)
    assert found.version.since == found.planned_through == 40 * MINUTE
    assert found.next_due == 44 * MINUTE


def test_during_downtime_what_was_due_before_it_stays_with_the_old_version() -> None:
    found = revise(standing(planned=20 * MINUTE), task("every 4m"), Status.ACTIVE, 55 * MINUTE)
    assert (found.planned_through, found.next_due) == (20 * MINUTE, 30 * MINUTE)
    assert found.version.since == 55 * MINUTE


def test_the_anchor_stays_so_that_frequent_edits_cannot_put_a_tick_off() -> None:
    standing_now = standing(planned=HOUR)
    for minute in range(1, 10):
        found = revise(standing_now, task("every 10m"), Status.ACTIVE, minute * MINUTE)
        assert found.next_due == 10 * MINUTE
        standing_now = standing(version(), found.version, planned=found.planned_through)


def test_a_task_that_was_removed_begins_anew() -> None:
    gone = version(number=2, since=HOUR, status=Status.REMOVED)
    found = revise(standing(gone, planned=HOUR), task(), Status.ACTIVE, 93 * MINUTE)
    assert found.version.anchor == 93 * MINUTE
    assert found.next_due == 103 * MINUTE


def test_two_edits_in_one_microsecond_are_two_versions() -> None:
    first = revise(standing(), task("every 4m"), Status.ACTIVE, 25 * MINUTE)
    second = revise(standing(version(), first.version), task("every 5m"), Status.ACTIVE, 25 * MINUTE)
    assert (second.version.version, second.version.since) == (3, 25 * MINUTE + 1)


def test_a_pause_without_end_is_not_looked_at_again() -> None:
    found = revise(standing(), task(), Status.PAUSED, 25 * MINUTE)
    assert (found.version.status, found.next_due, found.repointed) == (Status.PAUSED, None, None)


def test_a_pause_with_an_end_is_looked_at_for_the_first_tick_after_it() -> None:
    found = revise(standing(), task(), Status.PAUSED, 25 * MINUTE, paused_until=45 * MINUTE)
    assert found.version.paused_until == 45 * MINUTE
    assert found.next_due == found.repointed == 50 * MINUTE


def test_resuming_wakes_what_the_pause_held() -> None:
    paused = version(number=2, since=25 * MINUTE, status=Status.PAUSED, until=45 * MINUTE)
    found = revise(standing(version(), paused, planned=25 * MINUTE), task(), Status.ACTIVE, 35 * MINUTE)
    assert found.held_until == 45 * MINUTE
    assert found.next_due == 30 * MINUTE


def test_a_removed_task_is_not_looked_at_again_but_for_what_was_due_before() -> None:
    late = revise(standing(planned=20 * MINUTE), task(), Status.REMOVED, 35 * MINUTE)
    assert (late.version.status, late.next_due, late.repointed) == (Status.REMOVED, 30 * MINUTE, None)
    done = revise(standing(planned=35 * MINUTE), task(), Status.REMOVED, 35 * MINUTE)
    assert done.next_due is None


@given(
    now=st.integers(1, 3 * HOUR),
    planned=st.integers(0, 3 * HOUR),
    settled=st.none() | st.integers(0, 3 * HOUR),
    status=st.sampled_from(Status),
)
def test_time_never_goes_back_and_what_has_begun_is_never_planned_again(
    now: int, planned: int, settled: int | None, status: Status
) -> None:
    found = revise(standing(planned=planned, settled=settled), task("every 4m"), status, now)
    assert found.version.since >= max(now, settled or 0)
    assert found.planned_through <= min(planned, found.version.since)
    assert found.next_due is None or found.next_due > found.planned_through
    assert found.repointed is None or found.repointed > found.version.since
