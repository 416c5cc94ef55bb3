"""The judge finds what must not be: each fault is planted once into evidence that is clean."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.fault.proof import Line

from everytick.tick import SECOND, tick_name

from .evidence import Asked, Evidence, Frozen, Past, Restore
from .tasks import Job
from .verdict import Judge, Verdict

FIRST = 1_800_000_000 * SECOND
RERUN = Job(name="a", period=10, second=None, seconds=0.1, command=False, policies="", child=False)
ONCE = Job(
    name="a", period=10, second=None, seconds=0.1, command=False, policies='uncertain = "skip"', child=False
)
TICKS = 5
UNTIL = FIRST + TICKS * 10 * SECOND - 1


class Scene:
    """Clean evidence of five ticks that succeeded, to be spoilt."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = [row(number) for number in range(TICKS)]
        self.lines = [one for number in range(TICKS) for one in (line(number), line(number, word="end"))]

    def verdict(self, job: Job = RERUN, *restores: Restore) -> Verdict:
        return self.judge(job, Past(restores=restores))

    def judge(self, job: Job, past: Past) -> Verdict:
        found = Evidence(lines={"a": self.lines}, ticks={"a": self.rows}, attempts=[], left=0)
        return Judge(found, (FIRST - SECOND, FIRST - SECOND), UNTIL, past, 0).judge([job])


def row(number: int) -> dict[str, Any]:
    return {
        "due_at": FIRST + number * 10 * SECOND,
        "through": None,
        "count": 1,
        "state": "succeeded",
        "reason": None,
        "attempt": 1,
        "reruns": 0,
        "ended_at": FIRST,
    }


