"""What becomes of ready ticks: pause, start deadline, catch-up, overlap, in this order."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from everytick.consider import Considered, End, Ready, Slot, Start, Wait, consider, missed
from everytick.plan import Status, Version
from everytick.policy import CatchingUp, CatchUp, Overlap, Overlapping, Policies
from everytick.task import Call, Task
from everytick.tick import NEVER, Key
from everytick.when import schedule

SECOND = 1_000_000
MINUTE = 60 * SECOND
RULE = schedule("* * * * *")


def version(
    policies: Policies | None = None, status: Status = Status.ACTIVE, paused_until: int | None = None
) -> Version:
    task = Task(name="job", schedule=RULE, work=Call(call="m:f"), policies=policies or Policies())
    return Version(
        version=1, since=0, status=status, paused_until=paused_until, anchor=0, task=task, schedule=RULE
    )


def ready(minute: int, *, request: int = 0, attempt: int = 1) -> Ready:
    due = minute * MINUTE
    return Ready(
        key=Key(1, due, request),
        version=1,
        prev_due=due - MINUTE,
        next_due=due + MINUTE,
        attempt=attempt,
        reruns=0,
        newest=1,
    )


def held(minute: int, lane: int, *, request: int = 0, holder: int | None = 7, asked: bool = False) -> Slot:
    return Slot(
        key=Key(1, minute * MINUTE, request), lane=lane, attempt=1, holder=holder, cancel_requested=asked
    )


def decided(
    batch: list[Ready], *slots: Slot, by: Policies | None = None, at: float = 0, newest: Version | None = None
) -> Considered:
    """Consider at so many minutes after 1970, by default the moment the newest of the batch is due."""
    now = round(at * MINUTE) or max(one.key.due_at for one in batch)
    old = version(by)

    def version_of(_: int, number: int) -> Version:
        return newest if newest is not None and number == 2 else old

    if newest is not None:
        batch = [structs.replace(one, newest=2) for one in batch]
    return consider(batch, {1: slots}, version_of, now)


def told(found: Considered) -> list[str]:
    """Return the decisions in words: ``start 5 in 0``, ``end 5 missed``, ``wait 5 in -1``, ``stop 5``."""
    words = [f"start {one.ready.key.due_at // MINUTE} in {one.lane}" for one in found.starts]
    words += [f"end {one.key.due_at // MINUTE} {one.reason or 'cancelled'}" for one in found.ends]
    words += [f"wait {one.key.due_at // MINUTE} in {one.lane}" for one in found.waits]
    return words + [f"stop {key.due_at // MINUTE}" for key in found.cancels]


class TestOrder:
    DEADLINE = Policies(start_within=30 * SECOND)

    def test_a_tick_that_nothing_speaks_against_starts(self) -> None:
        assert decided([ready(5)]).starts == [Start(ready=ready(5), lane=0, fresh=True)]

    def test_a_pause_comes_before_the_start_deadline(self) -> None:
        paused = version(self.DEADLINE, Status.PAUSED)
        assert told(decided([ready(5)], by=self.DEADLINE, at=9, newest=paused)) == ["end 5 paused"]

    def test_the_start_deadline_comes_before_catch_up(self) -> None:
        assert told(decided([ready(5)], by=self.DEADLINE, at=9)) == ["end 5 expired"]

    def test_catch_up_comes_before_overlap(self) -> None:
        assert told(decided([ready(5)], held(3, 0), at=9)) == ["end 5 missed"]

    def test_a_tick_is_in_time_up_to_and_at_its_start_deadline(self) -> None:
        assert told(decided([ready(5)], by=self.DEADLINE, at=5.5)) == ["start 5 in 0"]
        assert told(decided([ready(5)], by=self.DEADLINE, at=5.5 + 1e-7)) == ["end 5 expired"]

    def test_what_somebody_asked_for_has_no_start_deadline(self) -> None:
        assert told(decided([ready(5, request=7)], by=self.DEADLINE, at=9)) == ["start 5 in 0"]

    def test_a_tick_of_a_removed_task_is_cancelled_unless_it_has_begun(self) -> None:
        removed = version(status=Status.REMOVED)
        assert told(decided([ready(5)], newest=removed)) == ["end 5 cancelled"]
        assert told(decided([ready(5, attempt=2)], held(5, 0, holder=None), newest=removed)) == [
            "start 5 in 0"
        ]


class TestPause:
    PAUSED = version(status=Status.PAUSED)
    UNTIL_8 = version(status=Status.PAUSED, paused_until=8 * MINUTE)

    def test_a_retry_waits_in_its_lane_until_the_pause_ends(self) -> None:
        retry = ready(5, attempt=2)
        idle = held(5, 0, holder=None)
        assert decided([retry], idle, newest=self.PAUSED).waits == [
            Wait(key=retry.key, lane=None, until=NEVER)
        ]
        assert decided([retry], idle, newest=self.UNTIL_8).waits == [
            Wait(key=retry.key, lane=None, until=8 * MINUTE)
        ]

    def test_a_manual_run_goes(self) -> None:
        assert told(decided([ready(5, request=3)], newest=self.PAUSED)) == ["start 5 in 0"]

    def test_it_is_over_at_its_end(self) -> None:
        assert told(decided([ready(7)], at=7.9, newest=self.UNTIL_8)) == ["end 7 paused"]
        assert told(decided([ready(8)], at=8, newest=self.UNTIL_8)) == ["start 8 in 0"]


class TestCatchUp:
    def test_a_tick_is_missed_from_the_instant_the_next_is_due(self) -> None:
        assert told(decided([ready(5)], at=6 - 1e-7)) == ["start 5 in 0"]
        assert told(decided([ready(5)], at=6)) == ["end 5 missed"]

    def test_the_last_tick_of_a_schedule_is_never_overtaken(self) -> None:
        last = structs.replace(ready(5), next_due=None)
        assert told(decided([last], at=500)) == ["start 5 in 0"]

    def test_none_skips_also_what_is_later_than_its_grace(self) -> None:
        policies = Policies(catch_up=CatchUp(CatchingUp.NONE, grace=20 * SECOND))
        assert told(decided([ready(5)], by=policies, at=5 + 20 / 60)) == ["start 5 in 0"]
        assert told(decided([ready(5)], by=policies, at=5 + 21 / 60)) == ["end 5 missed"]

    def test_the_grace_counts_from_ready_at_so_that_jitter_uses_none_of_it(self) -> None:
        policies = Policies(catch_up=CatchUp(CatchingUp.NONE, grace=0), jitter=50 * SECOND)
        tick = ready(5)
        first_ready = next(
            now for now in range(5 * MINUTE, 6 * MINUTE, SECOND // 10) if missed(tick, version(policies), now)
        )
        assert 0 < first_ready - 5 * MINUTE < 50 * SECOND

    @given(limit=st.integers(1, 20), due=st.integers(1, 30), late=st.integers(0, 30))
    def test_all_with_a_limit_keeps_the_newest_so_many_missed(self, limit: int, due: int, late: int) -> None:
        policies = Policies(catch_up=CatchUp(CatchingUp.ALL, limit=limit))
        now = (due + late) * MINUTE
        assert missed(ready(due), version(policies), now) == (late > limit)

    @given(window=st.integers(0, 30 * 60), due=st.integers(1, 30), late=st.integers(0, 30 * 60))
    def test_all_with_a_window_keeps_those_due_within_it(self, window: int, due: int, late: int) -> None:
        policies = Policies(catch_up=CatchUp(CatchingUp.ALL, window=window * SECOND))
        now = due * MINUTE + late * SECOND
        assert missed(ready(due), version(policies), now) == (late >= 60 and late > window)

    @pytest.mark.parametrize("catch_up", [CatchUp(), CatchUp(CatchingUp.NONE), CatchUp(CatchingUp.ALL, 1)])
    def test_manual_waiting_and_retrying_ticks_are_exempt(self, catch_up: CatchUp) -> None:
        by = Policies(catch_up=catch_up, overlap=Overlap(Overlapping.QUEUE_ALL))
        assert told(decided([ready(5, request=3)], by=by, at=50)) == ["start 5 in 0"]
        assert told(decided([ready(5)], held(5, -1, holder=None), by=by, at=50)) == ["start 5 in 0"]
        retry = ready(5, attempt=2)
        assert told(decided([retry], held(5, 0, holder=None), by=by, at=50)) == ["start 5 in 0"]


class TestSkip:
    def test_a_tick_beside_an_active_one_is_skipped(self) -> None:
        assert told(decided([ready(5)], held(4, 0))) == ["end 5 overlap"]

    def test_a_tick_in_back_off_is_active(self) -> None:
        assert told(decided([ready(5)], held(4, 0, holder=None))) == ["end 5 overlap"]

    def test_a_retry_goes_on_in_the_lane_it_kept(self) -> None:
        retry = ready(4, attempt=2)
        found = decided([retry], held(4, 0, holder=None), at=5)
        assert found.starts == [Start(ready=retry, lane=0, fresh=False)]

    def test_of_two_in_one_batch_the_older_starts(self) -> None:
        by = Policies(catch_up=CatchUp(CatchingUp.ALL))
        assert told(decided([ready(6), ready(5)], by=by)) == ["start 5 in 0", "end 6 overlap"]


class TestAllow:
    def test_any_number_runs_where_there_is_no_limit(self) -> None:
        found = decided(
            [ready(6)], held(4, 4 * MINUTE), held(5, 5 * MINUTE), by=Policies(overlap=Overlap.allow())
        )
        assert told(found) == [f"start 6 in {6 * MINUTE}"]

    def test_ticks_of_one_instant_take_lanes_of_their_own(self) -> None:
        by = Policies(overlap=Overlap.allow())
        found = decided([ready(5), ready(5, request=3), ready(5, request=4)], by=by)
        assert sorted(one.lane for one in found.starts) == [5 * MINUTE, 5 * MINUTE + 1, 5 * MINUTE + 2]

    def test_the_lowest_free_lane_below_the_limit_is_taken(self) -> None:
        by = Policies(overlap=Overlap.allow(3))
        assert told(decided([ready(6)], held(4, 0), held(5, 2), by=by)) == ["start 6 in 1"]

    def test_beyond_the_limit_it_is_skipped(self) -> None:
        by = Policies(overlap=Overlap.allow(2))
        assert told(decided([ready(6)], held(4, 0), held(5, 1), by=by)) == ["end 6 overlap"]


class TestQueueOne:
    BY = Policies(overlap=Overlap(Overlapping.QUEUE_ONE), catch_up=CatchUp(CatchingUp.ALL))

    def test_one_waits(self) -> None:
        assert decided([ready(5)], held(4, 0), by=self.BY).waits == [
            Wait(key=Key(1, 5 * MINUTE), lane=-1, until=NEVER)
        ]

    def test_a_newer_one_takes_its_place(self) -> None:
        found = decided([ready(6)], held(4, 0), held(5, -1, holder=None), by=self.BY)
        assert told(found) == ["end 5 superseded", "wait 6 in -1"]

    def test_an_older_one_does_not(self) -> None:
        found = decided([ready(5)], held(4, 0), held(6, -1, holder=None), by=self.BY, at=6)
        assert told(found) == ["end 5 superseded"]

    def test_a_newer_one_that_finds_the_lane_free_takes_its_place_too(self) -> None:
        found = decided([ready(6)], held(5, -1, holder=None), by=self.BY)
        assert told(found) == ["start 6 in 0", "end 5 superseded"]

    def test_of_a_batch_only_the_newest_waits(self) -> None:
        found = decided([ready(minute) for minute in (5, 6, 7, 8)], by=self.BY)
        assert told(found) == ["start 5 in 0", "end 6 superseded", "end 7 superseded", "wait 8 in -1"]

    def test_it_waits_no_longer_than_its_start_deadline(self) -> None:
        by = replace(self.BY, start_within=90 * SECOND)
        (wait,) = decided([ready(5)], held(4, 0), by=by).waits
        assert wait.until == 5 * MINUTE + 90 * SECOND + 1
        found = decided([ready(5)], held(4, 0), held(5, -1, holder=None), by=by, at=wait.until / MINUTE)
        assert told(found) == ["end 5 expired"]

    def test_what_has_expired_by_now_takes_nobody_s_place(self) -> None:
        """Both wait; the newer one was planned under a version that has a start deadline."""
        queue_one = Overlap(Overlapping.QUEUE_ONE)
        versions = {
            1: version(Policies(overlap=queue_one)),
            2: version(Policies(overlap=queue_one, start_within=SECOND)),
        }
        batch = [structs.replace(one, newest=2) for one in (ready(5), structs.replace(ready(6), version=2))]
        slots = {1: [held(4, 0), held(5, -1), held(6, -2)]}
        found = consider(batch, slots, lambda _, number: versions[number], 7 * MINUTE)
        assert told(found) == ["end 6 expired", "wait 5 in -1"]

    def test_a_manual_run_in_the_queue_is_superseded_by_nobody(self) -> None:
        manual = held(5, -1, request=3, holder=None)
        assert told(decided([ready(6)], held(4, 0), manual, by=self.BY)) == ["wait 6 in -2"]


class TestQueueAll:
    BY = Policies(overlap=Overlap(Overlapping.QUEUE_ALL), catch_up=CatchUp(CatchingUp.ALL))

    def test_all_wait_their_turn(self) -> None:
        found = decided([ready(minute) for minute in (5, 6, 7)], by=self.BY)
        assert told(found) == ["start 5 in 0", "wait 6 in -1", "wait 7 in -2"]

    def test_who_is_woken_takes_the_free_lane(self) -> None:
        found = decided([ready(5)], held(5, -1, holder=None), held(6, -2, holder=None), by=self.BY)
        assert told(found) == ["start 5 in 0"]

    def test_a_newer_one_does_not_overtake_who_waits(self) -> None:
        assert told(decided([ready(6)], held(5, -1, holder=None), by=self.BY)) == ["wait 6 in -2"]


class TestCancelRunning:
    BY = Policies(overlap=Overlap(Overlapping.CANCEL_RUNNING), catch_up=CatchUp(CatchingUp.ALL))

    def test_the_new_one_waits_and_the_running_one_is_asked_to_stop(self) -> None:
        assert told(decided([ready(5)], held(4, 0), by=self.BY)) == ["wait 5 in -1", "stop 4"]

    def test_it_is_asked_once(self) -> None:
        found = decided([ready(6)], held(4, 0, asked=True), held(5, -1, holder=None), by=self.BY)
        assert told(found) == ["end 5 superseded", "wait 6 in -1"]

    def test_what_is_in_back_off_ends_at_once(self) -> None:
        found = decided([ready(5)], held(4, 0, holder=None), by=self.BY)
        assert told(found) == ["start 5 in 0", "end 4 cancelled"]

    def test_a_retry_that_starts_in_the_same_batch_is_asked_to_stop_and_never_both_started_and_ended(
        self,
    ) -> None:
        found = decided([ready(4, attempt=2), ready(5)], held(4, 0, holder=None), by=self.BY)
        assert told(found) == ["start 4 in 0", "wait 5 in -1", "stop 4"]

    def test_a_manual_run_waits_and_stops_nobody(self) -> None:
        found = decided([ready(5, request=3)], held(4, 0), by=self.BY)
        assert told(found) == ["wait 5 in -1"]


class TestManualRuns:
    @pytest.mark.parametrize("kind", [Overlapping.SKIP, Overlapping.QUEUE_ONE, Overlapping.QUEUE_ALL])
    def test_they_wait_their_turn_under_every_policy(self, kind: Overlapping) -> None:
        by = Policies(overlap=Overlap(kind))
        assert told(decided([ready(5, request=3)], held(4, 0), by=by)) == ["wait 5 in -1"]

    def test_the_older_request_goes_first(self) -> None:
        first, second = ready(5, request=3), ready(5, request=4)
        found = decided([second, first])
        assert [one.ready for one in found.starts] == [first]
        assert [wait.key for wait in found.waits] == [second.key]


SLOTS = st.dictionaries(st.integers(-3, 2), st.tuples(st.integers(0, 9), st.booleans()), max_size=4).filter(
    lambda found: len({minute for minute, _ in found.values()}) == len(found)
)


@given(
    kind=st.sampled_from(Overlapping),
    limit=st.sampled_from([None, 1, 2, 3]),
    minutes=st.sets(st.integers(10, 20), min_size=1, max_size=6),
    slots=SLOTS,
)
def test_whatever_is_decided_no_lane_is_held_twice_and_every_tick_gets_one_answer(
    kind: Overlapping, limit: int | None, minutes: set[int], slots: dict[int, tuple[int, bool]]
) -> None:
    overlap = Overlap(kind, limit if kind is Overlapping.ALLOW else 1)
    lanes = overlap.limit or 3
    there = [
        held(minute, lane, holder=7 if runs and lane >= 0 else None)
        for lane, (minute, runs) in slots.items()
        if lane < lanes
    ]
    by = Policies(overlap=overlap, catch_up=CatchUp(CatchingUp.ALL))
    found = decided([ready(minute) for minute in sorted(minutes)], *there, by=by)
    ended = {end.key for end in found.ends}
    kept = {slot.key: slot.lane for slot in there if slot.key not in ended}
    taken = [kept.get(one.ready.key, one.lane) for one in found.starts]
    waits = [(wait.key, wait.lane) for wait in found.waits if wait.lane is not None]
    keys = [one.ready.key for one in found.starts] + [key for key, _ in waits]
    answered = keys + [end.key for end in found.ends]
    assert len(answered) == len(set(answered))
    assert {Key(1, minute * MINUTE) for minute in minutes} <= set(answered)
    new_lanes = taken + [lane for key, lane in waits if key not in kept]
    others = [lane for key, lane in kept.items() if key not in keys]
    assert len(new_lanes + others) == len(set(new_lanes + others))
    if overlap.limit is not None:
        assert sum(lane >= 0 for lane in new_lanes + others) <= overlap.limit
    assert not {End(key=key, reason=None).key for key in found.cancels} & ended
