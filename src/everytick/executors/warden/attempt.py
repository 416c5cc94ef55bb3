"""One attempt in the warden's hands."""

import os
import signal

from everytick.executors.warden.capture import Capture
from everytick.executors.warden.frames import Frame

SECOND = 1_000_000


class Attempt:
    """What the warden knows of an attempt in flight.

    Attributes:
        key: Its key.
        called: Whether it is a Python callable in a worker, not a program.
        output: What it has written.
        timeout_at: When it will have run too long; microseconds of CLOCK_BOOTTIME.
        reason: Why it is being ended, once it is: ``timeout``, ``cancelled`` or ``lost``.
        kill_at: When its family gets SIGKILL, once it was asked to end.
        killed: Whether it has got it.
        status: How its process ended, as of `os.waitpid`, once it has.
        answer: What a worker said, once it has.
    """

    __slots__ = (
        "_error",
        "_grace",
        "_timeout",
        "answer",
        "called",
        "key",
        "kill_at",
        "killed",
        "output",
        "reason",
        "status",
        "timeout_at",
    )

    def __init__(self, frame: Frame, output: Capture, now: int) -> None:
        self.key: str = frame["start"]
        self.called = "call" in frame
        self.output = output
        self._timeout: float | None = frame["timeout"]
        self._grace: float = frame["grace"]
        self.timeout_at = None if self._timeout is None else now + int(self._timeout * SECOND)
        self.reason: str | None = None
        self._error: str | None = None
        self.kill_at: int | None = None
        self.killed = False
        self.status: int | None = None
        self.answer: Frame | None = None

    def run_out(self, now: int) -> None:
        """Note that it has run for too long."""
        self.timeout_at = None
        self.ask_to_end("timeout", f"timed out after {self._timeout:g} s", now + int(self._grace * SECOND))

    def ask_to_end(self, reason: str, error: str, kill_at: int) -> None:
        """Note that it was asked to end, and until when it may clean up; the first reason stays."""
        if self.reason is None:
            self.reason, self._error = reason, error
        self.kill_at = kill_at if self.kill_at is None else min(self.kill_at, kill_at)

    def moments(self) -> list[int]:
        """Return when something falls due for it, microseconds of CLOCK_BOOTTIME."""
        return [moment for moment in (self.timeout_at, self.kill_at) if moment is not None]

    def report(self, pid: int | None, complaint: str | None) -> Frame:
        """Return how it ended, as the runner is told.

        Args:
            pid: The process that ran it; None if none did.
            complaint: Why its program could not start, where that is so.
        """
        outcome, summary, error = self._ending(complaint)
        return {
            "ended": self.key,
            "outcome": outcome,
            "summary": summary,
            "error": error,
            "output": self.output.text(),
            "pid": pid,
        }

    def _ending(self, complaint: str | None) -> tuple[str, str | None, str | None]:
        # A callable that returned has succeeded, even if it was asked to end meanwhile; the exit status of
        # a program that was asked to end proves nothing.
        if self.answer is not None and (self.reason is None or self.answer["outcome"] == "succeeded"):
            return self.answer["outcome"], self.answer["summary"], self.answer["error"]
        code = None if self.status is None else os.waitstatus_to_exitcode(self.status)
        summary = None if self.called or complaint or code is None or code < 0 else str(code)
        if self.reason is not None:
            return self.reason, summary, self._error
        if self.called:
            return "error", None, f"{_manner(code)} before the call returned"
        if code == 0:
            return "succeeded", summary, None
        return "error", summary, complaint or _manner(code)


def _manner(code: int | None) -> str:
    if code is None:
        return "ended"
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal
        return f"killed by signal {-code}"
