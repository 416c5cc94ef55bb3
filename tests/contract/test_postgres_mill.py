"""Six who do whatever comes into their heads with one PostgreSQL ledger; the laws hold for what remains."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count
from random import Random

import pytest

from everytick.audit.auditor import audit
from everytick.conclude import Attempt
from everytick.ledger import TaskRow, TickFilter
from everytick.ledgers.postgres import PostgresLedger
from everytick.plan import Status
from everytick.policy import CatchingUp, CatchUp, Overlap, Overlapping, Policies, Retry
from everytick.testing.laws import breaches
from everytick.testing.ledgers.scene import SECOND, START, Scene, change
from everytick.testing.servers import PgBouncer, PostgresServer
from everytick.tick import TERMINAL, Key, State, TickRow

Place = Callable[[PostgresServer | PgBouncer], str]
AGAIN = Retry(attempts=3, delay=2 * SECOND)
KINDS = {
    "skip": Policies(retry=AGAIN),
    "all": Policies(overlap=Overlap(), catch_up=CatchUp(CatchingUp.ALL), retry=AGAIN),
    "one": Policies(overlap=Overlap(Overlapping.QUEUE_ONE), retry=AGAIN),
    "line": Policies(overlap=Overlap(Overlapping.QUEUE_ALL), catch_up=CatchUp(CatchingUp.ALL)),
    "newest": Policies(overlap=Overlap(Overlapping.CANCEL_RUNNING), retry=AGAIN),
    "two": Policies(overlap=Overlap.allow(2), catch_up=CatchUp(CatchingUp.ALL), retry=AGAIN),
    "beside": Policies(overlap=Overlap.allow()),
    "hasty": Policies(overlap=Overlap(Overlapping.QUEUE_ALL), start_within=15 * SECOND),
}


class Crowded(Scene):
    """A scene in which a task may change between two looks at it."""

    def row(self, name: str = "report") -> TaskRow:
        (found,) = self.ledger.tasks(name=name)
        return found


class Somebody:
    """One of the six.

    Args:
        url: The ledger.
        seed: What comes into their head.
        moments: The time they share.

    Attributes:
        started: What they started.
    """

    def __init__(self, url: str, seed: int, moments: Iterator[int]) -> None:
        self.scene = Crowded(PostgresLedger(url))
        self.draw = Random(seed)
        self.moments = moments
        self.runner = self.scene.runner()
        self.held: list[Attempt] = []
        self.started: list[tuple[Key, int]] = []

    def live(self, rounds: int) -> None:
        acts = [
            (self.claim, 40), (self.settle, 35), (self.plan, 12), (self.request, 3),
            (self.cancel, 3), (self.edit, 3), (self.bury, 2), (self.backfill, 1),
        ]  # fmt: skip
        for act in self.draw.choices([act for act, _ in acts], [weight for _, weight in acts], k=rounds):
            act(next(self.moments))

    def plan(self, now: int) -> None:
        self.scene.plan(now + 10 * SECOND, now, limit=self.draw.randint(1, 9))

    def claim(self, now: int) -> None:
        mine = self.scene.ledger.process(self.runner)
        if mine is None or mine.status == "dead":
            self.runner = self.scene.runner()
        attempts = self.scene.claim(self.runner, now, limit=self.draw.randint(1, 5)).attempts
        self.held += attempts
        self.started += [(one.key, one.attempt) for one in attempts]

    def settle(self, now: int) -> None:
        """Settle some of what is held; late, where it was taken for dead meanwhile."""
        self.draw.shuffle(self.held)
        many = self.draw.randint(1, 4)
        ending, self.held = self.held[:many], self.held[many:]
        settlements = [
            self.scene.concluded(one, now, self.draw.choice(("succeeded", "error", "cancelled")), "no")
            for one in ending
        ]
        self.scene.ledger.settle(settlements, now)

    def request(self, now: int) -> None:
        self.scene.request(self.somewhat(), now)

    def backfill(self, now: int) -> None:
        self.scene.ledger.backfill(change("backfill", now), self.somewhat(), START, now, START + 10 * SECOND)

    def cancel(self, now: int) -> None:
        states = (State.PLANNED, State.RUNNING)
        ticks = self.scene.ledger.ticks(TickFilter(states=states, until=now, limit=20))
        if ticks:
            self.scene.ledger.cancel(change("cancel", now), self.draw.choice(ticks).key)

    def edit(self, now: int) -> None:
        name = self.draw.choice(list(KINDS))
        status = self.draw.choice((Status.ACTIVE, Status.ACTIVE, Status.PAUSED, Status.REMOVED))
        self.scene.revise(now, name, status, KINDS[name])

    def bury(self, now: int) -> None:
        """Take any process for dead, oneself perhaps."""
        processes = self.scene.ledger.processes()
        if processes:
            process = self.draw.choice(processes)
            self.scene.ledger.bury(process.id, 0, now, lambda held: self.scene.rescued(held, now))

    def somewhat(self) -> int:
        return self.scene.row(self.draw.choice(list(KINDS))).newest.task_id

    def close(self) -> None:
        self.scene.ledger.close()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("server", ["postgres15", "postgres18", "pgbouncer"])
def test_whatever_six_do_at_once_the_laws_hold(
    server: str, seed: int, request: pytest.FixtureRequest, place: Place
) -> None:
    url = place(request.getfixturevalue(server))
    moments = count(START, SECOND // 5)
    with ExitStack() as stack:
        first, *several = [
            stack.enter_context(closing(Somebody(url, 100 * seed + number, moments))) for number in range(7)
        ]
        for name, policies in KINDS.items():
            first.scene.task(name, policies)
        with ThreadPoolExecutor(len(several)) as threads:
            for living in [threads.submit(one.live, 120) for one in several]:
                living.result()
        end = settled_down(first, several)
        starts = Counter(start for one in (first, *several) for start in one.started)
        assert [start for start, times in starts.items() if times > 1] == []
        assert breaches(first.scene.ledger) == []
        findings = audit(first.scene.ledger, end).findings
        assert [one for one in findings if not one.request] == []  # the scene asks without saying for what
        rows = {row.key: row for row in everything(first.scene)}
        for key, attempt in starts:
            assert rows[key].attempt >= attempt
        for key, row in rows.items():
            assert row.state in TERMINAL
            if row.state in {State.SUCCEEDED, State.FAILED}:
                assert (key, row.attempt) in starts


def everything(scene: Scene) -> list[TickRow]:
    """Return the rows of all tasks."""
    return [row for task in scene.ledger.tasks() for row in scene.recorded(task.newest.task_id)]


def settled_down(first: Somebody, several: list[Somebody]) -> int:
    """Let one of them finish what the others have left; return when nothing was left."""
    now = next(first.moments)
    first.runner = first.scene.runner()
    for one in several:
        ledger = first.scene.ledger
        ledger.bury(one.runner, 0, now, lambda held: first.scene.rescued(held, now))
    for name, policies in KINDS.items():
        first.scene.revise(now, name, Status.REMOVED, policies)
    for _ in range(400):
        now += 30 * SECOND
        first.claim(now)
        first.held, ending = [], first.held
        first.scene.ledger.settle([first.scene.concluded(one, now) for one in ending], now)
    return now
