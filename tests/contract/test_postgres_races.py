"""Two who want the same at the same moment, on PostgreSQL: whatever the order, the laws hold.

One of the two is stopped in the middle of its transaction, at its decision, until the other is done or
waits for a lock. So the worst orders are met each time, not now and then.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from functools import partial
from threading import Barrier

import psycopg
import pytest

from everytick.audit.auditor import audit
from everytick.conclude import Attempt, Settlement
from everytick.errors import LedgerError, LedgerMoved
from everytick.ledger import Claim, TaskRow
from everytick.plan import Cursor, Plan, Status, Version
from everytick.policy import CatchingUp, CatchUp, Overlap, Overlapping, Policies, Retry
from everytick.revise import Revision, begin
from everytick.testing.laws import breaches
from everytick.testing.ledgers.scene import NOBODY, SECOND, START, Scene, change, due
from everytick.testing.servers import PgBouncer, PostgresServer
from everytick.tick import NEVER, Key, State
from everytick.upkeep import Tally
from everytick.versions import Versions

from .two import PATIENCE, Two, buried, claimed, drained

Place = Callable[[PostgresServer | PgBouncer], str]
ALL = CatchUp(CatchingUp.ALL)
EVERY_POLICY = {
    "skip": Overlap(),
    "queue_one": Overlap(Overlapping.QUEUE_ONE),
    "queue_all": Overlap(Overlapping.QUEUE_ALL),
    "cancel_running": Overlap(Overlapping.CANCEL_RUNNING),
    "allow": Overlap.allow(2),
}


@pytest.fixture(params=["postgres15", "postgres18"])
def two(request: pytest.FixtureRequest, place: Place) -> Iterator[Two]:
    server: PostgresServer = request.getfixturevalue(request.param)
    made = Two(server, place(server))
    yield made
    with closing(made):
        assert made.deadlocks == 0
        assert breaches(made.one.ledger) == []
        findings = audit(made.one.ledger, due(1000)).findings
        assert [one for one in findings if not one.request] == []  # the scene asks without saying for what


class TestClaimAndClaim:
    @pytest.mark.parametrize("overlap", EVERY_POLICY)
    def test_both_have_read_that_no_lane_is_taken(self, two: Two, overlap: str) -> None:
        task = two.one.task(policies=Policies(overlap=EVERY_POLICY[overlap], catch_up=ALL))
        two.one.plan(due(2))
        holders, both = [two.one.runner(), two.other.runner()], Barrier(2)
        now = due(2)
        claims = [
            two.beside(partial(claimed, scene, holder, now, partial(both.wait, PATIENCE), limit=1))
            for scene, holder in zip((two.one, two.other), holders, strict=True)
        ]
        started = [one for claim in claims for one in claim.result(PATIENCE).attempts]
        assert len(started) == 1  # both chose the same lane; what the loser decided is dropped
        for scene, holder in zip((two.one, two.other), holders, strict=True):
            while (more := scene.claim(holder, now, limit=1)).considered:
                started += more.attempts
        running = {"skip": 1, "queue_one": 1, "queue_all": 1, "cancel_running": 1, "allow": 2}[overlap]
        assert len(started) == running
        assert sum(slot.lane >= 0 for slot in two.one.ledger.slots(task)) == running
        assert breaches(two.one.ledger) == []
        two.one.ledger.settle([two.one.concluded(one, now) for one in started], now)
        rest = drained(two.one, holders[0], now)
        assert len(started) + len(rest) == (1 if overlap == "skip" else 2)

    @pytest.mark.parametrize("overlap", EVERY_POLICY)
    def test_the_other_looks_while_the_first_decides_on_what_has_lanes(self, two: Two, overlap: str) -> None:
        policies = Policies(overlap=EVERY_POLICY[overlap], catch_up=ALL)
        names = [f"t{number}" for number in range(3)]
        for name in names:
            two.one.task(name, policies)
        two.one.plan(due(1))
        holders = [two.one.runner(), two.other.runner()]
        running = two.one.claim(holders[0], due(1)).attempts
        two.one.plan(due(4))
        doing: list[Future[Claim]] = []
        now = due(4)
        first = claimed(
            two.one, holders[0], now, limit=4,
            meanwhile=lambda: doing.append(two.begun(lambda: two.other.claim(holders[1], now, limit=4))),
        )  # fmt: skip
        started = [*running, *first.attempts, *doing[0].result(PATIENCE).attempts]
        assert breaches(two.one.ledger) == []
        two.one.ledger.settle([two.one.concluded(one, now) for one in started], now)
        drained(two.one, holders[0], now)
        open_states = {State.PLANNED, State.RUNNING}
        for row in two.one.ledger.tasks():
            assert not [one for one in two.one.recorded(row.newest.task_id) if one.state in open_states]


class TestSettleAndClaim:
    """The lane is given back while somebody decides to wait for it."""

    @pytest.mark.parametrize("overlap", ["queue_one", "queue_all", "cancel_running"])
    @pytest.mark.parametrize("asked", ["by the schedule", "by hand"])
    def test_whoever_waits_is_woken(self, two: Two, overlap: str, asked: str) -> None:
        task = two.one.task(policies=Policies(overlap=EVERY_POLICY[overlap], catch_up=ALL))
        two.one.plan(due(1))
        runner = two.one.runner()
        attempt = two.one.started(runner, due(1))
        if asked == "by hand":
            two.one.request(task, due(1))
        else:
            two.one.plan(due(2))
        settlement = two.other.concluded(attempt, due(2))
        doing: list[Future[list[Settlement]]] = []
        claim = claimed(
            two.one, runner, due(2),
            lambda: doing.append(two.begun(lambda: two.other.ledger.settle([settlement], due(2)))),
        )  # fmt: skip
        assert (claim.attempts, claim.considered) == ([], 1)
        assert doing[0].result(PATIENCE) == []
        (slot,) = two.one.ledger.slots(task)
        assert slot.lane < 0
        assert two.one.tick(slot.key).ready_at == due(2)
        assert two.one.started(runner, due(2)).key == slot.key

    def test_a_lane_that_is_taken_and_given_back_while_somebody_looks_wakes_him(
        self, two: Two, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is taken after the slots there were have been locked, and before they are read."""
        task = two.one.task(policies=Policies(overlap=EVERY_POLICY["queue_all"], catch_up=ALL))
        two.one.task("beside", Policies(overlap=EVERY_POLICY["queue_all"], catch_up=ALL))
        runners = [two.one.runner(), two.other.runner()]
        two.one.plan(due(1))
        drained(two.one, runners[0], due(1))
        two.one.request(two.one.row("beside").newest.task_id, due(1))
        two.one.started(runners[0], due(1))
        two.one.plan(due(2))
        connection = two.one.ledger._db  # type: ignore[attr-defined]
        read = connection.rows
        taken: list[Attempt] = []

        def rows(statement: str, /, **values: object) -> object:
            found = read(statement, **values)
            if statement == "lock_slots" and not taken:
                two.other.request(task, due(2))
                taken.append(two.other.started(runners[1], due(2)))
            return found

        monkeypatch.setattr(connection, "rows", rows)
        doing: list[Future[list[Settlement]]] = []

        def settle() -> list[Settlement]:
            return two.other.ledger.settle([two.other.concluded(one, due(2)) for one in taken], due(2))

        claimed(two.one, runners[0], due(2), lambda: doing.append(two.begun(settle)))
        assert doing[0].result(PATIENCE) == []
        assert len(taken) == 1
        waiting = [slot.key for slot in two.one.ledger.slots(task) if slot.lane < 0]
        assert NEVER not in [two.one.tick(key).ready_at for key in waiting]
        assert Key(task, due(2)) in [one.key for one in drained(two.one, runners[0], due(2))]

    def test_two_lanes_that_are_given_back_at_once_wake_two(self, two: Two) -> None:
        task = two.one.task(policies=Policies(overlap=Overlap.allow(2), catch_up=ALL))
        two.one.plan(due(2))
        runner = two.one.runner()
        first, second = two.one.claim(runner, due(2)).attempts
        waiting = [two.one.request(task, due(2)) for _ in range(3)]
        assert two.one.claim(runner, due(2)).considered == 3
        two.at_once(
            partial(two.one.settle, first, due(2)),
            partial(two.other.settle, second, due(2)),
        )
        assert [two.one.tick(key).ready_at == due(2) for key in waiting] == [True, True, False]
        assert [one.key for one in two.one.claim(runner, due(2)).attempts] == waiting[:2]
        drained(two.one, runner, due(2))

    @pytest.mark.parametrize("overlap", EVERY_POLICY)
    def test_many_times_in_whatever_order(self, two: Two, overlap: str) -> None:
        task = two.one.task(policies=Policies(overlap=EVERY_POLICY[overlap], catch_up=ALL))
        runner = two.one.runner()
        for number in range(1, 60, 2):
            now = due(number + 1)
            two.one.plan(due(number))
            attempt = two.one.started(runner, due(number))
            two.one.plan(now)
            settlement = two.other.concluded(attempt, now)
            claim, refused = two.at_once(
                partial(two.one.claim, runner, now), partial(two.other.ledger.settle, [settlement], now)
            )
            assert refused == []
            slots = two.one.ledger.slots(task)
            assert breaches(two.one.ledger) == []
            waiting = [two.one.tick(slot.key).ready_at for slot in slots if slot.lane < 0]
            assert NEVER not in waiting
            two.one.ledger.settle([two.one.concluded(one, now) for one in claim.attempts], now)
            drained(two.one, runner, now)


