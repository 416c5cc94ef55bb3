"""All that is known of one world: what the ledger said row by row, and what truly happened."""

from collections import defaultdict
from collections.abc import Set as AbstractSet
from typing import Any

from everytick.policy import Policies
from everytick.testing.simulation.machine import Machine
from everytick.testing.simulation.mirror import Backfill, Edition, Mirror
from everytick.testing.simulation.outside import Run
from everytick.tick import TERMINAL, Key, State, parse_tick_name, tick_name
from everytick.when import Instant


class Known:
    """What is known of one world.

    Args:
        machine: Whose time counts.

    Attributes:
        names: The tasks by number; ``numbers`` the other way round.
        editions: The versions of each task.
        ticks: Each tick as its row last was.
        open, active, waiting: The ticks of each task that have not ended, that have begun, that queue.
        fresh: The ticks of each task and request that nobody has started.
        runs: Each attempt that truly began.
        alive: The ticks of each task of which an attempt truly runs.
        unstarted: The attempts that never began, as their lease was over.
        backfills, manual: What was asked for, by its change.
        processes: The status of each process.
        kept: The attempts of each tick that did not end it: number, holder, outcome, and whether refused.
        cursors: How far each task and backfill is planned.
        left: The newest instant of each task whose tick was more than planned.
        begun: How many ticks have begun.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.names: dict[int, str] = {}
        self.numbers: dict[str, int] = {}
        self.editions: dict[int, list[Edition]] = {}
        self.ticks: dict[Key, Mirror] = {}
        self.open: dict[int, set[Key]] = defaultdict(set)
        self.active: dict[int, set[Key]] = defaultdict(set)
        self.waiting: dict[int, set[Key]] = defaultdict(set)
        self.fresh: dict[tuple[int, int], set[Key]] = defaultdict(set)
        self.runs: dict[tuple[Key, int], Run] = {}
        self.alive: dict[int, set[Key]] = defaultdict(set)
        self.unstarted: set[tuple[Key, int]] = set()
        self.backfills: dict[int, Backfill] = {}
        self.manual: dict[int, Key] = {}
        self.processes: dict[int, str] = {}
        self.kept: dict[Key, list[tuple[int, int, str, bool]]] = {}
        self.cursors: dict[tuple[int, int], Instant] = {}
        self.left: dict[int, Instant] = {}
        self.begun = 0

    def key_of(self, name: str) -> Key:
        """Return the key of a tick by its name."""
        task, due_at, request = parse_tick_name(name)
        return Key(self.numbers[task], due_at, request)

    def name_of(self, key: Key) -> str:
        """Return a tick's name by its key."""
        return tick_name(self.names.get(key.task_id, "?"), key.due_at, key.request)

    def edition(self, tick: Mirror) -> Edition:
        """Return the version that planned a tick."""
        return self.editions[tick.key.task_id][tick.version - 1]

    def policies(self, tick: Mirror) -> Policies:
        """Return the policies that hold for a tick."""
        return self.edition(tick).task.policies

    def listed(self, keys: AbstractSet[Key]) -> str:
        """Return the names of ticks."""
        return ", ".join(self.name_of(key) for key in sorted(keys))

    def index(self, tick: Mirror, *, gone: bool = False) -> None:
        """Note where a tick belongs now."""
        key, planned = tick.key, tick.state is State.PLANNED
        for index, belongs in (
            (self.open[key.task_id], tick.state not in TERMINAL),
            (self.active[key.task_id], tick.active),
            (self.waiting[key.task_id], tick.lane is not None and tick.lane < 0),
            (self.fresh[key.task_id, key.request], planned and tick.attempt == 1),
        ):
            if belongs and not gone:
                index.add(key)
            else:
                index.discard(key)

    def line(self, move: tuple[Any, ...]) -> str:
        """Return one row of a transaction, readable."""
        kind, *row = move
        if kind not in {"tick", "tick gone", "slot", "slot gone", "attempt"}:
            return f"{kind} " + " ".join(str(one) for one in row)
        name = self.name_of(Key(*row[:3]))
        if kind != "tick":
            return f"{kind} {name} " + " ".join(str(one) for one in row[3:])
        was, _, _, state, reason, attempt, reruns, holder = row[3:11]
        return (
            f"{name} {was or 'new'} -> {state}({reason or ''}) attempt {attempt} reruns {reruns} "
            f"holder {holder} ready_at {row[16]}"
        )
