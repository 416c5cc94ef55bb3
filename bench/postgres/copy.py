"""How long a whole ledger takes to move to PostgreSQL and back, beside tools that only carry rows.

    cd bench && python -m postgres.copy [TICKS]

The same ledger, a million ticks of a thousand tasks, four ways; fsync is on everywhere:

    everytick    what `everytick ledger copy` does: carried in pages, compared row by row, audited
    and back     the same from PostgreSQL into a new file
    psycopg      COPY of the same rows from the same file into the same tables, in one transaction; no more
    pg_restore   of a dump of the copy: the server's own tool, which builds its indexes in the end

Asked for: carried at least half as fast as psycopg alone does it, in memory that does not grow.
"""

import resource
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from audit import generate
from everytick import copier
from everytick.clock import SystemClock
from everytick.ledgers.sqlite import SqliteLedger
from everytick.ledgers.statements import statements
from everytick.testing.servers import PostgresServer
from everytick.upkeep import KEYS, Store
from figures import Watch, tell
from postgres.place import connected, ledger, server

TASKS = 1_000
ROOM = 64
"""Megabytes that a copy may add, of whatever length: pages of two ledgers, and the checks of an audit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Seconds that the parts of a copy took, the CPU time of this process in it, the megabytes it added."""

    carried: float
    compared: float
    audited: float
    cpu: float
    grown: float

    def told(self) -> str:
        """Return it in words."""
        whole = self.carried + self.compared + self.audited
        return (
            f"{whole:.0f} s: carried {self.carried:.1f}, compared {self.compared:.1f},"
            f" audited {self.audited:.1f}"
        )


def moved(source: Store, target: Store) -> Moved:
    """Copy a ledger as the command does."""

    def quiet(done: float, whole: float) -> None:
        assert 0 <= done <= whole

    room, watch = peak(), Watch()
    begun = copier.begin(source, target)
    copier.carry(source, target, begun, quiet)
    carried = watch.wall
    copier.compare(source, target, begun, quiet)
    compared = watch.wall
    found = copier.finish(source, target, begun, SystemClock().now(), quiet)
    assert found.clean, found.as_json()
    return Moved(
        carried=carried,
        compared=compared - carried,
        audited=watch.wall - compared,
        cpu=watch.cpu,
        grown=peak() - room,
    )


def peak() -> float:
    """Return the most memory that this process ever had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bare(place: PostgresServer, file: Path) -> float:
    """Copy the rows of all tables with psycopg alone; return the seconds."""
    ledger(place, "bare").close()
    with sqlite3.connect(file) as source, connected(place) as db, db.cursor() as cursor:
        begun = perf_counter()
        with db.transaction():
            for table in KEYS:
                statement = statements("postgres")[f"put_{table}"].replace("everytick.", "bare.")
                columns = statement.partition("(")[2].partition(")")[0]
                rows = source.execute(f"SELECT {columns} FROM {table}")
                with cursor.copy(statement.encode()) as into:
                    for row in rows:
                        into.write_row(row)
        return perf_counter() - begun


def restored(place: PostgresServer) -> float:
    """Dump the copy, and restore it into another database; return the seconds of the latter."""
    dump = str(place.folder / "ledger.dump")
    program = str(place.programs / "pg_")
    place.run(f"{program}dump", "--format=custom", "--schema=everytick", f"--file={dump}", place.url())
    with connected(place) as db:
        db.execute("CREATE DATABASE restored")
    begun = perf_counter()
    place.run(f"{program}restore", "--exit-on-error", f"--dbname={place.url('restored')}", dump)
    return perf_counter() - begun


def main() -> None:
    """Print how long each way takes."""
    ticks = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with TemporaryDirectory() as folder, server() as place:
        file = Path(folder, "old.db")
        generate(str(file), ticks, TASKS)
        alone = bare(place, file)
        with SqliteLedger(str(file)) as old, ledger(place, "everytick") as new:
            there = moved(old, new)
            with SqliteLedger(str(Path(folder, "back.db"))) as again:
                back = moved(new, again)
        tool = restored(place)
    tell(
        f"{ticks:,} ticks from SQLite to PostgreSQL, carried half as fast as COPY alone, in {ROOM} MB",
        f"{there.told()} ({ticks / there.carried:,.0f} ticks/s), {there.grown:.0f} MB",
        met=there.carried <= 2 * alone and there.grown <= ROOM,
        cpu=f"{there.cpu:.0f} s",
        beside=f"psycopg COPY alone: {alone:.1f} s; pg_restore: {tool:.1f} s",
    )
    tell(
        f"and back, in {ROOM} MB",
        f"{back.told()} ({ticks / back.carried:,.0f} ticks/s), {back.grown:.0f} MB more",
        met=back.grown <= ROOM,
        cpu=f"{back.cpu:.0f} s",
    )


if __name__ == "__main__":
    main()
