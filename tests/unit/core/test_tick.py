"""The transition table, names and proofs."""

import sqlite3
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everytick.errors import ScheduleError, UsageError
from everytick.ledgers.statements import migrations
from everytick.tick import (
    FAILURES,
    SKIPS,
    TERMINAL,
    TRANSITIONS,
    Key,
    Reason,
    State,
    parse_rfc3339,
    parse_tick_name,
    proof,
    rfc3339,
    tick_name,
)

PAST, FUTURE = -62_135_596_800_000_000, 253_402_300_799_999_999


def stored(state: State) -> dict[str, object]:
    """Return a row in a state that satisfies every check of the table."""
    ended = state in TERMINAL
    reasons = {State.FAILED: "error", State.SKIPPED: "missed"}
    return {
        "state": state.value,
        "reason": reasons.get(state),
        "ready_at": 0 if state is State.PLANNED else None,
        "holder": 1 if state in {State.QUEUED, State.RUNNING} else None,
        "ended_at": 1 if ended else None,
        "proof": 1 if ended else None,
    }


@pytest.fixture(scope="module")
def ledger() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(migrations("sqlite")[1].script)
    return db


def moved(ledger: sqlite3.Connection, old: State, new: State, attempt: int, **more: object) -> int:
    """Try to move a row, which then has its attempt raised by so many; return how many rows moved."""
    row = stored(old) | {"attempt": 3}
    columns, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
    change = stored(new) | {"attempt": 3 + attempt} | more
    ledger.execute("BEGIN")
    try:
        ledger.execute(
            "INSERT INTO tick (task_id, due_at, version, queue, priority, "
            f"{columns}) VALUES (1, 5, 1, 'default', 1, {marks})",
            row,
        )
        return ledger.execute(
            f"UPDATE tick SET {', '.join(f'{name} = :{name}' for name in change)}", change
        ).rowcount
    finally:
        ledger.execute("ROLLBACK")


@pytest.mark.parametrize(("old", "new"), list(product(State, State)))
def test_the_ledger_allows_exactly_the_moves_of_the_table(
    ledger: sqlite3.Connection, old: State, new: State
) -> None:
    again = (old, new) == (State.RUNNING, State.PLANNED)
    stays_open = new is old and old in {State.PLANNED, State.QUEUED}
    if new in TRANSITIONS[old] or stays_open:
        assert moved(ledger, old, new, attempt=int(again)) == 1
    else:
        with pytest.raises(sqlite3.IntegrityError, match="table of transitions"):
            moved(ledger, old, new, attempt=0)


def test_a_retry_takes_a_higher_number_and_no_number_falls(ledger: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="table of transitions"):
        moved(ledger, State.RUNNING, State.PLANNED, attempt=0)
    with pytest.raises(sqlite3.IntegrityError, match="table of transitions"):
        moved(ledger, State.PLANNED, State.RUNNING, attempt=-1)


@pytest.mark.parametrize("part", ["task_id", "due_at", "request"])
def test_a_tick_keeps_its_key(ledger: sqlite3.Connection, part: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="table of transitions"):
        moved(ledger, State.PLANNED, State.RUNNING, attempt=0, **{part: 6})


@pytest.mark.parametrize(("state", "reason"), list(product(State, [None, *Reason])))
def test_the_ledger_demands_a_fitting_reason_of_what_fails_or_is_skipped_and_none_of_others(
    ledger: sqlite3.Connection, state: State, reason: Reason | None
) -> None:
    fitting = {State.FAILED: FAILURES, State.SKIPPED: SKIPS}.get(state, {None})
    row = stored(state) | {"reason": reason}
    insert = (
        "INSERT INTO tick (task_id, due_at, version, queue, priority, state, reason, ready_at, holder, "
        "ended_at, proof) "
        "VALUES (1, 5, 1, 'default', 1, :state, :reason, :ready_at, :holder, :ended_at, :proof)"
    )
    ledger.execute("BEGIN")
    try:
        if reason in fitting:
            assert ledger.execute(insert, row).rowcount == 1
        else:
            with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
                ledger.execute(insert, row)
    finally:
        ledger.execute("ROLLBACK")


def test_every_state_can_be_reached_and_only_terminal_ones_are_final() -> None:
    reached = {State.PLANNED}.union(*TRANSITIONS.values())
    assert reached == set(State) == TRANSITIONS.keys()
    assert {state for state, moves in TRANSITIONS.items() if not moves} == TERMINAL


def test_failures_and_skips_share_no_reason() -> None:
    assert not FAILURES & SKIPS
    assert set(Reason) == FAILURES | SKIPS


class TestNames:
    def test_a_tick_is_named_by_task_and_instant(self) -> None:
        due = parse_rfc3339("2026-11-21T06:00:00Z")
        assert tick_name("report", due) == "report@2026-11-21T06:00:00Z"
        assert tick_name("report", due, 12) == "report@2026-11-21T06:00:00Z#12"

    @given(due=st.integers(PAST, FUTURE), request=st.integers(0, 2**40))
    def test_names_round_trip(self, due: int, request: int) -> None:
        assert parse_tick_name(tick_name("a.b:c/d-e", due, request)) == ("a.b:c/d-e", due, request)

    @given(due=st.integers(PAST, FUTURE))
    def test_instants_round_trip_with_a_fraction_only_where_there_is_one(self, due: int) -> None:
        text = rfc3339(due)
        assert parse_rfc3339(text) == due
        assert ("." in text) == bool(due % 1_000_000)
        assert text.endswith("Z")
        assert not text.endswith((".Z", "0Z")) or "." not in text

    @pytest.mark.parametrize(
        "name",
        ["", "report", "@2026-11-21T06:00:00Z", "report@", "report@noon", "report@2026-11-21T06:00:00",
         "report@2026-11-21T06:00:00Z#x"],
    )  # fmt: skip
    def test_what_names_no_tick_is_refused_with_an_example(self, name: str) -> None:
        with pytest.raises(UsageError, match="write it as report@2026-11-21T06:00:00Z"):
            parse_tick_name(name)

    def test_a_naive_time_is_never_guessed(self) -> None:
        with pytest.raises(ScheduleError, match="names no zone"):
            parse_rfc3339("2026-11-21T06:00:00")


@given(st.lists(st.integers(0, 5), min_size=2, max_size=2, unique=True))
def test_a_proof_depends_on_each_part_of_the_ending(places: list[int]) -> None:
    ending: list[object] = [None, 1, State.SKIPPED, Reason.MISSED, 1, 77]
    changed = list(ending)
    changed[places[0]] = "another"
    key = Key(1, 5)
    assert proof(key, tuple(ending)) == proof(key, tuple(ending))
    assert proof(key, tuple(changed)) != proof(key, tuple(ending))
    assert proof(Key(1, 5, 1), tuple(ending)) != proof(key, tuple(ending))
    assert -(2**63) <= proof(key, tuple(ending)) < 2**63
