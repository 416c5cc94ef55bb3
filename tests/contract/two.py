"""Two who work on one ledger at once, one of whom can be stopped in the middle of a transaction."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event
from typing import TypeVar

from everytick.conclude import Attempt, Settlement
from everytick.consider import Considered, Ready, Slot, consider
from everytick.ledger import Claim, Order
from everytick.ledgers.postgres import PostgresLedger
from everytick.testing.ledgers.scene import Scene
from everytick.testing.servers import PostgresServer

T = TypeVar("T")
U = TypeVar("U")
PATIENCE = 30.0
"""Seconds until a test gives up on a thread."""


class Two:
    """Two who work on one ledger at once, each over a connection of its own.

    Attributes:
        one: What the first one works with.
        other: What the second one works with.
        ledgers: The ledgers of both.
    """

    def __init__(self, server: PostgresServer, url: str) -> None:
        self.ledgers = [PostgresLedger(url), PostgresLedger(url)]
        self.one, self.other = (Scene(ledger) for ledger in self.ledgers)
        self._server = server
        self._deadlocks = self._count_deadlocks()
        self._threads = ThreadPoolExecutor(2)

    @property
    def deadlocks(self) -> int:
        """How often the two have waited for each other."""
        return self._count_deadlocks() - self._deadlocks

    def _count_deadlocks(self) -> int:
        return self._server.log.read_text().count("deadlock detected")

    def beside(self, work: Callable[[], T]) -> Future[T]:
        """Begin to do something in another thread."""
        return self._threads.submit(work)

    def begun(self, work: Callable[[], T]) -> Future[T]:
        """Begin to do something in another thread; return when it is done, or waits for a lock."""
        doing, pause = self.beside(work), Event()
        with self._server.connect() as db:
            while not doing.done():
                waits = db.execute(
                    "SELECT FROM pg_stat_activity WHERE usename = 'everytick' AND wait_event_type = 'Lock'"
                )
                if waits.rowcount:
                    break
                pause.wait(0.005)
        return doing

    def at_once(self, work: Callable[[], T], other: Callable[[], U]) -> tuple[T, U]:
        """Do both at the same moment, as near as threads can; return what came of them."""
        both = Barrier(2)

        def begin_together() -> U:
            both.wait(PATIENCE)
            return other()

        doing = self.beside(begin_together)
        both.wait(PATIENCE)
        return work(), doing.result(PATIENCE)

    def close(self) -> None:
        self._threads.shutdown()
        for ledger in self.ledgers:
            ledger.close()


def claimed(scene: Scene, holder: int, now: int, meanwhile: Callable[[], object], limit: int = 10) -> Claim:
    """Claim, and let something happen between what is read and what is written, the first time."""
    again: list[bool] = []

    def decide(batch: Sequence[Ready], slots: Mapping[int, Sequence[Slot]]) -> Considered:
        decided = consider(batch, slots, scene.versions.version, now)
        if not again:
            again.append(True)
            meanwhile()
        return decided

    return scene.ledger.claim(Order(holder=holder, queues=("default",), limit=limit), now, decide)


def buried(
    scene: Scene, process: int, now: int, meanwhile: Callable[[], object] = lambda: None
) -> int | None:
    """Bury a process, and let something happen when its attempts have been read."""

    def decide(held: Sequence[Attempt]) -> list[Settlement]:
        meanwhile()
        return scene.rescued(held, now)

    return scene.ledger.bury(process, 0, now, decide)


def drained(scene: Scene, holder: int, now: int) -> list[Attempt]:
    """Claim and settle until nothing is left to do; return what was started."""
    started: list[Attempt] = []
    while True:
        claim = scene.claim(holder, now)
        started += claim.attempts
        scene.ledger.settle([scene.concluded(one, now) for one in claim.attempts], now)
        if not claim.considered:
            return started