class TestEditAndClaim:
    @pytest.mark.parametrize("status", [Status.ACTIVE, Status.PAUSED, Status.REMOVED])
    def test_an_edit_waits_for_the_claim_and_sees_what_it_started(self, two: Two, status: Status) -> None:
        task = two.one.task(policies=Policies(catch_up=ALL))
        two.one.plan(due(3))
        runner = two.one.runner()
        doing: list[Future[TaskRow]] = []
        claim = claimed(
            two.one, runner, due(1),
            lambda: doing.append(two.begun(lambda: two.other.revise(due(1), status=status))),
        )  # fmt: skip
        (attempt,) = claim.attempts
        row = doing[0].result(PATIENCE)
        assert row.newest.version == 2
        assert row.newest.since >= attempt.key.due_at
        assert [one.key.due_at for one in two.one.recorded(task)] == [attempt.key.due_at]
        two.one.settle(attempt, due(1))

    def test_a_claim_leaves_alone_what_is_edited(self, two: Two) -> None:
        task = two.one.task(policies=Policies(catch_up=ALL))
        two.one.plan(due(3))
        runner = two.other.runner()
        doing: list[Future[Claim]] = []

        class Telling(Versions):
            def since(self, task_id: int, newest: int, moment: int) -> list[Version]:
                doing.append(two.begun(lambda: two.other.claim(runner, due(1))))
                return super().since(task_id, newest, moment)

        scene = Scene(two.one.ledger)
        scene.versions = Telling(scene.ledger)
        row = scene.revise(due(1))
        assert row.newest.version == 2
        claim = doing[0].result(PATIENCE)
        assert (claim.attempts, claim.considered) == ([], 0)
        two.one.plan(due(3))
        assert [row.version for row in two.one.recorded(task)] == [1, 2, 2]

    def test_two_edits_of_one_task_follow_one_another(self, two: Two) -> None:
        two.one.task()
        edits = [two.beside(partial(scene.revise, due(1))) for scene in (two.one, two.other)]
        versions = sorted(edit.result(PATIENCE).newest.version for edit in edits)
        assert versions[-1] == 3

    def test_two_that_make_one_task_make_one(self, two: Two) -> None:
        def make(scene: Scene) -> int:
            return scene.ledger.edit(change(), ["new"], decide)

        def decide(known: Mapping[str, TaskRow], numbers: Mapping[str, int]) -> list[Revision]:
            row = known.get("new")
            return [] if row else [begin(numbers["new"], definition, START)]

        two.one.task("pattern")
        definition = two.one.versions.version(two.one.row("pattern").newest.task_id, 1).task
        edits = [two.beside(partial(make, scene)) for scene in (two.one, two.other)]
        assert len({edit.result(PATIENCE) for edit in edits}) == 2
        assert [row.newest.version for row in two.one.ledger.tasks(name="new")] == [1]


