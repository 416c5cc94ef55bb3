"""The full product: catch-up x overlap x outage x what the task was doing when the outage began.

A task is due each minute. Its attempts take 10 s; the first one of the tick at 00:03 goes as the scene says.
The outage lasts from 00:03:30 to 00:08:30. A cell shows what became of the ticks due at 00:03 ... 00:09:

    1 succeeded at the first attempt    2 at the second
    m skipped(missed)    o skipped(overlap)    s skipped(superseded)    p skipped(paused)    c cancelled

Scenes:

    idle     nothing runs when the outage begins
    ends     the attempt of 00:03 takes until 00:05:15; a runner going down is told to stop and lets it end
    lost     the runner dies at 00:03:30, and with it the attempt of 00:03. Unless the outage is the runner's,
             another starts at once. Only a scheduler declares the dead one dead, 10 to 15 s later
    backoff  the attempt of 00:03 fails at 00:03:10, and its retry is ready at 00:04:40
    paused   the task is paused from 00:03:20 to 00:06:20

Outages: ``scheduler`` and ``runner`` alone, or ``both``. The tick of 00:04 is planned before any of them.
Columns are catch-up policies: all(1) keeps one missed tick, all(3m) those due within 3 minutes; none has a
grace of 20 s. Rows are overlap policies. Of the ticks due by 00:08:30, the one of 00:08 is not missed.
"""

import pytest

from everytick.executor import Job
from everytick.policy import CatchingUp, CatchUp, Overlap, Overlapping, Policies, Retry
from everytick.testing.engine import Engine, task
from everytick.testing.executor import Act
from everytick.testing.laws import breaches
from everytick.tick import Reason, State, parse_rfc3339

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = parse_rfc3339("2026-01-01T00:00:00Z")

