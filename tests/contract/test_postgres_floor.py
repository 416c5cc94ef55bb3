"""Beside a transaction that is held open on PostgreSQL, looks at what comes next stay short."""

from collections.abc import Callable, Iterator
from contextlib import closing
from threading import Thread
from typing import Any, cast

import psycopg
import pytest

from everytick.edits import Author, Edits
from everytick.errors import LedgerError
from everytick.ledger import Ledger
from everytick.ledgers.postgres import PostgresLedger, floor
from everytick.plan import UNSTARTED
from everytick.policy import CatchingUp, CatchUp, Overlap, Policies
from everytick.testing.ledgers.claiming import Claiming
from everytick.testing.ledgers.editing import Editing
from everytick.testing.ledgers.neighbours import Neighbours
from everytick.testing.ledgers.planning import Planning
from everytick.testing.ledgers.pruning import Pruning
from everytick.testing.ledgers.reading import Reading
from everytick.testing.ledgers.requesting import Requesting
from everytick.testing.ledgers.scene import START, Scene, change, due
from everytick.testing.ledgers.settling import Settling
from everytick.testing.ledgers.sweeping import Sweeping
from everytick.testing.ledgers.waiting import Waiting
from everytick.testing.servers import PgBouncer, PostgresServer
from everytick.tick import Key

from .plans import Walk, parts

Place = Callable[[PostgresServer | PgBouncer], str]
BESIDE = Policies(overlap=Overlap.allow(), catch_up=CatchUp(CatchingUp.ALL))
TASKS = 10
ROUNDS = 150
FEW = 2
"""Pages that are read to move a cursor, however often it has moved."""

LONG = 10**7
"""A rest of so many times the last look is longer than any test."""


@pytest.fixture
def dear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each whole look count as dear."""
    monkeypatch.setattr(floor, "CHEAP", -1)
    monkeypatch.setattr(floor, "_DEAR", 1)


@pytest.fixture
def tireless(dear: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no whole look follow the first."""
    assert dear is None
    monkeypatch.setattr(floor, "_REST", LONG)


@pytest.fixture
def url(postgres15: PostgresServer, place: Place) -> str:
    """Return where the ledger of a test lies."""
    return place(postgres15)


@pytest.fixture
def scene(url: str) -> Iterator[Scene]:
    """Yield a scene on PostgreSQL."""
    with PostgresLedger(url) as ledger:
        yield Scene(ledger)


@pytest.mark.usefixtures("tireless")
class TestResting(
    Planning, Claiming, Waiting, Settling, Neighbours, Sweeping, Editing, Requesting, Reading, Pruning
):
    """Whatever programs do needs no whole look but those that are asked for, with one exception.

    What is copied looks for nothing, and comes to be by a clock that goes back.
    """

    @pytest.fixture
    def ledger(self, postgres15: PostgresServer, place: Place) -> Iterator[Ledger]:
        with PostgresLedger(place(postgres15)) as made:
            yield made

    def test_a_backfill_asked_for_later_stands_beside_the_seal(self, ledger: Ledger) -> None:
        """The cursor of a backfill begins in the past: its sign is seen. In the suite's, time goes back."""
        scene = Scene(ledger)
        task = scene.task(policies=BESIDE)
        scene.plan(due(10), now=due(10))
        assert ledger.next_plan() == due(11)
        ledger.backfill(change("backfill"), task, due(0), due(2), due(1))
        assert ledger.next_plan() == due(1)
        assert scene.plan(due(10), now=due(10)) == 1
        assert ledger.backfills(task) == []


