"""A runner is stopped, and its child lives on: SIGSTOP, a debugger, a machine that swaps."""

import signal
from pathlib import Path

import pytest

from .ground import Ground, Job, Program
from .proof import agree, audit, lines, rows

_PROCESSES = "SELECT status FROM process WHERE pid = ? ORDER BY id"
_REFUSED = "SELECT attempt, outcome FROM attempt WHERE refused_at IS NOT NULL"


def freeze(ground: Ground, program: Program) -> None:
    """Stop a program between two transactions: one that is stopped within holds up all others."""

    def frozen() -> bool:
        program.process.send_signal(signal.SIGSTOP)
        ground.until(lambda: state(program.process.pid) == "T")
        gate = Path(f"{ground.ledger}-gate").stat().st_ino
        held = any(
            f":{gate} " in lock and f" {program.process.pid} " in lock
            for lock in Path("/proc/locks").read_text().splitlines()
        )
        if held:
            program.process.send_signal(signal.SIGCONT)
        return not held

    ground.until(frozen)


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def words(ground: Ground, job: Job) -> list[tuple[int, str]]:
    return [(line.attempt, line.word) for line in lines(ground, job)]


@pytest.mark.parametrize("kind", ["call", "command"])
def test_child_of_a_stopped_runner_dies_before_another_runs_its_tick(ground: Ground, kind: str) -> None:
    job = Job(name="long", schedule="@yearly", seconds=60, kind=kind, child=True)
    ground.define(job)
    ground.apply()
    ground.start("scheduler")
    stopped = ground.start("runner")
    ground.ask("run", job.name)
    ground.until(lambda: words(ground, job) == [(1, "start")])
    child = lines(ground, job)[0].pid
    other = ground.start("runner")
    ground.until(lambda: other.joined(ground))
    freeze(ground, stopped)
    ground.until(lambda: state(child) in "ZX")
    assert words(ground, job) == [(1, "start")]
    ground.until(lambda: (2, "start") in words(ground, job))
    assert state(stopped.process.pid) == "T"
    stopped.process.send_signal(signal.SIGCONT)
    ground.until(lambda: rows(ground, job)[0]["ended_at"])
    ground.until(lambda: len(ground.rows(_PROCESSES, stopped.process.pid)) == 2)
    assert [row["status"] for row in ground.rows(_PROCESSES, stopped.process.pid)] == ["dead", "alive"]
    assert words(ground, job) == [(1, "start"), (2, "start"), (2, "end")]
    agree(ground, job)
    row = rows(ground, job)[0]
    assert (row["state"], row["attempt"], row["reruns"]) == ("succeeded", 2, 1)
    audit(ground)


def test_late_result_of_a_stopped_runner_is_refused_and_recorded(ground: Ground) -> None:
    job = Job(name="short", schedule="@yearly", seconds=2.5)
    ground.define(job, lease="8s")
    ground.apply()
    ground.start("scheduler")
    stopped = ground.start("runner")
    ground.ask("run", job.name)
    ground.until(lambda: words(ground, job) == [(1, "start")])
    freeze(ground, stopped)
    ground.until(lambda: words(ground, job) == [(1, "start"), (1, "end")])
    ground.start("runner")
    ground.until(lambda: (2, "end") in words(ground, job))
    ground.until(lambda: rows(ground, job)[0]["ended_at"])
    stopped.process.send_signal(signal.SIGCONT)
    ground.until(lambda: ground.rows(_REFUSED))
    assert ground.rows(_REFUSED) == [{"attempt": 1, "outcome": "succeeded"}]
    assert stopped.said().count("refused: attempt 1 of") == 1
    agree(ground, job)
    row = rows(ground, job)[0]
    assert (row["state"], row["attempt"], row["reruns"]) == ("succeeded", 2, 1)
    audit(ground)
