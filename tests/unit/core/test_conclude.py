"""What the end of an attempt means for its tick."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from everytick.conclude import Attempt, Outcome, Report, Settlement, conclude
from everytick.policy import Policies, Retry
from everytick.tick import Key, Reason, State

SECOND = 1_000_000
MINUTE = 60 * SECOND
NOW = 100 * MINUTE
FIRST = Attempt(
    key=Key(1, NOW - MINUTE),
    attempt=1,
    holder=7,
    reruns=0,
    version=1,
    prev_due=None,
    next_due=NOW + 10 * MINUTE,
    started_at=NOW - MINUTE,
)


def settled(
    outcome: Outcome, retry: Retry | None = None, attempt: Attempt = FIRST, error: str | None = None
) -> Settlement:
    return conclude(attempt, Report(outcome=outcome, error=error), Policies(retry=retry or Retry()), NOW)


def steady(attempts: int, delay: int = 5 * SECOND, **more: object) -> Retry:
    return replace(Retry(attempts, backoff="fixed", delay=delay, jitter=0), **more)  # type: ignore[arg-type]


class TestOutcomes:
    def test_success_is_success(self) -> None:
        found = settled("succeeded")
        assert (found.state, found.reason, found.ready_at) == (State.SUCCEEDED, None, None)

    @pytest.mark.parametrize(("outcome", "reason"), [("error", Reason.ERROR), ("timeout", Reason.TIMEOUT)])
    def test_failure_without_retry_ends_with_its_reason(self, outcome: Outcome, reason: Reason) -> None:
        found = settled(outcome)
        assert (found.state, found.reason) == (State.FAILED, reason)

    def test_what_was_stopped_is_cancelled_and_never_tried_again(self) -> None:
        found = settled("cancelled", steady(5))
        assert (found.state, found.reason) == (State.CANCELLED, None)

    @pytest.mark.parametrize("outcome", ["error", "timeout"])
    def test_what_fails_after_it_was_asked_to_stop_is_cancelled(self, outcome: Outcome) -> None:
        assert (
            settled(outcome, steady(5), structs.replace(FIRST, cancel_requested=True)).state
            is State.CANCELLED
        )

    def test_what_succeeds_although_it_was_asked_to_stop_has_succeeded(self) -> None:
        assert (
            settled("succeeded", attempt=structs.replace(FIRST, cancel_requested=True)).state
            is State.SUCCEEDED
        )


class TestRetry:
    def test_another_attempt_is_planned_after_the_back_off(self) -> None:
        found = settled("error", steady(2))
        assert (found.state, found.reason, found.ready_at) == (State.PLANNED, None, NOW + 5 * SECOND)

    def test_the_last_attempt_ends_the_tick(self) -> None:
        assert settled("error", steady(3), structs.replace(FIRST, attempt=2)).state is State.PLANNED
        assert settled("error", steady(3), structs.replace(FIRST, attempt=3)).state is State.FAILED

    def test_lost_attempts_use_none_of_the_budget(self) -> None:
        third = structs.replace(FIRST, attempt=3, reruns=1)
        assert settled("error", steady(3), third).state is State.PLANNED
        assert settled("error", steady(2), third).state is State.FAILED
        assert settled("error", steady(3), third).reruns == 1

    @pytest.mark.parametrize(
        ("on", "outcome", "error", "again"),
        [
            (("error",), "error", "ValueError: no", True),
            (("error",), "timeout", None, False),
            (("timeout",), "timeout", None, True),
            (("timeout",), "error", "ValueError: no", False),
            (("ValueError",), "error", "ValueError: no", True),
            (("ValueError",), "error", "ValueError", True),
            (("HTTPError",), "error", "urllib.error.HTTPError: 503: slow down", True),
            (("ValueError",), "error", "KeyError: 'ValueError'", False),
            (("ValueError",), "error", "exit status 1", False),
            (("ValueError", "timeout"), "timeout", None, True),
            ((), "error", "ValueError: no", False),
        ],
    )
    def test_only_what_it_names_is_tried_again(
        self, *, on: tuple[str, ...], outcome: Outcome, error: str | None, again: bool
    ) -> None:
        found = settled(outcome, steady(5, on=on), error=error)
        assert (found.state is State.PLANNED) is again

    def test_until_next_ends_the_retries_before_the_next_tick_is_due(self) -> None:
        def state(delay: int, next_due: int | None) -> State:
            return settled(
                "error", steady(5, delay, until="next"), structs.replace(FIRST, next_due=next_due)
            ).state

        assert state(10 * MINUTE - 1, NOW + 10 * MINUTE) is State.PLANNED
        assert state(10 * MINUTE, NOW + 10 * MINUTE) is State.FAILED
        assert state(10 * MINUTE, None) is State.PLANNED

    @given(attempt=st.integers(1, 30), delay=st.integers(1, MINUTE), jitter=st.floats(0, 1))
    def test_the_wait_lies_between_the_back_off_and_its_jitter_and_repeats_exactly(
        self, attempt: int, delay: int, jitter: float
    ) -> None:
        retry = Retry(99, delay=delay, jitter=jitter)
        one = structs.replace(FIRST, attempt=attempt)
        found = settled("error", retry, one)
        plain = min(delay * 2 ** (attempt - 1), retry.max_delay)
        assert found.ready_at is not None
        assert plain <= found.ready_at - NOW <= plain * (1 + jitter)
        assert settled("error", retry, one) == found

    def test_two_ticks_that_fail_together_do_not_come_back_together(self) -> None:
        retry = Retry(5, delay=MINUTE, jitter=1.0)
        waits = {settled("error", retry, structs.replace(FIRST, key=Key(n, NOW))).ready_at for n in range(50)}
        assert len(waits) == 50
