"""The tasks that plan and apply are given: those of an app, or those of JSON Lines, which are not kept."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from everytick.app import LINES, open_lines
from everytick.cli.progress import Progress
from everytick.cli.session import Session, its_ledger, ledger_of, the_app
from everytick.differences import Differences, NameTaken
from everytick.errors import UsageError
from everytick.lines import STDIN, Lines
from everytick.task import Task


def is_long(app: str) -> bool:
    """Tell whether what an argument names may hold a great many tasks."""
    return app == STDIN or app.endswith(LINES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a ledger is to hold.

    Attributes:
        tasks: The tasks; they can be read once.
        origin: Whose they are.
        ledger: The ledger that goes with them.
    """

    tasks: Iterable[Task]
    origin: str
    ledger: str

    def compare(self, here: Session) -> Differences:
        """Return what the ledger has differently.

        Raises:
            UsageError: One of the tasks cannot be used; nothing is written.
        """
        try:
            return here.edits.compare(self.tasks, self.origin)
        except NameTaken as fault:
            if isinstance(self.tasks, Lines):
                first = self.tasks.place(fault.first).number
                raise self.tasks.place(fault.second).fault(
                    f"{fault}; the other stands at line {first}"
                ) from None
            raise


@contextmanager
def wanted(app: str, ledger: str, origin: str, told: Progress) -> Iterator[Wanted]:
    """Open what an argument names.

    Args:
        app: A place as find_app() takes it, or ``-`` for JSON Lines on the standard input.
        ledger: The ledger, where it is named.
        origin: Whose the tasks of JSON Lines are, where that is named.
        told: Told how much of a file is read, of how much.

    Raises:
        UsageError: There is no such place, or nobody says whose tasks these are.
    """
    if app == STDIN:
        if not origin:
            raise UsageError("say whose tasks these are, so that no others are removed: --origin NAME")
        yield _of_lines(sys.stdin.buffer, Path(STDIN), ledger, origin, told)
    elif app.endswith(LINES):
        path = Path(app)
        with open_lines(path) as file:
            yield _of_lines(file, path, ledger, origin or str(path.resolve()), told)
    elif origin:
        raise UsageError("--origin goes with JSON Lines; everytick.toml and Everytick(...) say it themselves")
    else:
        found = the_app(app)
        yield Wanted(tasks=found.tasks, origin=found.whose(), ledger=ledger or its_ledger(found, app))


def _of_lines(file: BinaryIO, path: Path, ledger: str, origin: str, told: Progress) -> Wanted:
    size = os.fstat(file.fileno()).st_size
    lines = Lines(file, path, origin, lambda done: told(done, max(done, size)))
    return Wanted(tasks=lines, origin=origin, ledger=ledger or ledger_of(LINES))
