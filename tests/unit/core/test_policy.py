"""Policies: what they refuse, how long retries wait, how jitter spreads."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everytick.errors import UsageError
from everytick.policy import CatchingUp, CatchUp, Overlap, Overlapping, Policies, Retry, fraction, jittered

SECOND = 1_000_000
DAY = 86_400 * SECOND


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Overlap(Overlapping.SKIP, 2),
        lambda: Overlap(Overlapping.QUEUE_ALL, None),
        lambda: Overlap.allow(0),
        lambda: CatchUp(CatchingUp.LATEST, limit=3),
        lambda: CatchUp(CatchingUp.NONE, window=DAY),
        lambda: CatchUp(CatchingUp.ALL, limit=0),
        lambda: Retry(0),
        lambda: Retry(3, jitter=1.5),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(UsageError):
        wrong()


class TestRetry:
    def test_a_fixed_back_off_waits_the_same_each_time(self) -> None:
        retry = Retry(5, backoff="fixed", delay=7 * SECOND, jitter=0)
        assert [retry.wait(failures, ()) for failures in (1, 2, 3)] == [7 * SECOND] * 3

    def test_an_exponential_one_doubles_up_to_its_longest(self) -> None:
        retry = Retry(9, delay=10 * SECOND, max_delay=60 * SECOND, jitter=0)
        waits = [retry.wait(failures, ()) // SECOND for failures in (1, 2, 3, 4, 5, 1_000_000)]
        assert waits == [10, 20, 40, 60, 60, 60]

    @given(
        failures=st.integers(1, 200), delay=st.integers(1, DAY), jitter=st.floats(0, 1), seed=st.integers()
    )
    def test_jitter_adds_up_to_its_share_and_is_stable(
        self, failures: int, delay: int, jitter: float, seed: int
    ) -> None:
        plain = Retry(2, delay=delay, jitter=0).wait(failures, (seed,))
        wait = Retry(2, delay=delay, jitter=jitter).wait(failures, (seed,))
        assert plain <= wait <= plain * (1 + jitter)
        assert wait == Retry(2, delay=delay, jitter=jitter).wait(failures, (seed,))


class TestJitter:
    @given(jitter=st.integers(0, 2 * DAY), gap=st.integers(1, DAY), due=st.integers(-DAY, 10**17))
    def test_a_tick_is_ready_at_or_after_it_is_due_and_before_the_next_is(
        self, jitter: int, gap: int, due: int
    ) -> None:
        ready_at = jittered(Policies(jitter=jitter), "job", due, due + gap)
        assert due <= ready_at < due + gap
        assert ready_at <= due + jitter

    @given(jitter=st.integers(1, DAY), due=st.integers(0, 10**17))
    def test_the_last_tick_of_a_schedule_has_all_of_it(self, jitter: int, due: int) -> None:
        assert due <= jittered(Policies(jitter=jitter), "job", due, None) < due + jitter

    def test_tasks_of_one_instant_are_spread_evenly(self) -> None:
        policies = Policies(jitter=10 * SECOND)
        tenths = [0] * 10
        for number in range(10_000):
            tenths[jittered(policies, f"job{number}", DAY, 2 * DAY) % DAY // SECOND] += 1
        assert min(tenths) > 850
        assert max(tenths) < 1150

    def test_a_share_lies_below_one_and_depends_on_all_it_is_given(self) -> None:
        shares = {fraction(task, due) for task in ("a", "b", "a b") for due in range(-50, 50)}
        assert len(shares) == 300
        assert min(shares) >= 0
        assert max(shares) < 1