class TestBury:
    def test_a_claim_that_is_under_way_is_buried_with_its_process(self, two: Two) -> None:
        task = two.one.task(policies=Policies(retry=Retry(attempts=2, delay=SECOND)))
        two.one.plan(due(1))
        runner = two.one.runner()
        doing: list[Future[int | None]] = []

        bury = partial(buried, two.other, runner, due(1))
        claim = claimed(two.one, runner, due(1), lambda: doing.append(two.begun(bury)))
        assert len(claim.attempts) == 1
        assert doing[0].result(PATIENCE) == 1
        assert two.one.ledger.held(runner) == []
        (row,) = two.one.recorded(task)
        assert (row.state, row.attempt) == (State.PLANNED, 2)
        late = two.one.concluded(claim.attempts[0], due(1))
        assert two.one.ledger.settle([late], due(1)) == [late]

    def test_who_is_being_buried_claims_nothing_more(self, two: Two) -> None:
        two.one.task("first")
        two.one.plan(due(1))
        runner = two.one.runner()
        two.one.started(runner, due(1))
        two.one.task("second")
        two.one.plan(due(1))
        doing: list[Future[Claim]] = []

        claim = partial(two.other.claim, runner, due(1))
        assert buried(two.one, runner, due(1), lambda: doing.append(two.begun(claim))) == 1
        assert doing[0].result(PATIENCE).considered == 0
        assert two.one.ledger.held(runner) == []

    def test_a_settlement_and_a_burial_write_one_outcome(self, two: Two) -> None:
        task = two.one.task(policies=Policies(catch_up=ALL))
        two.one.plan(due(40))
        for number in range(1, 41):
            runner = two.one.runner()
            attempt = two.one.started(runner, due(number))
            settlement = two.one.concluded(attempt, due(number))
            refused, held = two.at_once(
                partial(two.one.ledger.settle, [settlement], due(number)),
                partial(buried, two.other, runner, due(number)),
            )
            assert held == len(refused)
            assert two.one.tick(attempt.key).state is (State.PLANNED if refused else State.SUCCEEDED)
            drained(two.one, two.one.runner(), due(number))
            assert two.one.ledger.slots(task) == []

    def test_two_sweepers_bury_once(self, two: Two) -> None:
        two.one.task()
        two.one.plan(due(1))
        runner = two.one.runner()
        two.one.started(runner, due(1))
        doing: list[Future[int | None]] = []

        other = partial(buried, two.other, runner, due(1))
        assert buried(two.one, runner, due(1), lambda: doing.append(two.begun(other))) == 1
        assert doing[0].result(PATIENCE) is None


