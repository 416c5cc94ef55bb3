"""Runs a Python callable in a worker process that can be killed."""

from everytick.executor import Job
from everytick.executors.absent import absent
from everytick.executors.warden.frames import Frame
from everytick.executors.warden.warded import WardedExecutor
from everytick.task import Call, Inline, Work


class ProcessExecutor(WardedExecutor):
    """Runs callables in the workers of a warden; they are kept and used again.

    A worker imports the callable's module once. What it keeps in globals outlives the attempt; its
    directory and environment do not. On SIGTERM a SystemExit is raised where the callable is, so that its
    ``finally`` blocks run.
    """

    def lacks(self, work: Work) -> str | None:
        """Return what is absent of the callable's module or name."""
        return absent(work.call) if isinstance(work, Call | Inline) else None

    def work(self, job: Job) -> Frame:
        """Return the call."""
        return {"call": job.call, "arguments": dict(job.arguments), "tick": dict(job.tick)}