TABLE = """
idle: no outage
                 latest   all      all(1)   all(3m)  none
skip             1111111  1111111  1111111  1111111  1111111
queue_one        1111111  1111111  1111111  1111111  1111111
queue_all        1111111  1111111  1111111  1111111  1111111
cancel_running   1111111  1111111  1111111  1111111  1111111
allow            1111111  1111111  1111111  1111111  1111111
allow(2)         1111111  1111111  1111111  1111111  1111111

idle: scheduler
                 latest   all      all(1)   all(3m)  none
skip             11mmm11  111ooo1  11mm1o1  11m1oo1  11mmmm1
queue_one        11mmm11  111ss11  11mm111  11m1s11  11mmmm1
queue_all        11mmm11  1111111  11mm111  11m1111  11mmmm1
cancel_running   11mmm11  11css11  11mmc11  11mcs11  11mmmm1
allow            11mmm11  1111111  11mm111  11m1111  11mmmm1
allow(2)         11mmm11  1111oo1  11mm111  11m11o1  11mmmm1

idle: runner, both
                 latest   all      all(1)   all(3m)  none
skip             1mmmm11  11oooo1  1mmm1o1  1mm1oo1  1mmmmm1
queue_one        1mmmm11  11sss11  1mmm111  1mm1s11  1mmmmm1
queue_all        1mmmm11  1111111  1mmm111  1mm1111  1mmmmm1
cancel_running   1mmmm11  1csss11  1mmmc11  1mmcs11  1mmmmm1
allow            1mmmm11  1111111  1mmm111  1mm1111  1mmmmm1
allow(2)         1mmmm11  111ooo1  1mmm111  1mm11o1  1mmmmm1

ends: no outage
                 latest   all      all(1)   all(3m)  none
skip             1oo1111  1oo1111  1oo1111  1oo1111  1oo1111
queue_one        1s11111  1s11111  1s11111  1s11111  1s11111
queue_all        1111111  1111111  1111111  1111111  1111111
cancel_running   c111111  c111111  c111111  c111111  c111111
allow            1111111  1111111  1111111  1111111  1111111
allow(2)         1111111  1111111  1111111  1111111  1111111

ends: scheduler
                 latest   all      all(1)   all(3m)  none
skip             1ommm11  1o1ooo1  1omm1o1  1om1oo1  1ommmm1
queue_one        11mmm11  111ss11  11mm111  11m1s11  11mmmm1
queue_all        11mmm11  1111111  11mm111  11m1111  11mmmm1
cancel_running   c1mmm11  c1css11  c1mmc11  c1mcs11  c1mmmm1
allow            11mmm11  1111111  11mm111  11m1111  11mmmm1
allow(2)         11mmm11  1111oo1  11mm111  11m11o1  11mmmm1

ends: runner, both
                 latest   all      all(1)   all(3m)  none
skip             1mmmm11  11oooo1  1mmm1o1  1mm1oo1  1mmmmm1
queue_one        1mmmm11  11sss11  1mmm111  1mm1s11  1mmmmm1
queue_all        1mmmm11  1111111  1mmm111  1mm1111  1mmmmm1
cancel_running   1mmmm11  1csss11  1mmmc11  1mmcs11  1mmmmm1
allow            1mmmm11  1111111  1mmm111  1mm1111  1mmmmm1
allow(2)         1mmmm11  111ooo1  1mmm111  1mm11o1  1mmmmm1

lost: no outage
                 latest   all      all(1)   all(3m)  none
skip             2111111  2111111  2111111  2111111  2111111
queue_one        2111111  2111111  2111111  2111111  2111111
queue_all        2111111  2111111  2111111  2111111  2111111
cancel_running   2111111  2111111  2111111  2111111  2111111
allow            2111111  2111111  2111111  2111111  2111111
allow(2)         2111111  2111111  2111111  2111111  2111111

lost: scheduler
                 latest   all      all(1)   all(3m)  none
skip             2ommmo1  2ooooo1  2ommoo1  2omooo1  2ommmm1
queue_one        2smmm11  2ssss11  2smms11  2smss11  21mmmm1
queue_all        21mmm11  2111111  21mm111  21m1111  21mmmm1
cancel_running   csmmm11  cssss11  csmms11  csmss11  c1mmmm1
allow            21mmm11  2111111  21mm111  21m1111  21mmmm1
allow(2)         21mmm11  211ooo1  21mm1o1  21m1oo1  21mmmm1

lost: runner, both
                 latest   all      all(1)   all(3m)  none
skip             2mmmmo1  2ooooo1  2mmmoo1  2mmooo1  2mmmmm1
queue_one        2mmmm11  2ssss11  2mmms11  2mmss11  2mmmmm1
queue_all        2mmmm11  2111111  2mmm111  2mm1111  2mmmmm1
cancel_running   cmmmm11  cssss11  cmmms11  cmmss11  2mmmmm1
allow            2mmmm11  2111111  2mmm111  2mm1111  2mmmmm1
allow(2)         2mmmm11  21oooo1  2mmm1o1  2mm1oo1  2mmmmm1

backoff: no outage
                 latest   all      all(1)   all(3m)  none
skip             2o11111  2o11111  2o11111  2o11111  2o11111
queue_one        2111111  2111111  2111111  2111111  2111111
queue_all        2111111  2111111  2111111  2111111  2111111
cancel_running   c111111  c111111  c111111  c111111  c111111
allow            2111111  2111111  2111111  2111111  2111111
allow(2)         2111111  2111111  2111111  2111111  2111111

backoff: scheduler
                 latest   all      all(1)   all(3m)  none
skip             2ommm11  2o1ooo1  2omm1o1  2om1oo1  2ommmm1
queue_one        21mmm11  211ss11  21mm111  21m1s11  21mmmm1
queue_all        21mmm11  2111111  21mm111  21m1111  21mmmm1
cancel_running   c1mmm11  c1css11  c1mmc11  c1mcs11  c1mmmm1
allow            21mmm11  2111111  21mm111  21m1111  21mmmm1
allow(2)         21mmm11  2111oo1  21mm111  21m11o1  21mmmm1

backoff: runner, both
                 latest   all      all(1)   all(3m)  none
skip             2mmmmo1  2ooooo1  2mmmoo1  2mmooo1  2mmmmm1
queue_one        2mmmm11  2ssss11  2mmms11  2mmss11  2mmmmm1
queue_all        2mmmm11  2111111  2mmm111  2mm1111  2mmmmm1
cancel_running   cmmmm11  cssss11  cmmms11  cmmss11  2mmmmm1
allow            2mmmm11  2111111  2mmm111  2mm1111  2mmmmm1
allow(2)         2mmmm11  21oooo1  2mmm1o1  2mm1oo1  2mmmmm1

paused: no outage
                 latest   all      all(1)   all(3m)  none
skip             1ppp111  1ppp111  1ppp111  1ppp111  1ppp111
queue_one        1ppp111  1ppp111  1ppp111  1ppp111  1ppp111
queue_all        1ppp111  1ppp111  1ppp111  1ppp111  1ppp111
cancel_running   1ppp111  1ppp111  1ppp111  1ppp111  1ppp111
allow            1ppp111  1ppp111  1ppp111  1ppp111  1ppp111
allow(2)         1ppp111  1ppp111  1ppp111  1ppp111  1ppp111

paused: scheduler, runner, both
                 latest   all      all(1)   all(3m)  none
skip             1pppm11  1ppp1o1  1ppp1o1  1ppp1o1  1pppmm1
queue_one        1pppm11  1ppp111  1ppp111  1ppp111  1pppmm1
queue_all        1pppm11  1ppp111  1ppp111  1ppp111  1pppmm1
cancel_running   1pppm11  1pppc11  1pppc11  1pppc11  1pppmm1
allow            1pppm11  1ppp111  1ppp111  1ppp111  1pppmm1
allow(2)         1pppm11  1ppp111  1ppp111  1ppp111  1pppmm1
"""