class TestPlanAndPlan:
    def test_what_one_plans_the_other_leaves_alone(self, two: Two) -> None:
        for number in range(4):
            two.one.task(f"t{number}")
        doing: list[Future[int]] = []

        def decide(cursors: Sequence[Cursor]) -> list[Plan]:
            doing.append(two.begun(lambda: two.other.plan(due(5))))
            return [two.one.planned(cursor, START, due(5)) for cursor in cursors]

        assert two.one.ledger.plan(due(5), START, 2, NOBODY, decide) == 2
        assert doing[0].result(PATIENCE) == 2
        assert [len(two.one.recorded(row.newest.task_id)) for row in two.one.ledger.tasks()] == [5] * 4

    def test_an_edit_waits_for_the_plan(self, two: Two) -> None:
        task = two.one.task()
        doing: list[Future[TaskRow]] = []

        def decide(cursors: Sequence[Cursor]) -> list[Plan]:
            doing.append(two.begun(lambda: two.other.revise(due(2))))
            return [two.one.planned(cursor, START, due(5)) for cursor in cursors]

        assert two.one.ledger.plan(due(5), START, 10, NOBODY, decide) == 1
        assert doing[0].result(PATIENCE).newest.since == due(2)
        assert [row.key.due_at for row in two.one.recorded(task)] == [due(1), due(2)]


