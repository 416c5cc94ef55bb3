"""A ledger in a file, with all that happens to files: locks, permissions, strangers, damage, moves."""

import errno
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread

import pytest

from everytick import release
from everytick.errors import (
    LedgerDamaged,
    LedgerError,
    LedgerLocked,
    LedgerReadOnly,
    LedgerTooNew,
)
from everytick.ledgers.sqlite import SqliteLedger, editions
from everytick.ledgers.statements import Migration, migrations
from everytick.testing.ledgers.scene import Scene, due

Sound = Callable[[Path], set[int]]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter."""
    folder = Path(mkdtemp(prefix="everytick-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def somebody() -> Iterator[None]:
    """Be a user whom permissions bind: root is bound by none."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


NEWER = max(migrations("sqlite")) + 1


def with_one_more(script: str, *, after: bool = False) -> dict[int, Migration]:
    """The migrations of a release that has one more."""
    known = migrations("sqlite")
    name = f"{NEWER:04}-{'after' if after else 'before'}-later"
    return {**known, NEWER: Migration(name=name, after=after, script=script)}


def write(ledger: SqliteLedger) -> int:
    """Write something, and return its number."""
    scene = Scene(ledger)
    return scene.request(scene.row().newest.task_id, due(1)).request


class TestLocked:
    def test_a_writer_that_does_not_come_out_of_the_gate(self, path: Path, sound: Sound) -> None:
        with SqliteLedger(str(path), patience=0.05) as ledger, Path(f"{path}-gate").open("w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            with pytest.raises(LedgerLocked, match=r"ledger\.db: another process .* 0\.05 s.*fuser"):
                write(ledger)
            assert len(ledger.changes()) == 1
            fcntl.flock(gate, fcntl.LOCK_UN)
            assert write(ledger)
        assert len(sound(path)) == 1

    def test_a_machine_that_has_no_thread_left_to_wait_with(
        self, path: Path, sound: Sound, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def none_left(_: Thread) -> None:
            raise RuntimeError("can't start new thread")

        with SqliteLedger(str(path)) as ledger, Path(f"{path}-gate").open("w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            files = len(list(Path("/proc/self/fd").iterdir()))
            with monkeypatch.context() as machine:
                machine.setattr(Thread, "start", none_left)
                for _ in range(3):
                    with pytest.raises(LedgerLocked, match="to wait: can't start new thread"):
                        write(ledger)
            assert len(list(Path("/proc/self/fd").iterdir())) <= files
            fcntl.flock(gate, fcntl.LOCK_UN)
            assert write(ledger)
        assert len(sound(path)) == 1

    def test_a_process_that_has_no_descriptor_left(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def none_left(*_: object) -> int:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        with SqliteLedger(str(path)) as ledger:
            ledger._db._gate.close()
            with monkeypatch.context() as machine:
                machine.setattr(os, "open", none_left)
                with pytest.raises(LedgerError, match="cannot open it now: Too many open files"):
                    ledger.beat(1, 1, 0)
            assert write(ledger)

    def test_a_foreign_program_that_holds_the_file(self, path: Path, sound: Sound) -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with SqliteLedger(str(path), patience=0.05) as ledger:
            with pytest.raises(LedgerLocked, match=r"another program holds .*fuser .*SQLITE_BUSY"):
                write(ledger)
            assert len(ledger.changes()) == 1
            other.execute("ROLLBACK")
            assert write(ledger)
        other.close()
        assert len(sound(path)) == 1


class TestReadOnly:
    def test_a_file(self, open_folder: Path) -> None:
        file = open_folder / "ledger.db"
        with SqliteLedger(str(file)) as ledger:
            Scene(ledger).task()
        open_folder.chmod(0o777)
        file.chmod(0o444)
        with (
            somebody(),
            SqliteLedger(str(file)) as ledger,
            pytest.raises(LedgerReadOnly, match="cannot be written by this user"),
        ):
            write(ledger)

    def test_a_folder(self, open_folder: Path) -> None:
        file = open_folder / "ledger.db"
        SqliteLedger(str(file)).close()
        file.chmod(0o666)
        open_folder.chmod(0o555)
        with somebody(), pytest.raises(LedgerReadOnly, match="cannot be written by this user"):
            SqliteLedger(str(file))
        with somebody(), pytest.raises(LedgerReadOnly, match="neither open nor make"):
            SqliteLedger(str(open_folder / "new.db"))

    def test_a_file_of_an_older_release(self, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = open_folder / "ledger.db"
        SqliteLedger(str(file)).close()
        open_folder.chmod(0o777)
        file.chmod(0o444)
        newer = with_one_more("CREATE TABLE later (id INTEGER);")
        monkeypatch.setattr(editions, "migrations", lambda _: newer)
        told = f"cannot be written .* lacks {newer[NEWER].name}: let somebody .* everytick ledger migrate"
        with somebody(), pytest.raises(LedgerReadOnly, match=told):
            SqliteLedger(str(file))
        file.chmod(0o644)
        with SqliteLedger(str(file)) as ledger:
            assert ledger.migrated == [newer[NEWER].name]

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerReadOnly, match=r"there is no folder .*/nowhere; make it first"):
            SqliteLedger(str(tmp_path / "nowhere" / "ledger.db"))

    def test_a_folder_in_place_of_a_file(self, tmp_path: Path) -> None:
        with pytest.raises(LedgerReadOnly, match="this is a folder; name a file in it"):
            SqliteLedger(str(tmp_path))


class TestForeign:
    def test_an_empty_file_becomes_a_ledger(self, tmp_path: Path, sound: Sound) -> None:
        file = tmp_path / "ledger.db"
        file.touch()
        with SqliteLedger(str(file)) as ledger:
            assert Scene(ledger).task()
        assert sound(file) == set()

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        file = tmp_path / "notes.txt"
        file.write_text("Buy milk.\n" * 1000)
        with pytest.raises(LedgerDamaged, match="no ledger of Everytick, nor any SQLite file"):
            SqliteLedger(str(file))
        assert file.read_text() == "Buy milk.\n" * 1000

    def test_the_database_of_another_program(self, tmp_path: Path) -> None:
        file = tmp_path / "other.db"
        other = sqlite3.connect(file)
        other.execute("CREATE TABLE milk (litres INTEGER)")
        other.close()
        with pytest.raises(LedgerDamaged, match="belongs to another program"):
            SqliteLedger(str(file))
        assert tables(file) == {"milk"}

    def test_a_newer_edition(self, path: Path) -> None:
        db = sqlite3.connect(path)
        db.execute("PRAGMA user_version = 99")
        db.close()
        with pytest.raises(LedgerTooNew, match=r"newer Everytick .*edition 99.*Upgrade Everytick"):
            SqliteLedger(str(path))

    def test_what_a_newer_release_adds_is_added_at_once_and_the_older_goes_on(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with SqliteLedger(str(path)) as older:
            with monkeypatch.context() as newer:
                script = "ALTER TABLE task ADD COLUMN later INTEGER;\n"
                newer.setattr(editions, "migrations", lambda _: with_one_more(script))
                with SqliteLedger(str(path)) as ledger:
                    assert write(ledger)
                    assert ledger.migrations()[-1].done
                    assert ledger.migrate() == []
            assert write(older)
        with SqliteLedger(str(path)) as again:
            assert write(again)

    def test_what_a_newer_release_takes_away_waits_until_somebody_says_so(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script = f"DROP VIEW ticks;\nPRAGMA user_version = {NEWER};\n"
        with monkeypatch.context() as newer:
            newer.setattr(editions, "migrations", lambda _: with_one_more(script, after=True))
            with SqliteLedger(str(path)) as ledger:
                assert write(ledger)
                assert [one.done for one in ledger.migrations()][-2:] == [True, False]
            with SqliteLedger(str(path.with_name("new.db"))) as ledger:
                assert ledger.migrations()[-1].done
            SqliteLedger(str(path)).close()
            with SqliteLedger(str(path)) as ledger:
                assert ledger.migrate() == [ledger.migrations()[-1].name]
                assert ledger.migrations()[-1].release == release.VERSION
                assert write(ledger)
        with pytest.raises(LedgerTooNew):
            SqliteLedger(str(path))

    def test_a_ledger_without_a_list_of_migrations_gets_one(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with closing(sqlite3.connect(path)) as db:
            db.executescript("DROP TABLE migration; DROP INDEX change_by_act")
        with SqliteLedger(str(path)) as ledger:
            first, *later = ledger.migrations()
            assert (first.done, first.release) == (True, "")
            assert {(one.done, one.release) for one in later} == {(True, release.VERSION)}
        monkeypatch.setattr(
            editions, "migrations", lambda _: with_one_more("CREATE TABLE later (id INTEGER);")
        )
        with SqliteLedger(str(path)) as ledger:
            assert all(one.done for one in ledger.migrations())
            assert write(ledger)

    def test_a_migration_that_fails_leaves_the_file_as_it_was(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = tables(path)
        script = "CREATE TABLE later (id INTEGER) STRICT;\nCREATE TABLE task (id INTEGER) STRICT;\n"
        monkeypatch.setattr(editions, "migrations", lambda _: with_one_more(script))
        with pytest.raises(LedgerError, match="table task already exists"):
            SqliteLedger(str(path))
        monkeypatch.undo()
        assert tables(path) == before
        with SqliteLedger(str(path)) as ledger:
            assert write(ledger)


def tables(path: Path) -> set[str]:
    """Return the names of the tables in a file."""
    db = sqlite3.connect(path)
    found = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    db.close()
    return found - {"sqlite_sequence"}


class TestDamaged:
    def test_a_page_that_was_overwritten(self, path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(path.stat().st_size - 4096))
        with pytest.raises(LedgerDamaged, match=r"the file is damaged.* restore the last backup"):
            read_all(path)

    def test_a_file_that_was_cut_off(self, path: Path) -> None:
        os.truncate(path, 3 * 4096)
        with pytest.raises(LedgerDamaged, match="the file is damaged"):
            read_all(path)

    def test_a_header_that_was_overwritten(self, path: Path) -> None:
        with path.open("r+b") as file:
            file.write(b"\0" * 100)
        with pytest.raises(LedgerDamaged, match="nor any SQLite file"):
            read_all(path)


def read_all(path: Path) -> None:
    """Open a ledger and use it."""
    with SqliteLedger(str(path)) as ledger:
        scene = Scene(ledger)
        scene.plan(due(3))
        write(ledger)


class TestMoved:
    def test_moved_and_put_back(self, path: Path, sound: Sound) -> None:
        with SqliteLedger(str(path)) as ledger:
            path.rename(path.with_name("moved.db"))
            with pytest.raises(LedgerDamaged, match=r"moved, deleted or replaced.* Put it back"):
                write(ledger)
            path.with_name("moved.db").rename(path)
            number = write(ledger)
        assert sound(path) == {number}

    def test_deleted(self, path: Path) -> None:
        with SqliteLedger(str(path)) as ledger:
            path.unlink()
            with pytest.raises(LedgerDamaged, match="moved, deleted or replaced"):
                ledger.beat(1, 1, 0)
            assert not path.exists()

    def test_the_folder_became_a_file(self, tmp_path: Path) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        with SqliteLedger(str(folder / "ledger.db")) as ledger:
            folder.rename(tmp_path / "elsewhere")
            folder.touch()
            with pytest.raises(LedgerDamaged, match="moved, deleted or replaced"):
                ledger.beat(1, 1, 0)

    def test_replaced(self, path: Path, tmp_path: Path) -> None:
        SqliteLedger(str(tmp_path / "other.db")).close()
        with SqliteLedger(str(path)) as ledger:
            (tmp_path / "other.db").replace(path)
            with pytest.raises(LedgerDamaged, match="moved, deleted or replaced"):
                write(ledger)

    def test_a_path_that_leads_there_by_a_link_has_the_same_gate(self, path: Path) -> None:
        link = path.with_name("link.db")
        link.symlink_to(path)
        with SqliteLedger(str(link), patience=0.05) as ledger, Path(f"{path}-gate").open("w") as gate:
            assert ledger.path == str(path.resolve())
            fcntl.flock(gate, fcntl.LOCK_EX)
            with pytest.raises(LedgerLocked):
                write(ledger)

    def test_the_process_may_go_to_another_folder(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(path.parent)
        with SqliteLedger(path.name) as ledger:
            monkeypatch.chdir("/")
            assert write(ledger)