CATCH_UP = {
    "latest": CatchUp(),
    "all": CatchUp(CatchingUp.ALL),
    "all(1)": CatchUp(CatchingUp.ALL, limit=1),
    "all(3m)": CatchUp(CatchingUp.ALL, window=3 * MINUTE),
    "none": CatchUp(CatchingUp.NONE, grace=20 * SECOND),
}
OVERLAP = {
    "skip": Overlap(),
    "queue_one": Overlap(Overlapping.QUEUE_ONE),
    "queue_all": Overlap(Overlapping.QUEUE_ALL),
    "cancel_running": Overlap(Overlapping.CANCEL_RUNNING),
    "allow": Overlap.allow(),
    "allow(2)": Overlap.allow(2),
}
FIRST = {
    "ends": Act(135),
    "lost": Act(135),
    "backoff": Act(10, "error", "ValueError: not today"),
}
MARKS = {
    Reason.MISSED: "m",
    Reason.OVERLAP: "o",
    Reason.SUPERSEDED: "s",
    Reason.PAUSED: "p",
    Reason.EXPIRED: "x",
    Reason.LOST: "l",
    Reason.ERROR: "e",
}


def lines() -> list[tuple[str, str, str, dict[str, str]]]:
    """Read the table: scene, outage, overlap, and what is expected under each catch-up policy."""
    found = []
    for block in TABLE.strip().split("\n\n"):
        head, columns, *body = block.splitlines()
        scene, _, outages = head.partition(": ")
        for row in body:
            overlap, *cells = row.split()
            expected = dict(zip(columns.split(), cells, strict=True))
            found += [(scene, outage, overlap, expected) for outage in outages.split(", ")]
    return found


def story(scene: str, outage: str, policies: Policies) -> Engine:
    """Play one cell."""

    def script(job: Job) -> Act:
        third = job.tick["due_at"].endswith("00:03:00+00:00") and job.tick["attempt"] == 1
        return FIRST.get(scene, Act(10)) if third else Act(10)

    engine = Engine(script=script)
    engine.apply(task("job", "* * * * *", policies=policies))
    engine.run_until("2026-01-01T00:03:20Z")
    if scene == "paused":
        engine.pause("job", until="2026-01-01T00:06:20Z")
    engine.run_until("2026-01-01T00:03:30Z")
    runner_down = outage in {"runner", "both"}
    if scene == "ends" and runner_down:
        engine.stop_runner()
    elif scene == "lost" or runner_down:
        engine.crash_runner()
        if not runner_down:
            engine.start_runner()
    engine.scheduling = outage not in {"scheduler", "both"}
    engine.run_until("2026-01-01T00:08:30Z")
    if not engine.scheduling:
        engine.start_scheduler()
    if not engine.running:
        engine.start_runner()
    engine.run_until("2026-01-01T00:12:30Z")
    return engine


def outcomes(engine: Engine) -> str:
    """Return the mark of each tick due from 00:01 to 00:12."""
    marks = dict.fromkeys(range(1, 13), "-")
    for row in engine.ticks("job"):
        first = (row.key.due_at - START) // MINUTE
        last = ((row.through or row.key.due_at) - START) // MINUTE
        mark = str(row.attempt) if row.state is State.SUCCEEDED else row.state[0]
        for minute in range(first, last + 1):
            marks[minute] = MARKS.get(row.reason, mark) if row.reason else mark
    return "".join(marks.values())


def test_the_table_holds_the_full_product() -> None:
    cells = {(line[0], line[1], line[2], column) for line in lines() for column in line[3]}
    assert len(lines()) * len(CATCH_UP) == len(cells) == 5 * 4 * len(OVERLAP) * len(CATCH_UP) == 600
    assert {cell[2] for cell in cells} == OVERLAP.keys()


@pytest.mark.parametrize(
    ("scene", "outage", "overlap", "expected"),
    lines(),
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_every_cell_comes_out_as_it_is_written(
    scene: str, outage: str, overlap: str, expected: dict[str, str]
) -> None:
    found, broken = {}, {}
    for column, catch_up in CATCH_UP.items():
        retry = Retry(attempts=2, backoff="fixed", delay=90 * SECOND, jitter=0.0)
        policies = Policies(catch_up=catch_up, overlap=OVERLAP[overlap], retry=retry)
        engine = story(scene, outage, policies)
        found[column] = outcomes(engine)
        broken[column] = breaches(engine.ledger, engine.played)
    assert found == {column: f"11{cell}111" for column, cell in expected.items()}
    assert not any(broken.values()), broken
