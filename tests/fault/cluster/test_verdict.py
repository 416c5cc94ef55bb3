"""The judge finds what must not be: each fault is planted once into evidence that is clean."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.fault.proof import Line

from everytick.tick import SECOND, tick_name

from .evidence import Evidence, Restore
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
        found = Evidence(lines={"a": self.lines}, ticks={"a": self.rows}, attempts=[], left=0)
        return Judge(found, (FIRST - SECOND, FIRST - SECOND), UNTIL, restores, 0).judge([job])


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
