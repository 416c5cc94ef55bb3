"""Two releases of Everytick at work on one ledger, each from its own source, with real programs."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds until a test gives up; none of them waits for so long when all is well."""

_WITNESS = Path(__file__).with_name("witness.py")
_HEAD = 'ledger = "{url}"\n[runner]\nlimit = 3\nlease = "3s"\ngrace = "5s"\n'
_TASK = '[task.{name}]\nschedule = "every 1s"\ncall = "{call}:work"\narguments = {arguments}\n{policies}\n'


@dataclass(frozen=True, slots=True)
class Release:
    """A release, as its source stands in a folder.

    Attributes:
        side: What the witness calls it.
        source: The folder to import it from.
    """

    side: str
    source: Path


@dataclass(frozen=True, slots=True)
class Job:
    """A task of each second: what the witness is told of it, and its policies as TOML."""

    seconds: float = 0.1
    fails: int = 0
    alone: bool = True
    policies: str = ""


def history_has(commit: str) -> bool:
    """Tell whether this checkout has a commit: a copy without history, or with a part of it, may not."""
    try:
        asked = _git("cat-file", "-e", f"{commit}^{{commit}}")
    except FileNotFoundError:
        return False
    return asked.returncode == 0


def release_of(commit: str, folder: Path) -> Release:
    """Lay down the source of Everytick as it stood at a commit."""
    packed = _git("archive", "--format=tar", commit, "src")
    assert packed.returncode == 0, packed.stderr
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return Release("old", folder / "src")


def _git(*words: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False, timeout=PATIENCE)


