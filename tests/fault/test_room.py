"""A disk that is full for a while, a ledger that another program holds for a while."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from .ground import Ground, Program
from .mixture import mixture
from .proof import lines, prove, settled


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    if os.geteuid() != 0 and not os.environ.get("CI"):
        pytest.skip("only root may mount a small disk")
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(place: Path) -> None:
    """Leave no room on a disk."""
    with place.open("wb", buffering=0) as ballast:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while ballast.write(b"." * size):
                    pass
            except OSError:
                continue


def starts(ground: Ground) -> int:
    return sum(len(lines(ground, job)) for job in ground.jobs)


def goes_on(ground: Ground, up: Program, since: tuple[int, int], trouble: str) -> None:
    """Prove that it said once what was wrong, goes on, and has lost nothing."""
    before = starts(ground)
    ground.until(lambda: starts(ground) > before + len(ground.jobs))
    over = ground.clock.now()
    ground.until(lambda: settled(ground, over))
    assert up.stop() == 0, ground.logs()
    said = up.said()
    assert said.count(trouble) == 1, said
    assert said.count("the ledger answers again") == 1, said
    assert said.count("ERROR") == 1, said
    assert "Traceback" not in said
    prove(ground, since, ground.clock.now())


def test_full_disk_is_told_once_and_survived(small: Path, ground: Ground) -> None:
    ground.ledger = small / "everytick.db"
    ground.define(*mixture(10))
    since = ground.apply()
    up = ground.start("up")
    ground.until(lambda: starts(ground) > 2 * len(ground.jobs))
    fill(small / "ballast")
    ground.until(lambda: "the disk is full" in up.said())
    ground.wait(6)  # two leases
    assert up.process.poll() is None, ground.logs()
    (small / "ballast").unlink()
    goes_on(ground, up, since, "the disk is full")


def test_ledger_that_another_program_holds_is_told_once_and_waited_for(ground: Ground) -> None:
    ground.define(*mixture(10))
    since = ground.apply()
    up = ground.start("up")
    ground.until(lambda: starts(ground) > 2 * len(ground.jobs))
    with closing(sqlite3.connect(ground.ledger, timeout=30, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ground.until(lambda: "another program holds the ledger" in up.said())
        ground.wait(6)  # two leases
        other.execute("ROLLBACK")
    goes_on(ground, up, since, "another program holds the ledger")
