"""The tasks of a run: 200 of them, of mixed periods and policies, no two of the first hundred alike."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from types import MappingProxyType

from everytick.tick import SECOND

WORK = Path(__file__).parents[1] / "work.py"

_PERIODS = (1, 2, 2, 5, 5, 5, 5, 10, 10, 10, 10, 10, 15, 15, 20, 20, 30, 30, 60, 60)
_LENGTHS = (0.0, 0.05, 0.3, 0.0, 1.4, 0.1, 4.0)
_ONCE = 'uncertain = "skip"'
_POLICIES = (
    "",
    'overlap = "queue_one"',
    _ONCE,
    'catch_up = { policy = "all", limit = 5 }',
    'overlap = { policy = "allow", limit = 2 }',
    f'overlap = "queue_one"\n{_ONCE}\ncatch_up = {{ policy = "all", window = "20s" }}',
    'overlap = "cancel_running"\ngrace = "1s"',
    'catch_up = { policy = "none", grace = "2s" }\npriority = "high"',
    'overlap = "queue_all"\ncatch_up = { policy = "all", limit = 3 }\npriority = "low"',
    'retry = { attempts = 3, backoff = "fixed", delay = "1s" }',
    'timeout = "1s"\ngrace = "1s"',
    'start_within = "5s"',
    'jitter = "800ms"',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A task of a run.

    Attributes:
        name: Its name, and that of its file.
        period: Seconds between its ticks.
        second: Of each period, by the clock; None where it counts from its anchor.
        seconds: How long its first attempts work.
        command: Whether it is a program of its own, and not a callable.
        policies: The rest of its table, in TOML.
        child: Whether its attempts leave a process behind.
    """

    name: str
    period: int
    second: int | None
    seconds: float
    command: bool
    policies: str
    child: bool

    @property
    def schedule(self) -> str:
        """When it is due."""
        if self.second is None:
            return f"every {self.period}s"
        return f"{self.second}-59/{self.period} * * * * *"

    @property
    def alone(self) -> bool:
        """Whether its overlap policy lets no two of its ticks run at once."""
        return "allow" not in self.policies

    @property
    def once(self) -> bool:
        """Whether no tick of it may start twice, whatever happens."""
        return _ONCE in self.policies and "retry" not in self.policies

    @property
    def brisk(self) -> bool:
        """Whether nothing but a fault makes its ticks start late, and none waits behind an earlier one."""
        late = ("jitter", "timeout", "retry", '"queue_')
        return self.seconds < self.period / 3 and not any(word in self.policies for word in late)

    def table(self, folder: Path, more: str = "") -> str:
        """Return its table in everytick.toml, with more lines where it has none like them."""
        fails = int("retry" in self.policies)
        given = [self.seconds, int(self.alone), int(self.child), fails]
        if self.command:
            # No site, no user's settings: 15 ms to start.
            program = [sys.executable, "-I", "-S", str(WORK), str(self.file(folder)), *map(str, given)]
            work = f"command = {json.dumps(program)}"
        else:
            words = dict(zip(("seconds", "lane", "child", "fails"), given, strict=True))
            arguments = ", ".join(f"{name} = {value}" for name, value in words.items())
            work = f'call = "{WORK}:run"\narguments = {{ file = "{self.file(folder)}", {arguments} }}'
        if more.partition(" ")[0] in self.policies:
            more = ""
        return f'[task.{self.name}]\nschedule = "{self.schedule}"\n{work}\n{self.policies}\n{more}\n'

    def file(self, folder: Path) -> Path:
        """Return the file that its attempts write."""
        return folder / f"{self.name}.log"

    def instants(self, first: int, until: int) -> range:
        """Return when it is due from its first instant until a moment, by plain arithmetic."""
        return range(first, until + 1, self.period * SECOND)

    def begins(self, first: int, since: tuple[int, int]) -> bool:
        """Tell whether an instant may be its first, where it was defined between two moments."""
        if self.second is not None and first % (self.period * SECOND) != self.second * SECOND:
            return False
        return since[0] < first <= since[1] + self.period * SECOND


def tables(jobs: Iterable[Job], folder: Path, more: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the tables of tasks in everytick.toml, some with more lines, by name."""
    return "\n".join(job.table(folder, more.get(job.name, "")) for job in jobs)


def mixture(count: int, *, once: bool) -> list[Job]:
    """Return so many tasks.

    Args:
        count: How many.
        once: Whether none of their ticks may start twice.
    """
    parts = zip(range(count), cycle(_PERIODS), cycle(_LENGTHS), cycle(_POLICIES), strict=False)
    return [_job(number, period, length, policies, once=once) for number, period, length, policies in parts]


def _job(number: int, period: int, length: float, policies: str, *, once: bool) -> Job:
    if once:
        policies = "" if "retry" in policies else policies
        policies = policies if _ONCE in policies else f"{policies}\n{_ONCE}".strip()
    return Job(
        name=f"task-{number:03}",
        period=period,
        second=number * 7 % period if number % 3 else None,
        # A queue that grows faster than it is worked off would never end.
        seconds=min(length, period * (0.3 if "queue_all" in policies else 1.3)),
        command=period >= 5 and number % 4 == 0,
        policies=policies,
        child=number % 10 == 4,
    )
