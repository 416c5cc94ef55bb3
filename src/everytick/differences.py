"""Differences: what applying a set of tasks would do to a ledger, in the order of their names.

However many tasks there are, they take little memory: they lie in a database of their own, in a file
without a name, which is gone when they are.
"""

import sqlite3
import weakref
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from everytick.errors import UsageError
from everytick.task import Task, read_definition

Kind = Literal["add", "change", "remove"]

_KINDS: tuple[Kind, ...] = ("add", "change", "remove")

_TABLES = """
CREATE TABLE wanted (name TEXT NOT NULL, definition TEXT NOT NULL);
CREATE TABLE difference (name TEXT, kind TEXT, before TEXT, definition TEXT, version INTEGER);
"""


class NameTaken(UsageError):
    """Two tasks have one name.

    Args:
        name: That name.
        first: Which of all tasks had it first, from 1.
        second: Which has it too.
    """

    def __init__(self, name: str, first: int, second: int) -> None:
        super().__init__(f"two tasks are named '{name}'; a name stands for one task")
        self.first = first
        self.second = second


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What applying would do to one task.

    Attributes:
        name: The task.
        kind: What happens to it.
        before: Its definition in the ledger, as JSON text.
        after: The task as it is to be; for a removal as it was.
        version: The newest version that was compared; 0 where the ledger has none.
    """

    name: str
    kind: Kind
    before: str
    after: Task
    version: int


Found = tuple[str, Kind, str, str, int]
"""A difference as it is kept: name, kind, before, after, version."""


class Differences:
    """The differences between a set of tasks and a ledger.

    Args:
        tasks: Those that are wanted.
        origin: Whose they are.
    """

    def __init__(self, tasks: Iterable[Task], origin: str) -> None:
        self._origin = origin
        self._db = sqlite3.connect("", isolation_level=None)
        weakref.finalize(self, self._db.close)
        self._db.executescript(f"PRAGMA journal_mode = off; {_TABLES} BEGIN;")
        self._db.executemany(
            "INSERT INTO wanted VALUES (?, ?)", ((one.name, one.definition) for one in tasks)
        )

    def wanted(self) -> Iterator[tuple[str, str]]:
        """Yield the names of the tasks that are wanted, in order, with their definitions.

        Raises:
            NameTaken: Two have one name.
        """
        last, first = "", 0
        for number, name, definition in self._db.execute(
            "SELECT rowid, name, definition FROM wanted ORDER BY name, rowid"
        ):
            if name == last:
                raise NameTaken(name, first, number)
            yield name, definition
            last, first = name, number

    def keep(self, found: Iterable[Found]) -> None:
        """Keep what differs; it is told in the order of the names."""
        self._db.executemany("INSERT INTO difference VALUES (?, ?, ?, ?, ?)", found)

    def counts(self) -> Mapping[str, int]:
        """Return how many there are of each kind."""
        found = dict(self._db.execute("SELECT kind, count(*) FROM difference GROUP BY kind"))
        return {kind: found.get(kind, 0) for kind in _KINDS}

    def __len__(self) -> int:
        """Return how many there are."""
        return sum(self.counts().values())

    def __iter__(self) -> Iterator[Difference]:
        """Yield them by name."""
        return map(self._read, self._found())

    def parts(self, size: int) -> Generator[list[Difference], None, None]:
        """Yield them by name, so many at a time; while one part is worked on, a thread reads the next.

        What is wrong with a part is raised when it is asked for, behind all parts before it. Close this to
        end it early: then nothing is read any more.
        """
        found = self._found()

        def read(rows: list[Found]) -> list[Difference]:
            return [self._read(row) for row in rows]

        part = read(list(islice(found, size)))
        with ThreadPoolExecutor(1, thread_name_prefix="reading") as aside:
            while part:
                following = list(islice(found, size))
                coming = aside.submit(read, following) if following else None
                yield part
                part = coming.result() if coming else []

    def _found(self) -> Iterator[Found]:
        return self._db.execute("SELECT * FROM difference ORDER BY rowid")

    def _read(self, found: Found) -> Difference:
        name, kind, before, after, version = found
        task = read_definition(name, self._origin, after)
        return Difference(name=name, kind=kind, before=before, after=task, version=version)
