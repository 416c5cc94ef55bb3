"""What the executors that work through a warden have in common."""

from abc import ABC, abstractmethod

from everytick.executor import Job, Result
from everytick.executors.warden.client import Warden
from everytick.executors.warden.frames import Frame
from everytick.task import Work


class WardedExecutor(ABC):
    """Runs attempts in processes under a warden; several executors may share one warden."""

    def __init__(self, warden: Warden) -> None:
        self._warden = warden
        self._ended: list[Result] = []

    def lacks(self, work: Work) -> str | None:  # noqa: ARG002 - whatever it is
        """Return None: what cannot be started says so when it is."""
        return None

    @abstractmethod
    def work(self, job: Job) -> Frame:
        """Return what is to run, as the warden understands it."""

    def start(self, job: Job) -> None:
        """Start an attempt and return at once."""
        self._warden.start(job, self.work(job), self._ended.append)

    def stop(self, key: str, *, grace: float) -> None:
        """SIGTERM now, SIGKILL after ``grace`` seconds."""
        self._warden.stop(key, grace=grace)

    def extend(self, until: int) -> None:
        """Let attempts live until this moment of CLOCK_BOOTTIME, microseconds."""
        self._warden.extend(until)

    def results(self) -> list[Result]:
        """Return what has ended since the last call."""
        self._warden.listen()
        ended = self._ended[:]
        self._ended.clear()
        return ended

    def fileno(self) -> int | None:
        """Return the warden's descriptor, while there is one."""
        return self._warden.fileno()

    def close(self) -> None:
        """Kill what still runs, that of the other executors too, and end the warden."""
        self._warden.close()
