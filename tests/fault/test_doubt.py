"""A commit whose outcome nobody knows: the disk says no to a real process, again and again."""

import pytest

from .ground import Ground
from .mixture import mixture
from .proof import prove, settled


@pytest.mark.parametrize(
    ("calls", "often", "times"),
    [
        # A commit whose sync fails is undone, unless the sync of the checkpoint that follows fails too.
        pytest.param("fdatasync,fsync", "9+5", 20, id="a sync fails now and then"),
        pytest.param("fdatasync,fsync", "9+2", 40, id="every other sync fails"),
        pytest.param("pwrite64", "40+307", 10, id="a frame cannot be written"),
    ],
)
def test_nothing_is_doubled_or_lost_by_commits_in_doubt(
    ground: Ground, calls: str, often: str, times: int
) -> None:
    """Only the process itself is traced, not its children; each of its kinds of commit is hit in turn."""
    ground.define(*mixture(8))
    since = ground.apply()
    trace = ground.folder / "trace"
    words = ["-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO:when={often}"]
    up = ground.start("up", prefix=["strace", "-D", "-o", str(trace), *words])
    ground.until(lambda: trace.exists() and trace.read_text().count("(INJECTED)") >= times)
    assert up.process.poll() is None, ground.logs()
    faulty = ground.clock.now()
    ground.until(lambda: settled(ground, faulty))
    assert up.stop() == 0, ground.logs()
    counts = prove(ground, since, ground.clock.now())
    assert counts["succeeded"] > len(ground.jobs)
    assert ground.rows("SELECT * FROM attempt WHERE refused_at IS NOT NULL") == []
    assert "the disk failed to read or write" in up.said()
    assert "Traceback" not in up.said()