class Sides:
    """A folder with tasks and a ledger, and the programs of both releases that were started there.

    Args:
        folder: An empty folder.
        url: The ledger.
        jobs: The tasks by name.
    """

    def __init__(self, folder: Path, url: str, jobs: Mapping[str, Job]) -> None:
        self.folder = folder
        self.url = url
        self.jobs = jobs
        self._version = 0
        self._pause = Event()
        self._started: list[subprocess.Popen[bytes]] = []

    def apply(self, release: Release) -> None:
        """Write all tasks anew, and let a release apply them: what was planned ahead goes, too."""
        self._version += 1
        tables = [self._table(name, job) for name, job in self.jobs.items()]
        (self.folder / "jobs.toml").write_text("\n".join([_HEAD.format(url=self.url), *tables]))
        self.ask(release, "apply", "jobs.toml", "--yes")

    def _table(self, name: str, job: Job) -> str:
        told = {
            "file": str(self._file(name)),
            "seconds": job.seconds,
            "fails": job.fails,
            "alone": job.alone,
            "version": self._version,
        }
        arguments = ", ".join(f"{key} = {json.dumps(value)}" for key, value in told.items())
        return _TASK.format(name=name, call=_WITNESS, arguments=f"{{ {arguments} }}", policies=job.policies)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def start(self, release: Release, kind: str) -> "subprocess.Popen[bytes]":
        """Start a scheduler or a runner."""
        with (self.folder / f"{len(self._started)}-{release.side}-{kind}.err").open("wb") as errors:
            program = subprocess.Popen(
                _command(kind, "--app", "jobs.toml"),
                cwd=self.folder,
                env=_surroundings(release),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )
        self._started.append(program)
        return program

    def ask(self, release: Release, *words: str, code: int | None = 0) -> "subprocess.CompletedProcess[str]":
        """Run a command of a release, and insist on its exit code unless that is None."""
        done = subprocess.run(
            _command(*words),
            cwd=self.folder,
            env=_surroundings(release),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert code in {done.returncode, None}, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def told(self, release: Release, *words: str) -> Any:  # noqa: ANN401 - whatever the command tells
        """Return what a command of a release says as JSON."""
        return json.loads(self.ask(release, *words, "--json").stdout)

    def lines(self, name: str) -> list[tuple[str, int, str, str]]:
        """Return what the attempts of a task wrote: tick, attempt, side, word."""
        try:
            text = self._file(name).read_text()
        except FileNotFoundError:
            return []
        found = [line.split() for line in text.splitlines()]
        return [(tick, int(attempt), side, word) for tick, attempt, side, word in found]

    def ended(self, *sides: str) -> Counter[str]:
        """Count the attempts of each task that these sides brought to their ends."""
        return Counter(
            {
                name: sum(side in sides and word == "end" for *_, side, word in self.lines(name))
                for name in self.jobs
            }
        )

    def both_work(self, times: int = 5) -> None:
        """Wait until each side has brought so many more attempts to their ends."""
        before = {side: self.ended(side).total() + times for side in ("old", "new")}
        self.until(lambda: all(self.ended(side).total() >= count for side, count in before.items()))

    def all_go_on(self, *sides: str, times: int = 2) -> None:
        """Wait until each task goes on: these sides bring so many more of its attempts to their ends."""
        before = self.ended(*sides)
        self.until(lambda: all(count >= before[name] + times for name, count in self.ended(*sides).items()))

    def at_work(self, side: str) -> None:
        """Wait until a side is in the middle of a long attempt."""
        long = [name for name, job in self.jobs.items() if job.seconds > 0.5]
        self.until(
            lambda: any(line[2:] == (side, "start") for name in long for line in self.lines(name)[-1:])
        )

    def until(self, fact: Callable[[], object]) -> None:
        """Wait until something is so."""
        for _ in range(int(PATIENCE / 0.02)):
            if fact():
                return
            self._pause.wait(0.02)
        raise AssertionError(f"it did not come true in {PATIENCE:g} s\n{self.said()}")

    def said(self) -> str:
        """Return what the programs have said."""
        return "\n".join(f"{log.name}: {log.read_text()[-2000:]}" for log in self.folder.glob("*.err"))

    def kill(self, *programs: "subprocess.Popen[bytes]") -> None:
        """Kill programs with -9."""
        for program in programs:
            assert program.poll() is None, self.said()
            program.kill()
            program.wait(PATIENCE)

    def stop(self, *programs: "subprocess.Popen[bytes]") -> None:
        """Ask programs to end; they end well."""
        for program in programs:
            program.send_signal(signal.SIGTERM)
        assert [program.wait(PATIENCE) for program in programs] == [0] * len(programs), self.said()

    def close(self) -> None:
        """Kill what still runs; its attempts die with it."""
        for program in self._started:
            if program.poll() is None:
                program.kill()
                program.wait(PATIENCE)

    def agree(self, release: Release) -> Counter[str]:
        """Hold what a release tells of each tick against the files of the tasks.

        Each attempt started once and none beside another; there is none that the ledger cannot explain by a
        failure or a rerun; what succeeded has come to its end in the attempt that the ledger names; what
        did not run has left no line.

        Returns:
            How many ticks came to each outcome, with ``reruns``.
        """
        counts: Counter[str] = Counter()
        for name, job in self.jobs.items():
            stories: dict[str, list[tuple[int, str]]] = defaultdict(list)
            for tick, attempt, _, word in self.lines(name):
                stories[tick].append((attempt, word))
            for row in self.told(release, "ticks", name, "--app", "jobs.toml", "--limit", "100000"):
                story = stories.pop(row["tick"], [])
                _once(row, story, job)
                counts[" ".join(filter(None, (row["state"], row["reason"])))] += row["count"]
                counts["reruns"] += row["reruns"]
            assert not stories, f"{name}: ran, and has no row: {stories}"
        return counts


def _once(row: Mapping[str, Any], story: list[tuple[int, str]], job: Job) -> None:
    """Assert that a tick ran as often as the ledger says, and each attempt once."""
    starts = [attempt for attempt, word in story if word == "start"]
    assert starts == sorted(set(starts)), (row, story)
    assert not any(word == "beside" for _, word in story), (row, story)
    assert len(starts) <= 1 + job.fails + row["reruns"], (row, story)
    match row["state"]:
        case "skipped":
            assert not story, (row, story)
        case "planned":  # it was not due, or not tried again, when the last runner ended
            assert not starts or starts[-1] < row["attempt"], (row, story)
        case state:
            assert state == "succeeded", (row, story)
            assert story[-2:] == [(row["attempt"], "start"), (row["attempt"], "end")], (row, story)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "everytick", *words]


def _surroundings(release: Release) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("EVERYTICK_")}
    return {**ours, "PYTHONPATH": str(release.source), "SIDE": release.side}
