"""Runs a program."""

from everytick.executor import Job
from everytick.executors.warden.frames import Frame
from everytick.executors.warden.warded import WardedExecutor


class CommandExecutor(WardedExecutor):
    """Runs programs under a warden, without a shell.

    Exit status 0 is success. Stdin is empty.
    """

    def work(self, job: Job) -> Frame:
        """Return the command."""
        return {"command": job.command}
