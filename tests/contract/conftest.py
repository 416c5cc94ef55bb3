"""What the tests of contracts share."""

import select
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from everytick.executor import Executor, Result
from everytick.executors.warden import kin
from everytick.executors.warden.client import Warden

pytest.register_assert_rewrite("everytick.testing.ledgers")

PATIENCE = 15.0
"""Seconds until a test gives up; none of them waits for so long when all is well."""


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Wait until something is so."""
    pause = threading.Event()

    def wait(fact: Callable[[], object]) -> None:
        for _ in range(int(PATIENCE / 0.005)):
            if fact():
                return
            pause.wait(0.005)
        pytest.fail("it did not come true")

    return wait


@pytest.fixture
def wait() -> Callable[..., list[Result]]:
    """Wait for so many results."""

    def results(executor: Executor, count: int = 1) -> list[Result]:
        found = executor.results()
        while len(found) < count:
            descriptor = executor.fileno()
            assert descriptor is not None
            assert select.select([descriptor], [], [], PATIENCE)[0], f"{len(found)} of {count} came"
            found += executor.results()
        assert len(found) == count
        return found

    return results


@pytest.fixture
def alive() -> Callable[[int], bool]:
    """Tell whether a process lives."""

    def tell(pid: int) -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        return state not in "ZX"

    return tell


@pytest.fixture
def warden(alive: Callable[[int], bool]) -> Iterator[Warden]:
    """A warden that leaves no process behind."""
    made = Warden()
    yield made
    family = set() if made.pid is None else kin.family({made.pid})
    made.close()
    assert not [pid for pid in family if alive(pid)]


@pytest.fixture
def jobs() -> str:
    """The file with the callables to run."""
    return str(Path(__file__).with_name("jobs.py"))
