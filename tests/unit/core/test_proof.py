"""The audit as a pure function: rows in, findings and counts out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest
from msgspec import structs

from everytick.plan import Status, Version
from everytick.proof.finding import Counts, Finding, Kind, PastAttempt
from everytick.proof.line import HELD, Line, Rule
from everytick.proof.walk import Asked, Facts, Span, Walk, never_ran, rules_of
from everytick.task import Call, Task
from everytick.tick import NEVER, Key, Reason, State, TickRow, parse_rfc3339, proof
from everytick.when import Instant, schedule

MINUTE = 60_000_000
START = parse_rfc3339("2026-01-01T00:00:00Z")
EACH = schedule("* * * * *")


def at(minute: float) -> Instant:
    return START + round(minute * MINUTE)


def row(
    minute: float,
    before: float | None = None,
    *,
    state: State = State.SUCCEEDED,
    reason: Reason | None = None,
    through: float | None = None,
    count: int = 1,
    attempt: int = 1,
    request: int = 0,
) -> TickRow:
    """Return a sound row, linked to the minute before unless told otherwise."""
    key = Key(1, at(minute), request)
    ended = at(minute) + 1000 if state in {*State} - {State.PLANNED, State.QUEUED, State.RUNNING} else None
    last = None if through is None else at(through)
    link = minute - 1 if before is None else before
    return TickRow(
        key=key,
        task="a",
        version=1,
        prev_due=at(link) if link > 0 else None,
        next_due=None,
        through=last,
        count=count,
        state=state,
        reason=reason,
        queue="default",
        priority=1,
        ready_at=at(minute) if state is State.PLANNED else None,
        attempt=attempt,
        reruns=0,
        holder=7 if state in {State.QUEUED, State.RUNNING} else None,
        sent_at=None,
        started_at=None if state in {State.PLANNED, State.SKIPPED} else at(minute),
        ended_at=ended,
        summary=None,
        proof=None if ended is None else proof(key, (last, count, state, reason, attempt, ended)),
    )


def missed(first: float, last: float, count: int) -> TickRow:
    return row(first, state=State.SKIPPED, reason=Reason.MISSED, through=last, count=count)


def told(
    rows: Sequence[TickRow],
    *,
    rules: Sequence[Rule] | None = None,
    planned: float = 10,
    past: Callable[[Key], Sequence[PastAttempt]] = lambda _: (),
    asked: Callable[[int], Asked | None] = lambda _: None,
) -> tuple[list[Finding], Counts]:
    """Walk rows over the first ten minutes."""
    if rules is None:
        rules = [Rule(after=START, through=at(10), version=1, schedule=EACH)]
    line = Line(task_id=1, task="a", rules=rules, planned_through=at(planned), linked_to=None)
    return walked(line, rows, Facts(asked=asked, past=past))


def walked(line: Line, rows: Iterable[TickRow], facts: Facts) -> tuple[list[Finding], Counts]:
    """Walk rows along one line."""
    found: list[Finding] = []
    counts = Counts()
    walk = Walk([line], facts, counts, found.append)
    for one in rows:
        walk.feed(one)
    walk.finish()
    return found, counts


TEN = [row(minute) for minute in range(1, 11)]
BY_CHAIN = [Rule(after=START, through=at(10), version=1, schedule=None)]


def kinds(found: Sequence[Finding]) -> list[Kind]:
    return [finding.kind for finding in found]


def test_rows_that_agree_with_the_schedule_are_clean() -> None:
    found, counts = told(TEN)
    assert found == []
    assert (counts.expected, counts.recorded, counts.states[State.SUCCEEDED]) == (10, 10, 10)


def test_ticks_under_way_are_recorded_and_open() -> None:
    rows = [*TEN[:8], row(9, state=State.RUNNING), row(10, state=State.PLANNED)]
    found, counts = told(rows)
    assert found == []
    assert counts.states[State.RUNNING] == counts.states[State.PLANNED] == 1


@pytest.mark.parametrize("rules", [None, BY_CHAIN], ids=["computed", "by the chain"])
@pytest.mark.parametrize("gone", range(9))
def test_a_deleted_row_is_missing_even_where_instants_cannot_be_computed(
    gone: int, rules: list[Rule] | None
) -> None:
    found, counts = told(TEN[:gone] + TEN[gone + 1 :], rules=rules)
    assert kinds(found) == [Kind.MISSING]
    assert found[0].due_at == at(gone + 1)
    assert (counts.expected, counts.recorded, counts.missing) == (10, 9, 1)


@pytest.mark.parametrize("rules", [None, BY_CHAIN], ids=["computed", "by the chain"])
@pytest.mark.parametrize("by", [-0.5, 0.5, 2.5])
def test_a_moved_row_is_told_once(by: float, rules: list[Rule] | None) -> None:
    moved = structs.replace(TEN[4], key=Key(1, at(5 + by)))
    rows = sorted([*TEN[:4], moved, *TEN[5:]], key=lambda one: one.key)
    found, counts = told(rows, rules=rules)
    assert kinds(found) == [Kind.SHIFTED]
    assert (found[0].due_at, found[0].expected) == (at(5 + by), at(5))
    assert (counts.missing, counts.unexplained) == (1, 1)


@pytest.mark.parametrize("rules", [None, BY_CHAIN], ids=["computed", "by the chain"])
def test_an_outcome_that_its_proof_does_not_know_is_altered(rules: list[Rule] | None) -> None:
    rows = [*TEN[:4], structs.replace(TEN[4], state=State.CANCELLED), *TEN[5:]]
    found, counts = told(rows, rules=rules)
    assert kinds(found) == [Kind.ALTERED]
    assert (counts.missing, counts.unexplained) == (0, 1)


@pytest.mark.parametrize("rules", [None, BY_CHAIN], ids=["computed", "by the chain"])
def test_a_cut_link_is_a_broken_chain(rules: list[Rule] | None) -> None:
    found, _ = told([*TEN[:4], structs.replace(TEN[4], prev_due=at(2)), *TEN[5:]], rules=rules)
    assert kinds(found) == [Kind.CHAIN]


def test_deleted_neighbours_are_one_finding_that_counts_each() -> None:
    found, counts = told([*TEN[:3], *TEN[6:]])
    assert [(one.kind, one.due_at, one.through, one.count) for one in found] == [
        (Kind.MISSING, at(4), at(6), 3)
    ]
    assert counts.missing == 3


def test_a_range_row_stands_for_each_of_its_instants() -> None:
    found, counts = told([*TEN[:2], missed(3, 7, 5), row(8), row(9), row(10)])
    assert found == []
    assert (counts.expected, counts.recorded, counts.states[State.SKIPPED]) == (10, 10, 5)


def test_a_range_row_with_a_proof_for_a_wrong_count_does_not_pass() -> None:
    found, _ = told([*TEN[:2], missed(3, 7, 6), row(8), row(9), row(10)])
    assert kinds(found) == [Kind.RANGE]


def test_a_row_within_a_range_row_is_doubled() -> None:
    found, counts = told([*TEN[:2], missed(3, 7, 5), row(5), row(8), row(9), row(10)])
    assert kinds(found) == [Kind.DOUBLED]
    assert (counts.doubled, counts.missing, counts.unexplained) == (1, 0, 0)


def test_two_range_rows_that_overlap_double_what_both_stand_for() -> None:
    found, counts = told([*TEN[:2], missed(3, 7, 5), missed(6, 8, 3), row(9), row(10)])
    assert kinds(found) == [Kind.DOUBLED]
    assert counts.doubled == 2


def test_a_row_that_no_schedule_yields_is_unexpected() -> None:
    extra = row(4.5, 4)
    found, counts = told([*TEN[:4], extra, *TEN[4:]])
    assert kinds(found) == [Kind.UNEXPECTED]
    assert (counts.missing, counts.unexplained) == (0, 1)


def test_what_lies_behind_the_cursor_is_behind_unless_a_linked_row_proves_it_was_planned() -> None:
    found, counts = told(TEN[:6], planned=6)
    assert found == []
    assert (counts.behind, counts.expected) == (4, 10)
    found, counts = told([*TEN[:6], *TEN[8:]], planned=6)
    assert kinds(found) == [Kind.MISSING]
    assert (counts.behind, counts.missing) == (0, 2)


def test_a_pause_is_in_force_until_it_ends_and_yields_nothing_while_it_is_open() -> None:
    task = Task(name="a", schedule=EACH, work=Call(call="m:f"))
    versions = [
        Version(
            version=number,
            since=at(since),
            status=status,
            paused_until=None,
            anchor=START,
            task=task,
            schedule=EACH,
        )
        for number, since, status in ((1, 0, Status.ACTIVE), (2, 4, Status.PAUSED), (3, 8, Status.ACTIVE))
    ]
    span = Span(after=-NEVER, through=at(6), now=at(6))
    assert [rule.version for rule in rules_of(versions[:2], (), span)] == [1]
    assert told(TEN[:4], rules=rules_of(versions[:2], (), span))[0] == []
    span = Span(after=-NEVER, through=at(10), now=at(10))
    rules = rules_of(versions, (), span)
    pause = structs.replace(missed(5, 8, 4), version=2, reason=Reason.PAUSED)
    ending = (pause.through, 4, pause.state, pause.reason, 1, pause.ended_at)
    pause = structs.replace(pause, proof=proof(pause.key, ending))
    rest = [structs.replace(one, version=3) for one in TEN[8:]]
    assert told([*TEN[:4], pause, *rest], rules=rules)[0] == []
    ran = [structs.replace(one, version=2) for one in TEN[4:8]]
    found, _ = told([*TEN[:4], *ran, *rest], rules=rules)
    assert kinds(found) == [Kind.ALTERED] * 4


def lost(*spans: tuple[float, float]) -> Callable[[Key], Sequence[PastAttempt]]:
    past = [
        PastAttempt(attempt=number, started_at=at(begin), ended_at=at(end), outcome="error")
        for number, (begin, end) in enumerate(spans, 1)
    ]
    return lambda _: past


def test_attempts_that_ran_side_by_side_are_doubled() -> None:
    third = structs.replace(row(5, attempt=3), started_at=at(7))
    rows = [*TEN[:4], third, *TEN[5:]]
    assert told(rows, past=lost((5, 5.5), (6, 6.5)))[0] == []
    found, counts = told(rows, past=lost((5, 6.1), (6, 6.5)))
    assert (kinds(found), counts.doubled) == ([Kind.DOUBLED], 1)
    assert kinds(told(rows, past=lost((5, 5.5), (6, 7.5)))[0]) == [Kind.DOUBLED]
    assert kinds(told(rows, past=lost((5, 5.5)))[0]) == [Kind.ALTERED]


@pytest.mark.parametrize("number", [4, 5])
def test_an_attempt_that_is_gone_is_told_in_the_same_words_at_each_later_one(number: int) -> None:
    past = list(lost(*[(5 + tried / 10, 5.05 + tried / 10) for tried in range(number - 1)])(TEN[4].key))
    del past[1]
    now = structs.replace(row(5, attempt=number, state=State.RUNNING), started_at=at(6))
    (found,) = told([*TEN[:4], now, *TEN[5:]], past=lambda _: past)[0]
    assert found.sentence.endswith(": its earlier attempts are not numbered from 1 without a hole: look at 2")


def test_a_finding_that_turns_out_to_be_none_is_not_counted() -> None:
    moved = structs.replace(TEN[4], key=Key(1, at(5.5)))
    cut = structs.replace(missed(6, 10, 5), through=at(8), count=3)
    rows = [*TEN[:2], *TEN[3:4], moved, cut]
    found, counts = told(rows, past=lost((1, 3)))
    assert (counts.missing, counts.unexplained) > (0, 0)
    for one in found:
        counts.charge(one, -1)
    assert (counts.missing, counts.doubled, counts.unexplained) == (0, 0, 0)


def test_a_manual_run_belongs_to_its_change() -> None:
    manual = row(5.5, 5, request=9)
    asked = Asked(at=at(5.5), act="run", task="a")
    for answer, kind in (
        (asked, []),
        (None, [Kind.UNEXPECTED]),
        (replace(asked, task="b"), [Kind.UNEXPECTED]),
        (replace(asked, act="pause"), [Kind.UNEXPECTED]),
        (replace(asked, at=at(5)), [Kind.SHIFTED]),
    ):
        assert kinds(told([*TEN[:5], manual, *TEN[5:]], asked={9: answer}.get)[0]) == kind
    later, counts = told([*TEN[:5], manual, *TEN[5:]], asked=lambda _: replace(asked, late=True))
    assert (later, counts.recorded, counts.states[State.SUCCEEDED]) == ([], 10, 10)
    assert never_ran("a", 9, at(5.5)).tick == "a@2026-01-01T00:05:30Z#9"


def test_a_ruined_ledger_is_told_in_bounded_memory_and_counted_in_full() -> None:
    count = 8 * HELD
    rules = [Rule(after=START, through=at(count), version=1, schedule=EACH)]
    rows = (row(minute) for minute in range(1, count + 1) if minute % 2)
    line = Line(task_id=1, task="a", rules=rules, planned_through=at(count), linked_to=None)
    found, counts = walked(line, rows, Facts(asked=lambda _: None, past=lambda _: ()))
    assert counts.missing == len(found) == count // 2
    assert kinds(found) == [Kind.MISSING] * len(found)
