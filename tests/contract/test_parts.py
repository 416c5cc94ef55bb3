"""A large apply is written in parts: in what order, and what stands when it ends half-way, on every store."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import pytest

from everytick import edits
from everytick.app import open_ledger
from everytick.edits import Author, Edits
from everytick.errors import LedgerError, ScheduleError
from everytick.ledger import Ledger
from everytick.revise import Revision, begin
from everytick.task import Inline, Task
from everytick.testing.servers import PgBouncer, PostgresServer
from everytick.versions import Versions
from everytick.when import Instant, schedule

Place = Callable[[PostgresServer | PgBouncer], str]
Stop = Callable[[], object]

NOW = 1_767_225_600_000_000
AUTHOR = Author(actor="test")
PART = 2
NAMES = "abcdefghijk"
HALF = "not all is applied: at least 4 of 11 tasks are written, as change 1; apply again for the rest"
NEVER = "every 1s from 2026-01-01T00:00Z minus every 500ms from 2026-01-01T00:00Z"
"""Can be read, and yields nothing however far one looks: what is wrong shows when it is to be written."""


@pytest.fixture(params=["sqlite", "postgres15", "pgbouncer"])
def store(request: pytest.FixtureRequest) -> str:
    """What kind of ledger it is."""
    return str(request.param)


@pytest.fixture
def fresh(store: str, request: pytest.FixtureRequest, place: Place, tmp_path: Path) -> Callable[[], str]:
    """Return a maker of URLs of ledgers that are not there yet."""
    if store == "sqlite":
        numbers = count()
        return lambda: f"sqlite:///{tmp_path / str(next(numbers))}.db"
    server = request.getfixturevalue(store)
    return lambda: place(server)


@pytest.fixture
def url(fresh: Callable[[], str]) -> str:
    """Where the ledger lies."""
    return fresh()


@pytest.fixture
def another(fresh: Callable[[], str]) -> str:
    """Where another one of its kind lies."""
    return fresh()


@pytest.fixture
def ledger(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """That ledger; two tasks are a part."""
    monkeypatch.setattr(edits, "PART", PART)
    with open_ledger(url) as made:
        yield made
        assert not [one for one in threading.enumerate() if one.name.startswith("reading")]


def task(name: str, when: str = "every 10m") -> Task:
    return Task(name=name, schedule=schedule(when), work=Inline(call="none:none"))


def apply(
    ledger: Ledger, tasks: Sequence[Task], told: Callable[[float, float], None] = lambda *_: None
) -> int:
    made = Edits(ledger, Versions(ledger))
    return made.apply(made.compare(tasks, "test"), lambda: NOW, AUTHOR, told)


def written(ledger: Ledger) -> str:
    """Return the names of the tasks that are there, all with one change and a next instant."""
    rows = list(ledger.tasks())
    assert {row.newest.change_id for row in rows} <= {1}
    return "".join(row.newest.name for row in rows)


def goes_on(ledger: Ledger) -> None:
    """See that applying again does the rest, and only that."""
    before = list(ledger.tasks())
    assert apply(ledger, [task(name) for name in NAMES]) == 2
    after = list(ledger.tasks())
    assert [row.newest.name for row in after] == list(NAMES)
    assert after[: len(before)] == before
    assert apply(ledger, [task(name) for name in NAMES]) == 0


def at_task(name: str, stop: Stop) -> Callable[[int, Task, Instant], Revision]:
    """Let something happen once, in the middle of the transaction that writes a task."""
    left = [stop]

    def begun(task_id: int, one: Task, now: Instant) -> Revision:
        if one.name == name and left:
            left.pop()()
        return begin(task_id, one, now)

    return begun


def test_parts_come_in_order_and_write_what_one_part_would(
    ledger: Ledger, another: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[float, float]] = []
    seen: list[str] = []

    def told(done: float, total: float) -> None:
        heard.append((done, total))
        seen.append(written(ledger))

    apply(ledger, [task(name) for name in reversed(NAMES)], told)
    assert heard == [(2, 11), (4, 11), (6, 11), (8, 11), (10, 11), (11, 11)]
    assert seen == ["ab", "abcd", "abcdef", "abcdefgh", "abcdefghij", NAMES]
    monkeypatch.setattr(edits, "PART", len(NAMES))
    with open_ledger(another) as other:
        apply(other, [task(name) for name in reversed(NAMES)])
        assert list(other.tasks()) == list(ledger.tasks())


def test_a_task_that_cannot_be_written_is_told_where_it_comes_and_ends_its_part_alone(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = {name: task(name) for name in NAMES} | {"j": task("j", NEVER)}
    with pytest.raises(ScheduleError, match="This takes 400,000 instants in a row away"):
        apply(ledger, list(wanted.values()))
    assert written(ledger) == "abcdefgh"
    assert caplog.messages == [HALF.replace("least 4", "least 8")]
    goes_on(ledger)


@pytest.mark.parametrize("within", [False, True], ids=["between two parts", "within a part"])
def test_an_abort_leaves_whole_parts_and_tells_how_many(
    ledger: Ledger, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, *, within: bool
) -> None:
    def ctrl_c() -> None:
        signal.raise_signal(signal.SIGINT)

    def told(done: float, _: float) -> None:
        if not within and done == 2 * PART:
            ctrl_c()

    if within:
        monkeypatch.setattr(edits, "begin", at_task("f", ctrl_c))
    with pytest.raises(KeyboardInterrupt):
        apply(ledger, [task(name) for name in NAMES], told)
    assert written(ledger) == "abcd"
    assert caplog.messages == [HALF]
    goes_on(ledger)


@pytest.mark.parametrize("store", ["postgres15", "pgbouncer"], indirect=True)
def test_a_connection_that_is_cut_within_a_part_leaves_the_parts_before(
    ledger: Ledger,
    postgres15: PostgresServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edits, "begin", at_task("f", lambda: cut(postgres15)))
    with pytest.raises(LedgerError):
        apply(ledger, [task(name) for name in NAMES])
    assert written(ledger) == "abcd"
    assert caplog.messages == [HALF]
    goes_on(ledger)


@pytest.mark.parametrize("store", ["postgres15"], indirect=True)
def test_a_connection_that_is_cut_between_two_parts_leaves_the_parts_before(
    ledger: Ledger, postgres15: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    def told(done: float, _: float) -> None:
        if done == 2 * PART:
            cut(postgres15)

    with pytest.raises(LedgerError):
        apply(ledger, [task(name) for name in NAMES], told)
    assert written(ledger) == "abcd"
    assert caplog.messages == [HALF]
    goes_on(ledger)


def test_what_the_first_part_cannot_write_leaves_nothing_and_says_no_more(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ScheduleError):
        apply(ledger, [task("a", NEVER), *(task(name) for name in NAMES[1:])])
    assert (written(ledger), list(ledger.changes()), caplog.messages) == ("", [], [])


def test_a_program_that_is_killed_leaves_whole_parts(ledger: Ledger, url: str) -> None:
    ended = subprocess.run([sys.executable, __file__, url], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert written(ledger) == "abcd"
    goes_on(ledger)


def cut(server: PostgresServer) -> None:
    """End whatever the ledger's role does on a server."""
    with server.connect() as db:
        ended = db.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'everytick'"
        )
        assert (True,) in ended.fetchall()


def killed_within_a_part(url: str) -> None:
    """Apply in parts, and be killed in the middle of the third."""
    with open_ledger(url) as ledger, pytest.MonkeyPatch.context() as patch:
        patch.setattr(edits, "PART", PART)
        patch.setattr(edits, "begin", at_task("f", lambda: os.kill(os.getpid(), signal.SIGKILL)))
        apply(ledger, [task(name) for name in NAMES])


if __name__ == "__main__":
    killed_within_a_part(sys.argv[1])
