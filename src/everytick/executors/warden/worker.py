"""A worker: runs Python callables, one after another, as the warden tells it."""

import contextlib
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from everytick.errors import UsageError
from everytick.executors.call import Verdict, failure, find, perform, refusal
from everytick.executors.warden.frames import Frame, Frames

_STOPPED = "stopped by SIGTERM"


class Worker:
    """The state of a worker process."""

    def __init__(self, link: Frames) -> None:
        self._link = link
        self._directory = Path.cwd()
        self._environment = dict(os.environ)
        self._busy = False
        self._leaving = False

    def serve(self) -> None:
        """Run calls until the warden closes the conversation or a SIGTERM comes."""
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            # By lines, so that what was printed before a SIGKILL is not lost.
            stream = os.fdopen(descriptor, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
            setattr(sys, name, stream)
        signal.signal(signal.SIGTERM, self._asked_to_stop)
        with contextlib.suppress(EOFError):
            while not self._leaving:
                for frame in self._link.receive(wait=True):
                    self._link.send(self._answer(frame))

    def _answer(self, frame: Frame) -> Frame:
        try:
            self._busy = True
            verdict = failure(SystemExit(_STOPPED)) if self._leaving else self._run(frame)
            self._busy = False
        except KeyboardInterrupt as fault:
            verdict = failure(fault)
        except SystemExit:  # the signal came between two lines of ours
            verdict = failure(SystemExit(_STOPPED))
        with contextlib.suppress(OSError, ValueError):  # closed by the callable
            sys.stdout.flush()
            sys.stderr.write(verdict.trace)
            sys.stderr.flush()
        return {
            "outcome": verdict.outcome,
            "summary": verdict.summary,
            "error": verdict.error,
            "spent": self._leaving or _has_children(),
        }

    def _run(self, frame: Frame) -> Verdict:
        directory = self._directory / (frame["directory"] or "")
        wanted = self._environment | frame["environment"]
        try:
            os.chdir(self._directory)  # where the callable is to be found does not hang on where it runs
            if dict(os.environ) != wanted:
                os.environ.clear()
                os.environ.update(wanted)
            function = find(frame["call"])
            os.chdir(directory)
        except OSError as fault:
            return refusal(UsageError(f"cannot enter the directory '{directory}': {fault.strerror}"))
        except UsageError as fault:
            return refusal(fault)
        return perform(function, frame["tick"], frame["arguments"])

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        again, self._leaving = self._leaving, True
        if self._busy and not again:  # once: what it cleans up now is not to be disturbed
            self._busy = False
            raise SystemExit(_STOPPED)


def serve(link: Frames) -> None:
    """Be a worker."""
    Worker(link).serve()


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
