"""Jobs: what an executor is told about an attempt that was started."""

from everytick.conclude import Attempt
from everytick.executor import Job
from everytick.plan import Version
from everytick.task import Command, Inline, environment, told
from everytick.tick import tick_name


def job_of(attempt: Attempt, version: Version) -> Job:
    """Return the job of an attempt, by the version of the task that planned its tick."""
    task, key, work = version.task, attempt.key, version.task.work
    facts = task.name, key, attempt.attempt, attempt.prev_due
    timeout = task.policies.timeout
    name = f"{tick_name(task.name, key.due_at, key.request)}!{attempt.attempt}"
    if isinstance(work, Command):
        return Job(
            key=name,
            command=work.command,
            environment=work.environment | environment(*facts),
            tick=told(*facts),
            timeout=None if timeout is None else timeout / 1e6,
            grace=task.policies.grace / 1e6,
            directory=work.directory,
        )
    within = isinstance(work, Inline)  # this process, whose environment is one for all
    return Job(
        key=name,
        call=work.call,
        arguments=work.arguments,
        environment={} if within else environment(*facts),
        tick=told(*facts),
        timeout=None if timeout is None else timeout / 1e6,
        grace=task.policies.grace / 1e6,
    )
