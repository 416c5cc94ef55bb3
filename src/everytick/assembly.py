"""Assembly: from a ledger and settings to the programs of a process, and their parts."""

from collections.abc import Sequence

from everytick.clock import Clock
from everytick.config import RunnerSettings
from everytick.executor import Executor
from everytick.executors.command import CommandExecutor
from everytick.executors.inline import InlineExecutor
from everytick.executors.process import ProcessExecutor
from everytick.executors.warden.client import Warden
from everytick.ledger import Ledger
from everytick.life.presence import Presence
from everytick.program import Program
from everytick.runner import Runner
from everytick.scheduler import Scheduler
from everytick.task import Call, Command, Inline
from everytick.versions import Versions


def scheduler(
    ledger: Ledger, clock: Clock, presence: Presence, versions: Versions, *, alone: bool
) -> Program:
    """Return a scheduler; alone where no runner shares its process."""
    return Scheduler(ledger, clock, presence, versions, alone=alone)


def runner(
    ledger: Ledger, clock: Clock, presence: Presence, versions: Versions, how: RunnerSettings
) -> Program:
    """Return a runner with all its executors."""
    warden = Warden()
    process = ProcessExecutor(warden)
    executors: dict[type, Executor] = {
        Call: process,
        Command: CommandExecutor(warden),
        Inline: InlineExecutor(),
    }
    return Runner(
        ledger,
        clock,
        presence,
        versions,
        executors,
        queues=how.queues,
        limit=how.limit,
        grace=how.grace,
    )


def programs(
    kind: str, ledger: Ledger, clock: Clock, how: RunnerSettings
) -> tuple[Presence, Sequence[Program]]:
    """Return the programs of a process and the row in the ledger that they share.

    Args:
        kind: ``scheduler``, ``runner``, or ``up`` for both.
        ledger: The ledger.
        clock: The clock.
        how: How the runner works, and the lease of both.
    """
    presence = Presence(ledger, clock, kind, how.lease)
    versions = Versions(ledger)
    found: list[Program] = []
    if kind in {"runner", "up"}:  # first: what is due now starts before anything is planned for later
        found.append(runner(ledger, clock, presence, versions, how))
    if kind in {"scheduler", "up"}:
        found.append(scheduler(ledger, clock, presence, versions, alone=kind == "scheduler"))
    return presence, found
