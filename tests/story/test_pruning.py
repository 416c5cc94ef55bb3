"""Days that are pruned one after the other, with everything going on that goes on in a ledger."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.story.test_tampering import play
from tests.story.test_why import told

from everytick.audit import pruner
from everytick.audit.auditor import audit
from everytick.audit.pruner import LEAST, NEWEST, Pruned
from everytick.cli import main
from everytick.ledgers.sqlite import SqliteLedger
from everytick.policy import Overlap, Overlapping, Policies, Retry
from everytick.proof.finding import Kind
from everytick.record import History
from everytick.testing.engine import AUTHOR, Engine, task
from everytick.testing.executor import Act
from everytick.tick import State
from everytick.when import Instant

DAY = LEAST
TASKS = [
    task("often", "*/10 * * * *"),
    task("flaky", "*/15 * * * *", policies=Policies(retry=Retry(2))),
    task("lossy", "*/14 * * * *"),
    task("slow", "*/12 * * * *", policies=Policies(overlap=Overlap(Overlapping.QUEUE_ONE))),
    task("never", "*/15 * * * *"),
    task("berlin", "30 2 * * *", zone="Europe/Berlin"),
]


def lives(job: object) -> Act:
    """Fail always, or live as the story of tampering does."""
    found = play(job)  # type: ignore[arg-type] # a Job
    return Act(1, "error", "no") if getattr(job, "tick", {}).get("task") == "never" else found


def pruned(engine: Engine, keep: int = DAY) -> Pruned:
    now = engine.clock.now()
    assert isinstance(engine.ledger, SqliteLedger)
    return pruner.prune(engine.ledger, now, keep, pruner.pruning(now, keep, "night", "it is old"))


def ended(engine: Engine) -> dict[State, int]:
    """Count what ended, whether it was pruned or not."""
    counts = audit(engine.ledger, engine.clock.now()).counts.states
    found = {
        state: counts[state] for state in (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.SKIPPED)
    }
    for one in engine.ledger.seals([row.newest.task_id for row in engine.ledger.tasks()]):
        for state, count in one.ticks.items():
            found[state] += count
    return found


@pytest.fixture(scope="module")
def days() -> tuple[Engine, Engine]:
    """Return the same days twice: pruned each night, and never."""
    engines = (Engine("2026-03-26T00:00:00Z", lives), Engine("2026-03-26T00:00:00Z", lives))
    for engine in engines:
        engine.apply(*TASKS)
        for day in range(5):
            engine.run(hours=20)
            if day == 2:
                engine.scheduling = engine.running = False
                engine.run(hours=13)
                engine.scheduling = engine.running = True
                engine.edits.pause("slow", engine.clock.now(), AUTHOR)
            if day == 3:
                now = engine.clock.now()
                engine.edits.resume("slow", now, AUTHOR)
                engine.edits.backfill("often", now - 3 * DAY, now - 2 * DAY, now, AUTHOR)
            engine.edits.run("berlin", engine.clock.now(), AUTHOR)
            engine.run(hours=4)
            if engine is engines[0]:
                assert pruned(engine).findings == []
                found = audit(engine.ledger, engine.clock.now())
                assert found.clean, found.findings
    return engines


def test_an_audit_counts_with_the_seals_what_it_would_count_without(days: tuple[Engine, Engine]) -> None:
    nightly, never = days
    found, whole = (audit(engine.ledger, engine.clock.now()) for engine in days)
    assert found.counts.pruned > 500
    assert found.counts.recorded + found.counts.pruned == whole.counts.recorded
    assert found.counts.expected + found.counts.pruned == whole.counts.expected
    assert ended(nightly) == ended(never)


def test_each_task_keeps_what_decides_on_it(days: tuple[Engine, Engine]) -> None:
    nightly, never = days
    for name in ("often", "flaky", "lossy", "slow", "never", "berlin"):
        assert nightly.told(name)[-50:] == never.told(name)[-50:]
        assert len(nightly.told(name)) >= min(NEWEST, len(never.told(name)))


def test_one_night_s_pruning_comes_to_the_same_as_each_night_s(days: tuple[Engine, Engine]) -> None:
    nightly, never = days
    tasks = [row.newest.task_id for row in never.ledger.tasks()]
    pruned(never)
    once, often = ({one.task_id: one for one in engine.ledger.seals(tasks)} for engine in (never, nightly))
    assert once.keys() == often.keys()
    for task_id, seal in once.items():
        assert (seal.through, seal.last, seal.ticks) == (
            often[task_id].through,
            often[task_id].last,
            often[task_id].ticks,
        )


def test_why_tells_that_it_was_pruned(days: tuple[Engine, Engine]) -> None:
    nightly, _ = days
    assert "was audited, and pruned" in told(nightly, "often@2026-03-26T00:10:00Z")
    assert "not due at that instant" in told(nightly, "often@2026-03-26T00:06:00Z")


@pytest.mark.parametrize("damage", ["counts", "digest", "through"])
def test_a_seal_that_somebody_changed_is_found(
    days: tuple[Engine, Engine], tmp_path: Path, damage: str
) -> None:
    path = str(tmp_path / "ledger.db")
    with closing(sqlite3.connect(path)) as copy:
        days[0].ledger._db._db.backup(copy)  # type: ignore[attr-defined]
        change = {
            "counts": "counts = replace(counts, '\"succeeded\":', '\"succeeded\":1')",
            "digest": "digest = 'x'",
            "through": "through = through - 60000000",
        }
        copy.execute(
            f"UPDATE seal SET {change[damage]} WHERE task_id = (SELECT id FROM task WHERE name = 'often')"
        )
        copy.commit()
    with SqliteLedger(path) as ledger:
        now = days[0].clock.now()
        found = audit(ledger, now)
        assert {(one.kind, one.task) for one in found.findings} >= {(Kind.ALTERED, "often")}
        done = pruner.prune(ledger, now + 3 * DAY, DAY, None)
        assert [one.task for one in done.findings][:1] == ["often"]


def test_a_row_that_is_gone_behind_a_seal_is_missing(days: tuple[Engine, Engine], tmp_path: Path) -> None:
    path = str(tmp_path / "ledger.db")
    with closing(sqlite3.connect(path)) as copy:
        days[0].ledger._db._db.backup(copy)  # type: ignore[attr-defined]
        copy.execute(
            "DELETE FROM tick WHERE request = 0 AND due_at = (SELECT min(due_at) FROM tick AS t"
            " WHERE t.task_id = tick.task_id AND t.request = 0)"
            " AND task_id IN (SELECT id FROM task WHERE name = 'often')"
        )
        copy.commit()
    with SqliteLedger(path) as ledger:
        found = audit(ledger, days[0].clock.now())
        assert [(one.kind, one.task) for one in found.findings] == [(Kind.MISSING, "often")]


def test_the_command_prunes_what_the_configuration_says(
    days: tuple[Engine, Engine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with closing(sqlite3.connect(tmp_path / "everytick.db")) as copy:
        days[0].ledger._db._db.backup(copy)  # type: ignore[attr-defined]
    monkeypatch.chdir(tmp_path)

    def typed(*words: str) -> dict[str, Any]:
        monkeypatch.setattr("sys.argv", ["everytick", "ledger", "prune", "--json", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return {"exit": ended.value.code, "told": said.err, **(json.loads(said.out) if said.out else {})}

    (tmp_path / "everytick.toml").write_text("", "utf-8")
    assert "say how much is kept" in typed()["told"]
    assert "at least 1d" in typed("--keep", "23h")["told"]
    (tmp_path / "everytick.toml").write_text('keep_ticks = "1d"\n', "utf-8")
    tried = typed("--dry-run")
    assert (tried["exit"], tried["dry_run"]) == (0, True)
    assert tried["rows"] > 0
    done = typed("--note", "the disk is full")
    assert done == tried | {"dry_run": False, "due_by": done["due_by"]}
    assert typed()["rows"] == 0
    with SqliteLedger("everytick.db") as ledger:
        (change,) = [one for one in ledger.changes(limit=1000) if one.note == "the disk is full"]
        assert change.act == "prune"
        assert json.loads(change.detail)["keep"] == "1d"


class Beside(SqliteLedger):
    """A ledger in which something happens beside an audit or a pruning.

    Attributes:
        known: Happens once the tasks are read.
        looked: Happens once what has not ended was looked for.
    """

    known: Callable[[], object] | None = None
    looked: Callable[[], object] | None = None

    def histories(
        self, since: Instant | None, *, behind: int = 0, limit: int = 1000, names: Sequence[str] | None = None
    ) -> list[History]:
        """Return what is known of tasks; what happens then is not seen."""
        found = super().histories(since, behind=behind, limit=limit, names=names)
        happen, self.known = self.known, None
        if happen is not None:
            happen()
        return found

    def unsettled(self, bounds: Mapping[int, Instant], since: Instant) -> dict[int, Instant]:
        """Return what has not ended; what happens then is not seen."""
        found = super().unsettled(bounds, since)
        happen, self.looked = self.looked, None
        if happen is not None:
            happen()
        return found


@pytest.fixture
def beside() -> tuple[Beside, Engine]:
    """Return a ledger in which a task has lived for five days."""
    ledger = Beside(":memory:")
    engine = Engine("2026-03-01T00:00:00Z", ledger=ledger)
    engine.apply(task("often", "*/10 * * * *"))
    engine.run(days=1)
    engine.ask("often")
    engine.run(days=4)
    return ledger, engine


def test_a_backfill_asked_for_beside_a_pruning_stays_whole(beside: tuple[Beside, Engine]) -> None:
    ledger, engine = beside

    def happen() -> None:
        engine.run(seconds=1)
        assert engine.backfill("often", "2026-03-02T00:00:00Z", "2026-03-04T00:00:00Z") == 288
        engine.run(seconds=1)

    ledger.looked = happen
    done = pruner.prune(
        ledger, now := engine.clock.now(), DAY, pruner.pruning(now, DAY, "night", "it is old")
    )
    assert (done.rows, done.findings) == (577, [])
    assert done.ticks == {State.SUCCEEDED: 577}
    engine.run(hours=1)
    assert len([row for row in engine.ticks("often") if row.key.request]) == 288
    engine.run(days=2)
    assert pruned(engine).rows == 288 + 49 * 6
    assert ended(engine)[State.SUCCEEDED] == len(engine.played)


def test_an_audit_misses_nothing_that_is_pruned_beside_it(beside: tuple[Beside, Engine]) -> None:
    ledger, engine = beside
    ledger.known = lambda: pruned(engine)
    found = audit(ledger, engine.clock.now())
    assert found.clean, found.findings
    assert (found.counts.pruned, found.counts.recorded, found.counts.expected) == (577, 144, 144)


def test_a_fault_behind_what_is_pruned_beside_an_audit_is_found(beside: tuple[Beside, Engine]) -> None:
    ledger, engine = beside

    def happen() -> None:
        assert pruned(engine).rows == 577
        first = min(row.key for row in engine.ticks("often"))
        ledger._db._db.execute("DELETE FROM tick WHERE due_at = ?", [first.due_at])

    ledger.known = happen
    found = audit(ledger, engine.clock.now())
    assert [(one.kind, one.count) for one in found.findings] == [(Kind.MISSING, 1)]
    assert (found.counts.missing, found.counts.recorded, found.counts.expected) == (1, 143, 144)


def test_two_prunings_side_by_side_find_nothing_of_each_other(beside: tuple[Beside, Engine]) -> None:
    ledger, engine = beside
    inner: list[Pruned] = []
    ledger.known = lambda: inner.append(pruned(engine))
    outer = pruned(engine)
    assert [(one.rows, one.findings) for one in (*inner, outer)] == [(577, []), (0, [])]
    assert audit(ledger, engine.clock.now()).clean