class TestMoveAndWrite:
    def test_who_writes_already_is_waited_for_and_the_ledger_goes_on(self, two: Two) -> None:
        two.one.task()
        source = two.ledgers[1]
        counted = source.tally()
        moving: list[Future[None]] = []

        def decide(_: Mapping[str, TaskRow], __: Mapping[str, int]) -> list[Revision]:
            moving.append(two.begun(lambda: source.move_to("sqlite:///new.db", counted)))
            assert not moving[0].done()
            return []

        two.one.ledger.edit(change(), [], decide)
        with pytest.raises(LedgerError, match="source has changed"):
            moving[0].result(PATIENCE)
        assert two.other.runner()

    def test_who_comes_meanwhile_waits_and_is_refused(
        self, two: Two, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        two.one.task()
        source = two.ledgers[0]
        count, counted = source.tally, source.tally()
        joining: list[Future[int]] = []

        def tally() -> Tally:
            joining.append(two.begun(two.other.runner))
            assert not joining[0].done()
            return count()

        monkeypatch.setattr(source, "tally", tally)
        source.move_to("sqlite:///new.db", counted)
        with pytest.raises(LedgerMoved, match="given up while it was open"):
            joining[0].result(PATIENCE)
        assert count() == counted

    def test_who_decides_what_to_start_is_refused(self, two: Two) -> None:
        two.one.task()
        two.one.plan(due(1))
        runner, source = two.one.runner(), two.ledgers[1]
        counted = source.tally()

        def move() -> None:
            two.begun(lambda: source.move_to("sqlite:///new.db", counted)).result(PATIENCE)

        with pytest.raises(LedgerMoved, match="given up while it was open"):
            claimed(two.one, runner, due(1), move)
        assert source.tally() == counted

    def test_who_has_started_something_is_waited_for_and_the_ledger_goes_on(
        self, two: Two, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        two.one.task()
        two.one.plan(due(1))
        runner, source = two.one.runner(), two.ledgers[1]
        counted = source.tally()
        execute, moving = two.ledgers[0]._db.execute, list[Future[None]]()

        def committing(statement: str, /, **values: object) -> int:
            if statement == "commit" and not moving:
                moving.append(two.begun(lambda: source.move_to("sqlite:///new.db", counted)))
                assert not moving[0].done()
            return execute(statement, **values)

        monkeypatch.setattr(two.ledgers[0]._db, "execute", committing)
        assert two.one.started(runner, due(1))
        with pytest.raises(LedgerError, match="source has changed"):
            moving[0].result(PATIENCE)
        assert two.other.runner()


def test_a_deadlock_is_done_once_more(postgres15: PostgresServer, place: Place) -> None:
    url = place(postgres15)
    two = Two(postgres15, url)
    two.one.task()
    two.one.plan(due(2))
    schema = url.rpartition("=")[2]
    with psycopg.connect(postgres15.url("somebodys")) as db:
        db.execute("SET deadlock_timeout = '1min'")  # so that the ledger is the one that is told
        db.execute(f"SELECT FROM {schema}.tick FOR UPDATE".encode())
        edit = two.begun(lambda: two.other.revise(due(1)))
        db.execute(f"SELECT FROM {schema}.cursor FOR UPDATE".encode())
        assert not edit.done()
    with closing(two):
        assert edit.result(PATIENCE).newest.version == 2
        assert two.deadlocks
        assert breaches(two.one.ledger) == []
