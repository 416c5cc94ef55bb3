"""Differences: what applying a set of tasks would do to a ledger, in the order of their names.

However many tasks there are, they take little memory: they lie in a database of their own, in a file
without a name, which is gone when they are.
"""

import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from everytick.errors import UsageError
from everytick.ledger import VersionRow
from everytick.task import Task, read_definition

Kind = Literal["add", "change", "remove"]

_KINDS: tuple[Kind, ...] = ("add", "change", "remove")

_TABLE = """
CREATE TABLE difference (
    name        TEXT PRIMARY KEY,
    definition  TEXT NOT NULL,
    kind        TEXT NOT NULL,
    before      TEXT NOT NULL,
    version     INTEGER NOT NULL
) WITHOUT ROWID
"""


class NameTaken(UsageError):
    """Two tasks have one name."""


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


class Differences:
    """The differences between a set of tasks and a ledger.

    At first all tasks are to be added, as if the ledger had none; what it has is told row by row.

    Args:
        tasks: Those that are wanted.
        origin: Whose they are.

    Raises:
        NameTaken: Two have one name.
    """

    def __init__(self, tasks: Iterable[Task], origin: str) -> None:
        self._origin = origin
        self._db = sqlite3.connect("", isolation_level=None)
        weakref.finalize(self, self._db.close)
        for line in ("journal_mode = off", "synchronous = off", "cache_size = -32768"):
            self._db.execute(f"PRAGMA {line}")
        self._db.execute(_TABLE)
        self._db.execute("BEGIN")
        for task in tasks:
            self._want(task)
        self._db.execute("COMMIT")

    def _want(self, task: Task) -> None:
        try:
            self._write(task.name, task.definition, "add", "", 0)
        except sqlite3.IntegrityError:
            raise NameTaken(f"two tasks are named '{task.name}'; a name stands for one task") from None

    def _write(self, name: str, definition: str, kind: Kind, before: str, version: int) -> None:
        self._db.execute(
            "INSERT INTO difference VALUES (?, ?, ?, ?, ?)", (name, definition, kind, before, version)
        )

    def wanted(self, name: str) -> str | None:
        """Return the definition that a task is to have; None where it is not wanted."""
        found: tuple[str] | None = self._db.execute(
            "SELECT definition FROM difference WHERE name = ?", (name,)
        ).fetchone()
        return None if found is None else found[0]

    def settle(self, name: str) -> None:
        """Leave out a task that is as it is to be."""
        self._db.execute("DELETE FROM difference WHERE name = ?", (name,))

    def begin_anew(self, row: VersionRow) -> None:
        """Note that the ledger has had a task that is wanted, and which was removed."""
        self._revise(row, "add", "")

    def change(self, row: VersionRow) -> None:
        """Note that the ledger has a task that is wanted, and has it differently."""
        self._revise(row, "change", row.definition)

    def _revise(self, row: VersionRow, kind: Kind, before: str) -> None:
        self._db.execute(
            "UPDATE difference SET kind = ?, before = ?, version = ? WHERE name = ?",
            (kind, before, row.version, row.name),
        )

    def remove(self, row: VersionRow) -> None:
        """Note that the ledger has a task that is not wanted."""
        self._write(row.name, row.definition, "remove", row.definition, row.version)

    def counts(self) -> Mapping[str, int]:
        """Return how many there are of each kind."""
        found = dict(self._db.execute("SELECT kind, count(*) FROM difference GROUP BY kind"))
        return {kind: found.get(kind, 0) for kind in _KINDS}

    def __len__(self) -> int:
        """Return how many there are."""
        return sum(self.counts().values())

    def __iter__(self) -> Iterator[Difference]:
        """Yield them by name."""
        columns = "SELECT name, kind, before, definition, version FROM difference ORDER BY name"
        for name, kind, before, definition, version in self._db.execute(columns):
            yield Difference(
                name=name,
                kind=kind,
                before=before,
                after=read_definition(name, self._origin, definition),
                version=version,
            )