def line(number: int, attempt: int = 1, word: str = "start", late: int = 0) -> Line:
    due_at = FIRST + number * 10 * SECOND
    at = due_at + attempt * SECOND + (SECOND // 10 if word == "end" else 0) + late
    return Line(tick_name("a", due_at), attempt, 7, word, at)


def test_clean_evidence_is_clean() -> None:
    verdict = Scene().verdict()
    assert verdict.wrong == []
    assert (verdict.counts["due"], verdict.counts["run"], verdict.counts["succeeded"]) == (5, 5, 5)


def no_row(scene: Scene) -> None:
    del scene.rows[2]
    scene.lines[4:6] = []


def no_end_of_a_tick(scene: Scene) -> None:
    scene.rows[2] |= {"state": "planned", "ended_at": None}
    scene.lines[4:6] = []


def nothing_at_the_end(scene: Scene) -> None:
    del scene.rows[-1], scene.lines[-2:]


def a_late_beginning(scene: Scene) -> None:
    del scene.rows[:2], scene.lines[:4]


@pytest.mark.parametrize("spoil", [no_row, no_end_of_a_tick, nothing_at_the_end, a_late_beginning])
def test_missing(spoil: Callable[[Scene], None]) -> None:
    scene = Scene()
    spoil(scene)
    verdict = scene.verdict()
    assert verdict.counts["missing"] == 1
    assert verdict.counts["doubled"] == 0


def the_same_attempt_twice(scene: Scene) -> None:
    scene.lines.append(line(1, late=SECOND))


def two_at_once(scene: Scene) -> None:
    scene.lines.append(line(1, word="beside"))


def an_attempt_before_the_end_of_another(scene: Scene) -> None:
    scene.rows[1] |= {"attempt": 2, "reruns": 1}
    scene.lines[2:4] = [line(1), line(1, attempt=2), line(1, word="end", late=2 * SECOND), line(1, 2, "end")]


def a_start_without_a_row(scene: Scene) -> None:
    scene.lines.append(Line(tick_name("a", FIRST + SECOND), 1, 7, "start", FIRST + 2 * SECOND))


def a_row_beside_the_schedule(scene: Scene) -> None:
    scene.rows.insert(1, row(0) | {"due_at": FIRST + SECOND, "state": "skipped", "reason": "missed"})


@pytest.mark.parametrize(
    "spoil",
    [
        the_same_attempt_twice,
        two_at_once,
        an_attempt_before_the_end_of_another,
        a_start_without_a_row,
        a_row_beside_the_schedule,
    ],
)
def test_doubled(spoil: Callable[[Scene], None]) -> None:
    scene = Scene()
    spoil(scene)
    assert scene.verdict().counts["doubled"] >= 1


def a_rerun(scene: Scene) -> None:
    scene.rows[1] |= {"attempt": 2, "reruns": 1}
    scene.lines[2:4] = [line(1), line(1, attempt=2), line(1, 2, "end")]


def test_a_rerun_is_none_but_where_a_tick_is_to_start_once() -> None:
    scene = Scene()
    a_rerun(scene)
    assert scene.verdict().wrong == []
    assert scene.verdict(ONCE).counts["doubled"] == 1


def a_success_without_an_end(scene: Scene) -> None:
    del scene.lines[3]


def a_skip_of_what_ran(scene: Scene) -> None:
    scene.rows[1] |= {"state": "skipped", "reason": "missed"}


def a_loss_that_was_not_to_be_given_up(scene: Scene) -> None:
    scene.rows[1] |= {"state": "failed", "reason": "lost"}


def an_attempt_that_the_ledger_does_not_know(scene: Scene) -> None:
    scene.lines[4:4] = [line(1, attempt=2), line(1, 2, "end")]


def a_start_before_its_time(scene: Scene) -> None:
    scene.lines[2:4] = [line(1, late=-3 * SECOND), line(1, word="end")]


@pytest.mark.parametrize(
    "spoil",
    [
        a_success_without_an_end,
        a_skip_of_what_ran,
        a_loss_that_was_not_to_be_given_up,
        an_attempt_that_the_ledger_does_not_know,
        a_start_before_its_time,
    ],
)
def test_told_wrongly(spoil: Callable[[Scene], None]) -> None:
    scene = Scene()
    spoil(scene)
    verdict = scene.verdict()
    assert len(verdict.wrong) == 1
    assert not verdict.counts["missing"] + verdict.counts["doubled"]


def test_a_start_before_a_restore_is_accepted_is_found() -> None:
    restore = Restore(dumped=FIRST, restored=FIRST + 9 * SECOND, accepted=FIRST + 19 * SECOND)
    (told,) = Scene().verdict(RERUN, restore).wrong
    assert told.startswith("before the restore was accepted")


def test_what_a_restore_took_away_may_run_again_unless_it_is_to_start_once() -> None:
    scene = Scene()
    scene.lines[4:4] = [line(1, late=4 * SECOND), line(1, word="end", late=4 * SECOND)]
    restore = Restore(dumped=FIRST + 9 * SECOND, restored=FIRST + 13 * SECOND, accepted=FIRST + 14 * SECOND)
    verdict = scene.verdict(RERUN, restore)
    assert verdict.wrong == []
    assert verdict.counts["lost by restores"] == 1
    assert scene.verdict(ONCE, restore).counts["doubled"] == 1
    assert scene.verdict(RERUN).counts["doubled"] >= 1


STILL = Frozen(pids=frozenset({7}), since=FIRST + 11 * SECOND + SECOND // 20, until=FIRST + 25 * SECOND)
"""The second tick's attempt stood still from shortly after its start."""


def test_what_a_restore_took_away_may_be_skipped_where_the_older_ledger_was_paused() -> None:
    scene = Scene()
    skipped = {"state": "skipped", "reason": "paused", "count": 2, "through": row(2)["due_at"], "attempt": 0}
    scene.rows[1:3] = [row(1) | skipped]
    alarm = FIRST + 40 * SECOND
    restored = Restore(dumped=FIRST + 5 * SECOND, restored=FIRST + 25 * SECOND, accepted=FIRST + 25 * SECOND)
    verdict = scene.verdict(ONCE, restored)
    assert verdict.wrong == []
    assert (verdict.counts["lost by restores"], verdict.counts["doubled"]) == (2, 0)
    later = Restore(dumped=alarm, restored=alarm, accepted=alarm)
    told = [one.partition(":")[0] for one in scene.verdict(ONCE, later).wrong]
    assert sorted(told) == ["doubled", "told wrongly"]


def rerun_elsewhere(scene: Scene, end: int) -> None:
    scene.rows[1] |= {"attempt": 2, "reruns": 1}
    others = [line(1, 2, "start", 10 * SECOND), line(1, 2, "end", 10 * SECOND)]
    elsewhere = [replace(one, pid=8) for one in others]
    scene.lines[3:4] = [
        replace(elsewhere[0], word="twice"),
        elsewhere[1],
        replace(line(1, word="end"), boot=end),
    ]


def test_who_stands_still_with_its_node_is_called_dead_and_may_have_a_moment_more() -> None:
    scene = Scene()
    rerun_elsewhere(scene, STILL.until + SECOND // 2)
    verdict = scene.judge(RERUN, Past(frozen=[STILL]))
    assert verdict.wrong == []
    assert verdict.counts["beside one that stood still"] == 1
    assert scene.verdict().counts["doubled"] >= 1


def test_who_stood_still_and_lives_on_is_found() -> None:
    scene = Scene()
    rerun_elsewhere(scene, STILL.until + 2 * SECOND)
    verdict = scene.judge(RERUN, Past(frozen=[STILL]))
    assert any("lived on" in told for told in verdict.wrong)
    assert verdict.counts["doubled"] == 1


def asked(act: str, began: int, tick: str = "", *, done: bool = True) -> Asked:
    return Asked(act=act, job="a", tick=tick, began=began, ended=began + SECOND // 10, done=done)


def test_what_ran_although_its_task_was_paused_is_found() -> None:
    pause, resume = asked("pause", FIRST + 5 * SECOND), asked("resume", FIRST + 15 * SECOND, done=False)
    (told,) = Scene().judge(RERUN, Past(asked=[pause, resume])).wrong
    assert "was paused then" in told
    assert Scene().judge(RERUN, Past(asked=[replace(pause, done=False), resume])).wrong == []


def test_what_started_although_it_was_cancelled_is_found() -> None:
    cancel = asked("cancel", FIRST + 5 * SECOND, tick_name("a", FIRST + 10 * SECOND))
    (told,) = Scene().judge(RERUN, Past(asked=[cancel])).wrong
    assert "after it was cancelled" in told
    assert Scene().judge(RERUN, Past(asked=[replace(cancel, ended=FIRST + 12 * SECOND)])).wrong == []


def test_what_was_asked_for_and_is_not_there_is_missing_unless_a_restore_took_it() -> None:
    run = asked("run", FIRST + 12 * SECOND, tick_name("a", FIRST + 12 * SECOND, 5))
    assert Scene().judge(RERUN, Past(asked=[run])).counts["missing"] == 1
    restore = Restore(dumped=run.began - 1, restored=run.ended + SECOND, accepted=run.ended + 2 * SECOND)
    assert Scene().judge(RERUN, Past(asked=[run], restores=[restore])).counts["missing"] == 0


def test_what_was_asked_for_and_started_twice_is_doubled() -> None:
    scene = Scene()
    tick = tick_name("a", FIRST + 12 * SECOND, 5)
    scene.lines += [replace(line(4), tick=tick), replace(line(4), tick=tick, boot=FIRST + 60 * SECOND)]
    assert scene.verdict().counts["doubled"] == 1
