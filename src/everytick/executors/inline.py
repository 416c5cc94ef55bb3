"""Runs a callable inside the runner's own process: quick and trusted work, and simulations."""

import os

from everytick.errors import UsageError
from everytick.executor import Job, Result
from everytick.executors.absent import absent
from everytick.executors.call import find, perform, refusal
from everytick.task import Call, Inline, Work


class InlineExecutor:
    """Runs each attempt within `start`.

    Nothing can stop it there: timeout, grace and lease do not hold for it, and directory and environment
    are the runner's own. What it prints goes where the runner's prints go.
    """

    def __init__(self) -> None:
        self._ended: list[Result] = []

    def lacks(self, work: Work) -> str | None:
        """Return what is absent of the callable's module or name."""
        return absent(work.call) if isinstance(work, Call | Inline) else None

    def start(self, job: Job) -> None:
        """Run the attempt, here and now."""
        try:
            function = job.function or find(job.call)
        except UsageError as fault:
            verdict = refusal(fault)
        else:
            verdict = perform(function, job.tick, job.arguments)
        self._ended.append(
            Result(
                key=job.key,
                outcome=verdict.outcome,
                summary=verdict.summary,
                error=verdict.error,
                output=verdict.trace,
                pid=os.getpid(),
            )
        )

    def stop(self, key: str, *, grace: float) -> None:
        """Do nothing: whatever was started has ended."""

    def extend(self, until: int) -> None:
        """Do nothing: an attempt here lives and dies with the runner."""

    def results(self) -> list[Result]:
        """Return what has ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def fileno(self) -> int | None:
        """Return None: results are there when `start` returns."""
        return None

    def close(self) -> None:
        """Do nothing: nothing runs."""
