"""A ledger in a file with several writers, on disks that fill up or fail, its writers killed at work."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from everytick.errors import LedgerFull
from everytick.ledgers.sqlite import SqliteLedger
from everytick.policy import CatchingUp, CatchUp, Overlap, Policies
from everytick.testing.ledgers.scene import Scene, due

WRITER = Path(__file__).with_name("ledger_writer.py")
LIVELY = Policies(overlap=Overlap.allow(), catch_up=CatchUp(CatchingUp.ALL))
PATIENCE = 60.0
"""Seconds until a test gives up on a process."""

COUNT = 40
"""So many ticks are asked for on a disk that fails."""


Needs = Callable[[object, str], None]
Sound = Callable[[Path], set[int]]


def write(ledger: SqliteLedger) -> int:
    """Write something, and return its number."""
    scene = Scene(ledger)
    return scene.request(scene.row().newest.task_id, due(1)).request


def said(lines: str) -> tuple[set[int], Counter[str], list[str]]:
    """Return what a writer said: the committed numbers, how often which error came, and their words."""
    committed, kinds, words = set(), Counter[str](), []
    for line in lines.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "committed":
            committed.add(int(rest))
        else:
            kinds[kind] += 1
            words.append(rest)
    return committed, kinds, words


class TestSeveralProcesses:
    def test_they_live_through_all_ticks_once(self, path: Path) -> None:
        with SqliteLedger(str(path)) as ledger:
            scene = Scene(ledger)
            tasks = [scene.task(f"t{number}", LIVELY) for number in range(20)]
        several = [
            subprocess.Popen(
                [sys.executable, WRITER, "live", path],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        told = []
        for one in several:
            out, err = one.communicate(timeout=PATIENCE)
            assert (one.returncode, err) == (0, "")
            told.append(out.splitlines())
        lives = Counter(line for lines in told for line in lines if int(line.split()[0]) in tasks)
        assert len(lives) == 20 * 20
        assert set(lives.values()) == {1}
        with SqliteLedger(str(path)) as ledger:
            assert [ledger.counts(task, 0) for task in tasks] == [{"succeeded": 20}] * 20
            assert [ledger.slots(task) for task in tasks] == [[]] * 20
            assert ledger.processes() == []

    def test_each_sees_what_the_others_wrote(self, path: Path) -> None:
        with SqliteLedger(str(path)) as one, SqliteLedger(str(path)) as other:
            before = one.hint()
            number = write(other)
            assert one.hint() != before
            assert one.changes()[-1].id == number

    def test_a_reader_that_holds_on_does_not_hold_up_writers(self, path: Path) -> None:
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        held = reader.execute("SELECT count(*) FROM change").fetchone()
        with SqliteLedger(str(path), patience=0.05) as ledger:
            assert write(ledger)
        assert reader.execute("SELECT count(*) FROM change").fetchone() == held
        reader.close()

    def test_a_new_file_is_made_once_by_several(self, tmp_path: Path, sound: Sound) -> None:
        file = tmp_path / "new.db"
        code = "import sys; from everytick.ledgers.sqlite import SqliteLedger; SqliteLedger(sys.argv[1])"
        several = [
            subprocess.Popen([sys.executable, "-c", code, file], stderr=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        assert [one.communicate(timeout=PATIENCE)[1] for one in several] == [""] * 4
        assert sound(file) == set()


class TestFull:
    @pytest.fixture
    def small(self, tmp_path: Path, needs: Needs) -> Iterator[Path]:
        """A disk of one megabyte."""
        needs(os.geteuid() == 0, "root, to mount a small disk")
        disk = tmp_path / "disk"
        disk.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, check=False
        )
        needs(done.returncode == 0, "leave to mount a small disk")
        yield disk
        subprocess.run(["umount", disk], check=True)

    def test_nothing_committed_is_lost_and_it_goes_on_when_there_is_room(
        self, small: Path, sound: Sound
    ) -> None:
        file = small / "ledger.db"
        with SqliteLedger(str(file)) as ledger:
            Scene(ledger).task()
            filler = small / "filler"
            filler.write_bytes(b"x" * 400_000)
            committed: set[int] = set()
            with pytest.raises(LedgerFull, match=r"the disk is full.* make room"):
                committed.update(write(ledger) for _ in range(10_000))
            assert committed
            assert {one.id for one in ledger.changes(limit=10_000, act="run")} == committed
            with pytest.raises(LedgerFull):
                write(ledger)
            filler.unlink()
            committed.add(write(ledger))
        assert sound(file) == committed

    def test_no_room_for_a_new_one(self, small: Path) -> None:
        with pytest.raises(OSError, match="No space"):
            (small / "filler").write_bytes(b"x" * 2_000_000)
        with pytest.raises(LedgerFull, match="the disk is full"):
            SqliteLedger(str(small / "ledger.db"))


class TestFaults:
    @pytest.mark.parametrize(
        ("fault", "kind", "words"),
        [
            ("fdatasync:error=EIO:when=4+5", "LedgerError", "the disk failed"),
            ("fdatasync:error=ENOSPC:when=3+4", "LedgerError", "the disk failed"),
            ("pwrite64:error=ENOSPC:when=30+97", "LedgerFull", "the disk is full"),
            ("pwrite64:error=EIO:when=25+89", "LedgerError", "the disk failed"),
        ],
    )
    def test_a_disk_that_fails_now_and_then(
        self, path: Path, fault: str, kind: str, words: str, sound: Sound, needs: Needs
    ) -> None:
        committed, kinds, told = said(faulty(needs, path, fault))
        assert set(kinds) == {kind}
        assert len(committed) + kinds[kind] == COUNT
        assert len(committed) >= COUNT // 2
        assert kinds[kind] >= 2
        assert all(words in line for line in told)
        assert sound(path) == committed

    def test_a_disk_that_fails_for_good(self, path: Path, sound: Sound, needs: Needs) -> None:
        committed, kinds, _ = said(faulty(needs, path, "fdatasync:error=EIO:when=6+"))
        assert (len(committed) + kinds["LedgerError"], set(kinds)) == (COUNT, {"LedgerError"})
        assert committed
        assert committed <= sound(path)

    def test_kill_9_loses_nothing_that_was_committed(self, path: Path, sound: Sound) -> None:
        done = subprocess.run(
            [sys.executable, WRITER, "die", path, "20"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        committed, kinds, _ = said(done.stdout)
        assert not kinds
        assert len(committed) >= 20 * 21 // 2
        found = sound(path)
        assert committed <= found
        assert len(found - committed) <= 20


def faulty(needs: Needs, path: Path, fault: str) -> str:
    """Return what a writer says whose disk fails as strace is told."""
    needs(shutil.which("strace"), "strace")
    trace = f"trace={fault.partition(':')[0]}"
    writer = [sys.executable, str(WRITER), "ask", str(path), str(COUNT)]
    done = subprocess.run(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", trace, "-e", f"inject={fault}", *writer],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
