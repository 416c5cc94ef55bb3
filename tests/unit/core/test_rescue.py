"""What becomes of a lost attempt."""

from msgspec.structs import replace

from everytick.conclude import Attempt
from everytick.policy import RERUNS, Policies, Retry, Uncertain
from everytick.rescue import rescue
from everytick.tick import Key, Reason, State

LOST = Attempt(
    key=Key(1, 60), attempt=1, holder=7, reruns=0, version=1, prev_due=None, next_due=120, started_at=61
)


def test_it_is_run_again_at_once_and_counted_as_a_rerun() -> None:
    found = rescue(LOST, Policies(), 99, "runner 7 stopped beating")
    assert (found.state, found.ready_at, found.reruns) == (State.PLANNED, 99, 1)
    assert (found.report.outcome, found.report.error) == ("lost", "runner 7 stopped beating")


def test_reruns_have_a_budget_of_their_own_and_then_the_tick_has_failed() -> None:
    states = [rescue(replace(LOST, reruns=reruns), Policies(), 99, "").state for reruns in range(RERUNS + 1)]
    assert states == [State.PLANNED] * 3 + [State.FAILED]
    assert rescue(replace(LOST, reruns=RERUNS), Policies(), 99, "").reason is Reason.LOST


def test_attempts_that_failed_use_none_of_it() -> None:
    found = rescue(replace(LOST, attempt=9, reruns=2), Policies(retry=Retry(9)), 99, "")
    assert (found.state, found.reruns) == (State.PLANNED, 3)


def test_where_the_user_wants_no_second_run_it_has_failed() -> None:
    found = rescue(LOST, Policies(uncertain=Uncertain.SKIP), 99, "")
    assert (found.state, found.reason, found.reruns) == (State.FAILED, Reason.LOST, 0)


def test_what_was_asked_to_stop_is_cancelled() -> None:
    found = rescue(replace(LOST, cancel_requested=True), Policies(), 99, "")
    assert (found.state, found.reason) == (State.CANCELLED, None)
