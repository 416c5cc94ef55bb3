"""The wall clock jumps by an hour while it runs; the first test holds libfaketime to moving nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from everytick.clock import SystemClock
from everytick.tick import SECOND

from .ground import Ground, Job, Program
from .proof import agree, audit, lines, prove, rows, settled
from .wall import Wall

HOUR = 3600 * SECOND
ALARM = "the wall clock has stepped"
MANUAL = Job(name="manual", schedule="@yearly", seconds=0.1)
TICKING = (
    Job(name="latest", seconds=0.1),
    Job(name="all", seconds=0.1, kind="command", policies='catch_up = { policy = "all", limit = 3 }'),
    Job(name="cron", schedule="* * * * * *", seconds=0.3, policies='overlap = "queue_one"'),
)


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    return Wall(tmp_path)


def started(ground: Ground) -> int:
    return sum(line.word == "start" for job in ground.jobs for line in lines(ground, job))


def cursors(ground: Ground) -> list[int]:
    return [row["planned_through"] for row in ground.rows("SELECT * FROM cursor ORDER BY task_id, request")]


def begin(ground: Ground, wall: Wall) -> tuple[Program, tuple[int, int]]:
    """Start it by the true clock and let it tick."""
    ground.define(*TICKING, MANUAL)
    since = ground.apply()
    up = ground.start("up", environment=wall.environment)
    ground.until(lambda: started(ground) > 2 * len(TICKING))
    return up, since


def jump(ground: Ground, wall: Wall, up: Program, ahead: int) -> None:
    """Move the wall clock, and prove that planning and starting stop."""
    wall.move(ahead)
    ground.until(lambda: ALARM in up.said())
    ground.until(lambda: not ground.rows("SELECT 1 FROM tick WHERE state = 'running'"))
    before = started(ground), cursors(ground)
    ground.wait(3)
    assert (started(ground), cursors(ground)) == before
    assert up.said().count(ALARM) == 1


def accept(ground: Ground, wall: Wall) -> None:
    """Let a person vouch for the wall clock; what else the doctor finds at this moment may be bad."""
    words = ("doctor", "--accept-clock", "--note", "it was wrong before")
    assert "accepted" in ground.ask(*words, code=None, environment=wall.environment).stdout


def end(ground: Ground, up: Program) -> None:
    assert up.stop() == 0, ground.logs()
    assert "Traceback" not in up.said()
    ground.jobs = TICKING


def test_only_the_wall_clock_is_moved(wall: Wall) -> None:
    wall.move(HOUR)
    code = "from everytick.clock import SystemClock as C; c = C(); print(c.now(), c.boot())"
    clock = SystemClock()
    before = clock.now(), clock.boot()
    told = subprocess.check_output([sys.executable, "-c", code], env={**os.environ, **wall.environment})
    after = clock.now(), clock.boot()
    now, boot = map(int, told.split())
    assert before[0] < now - HOUR < after[0]
    assert before[1] < boot < after[1]


@pytest.mark.parametrize("ahead", [HOUR, -HOUR], ids=["forward", "back"])
def test_goes_on_by_itself_when_the_clock_is_right_again(ground: Ground, wall: Wall, ahead: int) -> None:
    up, since = begin(ground, wall)
    reached = cursors(ground)
    jump(ground, wall, up, ahead)
    before = started(ground)
    wall.move(0)
    ground.until(lambda: started(ground) > before + 2 * len(TICKING))
    right = ground.clock.now()
    ground.until(lambda: settled(ground, right))
    end(ground, up)
    assert all(new >= old for new, old in zip(cursors(ground), reached, strict=True))
    counts = prove(ground, since, ground.clock.now())
    assert counts["skipped missed"] > 0


def test_a_person_accepts_the_hour_ahead(ground: Ground, wall: Wall) -> None:
    up, since = begin(ground, wall)
    jump(ground, wall, up, HOUR)
    ground.offsets.append(ground.offsets[0] + HOUR)
    before = started(ground)
    accept(ground, wall)
    ground.until(lambda: started(ground) > before + 2 * len(TICKING))
    accepted = ground.clock.now() + HOUR
    ground.until(lambda: settled(ground, accepted))
    end(ground, up)
    counts = prove(ground, since, ground.clock.now() + HOUR, environment=wall.environment)
    assert counts["skipped missed"] > 3 * 3500


def test_a_person_accepts_the_hour_back(ground: Ground, wall: Wall) -> None:
    """The hour that has its ticks already does not get them twice; what is asked for by hand is run."""
    up, since = begin(ground, wall)
    jump(ground, wall, up, -HOUR)
    ground.offsets.append(ground.offsets[0] - HOUR)
    before, reached = started(ground), cursors(ground)
    accept(ground, wall)
    ground.ask("run", MANUAL.name, "--wait", environment=wall.environment)
    assert started(ground) == before + 1
    (row,) = rows(ground, MANUAL)
    assert since[0] - HOUR < row["due_at"] < since[0]
    agree(ground, MANUAL)
    assert cursors(ground)[: len(reached)] == reached
    end(ground, up)
    for job in ground.jobs:
        agree(ground, job)
    audit(ground, environment=wall.environment)
