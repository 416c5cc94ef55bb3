"""A story of three days, audited; then somebody changes the file behind the ledger's back.

The tamperer drops the triggers, and the checks of the table do not bind him. He does not compute proofs
anew: one who does, and who changes the chain and the cursors with it, has written another ledger.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from everytick.audit.auditor import Audit, audit
from everytick.errors import UnknownName
from everytick.executor import Job
from everytick.ledgers.sqlite import SqliteLedger
from everytick.policy import Policies, Retry
from everytick.proof.finding import Kind
from everytick.testing.engine import AUTHOR, Engine, task
from everytick.testing.executor import Act
from everytick.tick import State, rfc3339
from everytick.when import Instant

HOUR = 3_600_000_000
DAY = 24 * HOUR
ONE = "WHERE task_id = ? AND due_at = ? AND request = ?"


@dataclass(frozen=True)
class Row:
    """What the tamperer sees of a row."""

    key: tuple[int, int, int]
    task: str
    state: str
    attempt: int
    prev_due: int | None
    through: int | None


class Tampered:
    """A copy of the story's ledger, to be tampered with and audited."""

    def __init__(self, path: str, now: Instant) -> None:
        self.path = path
        self.now = now
        with closing(sqlite3.connect(path)) as file:
            found = file.execute(
                "SELECT task_id, due_at, request, name, state, attempt, prev_due, through"
                " FROM tick JOIN task ON task.id = task_id WHERE due_at <= ?"
                " ORDER BY due_at, task_id, request",
                (now,),
            )
            self.rows = [Row(tuple(row[:3]), *row[3:]) for row in found]

    def first(self, task_name: str, state: str, *, request: bool = False) -> Row:
        """Return a row in the middle of a task's rows of a state."""
        rows = [
            row
            for row in self.rows
            if row.task == task_name and row.state == state and bool(row.key[2]) is request
        ]
        return rows[len(rows) // 2]

    @property
    def range(self) -> Row:
        return next(row for row in self.rows if row.through is not None)

    def change(self, *changes: tuple[str, Row]) -> Audit:
        """Make changes to the file, audit it, and put it back as it was."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as file:
            file.execute("PRAGMA ignore_check_constraints = on")
            file.execute("PRAGMA synchronous = off")
            keep = file.serialize()
            for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
                file.execute(f"DROP TRIGGER {name}")
            for statement, row in changes:
                assert file.execute(f"{statement} {ONE}", row.key).rowcount == 1
        try:
            with SqliteLedger(self.path) as ledger:
                return audit(ledger, self.now)
        finally:
            for file_name in (self.path, f"{self.path}-wal", f"{self.path}-shm"):
                Path(file_name).unlink(missing_ok=True)
            Path(self.path).write_bytes(keep)


def play(job: Job) -> Act:
    """Fail at times, lose an attempt at times, and take longer than the interval at times."""
    name, due, attempt = job.tick["task"], str(job.tick["due_at"]), job.tick["attempt"]
    if name == "flaky" and attempt == 1:
        return Act(1, "error", "OSError: the line is busy")
    if name == "flaky" and "T05" in due:
        return Act(1, "error", "OSError: the line is dead")
    if name == "lossy" and attempt == 1 and "T1" in due:
        return Act(1, "lost", "its process was killed")
    if name == "slow" and "T08" in due:
        return Act(2 * 3600)
    return Act()


def story() -> Engine:
    engine = Engine("2026-03-27T00:00:00Z", play)
    tasks = [
        task("often", "*/5 * * * *"),
        task("flaky", "0 * * * *", policies=Policies(retry=Retry(2))),
        task("lossy", "30 */3 * * *"),
        task("slow", "0 * * * *"),
        task("berlin", "30 2 * * *", zone="Europe/Berlin"),
    ]
    engine.apply(*tasks, task("every", "every 50m"))
    engine.run(hours=20)
    engine.scheduling = engine.running = False
    engine.run(hours=14)
    engine.scheduling = engine.running = True
    engine.run(hours=8)
    engine.edits.pause("every", engine.clock.now(), AUTHOR)
    engine.edits.run("berlin", engine.clock.now(), AUTHOR)
    engine.edits.run("every", engine.clock.now(), AUTHOR)
    engine.run(hours=5)
    engine.edits.resume("every", engine.clock.now(), AUTHOR)
    engine.apply(*tasks, task("every", "every 70m"))
    engine.run(hours=5)
    now = engine.clock.now()
    engine.edits.backfill("berlin", now - 40 * DAY, now - 30 * DAY, now, AUTHOR)
    engine.edits.pause("slow", now, AUTHOR)
    engine.run(hours=20)
    return engine


@pytest.fixture(scope="module")
def told() -> Engine:
    return story()


@pytest.fixture
def tampered(told: Engine, tmp_path: Path) -> Tampered:
    path = str(tmp_path / "ledger.db")
    with closing(sqlite3.connect(path)) as copy:
        told.ledger._db._db.backup(copy)  # type: ignore[attr-defined]
    return Tampered(path, told.clock.now())


def kinds(found: Audit) -> list[Kind]:
    return [finding.kind for finding in found.findings]


def test_the_story_has_everything_that_can_happen_and_its_audit_is_clean(told: Engine) -> None:
    found = audit(told.ledger, told.clock.now())
    counts = found.counts
    assert found.findings == ()
    assert found.clean
    assert counts.expected == counts.recorded > 1000
    assert (counts.missing, counts.doubled, counts.unexplained, counts.behind) == (0, 0, 0, 0)
    reasons = {tick.reason.value for tick in told.ticks() if tick.reason}
    assert reasons == {"missed", "overlap", "paused", "error"}
    assert counts.reruns == sum(tick.reruns for tick in told.ticks()) > 0
    assert counts.states[State.SKIPPED] == sum(t.count for t in told.ticks() if t.state is State.SKIPPED)
    assert any(tick.through for tick in told.ticks("often"))
    assert sum(tick.key.request > 0 for tick in told.ticks()) == 12


def test_a_part_of_the_story_is_clean_wherever_it_is_cut(told: Engine) -> None:
    now = told.clock.now()
    whole = audit(told.ledger, now).counts.recorded
    for cut in range(now - 3 * DAY, now, 5 * HOUR + 7):
        before = audit(told.ledger, now, until=cut)
        after = audit(told.ledger, now, since=cut)
        assert before.findings == after.findings == ()
        assert before.counts.recorded + after.counts.recorded >= whole


def test_one_task_is_audited_alone(told: Engine) -> None:
    found = audit(told.ledger, told.clock.now(), task="berlin")
    assert found.tasks == 1
    assert found.counts.expected == found.counts.recorded == len(told.ticks("berlin"))


def test_progress_reaches_the_end(told: Engine) -> None:
    seen: list[tuple[float, float]] = []
    audit(told.ledger, told.clock.now(), progress=lambda done, total: seen.append((done, total)))
    recorded = len(told.ticks())
    assert seen[-1] == (recorded, recorded)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_what_waits_behind_the_cursor_is_behind_and_not_missing(told: Engine) -> None:
    later = told.clock.now() + 3 * HOUR
    found = audit(told.ledger, later)
    assert found.clean
    assert found.counts.behind > 30
    assert found.counts.expected == found.counts.recorded + found.counts.behind


TAMPERINGS = {
    Kind.MISSING: "DELETE FROM tick",
    Kind.SHIFTED: "UPDATE tick SET due_at = due_at + 60000000",
    Kind.ALTERED: "UPDATE tick SET state = 'succeeded', reason = NULL",
    Kind.RANGE: "UPDATE tick SET through = through - 1800000000, count = count - 6",
}


def victims(tampered: Tampered) -> list[tuple[str, Row]]:
    rows = [
        tampered.first("often", "succeeded"),
        tampered.first("flaky", "succeeded"),
        tampered.first("flaky", "failed"),
        tampered.range,
    ]
    return list(zip(TAMPERINGS.values(), rows, strict=True))


@pytest.mark.parametrize("number", range(4))
def test_each_of_the_four_tamperings_is_one_finding(tampered: Tampered, number: int) -> None:
    found = tampered.change(victims(tampered)[number])
    assert kinds(found) == [list(TAMPERINGS)[number]]
    assert not found.clean


def test_the_four_tamperings_together_are_four_findings(tampered: Tampered) -> None:
    found = tampered.change(*victims(tampered))
    assert sorted(kinds(found)) == sorted(TAMPERINGS)
    counts = found.counts
    assert counts.missing == 1 + 1 + 6
    assert counts.unexplained == 3
    assert counts.expected == tampered.change(victims(tampered)[2]).counts.expected


def test_the_four_tamperings_are_told_apart_even_in_neighbouring_rows(tampered: Tampered) -> None:
    often = [row for row in tampered.rows if row.task == "often" and row.state == "succeeded"][40:43]
    found = tampered.change(
        (TAMPERINGS[Kind.MISSING], often[0]),
        (TAMPERINGS[Kind.SHIFTED], often[1]),
        ("UPDATE tick SET state = 'cancelled'", often[2]),
        (TAMPERINGS[Kind.RANGE], tampered.range),
    )
    assert sorted(kinds(found)) == sorted(TAMPERINGS)


def test_a_finding_says_which_tick_and_where_it_should_be(tampered: Tampered) -> None:
    row = tampered.first("often", "succeeded")
    found = tampered.change(("UPDATE tick SET due_at = due_at + 7200000001", row))
    told = found.as_json()
    finding = found.findings[0].as_json()
    right, wrong = rfc3339(row.key[1]), rfc3339(row.key[1] + 2 * HOUR + 1)
    assert (finding["kind"], finding["tick"], finding["expected"]) == ("shifted", f"often@{wrong}", right)
    assert told["findings"] == [finding]
    assert (told["missing"], told["unexplained"], told["doubled"]) == (1, 1, 0)


OTHERS = [
    ("often", "succeeded", "UPDATE tick SET prev_due = NULL", Kind.CHAIN),
    ("often", "succeeded", "UPDATE tick SET prev_due = prev_due - 1", Kind.CHAIN),
    ("often", "succeeded", "UPDATE tick SET version = 9", Kind.ALTERED),
    ("flaky", "failed", "UPDATE tick SET reason = 'overlap'", Kind.ALTERED),
    ("flaky", "failed", "UPDATE tick SET reason = 'timeout'", Kind.ALTERED),
    ("lossy", "succeeded", "UPDATE tick SET attempt = 3", Kind.ALTERED),
    ("flaky", "succeeded", "UPDATE tick SET reruns = 1", Kind.ALTERED),
    ("flaky", "succeeded", "UPDATE tick SET started_at = due_at - 1", Kind.DOUBLED),
    ("often", "succeeded", "UPDATE tick SET ended_at = ended_at + 1", Kind.ALTERED),
    ("often", "succeeded", "UPDATE tick SET proof = NULL", Kind.ALTERED),
    ("often", "succeeded", "UPDATE tick SET state = 'running', ended_at = NULL, holder = 1", Kind.ALTERED),
    ("often", "succeeded", "UPDATE tick SET state = 'done'", Kind.UNREADABLE),
    ("often", "succeeded", "UPDATE tick SET request = 77", Kind.UNEXPECTED),
]


@pytest.mark.parametrize(("name", "state", "statement", "kind"), OTHERS)
def test_other_tamperings(tampered: Tampered, name: str, state: str, statement: str, kind: Kind) -> None:
    found = tampered.change((statement, tampered.first(name, state)))
    assert kind in kinds(found)
    assert len(found.findings) == (2 if kind is Kind.UNEXPECTED else 1)


def test_range_rows_are_held_to_their_first_their_last_and_their_count(tampered: Tampered) -> None:
    row = tampered.range
    for statement, kind in (
        ("UPDATE tick SET count = count + 1", Kind.RANGE),
        ("UPDATE tick SET through = through - 300000000", Kind.RANGE),
        ("UPDATE tick SET through = through + 300000000, count = count + 1", Kind.RANGE),
        ("UPDATE tick SET through = NULL, count = 1", Kind.RANGE),
        ("UPDATE tick SET due_at = due_at + 600000000, count = count - 2", Kind.SHIFTED),
        ("DELETE FROM tick", Kind.MISSING),
    ):
        found = tampered.change((statement, row))
        assert kinds(found) == [kind], statement


def test_what_changes_asked_for_is_held_to_them(tampered: Tampered) -> None:
    asked = [row for row in tampered.rows if row.key[2]]
    manual = next(row for row in asked if row.task == "every")
    backfill = [row for row in asked if row.task == "berlin"][3]
    for row in (manual, backfill):
        gone = tampered.change(("DELETE FROM tick", row))
        assert kinds(gone) == [Kind.MISSING]
        assert gone.findings[0].request == row.key[2]
        moved = tampered.change(("UPDATE tick SET due_at = due_at + 1000000", row))
        assert kinds(moved) == [Kind.SHIFTED]
        assert moved.counts.missing == moved.counts.unexplained == 1


OTHER_RULES = "UPDATE task_version SET rules = 'another year' WHERE task_id = ?"
OTHER_RELEASE = "UPDATE task_version SET definition = '{\"new\": 1}' WHERE task_id = ?"


@pytest.mark.parametrize(
    ("statement", "why"), [(OTHER_RULES, "other time zone data"), (OTHER_RELEASE, "cannot be read")]
)
def test_what_cannot_be_computed_is_followed_by_its_chain_and_said_so(
    tampered: Tampered, statement: str, why: str
) -> None:
    row = tampered.first("often", "succeeded")
    with closing(sqlite3.connect(tampered.path, isolation_level=None)) as file:
        file.execute("DROP TRIGGER task_version_stands")
        file.execute(statement, row.key[:1])
    sound = tampered.change()
    assert sound.findings == ()
    assert len(sound.notes) == 1
    assert sound.notes[0].startswith("often: ")
    assert why in sound.notes[0]
    assert sound.counts.expected == sound.counts.recorded
    assert kinds(tampered.change(("DELETE FROM tick", row))) == [Kind.MISSING]
    assert kinds(tampered.change((TAMPERINGS[Kind.SHIFTED], row))) == [Kind.SHIFTED]
    assert kinds(tampered.change(("UPDATE tick SET state = 'cancelled'", row))) == [Kind.ALTERED]
    assert kinds(tampered.change((TAMPERINGS[Kind.RANGE], tampered.range))) == [Kind.RANGE]


def test_what_is_asked_for_while_the_audit_runs_is_left_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Engine("2026-01-01T00:00:00Z")
    engine.apply(task("daily", "0 6 * * *"))
    began = engine.clock.now() + DAY
    engine.run(hours=25)
    engine.edits.backfill("daily", began - 9 * DAY, began - 3 * DAY, engine.clock.now(), AUTHOR)
    engine.run(hours=1)
    ledger = engine.ledger
    monkeypatch.setattr(ledger, "backfills_asked", lambda *_: [])
    found = audit(ledger, began)
    monkeypatch.undo()
    assert (found.findings, found.counts.recorded) == ((), 1)
    assert audit(ledger, engine.clock.now()).counts.recorded == 1 + 6


def test_a_task_that_is_not_there_is_not_clean() -> None:
    with pytest.raises(UnknownName, match="no task 'nobody'"):
        audit(Engine().ledger, 0, task="nobody")


CHANGES = [
    ("DELETE FROM tick", ""),
    ("UPDATE tick SET due_at = due_at + {}", ""),
    ("UPDATE tick SET prev_due = prev_due + {}", "linked"),
    ("UPDATE tick SET version = version + 1", "planned"),
    ("UPDATE tick SET ended_at = ended_at + {}", "ended"),
    ("UPDATE tick SET attempt = attempt + 1", "ended"),
    ("UPDATE tick SET proof = proof + 1", "ended"),
    ("UPDATE tick SET through = through + {}", "range"),
    ("UPDATE tick SET count = count + 1", "range"),
    ("UPDATE tick SET state = CASE state WHEN 'cancelled' THEN 'succeeded' ELSE 'cancelled' END", "ended"),
]


def fits(row: Row, where: str, manual: set[int]) -> bool:
    return {
        "": True,
        "planned": row.key[2] not in manual,
        "linked": row.prev_due is not None and row.key[2] not in manual,
        "ended": row.state not in {"planned", "running"},
        "range": row.through is not None,
    }[where]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_one_row_is_one_finding(tampered: Tampered, data: st.DataObject) -> None:
    statement, where = data.draw(st.sampled_from(CHANGES))
    manual = {row.key[2] for row in tampered.rows if row.task == "every" and row.key[2]}
    manual |= {min(row.key[2] for row in tampered.rows if row.task == "berlin" and row.key[2])}
    rows = [row for row in tampered.rows if fits(row, where, manual)]
    row = data.draw(st.sampled_from(rows))
    shift = data.draw(st.sampled_from([-1, 1])) * data.draw(st.integers(1, 200_000_000_000))
    try:
        found = tampered.change((statement.format(shift), row))
    except sqlite3.IntegrityError:
        return
    assert len(found.findings) == 1, found.findings
