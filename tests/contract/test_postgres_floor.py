"""Beside a transaction that is held open on PostgreSQL, looks at what comes next stay short."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from everytick.edits import Author, Edits
from everytick.ledger import Ledger
from everytick.ledgers.postgres import PostgresLedger, floor
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

from .plans import Walk

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
        """The cursor of a backfill begins in the past: it is seen by the look that follows its sign."""
        scene = Scene(ledger)
        task = scene.task(policies=BESIDE)
        scene.plan(due(10), now=due(10))
        assert ledger.next_plan() == due(11)
        ledger.backfill(change("backfill"), task, due(0), due(2), due(1))
        assert [ledger.next_plan(), ledger.next_plan()] == [due(11), due(1)]
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
def test_a_task_that_is_resumed_is_planned_at_the_second_look(scene: Scene) -> None:
    task = scene.task(policies=BESIDE)
    scene.plan(due(10), now=due(10))
    edits, author = Edits(scene.ledger, scene.versions), Author(actor="suite")
    edits.pause("report", due(10) + 1, author)
    scene.task("other", BESIDE)
    assert scene.plan(due(100), now=due(100)) == 1
    scene.ledger.next_plan()
    edits.resume("report", due(100) + 1, author)
    assert scene.plan(due(102), now=due(100) + 2) == 0
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
