"""The cluster: three nodes with a scheduler and a runner each, one database, 200 tasks."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.fault.ground import EVERYTICK, ours
from tests.fault.pause import until
from tests.fault.wall import Wall

from everytick.clock import SystemClock

from .database import Database
from .evidence import Evidence, gather, rows
from .network import HERE, Network, Node
from .programs import Place
from .proxy import Proxy
from .tasks import Job, tables

SLOW, CLOCKED = 2, 1
"""Which node reaches the database through a proxy, and which has a wall clock that can be moved."""

_PATIENCE = 60.0


class Cluster:
    """What a run takes place on.

    Args:
        disk: A small disk for the database.
        folder: A folder for everything else.
        jobs: The tasks.
        random: The dice of the proxy.
        server: Which kind of database.

    Attributes:
        wall: The wall clock that can be moved.
        clock: The true one.
        offset: The true time less CLOCK_BOOTTIME.
        settings: What stands in everytick.toml before the tasks.
        since: Between which moments the tasks were defined.
        places: Where the programs live.
    """

    def __init__(self, disk: Path, folder: Path, jobs: Sequence[Job], random: Random, server: str) -> None:
        self.folder = folder
        self.jobs = jobs
        self.clock = SystemClock()
        self.offset = self.clock.now() - self.clock.boot()
        network = Network()
        self.nodes = [network.node() for _ in range(3)]
        self.wall = Wall(folder, "wall")
        self.database = Database(disk, folder, server)
        self.proxy = Proxy(HERE, (HERE, self.database.entrance), random)
        self.since = self._apply()
        self.places = [self._place(kind, number) for number in range(3) for kind in ("scheduler", "runner")]

    def _apply(self) -> tuple[int, int]:
        self.settings = f'ledger = "{self.database.ledger}"\n[runner]\nlimit = 32\ngrace = "5s"\n'
        (self.folder / "everytick.toml").write_text(self.settings + tables(self.jobs, self.folder))
        before = self.clock.now()
        self.ask("apply", "everytick.toml", "--yes")
        return before, self.clock.now()

    def _place(self, kind: str, number: int) -> Place:
        ledger = self.database.through(self.proxy.port if number == SLOW else self.database.entrance)
        environment = self.wall.environment if number == CLOCKED else {}
        return Place(kind, self.nodes[number], ledger, environment, self.folder)

    def on(self, node: Node) -> list[Place]:
        """Return the places on a node."""
        return [place for place in self.places if place.node is node]

    def of(self, kind: str) -> list[Place]:
        """Return the places of a kind of program."""
        return [place for place in self.places if place.kind == kind]

    def start(self) -> None:
        """Start all programs, and wait until all are there."""
        for place in self.places:
            place.start()
        assert until(lambda: all(self.joined(place) for place in self.places), _PATIENCE), self.logs()

    def joined(self, place: Place) -> bool:
        """Tell whether a program's life has a living row in the ledger."""
        query = "SELECT 1 FROM everytick.process WHERE pid = %s AND status = 'alive'"
        return bool(rows(self.database.ledger, query, place.pid))

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Everytick on the ledger."""
        done = self._run(*words)
        if done.returncode not in {0, 1}:
            raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def command(self, *words: str) -> tuple[int, str, str]:
        """Run a command of Everytick, whatever comes of it; return its exit code, stdout and stderr."""
        done = self._run(*words)
        return done.returncode, done.stdout, done.stderr

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [EVERYTICK, *words, "--ledger", self.database.ledger],
            cwd=self.folder,
            env=ours(),
            capture_output=True,
            text=True,
            timeout=_PATIENCE * 2,
            check=False,
        )

    def audit(self) -> dict[str, object]:
        """Return what the product's own audit finds."""
        told: dict[str, object] = json.loads(self.ask("audit", "--json").stdout)
        return told

    def evidence(self) -> Evidence:
        """Return what files and tables say now."""
        return gather(self.jobs, self.folder, self.database.ledger)

    def logs(self) -> str:
        """Return the end of what each program has said."""
        return "\n".join(
            f"{place.name}: {place.said()[-2000:]}" for place in self.places if place.log.exists()
        )
