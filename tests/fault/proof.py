"""The checker: what the files of the tasks say is true, and the ledger has to agree with them."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from everytick.tick import SECOND, tick_name

from .ground import Ground, Job

_NEAR = SECOND // 10
"""How far two clocks of one machine may be apart: the ledger's is slewed, the file's is not."""

_ROWS = """
    SELECT tick.*, task.name FROM tick JOIN task ON task.id = tick.task_id
    WHERE task.name = ? ORDER BY due_at, request
"""
_EARLIER = """
    SELECT attempt.* FROM attempt JOIN task ON task.id = attempt.task_id
    WHERE task.name = ? AND refused_at IS NULL
"""
_OPEN = "SELECT count(*) AS open FROM tick WHERE due_at <= ? AND ended_at IS NULL"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a task's file; `boot` is microseconds of CLOCK_BOOTTIME."""

    tick: str
    attempt: int
    pid: int
    word: str
    boot: int


def lines(ground: Ground, job: Job) -> list[Line]:
    """Return what a task's attempts have written; every line is whole."""
    return written(ground.file(job))


def written(file: Path) -> list[Line]:
    """Return the lines of a task's file; none where there is no such file."""
    if not file.exists():
        return []
    found = []
    for text in file.read_text().splitlines():
        tick, attempt, pid, word, boot = text.split()
        found.append(Line(tick, int(attempt), int(pid), word, int(boot)))
    return found


def rows(ground: Ground, job: Job) -> list[Row]:
    """Return the rows of a task, straight from the ledger's file."""
    return ground.rows(_ROWS, job.name)


def settled(ground: Ground, until: int) -> bool:
    """Tell whether every tick that was due by then has ended."""
    return bool(ground.rows(_OPEN, until)[0]["open"] == 0)


def prove(
    ground: Ground, since: tuple[int, int], until: int, environment: dict[str, str] | None = None
) -> Counter[str]:
    """Prove for all tasks of every second that nothing is missing, doubled or told wrongly.

    Args:
        ground: Where they ran; no program runs any more.
        since: They were defined between these two moments, so that they began at most a second later.
        until: They were to be planned until this moment at least.
        environment: What the audit is to be told, beside our own.

    Returns:
        How many ticks came to each outcome, with ``reruns`` and ``started``.
    """
    counts: Counter[str] = Counter()
    for job in ground.jobs:
        recorded = rows(ground, job)
        unbroken(job, recorded, since, until)
        agree(ground, job)
        for row in recorded:
            counts[" ".join(filter(None, (row["state"], row["reason"])))] += row["count"]
            counts["reruns"] += row["reruns"]
        counts["started"] += sum(line.word == "start" for line in lines(ground, job))
    audit(ground, environment)
    return counts


def audit(ground: Ground, environment: dict[str, str] | None = None) -> None:
    """Let the product's own audit prove its part."""
    told = json.loads(ground.ask("audit", "--json", environment=environment).stdout)
    assert (told["missing"], told["doubled"], told["unexplained"]) == (0, 0, 0), told
    assert told["findings"] == []


def unbroken(job: Job, recorded: Sequence[Row], since: tuple[int, int], until: int) -> None:
    """Prove that each second has exactly one scheduled row."""
    scheduled = [row for row in recorded if row["request"] == 0]
    assert scheduled, f"{job.name} has no tick"
    expected = scheduled[0]["due_at"]
    assert since[0] < expected <= since[1] + SECOND, f"{job.name} begins at {expected}, defined at {since}"
    for row in scheduled:
        assert row["due_at"] == expected, f"{job.name}: {expected} is missing or doubled, {row}"
        last = expected + (row["count"] - 1) * SECOND
        assert row["through"] == (last if row["count"] > 1 else None), f"{job.name}: a wrong range, {row}"
        expected = last + SECOND
    assert expected > until, f"{job.name} ends at {expected}, long before {until}"


def agree(ground: Ground, job: Job) -> None:
    """Prove that a task's file and the ledger tell the same."""
    said, earlier = lines(ground, job), ground.rows(_EARLIER, job.name)
    wrong = [line for line in said if line.word not in {"start", "end"}]
    assert not wrong, f"{job.name}: two at once, {wrong[0]}"
    stories = _stories(job, said)
    lost = {(row["due_at"], row["request"], row["attempt"]) for row in earlier}
    for row in rows(ground, job):
        story = stories.pop(tick_name(job.name, row["due_at"], row["request"]), {})
        _told_alike(job, row, story, ground.offsets)
        started_before = {attempt for attempt in story if attempt < row["attempt"]}
        for attempt in range(1, row["attempt"]):
            key = (row["due_at"], row["request"], attempt)
            assert key in lost, f"{job.name}: nobody says what became of attempt {attempt}, {row}"
        assert row["reruns"] >= len(started_before) or "retry" in job.policies, f"{job.name}: {row}"
    assert not stories, f"{job.name}: ran, and has no row of its own: {stories}"


def _stories(job: Job, said: Sequence[Line]) -> dict[str, dict[int, dict[str, Line]]]:
    """Return tick -> attempt -> word -> line; each attempt started once, each after the one before it."""
    found: dict[str, dict[int, dict[str, Line]]] = defaultdict(lambda: defaultdict(dict))
    for line in said:
        attempt = found[line.tick][line.attempt]
        assert line.word not in attempt, f"{job.name}: twice {line.word}, {attempt[line.word]} and {line}"
        attempt[line.word] = line
    for story in found.values():
        for words in story.values():
            assert "start" in words, f"{job.name}: an end without a start, {words}"
            if "end" in words:
                assert words["end"].pid == words["start"].pid
                assert words["end"].boot >= words["start"].boot
        for before, after in pairwise(sorted(story)):
            assert max(line.boot for line in story[before].values()) <= story[after]["start"].boot, (
                f"{job.name}: attempt {after} began while attempt {before} was at work, {story}"
            )
    return dict(found)


def _told_alike(job: Job, row: Row, story: dict[int, dict[str, Line]], offsets: Sequence[int]) -> None:
    """Prove that one row tells of its last attempt what the file tells."""
    state, attempt = row["state"], row["attempt"]
    told = f"{job.name}: the ledger says {row}, the file {story}"
    assert state in {"planned", "succeeded", "skipped", "failed", "cancelled"}, told
    assert all(number <= attempt for number in story), told
    last = story.get(attempt, {})
    for words in story.values():
        assert any(words["start"].boot + offset > row["due_at"] - _NEAR for offset in offsets), (
            f"too early; {told}"
        )
    if state == "planned":
        assert not last, told
    elif state == "skipped":
        assert not story, told
    elif state == "succeeded":
        assert last.keys() == {"start", "end"}, told
        assert any(
            row["started_at"] - _NEAR < last["start"].boot + offset
            and last["end"].boot + offset < row["ended_at"] + _NEAR
            for offset in offsets
        ), told
    elif state == "failed":
        assert row["reason"] == "lost", told
        assert "uncertain" in job.policies or row["reruns"] == 3, told
    else:
        assert "cancel_running" in job.policies, told
