"""People: they edit, pause, resume, run and cancel by the command line, while everything fails."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from threading import Event, Lock, Thread
from typing import Protocol

import psycopg

from everytick.clock import SystemClock
from everytick.tick import tick_name

from .evidence import Asked, rows
from .tasks import Job, tables

_BETWEEN = (1.0, 4.0)
_HELD = (0.5, 3.0)
"""Seconds between two acts, and for how long a task is paused."""

_ANY = """
    SELECT k.name, t.due_at FROM everytick.tick AS t JOIN everytick.task AS k ON k.id = t.task_id
    WHERE t.request = 0 AND t.state IN ('planned', 'running') ORDER BY random() LIMIT 1
"""


class Command(Protocol):
    """How a command of Everytick is run: with its words; its exit code, stdout and stderr are returned."""

    def __call__(self, *words: str) -> tuple[int, str, str]: ...


@dataclass(slots=True)
class People:
    """Somebody at a command line.

    Args:
        command: How a command is run.
        ledger: The ledger's URL, to look for ticks that can be cancelled.
        folder: Where everytick.toml lies.
        head: What stands in it before the tasks.
        jobs: The tasks.
        random: The dice.

    Attributes:
        asked: What was asked for.
        faults: What a command must not say.
        quiet: Held while nobody may ask for anything.
    """

    command: Command
    ledger: str
    folder: Path
    head: str
    jobs: Sequence[Job]
    random: Random
    asked: list[Asked] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    quiet: Lock = field(default_factory=Lock)
    _leave: Event = field(default_factory=Event)
    _thread: Thread | None = None
    _clock: SystemClock = field(default_factory=SystemClock)

    def come(self) -> None:
        """Begin to ask for this and that, beside whatever else happens."""
        self._thread = Thread(target=self._live, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Ask for nothing more, and let no task stay paused."""
        self._leave.set()
        if self._thread is not None:
            self._thread.join()
        for name in sorted({one.job for one in self.asked if one.act == "pause"}):
            self._ask("resume", name)

    def _live(self) -> None:
        acts = (self._apply, self._pause, self._run, self._cancel)
        while not self._leave.wait(self.random.uniform(*_BETWEEN)):
            with self.quiet:
                self.random.choice(acts)()

    def _apply(self) -> None:
        """Change a tenth of the tasks, in a way that changes nothing of when they run and what they do."""
        changed = {job.name for job in self.random.sample(list(self.jobs), len(self.jobs) // 10)}
        grace = f"{self.random.randint(20, 90)}s"
        text = tables(self.jobs, self.folder, dict.fromkeys(changed, f'grace = "{grace}"'))
        draft = self.folder / "draft.toml"
        draft.write_text(self.head + text)
        draft.replace(self.folder / "everytick.toml")
        self._ask("apply", "", "everytick.toml", "--yes")

    def _pause(self) -> None:
        """Pause a task for a moment."""
        name = self.random.choice(self.jobs).name
        self._ask("pause", name)
        self._leave.wait(self.random.uniform(*_HELD))
        self._ask("resume", name)

    def _run(self) -> None:
        """Ask for a tick of a task."""
        self._ask("run", self.random.choice(self.jobs).name, "--json")

    def _cancel(self) -> None:
        """Cancel a tick that waits or runs."""
        try:
            found = rows(self.ledger, _ANY)
        except psycopg.Error:
            return
        for row in found:
            name = tick_name(row["name"], row["due_at"])
            self._ask("cancel", row["name"], about=name)

    def _ask(self, act: str, job: str, *words: str, about: str = "") -> None:
        began = self._clock.boot()
        code, told, errors = self.command(act, *filter(None, (about or job,)), *words)
        one = Asked(act=act, job=job, tick=about, began=began, ended=self._clock.boot(), done=code == 0)
        if one.done and act == "run":
            one = replace(one, tick=json.loads(told)["tick"])
        self.asked.append(one)
        if "Traceback" in errors or code < 0:
            self.faults.append(f"everytick {act} {about or job} ended with {code}: {errors[-3000:]}")
