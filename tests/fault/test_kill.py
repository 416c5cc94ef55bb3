"""Killed with -9, again and again, while 20 tasks tick each second."""

import json
import random
from collections import Counter

from .ground import Ground, Program
from .mixture import mixture
from .proof import prove, settled


def take_down(ground: Ground, program: Program) -> int:
    """Kill a program; whatever it started dies with it. Return within how many milliseconds."""
    killed = ground.clock.boot()
    program.kill()
    ground.until(lambda: not program.family())
    return (ground.clock.boot() - killed) // 1000


def tell(counts: Counter[str], deaths: list[int]) -> None:
    """Print what `make fault` is read for."""
    whole = dict(counts) | {"kills": len(deaths), "milliseconds until all were dead, at most": max(deaths)}
    print(json.dumps(whole, indent=2))  # noqa: T201 - its reader is a person


def test_up_is_killed_again_and_again(ground: Ground, kills: int) -> None:
    chance = random.Random(kills)
    deaths: list[int] = []
    ground.define(*mixture())
    since = ground.apply()
    for _ in range(kills):
        up = ground.start("up")
        ground.wait(chance.uniform(1.0, 8.0))
        assert up.process.poll() is None, ground.logs()
        deaths.append(take_down(ground, up))
    up = ground.start("up")
    ground.until(lambda: up.joined(ground))
    killed = ground.clock.now()
    ground.until(lambda: settled(ground, killed))
    assert up.stop() == 0, ground.logs()
    counts = prove(ground, since, ground.clock.now())
    assert not up.family()
    tell(counts, deaths)
    assert counts["succeeded"] > len(ground.jobs)
    assert counts["reruns"] > 0


def test_three_schedulers_and_three_runners_on_one_file_die_in_turn(ground: Ground, kills: int) -> None:
    chance = random.Random(kills)
    deaths: list[int] = []
    ground.define(*mixture())
    since = ground.apply()
    programs = [ground.start(kind) for kind in ("scheduler", "runner") * 3]
    for _ in range(kills * 2):
        ground.wait(chance.uniform(0.3, 3.0))
        place = chance.randrange(len(programs))
        assert programs[place].process.poll() is None, ground.logs()
        deaths.append(take_down(ground, programs[place]))
        programs[place] = ground.start(("scheduler", "runner")[place % 2])
    ground.until(lambda: all(program.joined(ground) for program in programs))
    killed = ground.clock.now()
    ground.until(lambda: settled(ground, killed))
    for program in programs:
        assert program.stop() == 0, ground.logs()
    counts = prove(ground, since, ground.clock.now())
    tell(counts, deaths)
    assert counts["succeeded"] > len(ground.jobs)
    assert counts["reruns"] > 0