@pytest.mark.usefixtures("tireless")
def test_looks_do_not_grow_with_what_was_started_since_a_transaction_began(
    url: str, scene: Scene, postgres15: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(TASKS):
        scene.task(f"t{number}", BESIDE)
    runner = scene.runner()
    walk = Walk(url, monkeypatch)
    with closing(postgres15.connect("somebodys")) as held, closing(postgres15.connect("somebodys")) as db:
        held.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        held.execute(f"SELECT count(*) FROM {url.rpartition('=')[2]}.tick".encode())
        looks = ("next_ready", "select_ready", "next_plan", "select_cursors")
        pages: dict[str, list[int]] = {statement: [] for statement in (*looks, "move_cursors")}
        for turn in range(1, ROUNDS + 1):
            scene.ledger.next_plan()
            assert scene.plan(due(turn), now=due(turn)) == TASKS
            scene.ledger.next_ready(("default",), frozenset())
            for attempt in scene.claim(runner, due(turn), limit=TASKS).attempts:
                scene.settle(attempt, due(turn))
            for statement, counts in pages.items():
                counts.append(walk.pages(db, statement))
        whole = {
            "next_ready": walk.pages(db, "next_ready", floors="{" + ",".join([str(floor.LOWEST)] * 3) + "}"),
            "select_ready": walk.pages(db, "select_ready", first=floor.LOWEST),
            "next_plan": walk.pages(db, "next_plan", floor=floor.LOWEST),
            "select_cursors": walk.pages(db, "select_cursors", first=floor.LOWEST),
        }
    for statement in looks:
        assert 2 * max(pages[statement]) < whole[statement]
    assert max(pages["move_cursors"]) < FEW * TASKS


@pytest.mark.usefixtures("tireless")
def test_what_comes_in_far_below_the_moment_is_not_seen_while_it_rests(scene: Scene, url: str) -> None:
    late, runner = _late(scene, url), scene.runner()
    for _ in range(20):
        assert scene.claim(runner, due(100)).attempts == []
    assert {scene.tick(key).state for key in late} == {"planned"}


@pytest.mark.usefixtures("tireless")
def test_a_task_that_is_resumed_is_planned_at_once(scene: Scene) -> None:
    task = scene.task(policies=BESIDE)
    scene.task("other", BESIDE)
    scene.plan(due(10), now=due(10))
    edits, author = Edits(scene.ledger, scene.versions), Author(actor="suite")
    edits.pause("report", due(10) + 1, author)
    assert scene.plan(due(100), now=due(100)) == 1
    scene.ledger.next_plan()
    edits.resume("report", due(100) + 1, author)
    assert scene.plan(due(102), now=due(100) + 2) == 1
    assert [row.key.due_at for row in scene.recorded(task)[-2:]] == [due(101), due(102)]


@pytest.mark.usefixtures("dear")
def test_what_comes_in_far_below_the_moment_is_claimed_after_the_rest(
    scene: Scene, url: str, until: Callable[[Callable[[], object]], None]
) -> None:
    late, runner = _late(scene, url), scene.runner()
    until(lambda: scene.ledger.next_ready(("default",), frozenset()) == due(1))
    assert [one.key for one in scene.claim(runner, due(100)).attempts] == late


@pytest.mark.usefixtures("dear")
def test_a_backfill_is_planned_after_the_rest(
    scene: Scene, until: Callable[[Callable[[], object]], None]
) -> None:
    task = scene.task(policies=BESIDE)
    scene.plan(due(10), now=due(10))
    assert scene.plan(due(10), now=due(10)) == 0
    scene.ledger.backfill(change("backfill"), task, due(0), due(2), due(1))
    until(lambda: scene.plan(due(10), now=due(10)))
    assert scene.ledger.backfills(task) == []


@pytest.mark.usefixtures("tireless")
def test_tasks_that_have_their_fill_are_not_counted_at_each_look(
    url: str, scene: Scene, postgres15: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _full(scene)
    walk = Walk(url, monkeypatch)
    counted = []
    with closing(postgres15.connect("somebodys")) as db:
        for turn in range(3):
            assert scene.plan(due(310), now=due(300) + turn) == 0
            counted.append(_counted(walk, db))
    assert counted == [TASKS, 0, 0]


@pytest.mark.usefixtures("tireless")
def test_others_are_planned_behind_tasks_that_have_their_fill(scene: Scene) -> None:
    full, other = _full_beside(scene)
    for turn in range(300, 304):
        assert scene.plan(due(turn), now=due(turn)) == 1
    assert [row.key.due_at for row in scene.recorded(other)[-3:]] == [due(301), due(302), due(303)]
    assert {len(scene.recorded(task)) for task in full} == {UNSTARTED}


@pytest.mark.usefixtures("tireless")
def test_a_backfill_is_planned_at_once_beside_tasks_that_have_their_fill(scene: Scene) -> None:
    _, other = _full_beside(scene)
    assert [scene.plan(due(301), now=due(301)) for _ in range(3)] == [1, 0, 0]
    scene.ledger.backfill(change("backfill"), other, due(0), due(2), due(1))
    assert scene.plan(due(301), now=due(301)) == 1
    assert scene.ledger.backfills(other) == []


@pytest.mark.usefixtures("tireless")
def test_backfills_that_are_asked_for_at_once_are_seen_in_the_order_of_their_numbers(
    scene: Scene,
    url: str,
    postgres15: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[[Callable[[], object]], None],
) -> None:
    """The higher number is the sign: were it seen first, nobody would look for what the lower one brings."""
    slow, quick = scene.task("slow", BESIDE), scene.task("quick", BESIDE)
    scene.plan(due(10), now=due(10))
    assert scene.ledger.next_plan() == due(11)
    with PostgresLedger(url) as first, PostgresLedger(url) as second:
        inner = first._db.row
        later = Thread(target=lambda: second.backfill(change("backfill"), quick, due(3), due(5), due(4)))

        def row(statement: str, /, **values: Any) -> Any:  # noqa: ANN401 - as psycopg returns it
            if statement == "newest_version":
                later.start()
                until(lambda: _waiting(postgres15))
                assert scene.plan(due(10), now=due(10)) == 0
            return inner(statement, **values)

        monkeypatch.setattr(first._db, "row", row)
        first.backfill(change("backfill"), slow, due(0), due(2), due(1))
        later.join()
    assert scene.plan(due(10), now=due(10)) == 2
    assert [scene.ledger.backfills(task) for task in (slow, quick)] == [[], []]


@pytest.mark.usefixtures("tireless")
def test_what_a_lost_commit_had_planned_is_planned_by_the_next_look(
    scene: Scene, postgres15: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, other = _full_beside(scene)
    assert [scene.plan(due(301), now=due(301)) for _ in range(3)] == [1, 0, 0]
    scene.ledger.backfill(change("backfill"), other, due(0), due(2), due(1))
    db = cast("PostgresLedger", scene.ledger)._db
    inner = db.execute

    def execute(statement: str, /, **values: Any) -> int:  # noqa: ANN401 - whatever psycopg can bind
        if statement == "commit":
            assert db._db is not None
            with closing(postgres15.connect()) as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 10000)", [db._db.info.backend_pid])
        return inner(statement, **values)

    with monkeypatch.context() as patch:
        patch.setattr(db, "execute", execute)
        with pytest.raises(LedgerError):
            scene.plan(due(301), now=due(301))
    assert scene.plan(due(301), now=due(301)) == 1
    assert scene.ledger.backfills(other) == []


@pytest.mark.usefixtures("tireless")
def test_what_is_behind_is_planned_whole_part_by_part(scene: Scene) -> None:
    for number in range(TASKS):
        scene.task(f"t{number}", BESIDE)
    scene.plan(due(1))
    left_out = frozenset([scene.task("broken", BESIDE)])
    while scene.plan(due(50), now=due(20), limit=3, without=left_out):
        pass
    assert {scene.row(f"t{number}").planned_through for number in range(TASKS)} == {due(50)}
    assert scene.plan(due(50), now=due(20), limit=3) == 1


@pytest.mark.usefixtures("dear")
def test_a_task_that_has_room_again_is_planned_after_the_rest(
    scene: Scene, until: Callable[[Callable[[], object]], None]
) -> None:
    full = _full(scene)
    assert scene.plan(due(310), now=due(300)) == 0
    assert len(scene.claim(scene.runner(), due(300), limit=1).attempts) == 1
    until(lambda: scene.plan(due(310), now=due(300) + 1))
    assert sum(len(scene.recorded(task)) for task in full) == TASKS * UNSTARTED + 1


@pytest.mark.usefixtures("dear")
def test_a_task_that_another_had_before_it_and_did_not_plan_is_planned_after_the_rest(
    url: str, scene: Scene, postgres15: PostgresServer, until: Callable[[Callable[[], object]], None]
) -> None:
    scene.task(policies=BESIDE)
    with closing(postgres15.connect("somebodys")) as other:
        other.execute("BEGIN")
        other.execute(f"SELECT FROM {url.rpartition('=')[2]}.cursor FOR UPDATE".encode())
        assert scene.plan(due(5), now=due(5)) == 0
    until(lambda: scene.plan(due(5), now=due(5)))


def _full_beside(scene: Scene) -> tuple[list[int], int]:
    """Let tasks have their fill while another is paused, through due(300); return them and the other."""
    other = scene.task("other", BESIDE)
    edits, author = Edits(scene.ledger, scene.versions), Author(actor="suite")
    edits.pause("other", due(0), author)
    full = _full(scene)
    edits.resume("other", due(300) + 1, author)
    return full, other


def _full(scene: Scene) -> list[int]:
    """Let tasks have their fill of unstarted ticks; return which."""
    tasks = [scene.task(f"t{number}", BESIDE) for number in range(TASKS)]
    assert scene.plan(due(300)) == TASKS
    return tasks


def _waiting(server: PostgresServer) -> bool:
    """Tell whether somebody waits for his turn."""
    with closing(server.connect("somebodys")) as db:
        found = db.execute("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchall()
    return bool(found)


def _counted(walk: Walk, db: psycopg.Connection[Any]) -> int:
    """Return of how many tasks the ticks are counted by the look at cursors, as it was done last."""
    plan = walk.explained(db, "select_cursors")
    (count,) = (part for part in parts(plan) if part["Node Type"] == "Aggregate")
    return int(count["Actual Loops"])


def _late(scene: Scene, url: str) -> list[Key]:
    """Let a program whose clock is far behind plan two ticks, after others were claimed; return which."""
    scene.task("first", BESIDE)
    scene.plan(due(99), now=due(99))
    runner = scene.runner()
    while scene.claim(runner, due(100), limit=1000).considered:
        pass
    behind = scene.task("behind", BESIDE)
    with PostgresLedger(url) as other:
        Scene(other).plan(due(2), now=START)
    return [Key(behind, due(1)), Key(behind, due(2))]
