"""Ticks that kill their runner: each is stopped by its own budget, and drags no other with it."""

from functools import partial
from pathlib import Path

from .ground import Ground, Program

_POISON = Path(__file__).with_name("poison.py")
_YEARLY = "0 0 1 1 *"
_BESIDE = [f"beside-{number}" for number in range(7)]


def table(name: str, work: str) -> str:
    """Return the table of a task that runs when it is asked for."""
    return f'[task.{name}]\nschedule = "{_YEARLY}"\n{work}\n'


def define(ground: Ground, *tables: str) -> None:
    """Write everytick.toml, and apply it."""
    settings = f'ledger = "sqlite:///{ground.ledger}"\n[runner]\nlimit = 8\nlease = "2s"\n'
    (ground.folder / "everytick.toml").write_text("\n".join([settings, *tables]))
    ground.apply()


def is_gone(program: Program) -> bool:
    return not program.family()


def supervised(ground: Ground, fact: str, *values: object) -> int:
    """Start `up` again whenever it dies, until something is so; return how often it died."""
    deaths = 0
    up = ground.start("up")
    while not ground.rows(fact, *values):
        if up.process.poll() is not None:
            deaths += 1
            ground.until(partial(is_gone, up))
            up = ground.start("up")
        ground.wait(0.05)
    ground.until(lambda: up.joined(ground))
    assert up.stop() == 0, ground.logs()
    return deaths


def test_a_tick_that_kills_its_runner_is_stopped_and_those_beside_it_succeed(ground: Ground) -> None:
    tables = [table("poison", f'call = "{_POISON}:kill"')]
    tables += [table(name, f'call = "{_POISON}:work"\narguments = {{ seconds = 0.5 }}') for name in _BESIDE]
    define(ground, *tables)
    for name in ("poison", *_BESIDE):
        ground.ask("run", name)
    deaths = supervised(
        ground, "SELECT 1 WHERE (SELECT count(*) FROM tick WHERE state IN ('succeeded', 'failed')) = 8"
    )
    rows = {row["name"]: row for row in ground.rows("SELECT * FROM tick JOIN task ON task.id = tick.task_id")}
    poison = rows.pop("poison")
    assert (poison["state"], poison["reason"], poison["attempt"]) == ("failed", "lost", 4), ground.logs()
    assert deaths == 4
    assert {row["state"] for row in rows.values()} == {"succeeded"}, rows
    assert max(row["reruns"] for row in rows.values()) <= 2
    (said,) = ground.rows("SELECT error FROM output WHERE attempt = 4")
    assert "it was lost 4 times, and is not run again" in said["error"]


def test_an_inline_tick_that_ends_its_runner_does_so_twice_and_then_runs_apart(ground: Ground) -> None:
    define(ground, table("poison", f'inline = "{_POISON}:leave"'))
    ground.ask("run", "poison")
    deaths = supervised(ground, "SELECT 1 FROM tick WHERE state = 'failed'")
    (row,) = ground.rows("SELECT * FROM tick")
    assert (deaths, row["reason"], row["attempt"], row["reruns"]) == (2, "error", 3, 2), ground.logs()
