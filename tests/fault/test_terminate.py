"""SIGTERM and Ctrl-C: what ends, what is given up, and what the next start makes of it."""

import signal

from everytick.tick import SECOND

from .ground import Ground, Job
from .proof import agree, audit, lines, prove, rows, settled

SHORT = Job(name="short", schedule="@yearly", seconds=2)
LONG = Job(name="long", schedule="@yearly", seconds=30, kind="command", child=True)
STUBBORN = Job(name="stubborn", schedule="@yearly", seconds=60, policies='uncertain = "skip"')
TICKING = Job(name="ticking", seconds=0.1)


def started(ground: Ground, *jobs: Job) -> None:
    ground.until(lambda: all(lines(ground, job) for job in jobs))


def test_sigterm_lets_attempts_end_within_the_grace_and_gives_the_rest_up_as_lost(ground: Ground) -> None:
    ground.define(SHORT, LONG, STUBBORN, TICKING, grace="4s")
    since = ground.apply()
    up = ground.start("up")
    for job in (LONG, STUBBORN, SHORT):
        ground.ask("run", job.name)
    started(ground, SHORT, LONG, STUBBORN, TICKING)
    told = ground.clock.now()
    assert up.stop() == 0, ground.logs()
    assert not up.family()
    (short,), (long,), (stubborn,) = (rows(ground, job) for job in (SHORT, LONG, STUBBORN))
    assert (short["state"], short["attempt"]) == ("succeeded", 1)
    assert (long["state"], long["attempt"], long["reruns"]) == ("planned", 2, 1)
    assert (stubborn["state"], stubborn["reason"], stubborn["attempt"]) == ("failed", "lost", 1)
    assert [line.word for line in lines(ground, LONG)] == ["start"]
    # It may have been about to start a tick when it was told; it started none that came due later.
    assert max(row["due_at"] for row in rows(ground, TICKING) if row["started_at"]) <= told + SECOND
    for job in ground.jobs:
        agree(ground, job)
    assert ground.rows("SELECT DISTINCT status FROM process") == [{"status": "gone"}]

    ground.wait(4)  # away for some ticks
    again = ground.clock.now()
    up = ground.start("up")
    ground.until(lambda: settled(ground, again))
    ground.until(lambda: any(row["due_at"] > again and row["ended_at"] for row in rows(ground, TICKING)))
    assert up.stop() == 0, ground.logs()
    assert [(line.attempt, line.word) for line in lines(ground, LONG)] == [
        (1, "start"),
        (2, "start"),
        (2, "end"),
    ]
    ground.jobs = [TICKING]
    prove(ground, since, ground.clock.now())
    away = [row for row in rows(ground, TICKING) if told + SECOND < row["due_at"] < again - 2 * SECOND]
    assert away
    assert {(row["state"], row["reason"]) for row in away} == {("skipped", "missed")}


def test_ends_at_once_when_nothing_runs(ground: Ground) -> None:
    ground.define(LONG, grace="1h")
    ground.apply()
    programs = [ground.start(kind) for kind in ("up", "scheduler", "runner")]
    ground.until(lambda: all(program.joined(ground) for program in programs))
    assert [program.stop() for program in programs] == [0, 0, 0], ground.logs()
    assert ground.rows("SELECT DISTINCT status FROM process") == [{"status": "gone"}]


def test_a_closed_terminal_lets_attempts_end(ground: Ground) -> None:
    """The shell and the kernel may both send SIGHUP, so two of them are no demand to end at once."""
    ground.define(SHORT, grace="1h")
    ground.apply()
    inherited = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        up = ground.start("up")
    finally:
        signal.signal(signal.SIGHUP, inherited)
    ground.ask("run", SHORT.name)
    started(ground, SHORT)
    for _ in range(2):
        up.process.send_signal(signal.SIGHUP)
    assert up.process.wait() == 0, ground.logs()
    (row,) = rows(ground, SHORT)
    assert (row["state"], row["attempt"]) == ("succeeded", 1)
    assert ground.rows("SELECT DISTINCT status FROM process") == [{"status": "gone"}]


def test_second_ctrl_c_ends_it_at_once(ground: Ground) -> None:
    ground.define(LONG, TICKING, grace="1h")
    ground.apply()
    up = ground.start("up")
    ground.ask("run", LONG.name)
    started(ground, LONG)
    up.process.send_signal(signal.SIGINT)
    ground.until(lambda: settled_but(ground, LONG))
    assert up.process.poll() is None
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait() == 128 + signal.SIGINT
    ground.until(lambda: not up.family())
    assert "Traceback" not in up.said()
    (row,) = rows(ground, LONG)
    assert (row["state"], row["attempt"]) in {("running", 1), ("planned", 2)}

    up = ground.start("up")  # whatever it left behind is found
    ground.until(lambda: (2, "start") in [(line.attempt, line.word) for line in lines(ground, LONG)])
    up.kill()
    ground.until(lambda: not up.family())
    for job in ground.jobs:
        assert all(line.word in {"start", "end"} for line in lines(ground, job))
    audit(ground)


def settled_but(ground: Ground, job: Job) -> bool:
    """Tell whether this task alone has an attempt at work, as it is when no more are started."""
    running = ground.rows(
        "SELECT task.name, max(tick.due_at) OVER () AS due_at FROM tick JOIN task ON task.id = tick.task_id "
        "WHERE state = 'running'"
    )
    overdue = ground.rows(
        "SELECT count(*) AS waiting FROM tick WHERE state = 'planned' AND ready_at < ?", ground.clock.now()
    )
    return [row["name"] for row in running] == [job.name] and overdue[0]["waiting"] > 1
