"""Killed with -9, again and again, while 20 tasks tick each second."""

import random
from itertools import cycle

import pytest

from .ground import Ground, Job, Program
from .proof import prove, settled

pytestmark = pytest.mark.xdist_group("kill")

SCHEDULES = ("every 1s", "* * * * * *")
LENGTHS = (0.0, 0.1, 0.4, 0.8, 1.3)
POLICIES = (
    "",
    'overlap = "queue_one"',
    'uncertain = "skip"',
    'catch_up = { policy = "all", limit = 5 }',
    'overlap = { policy = "allow", limit = 2 }',
    'overlap = "queue_one"\nuncertain = "skip"\ncatch_up = { policy = "all", window = "20s" }',
    'overlap = "cancel_running"',
    'catch_up = { policy = "none", grace = "2s" }\npriority = "high"',
)


def mixture() -> list[Job]:
    """Return 20 tasks of every second, no two alike."""
    schedules, lengths, policies, kinds = (
        cycle(SCHEDULES),
        cycle(LENGTHS),
        cycle(POLICIES),
        cycle(("call", "command", "call")),
    )
    jobs = []
    for number in range(20):
        rules = next(policies)
        jobs.append(
            Job(
                name=f"task-{number:02}",
                schedule=next(schedules),
                seconds=next(lengths),
                kind=next(kinds),
                policies=rules,
                alone="allow" not in rules,
                child=number % 5 == 0,
            )
        )
    return jobs


def take_down(ground: Ground, program: Program) -> None:
    """Kill a program; whatever it started dies with it."""
    program.kill()
    ground.until(lambda: not program.family())


def test_up_is_killed_again_and_again(ground: Ground, kills: int) -> None:
    chance = random.Random(kills)
    ground.define(*mixture(), runner='grace = "5s"')
    since = ground.apply()
    for _ in range(kills):
        up = ground.start("up")
        ground.wait(chance.uniform(1.0, 8.0))
        assert up.process.poll() is None, ground.logs()
        take_down(ground, up)
    up = ground.start("up")
    killed = ground.clock.now()
    ground.until(lambda: settled(ground, killed))
    assert up.stop() == 0, ground.logs()
    counts = prove(ground, since, ground.clock.now())
    assert not up.family()
    print(dict(counts))  # noqa: T201 - what `make fault` is read for
    assert counts["succeeded"] > len(ground.jobs)
    assert counts["reruns"] > 0


def test_three_schedulers_and_three_runners_on_one_file_die_in_turn(ground: Ground, kills: int) -> None:
    chance = random.Random(kills)
    ground.define(*mixture(), runner='grace = "5s"')
    since = ground.apply()
    programs = [ground.start(kind) for kind in ("scheduler", "runner") * 3]
    for _ in range(kills * 2):
        ground.wait(chance.uniform(0.3, 3.0))
        place = chance.randrange(len(programs))
        assert programs[place].process.poll() is None, ground.logs()
        take_down(ground, programs[place])
        programs[place] = ground.start(("scheduler", "runner")[place % 2])
    killed = ground.clock.now()
    ground.until(lambda: settled(ground, killed))
    for program in programs:
        assert program.stop() == 0, ground.logs()
    counts = prove(ground, since, ground.clock.now())
    print(dict(counts))  # noqa: T201 - what `make fault` is read for
    assert counts["succeeded"] > len(ground.jobs)
    assert counts["reruns"] > 0
