"""A process that writes to a ledger and tells of each thing only when it is committed.

    python ledger_writer.py ask PATH COUNT      asks for so many ticks, one after the other
    python ledger_writer.py die PATH ROUNDS     does that in a child without end, and kills it; so many times
    python ledger_writer.py live PATH           plans, claims and settles until nothing is left

``ask`` and ``die`` print "committed NUMBER" or the error; ``live`` prints the key of each tick it started.
"""

import os
import signal
import sys

from everytick.errors import LedgerError
from everytick.ledgers.sqlite import SqliteLedger
from everytick.testing.ledgers.scene import Scene, due

TICKS = 20
LIMIT = 3


def tell(*words: object) -> None:
    """Print a line at once."""
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


def ask(path: str, count: int) -> None:
    """Ask for ticks of the first task; an error is told and the next one tried."""
    scene = Scene(SqliteLedger(path))
    task = scene.row().newest.task_id
    for number in range(count):
        try:
            tell("committed", scene.request(task, due(number)).request)
        except LedgerError as fault:
            tell(type(fault).__name__, fault)


def die(path: str, rounds: int) -> None:
    """Kill a writer in the middle of its work, later in each round, and tell what it told."""
    for number in range(rounds):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.dup2(writing, 1)
            ask(path, sys.maxsize)
        os.close(writing)
        with os.fdopen(reading) as told:
            lines = "".join(told.readline() for _ in range(1 + number))
            os.kill(child, signal.SIGKILL)
            lines += told.read()
        os.waitpid(child, 0)
        sys.stdout.write(lines[: lines.rindex("\n") + 1])
        sys.stdout.flush()


def live(path: str) -> None:
    """Live through all ticks that are due, beside others that do the same."""
    scene = Scene(SqliteLedger(path))
    runner = scene.runner()
    busy = True
    while busy:
        planned = scene.plan(due(TICKS), due(TICKS), limit=2)
        claim = scene.claim(runner, due(TICKS), limit=LIMIT)
        for attempt in claim.attempts:
            key = attempt.key
            tell(key.task_id, key.due_at, key.request, attempt.attempt)
        refused = scene.ledger.settle(
            [scene.concluded(attempt, due(TICKS)) for attempt in claim.attempts], due(TICKS)
        )
        assert refused == []
        busy = bool(planned or claim.considered)
    scene.ledger.retire(runner)


if __name__ == "__main__":
    act, file, *count = sys.argv[1:]
    if act == "live":
        live(file)
    else:
        {"ask": ask, "die": die}[act](file, int(count[0]))
