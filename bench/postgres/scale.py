"""A million tasks on PostgreSQL: applied, planned, ten thousand of them due; psycopg alone beside; fsync on.

    cd bench && python -m postgres.scale [TASKS]

What psycopg alone does is the same work in the same run: it writes the same rows in the same batches, with
nothing to compare or decide.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from everytick.clock import SystemClock
from everytick.edits import PART
from everytick.testing.servers import PostgresServer
from figures import Watch, tell
from postgres.among import among
from postgres.million import INSTANTS, name, tasks, when
from postgres.place import SECOND, START, Row, connected, ledger, server, settled

TASKS = 1_000_000
LIMIT = 90
"""Seconds in which they are to be applied."""

FIRST = 2
"""Seconds after which a scheduler is to have planned a tick."""

MEMORY = 300
"""MB that it may take."""

WATCHED = 60
"""Seconds for which it is looked at."""

LATER = 2_000_000_000 * SECOND
"""When the ticks of the tasks from Python begin: their time is played."""

clock = SystemClock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a program took: seconds on the wall and of CPU, and MB at most."""

    wall: float
    cpu: float
    memory: float

    def told(self) -> str:
        """Return the CPU time and the memory."""
        return f"{self.cpu:.0f} s of the program, {self.memory:.0f} MB at most"


def everytick(*words: str) -> list[str]:
    """Return the command that runs the installed program."""
    return [str(Path(sys.executable).with_name("everytick")), *words]


def ran(*command: str) -> Run:
    """Run a program to its end."""
    watch = Watch()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Run(wall=watch.wall, cpu=used.ru_utime + used.ru_stime, memory=used.ru_maxrss / 1024)


def parts(count: int) -> Iterator[list[tuple[int, str, str, int]]]:
    """Yield the number, the name, the definition and the first instant of each task, in batches."""
    each = tasks(count, START)
    for first in range(0, count, PART):
        part = [next(each) for _ in range(min(PART, count - first))]
        yield [
            (
                n,
                task.name,
                task.definition,
                task.schedule.bound(name=task.name, anchor=0).instant_after(0) or 0,
            )
            for n, task in enumerate(part, first + 1)
        ]


def bare(server: PostgresServer, count: int) -> float:
    """Write the rows of so many tasks with psycopg alone; return the seconds that PostgreSQL took."""
    ledger(server, "bare").close()
    seconds = 0.0
    with connected(server) as db:
        for number, part in enumerate(parts(count)):
            ids, names, texts, due = (list(column) for column in zip(*part, strict=True))
            watch = Watch()
            with db.transaction():
                if not number:
                    db.execute(
                        "INSERT INTO bare.change (at, actor, act, note, detail)"
                        " VALUES (1, 'bench', 'apply', '', '')"
                    )
                db.execute(
                    "INSERT INTO bare.task SELECT *, 'bench' FROM unnest(%s::bigint[], %s::text[])",
                    (ids, names),
                )
                db.execute(
                    "INSERT INTO bare.task_version"
                    " (task_id, version, since, status, anchor, rules, definition, change_id)"
                    " SELECT id, 1, 1, 'active', 1, '', text, 1"
                    " FROM unnest(%s::bigint[], %s::text[]) AS d (id, text)",
                    (ids, texts),
                )
                db.execute(
                    "INSERT INTO bare.cursor (task_id, request, version, planned_through, next_due)"
                    " SELECT id, 0, 1, 1, due FROM unnest(%s::bigint[], %s::bigint[]) AS d (id, due)",
                    (ids, due),
                )
            seconds += watch.wall
        db.execute("DROP SCHEMA bare CASCADE")
    return seconds


def write_lines(file: Path, count: int) -> None:
    """Write the tasks as JSON Lines."""
    with file.open("w", encoding="utf-8") as out:
        for n in range(count):
            line = {"name": name(n), "schedule": when(n, START), "inline": "none:none"}
            out.write(json.dumps(line) + "\n")


def applied(server: PostgresServer, count: int) -> None:
    """Apply tasks from JSON Lines, again as they are, and from Python."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "tasks.jsonl")
        write_lines(file, count)
        command = everytick("apply", str(file), "--yes", "--ledger", url(server, "lines"))
        floor = bare(server, count)
        beside = f"psycopg alone writes the same rows in {floor:.0f} s"
        new = ran(*command)
        told(
            f"{count:,} tasks with {INSTANTS:,} schedules applied from JSON Lines in under {LIMIT} s",
            new,
            beside,
        )
        with connected(server) as db:
            before = written(db.execute("SELECT count(*), max(id) FROM lines.change").fetchone())
            again = ran(*command)
            assert before == written(db.execute("SELECT count(*), max(id) FROM lines.change").fetchone())
        told(f"the same {count:,} applied again, unchanged, in under {LIMIT} s", again, "nothing is written")
    for schema, instants, kind in (
        ("shared", INSTANTS, f"with {INSTANTS:,} schedules"),
        ("own", count, "each with a schedule of its own,"),
    ):
        program = (sys.executable, "-m", "postgres.million", url(server, schema))
        each = ran(*program, str(count), str(LATER), str(instants))
        told(f"{count:,} tasks {kind} from Python in under {LIMIT} s", each, beside)


def told(ask: str, run: Run, beside: str) -> None:
    """Tell how long an apply took."""
    tell(ask, f"{run.wall:.0f} s", met=run.wall < LIMIT, cpu=run.told(), beside=beside)


def written(row: Row | None) -> Row:
    """Return a row that is there."""
    assert row is not None
    return row


def url(server: PostgresServer, schema: str) -> str:
    """Return the URL of a ledger."""
    return f"{server.url()}?schema={schema}"


@contextmanager
def scheduler(server: PostgresServer, schema: str) -> Iterator[int]:
    """Run a scheduler; yield its process."""
    with subprocess.Popen(everytick("scheduler", "--ledger", url(server, schema))) as process:
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(timeout=60)


def planned(server: PostgresServer, schema: str, count: int) -> None:
    """Start a scheduler; see when it has planned the first tick, and the most memory it takes."""
    with connected(server) as db:
        settled(db, [schema])
        floor = ran(sys.executable, "-c", _FIRST_TICK, server.url(), schema)
        db.execute(f"TRUNCATE {schema}.tick")
        watch = Watch()
        with scheduler(server, schema) as pid:
            while not db.execute(f"SELECT 1 FROM {schema}.tick LIMIT 1").fetchone():
                assert watch.wall < WATCHED, "no tick is planned"
                clock.wait(clock.now() + SECOND // 100, [])
            first = watch.wall
            clock.wait(clock.now() + WATCHED * SECOND, [])
            memory = most_memory(pid)
        rows = written(db.execute(f"SELECT count(*) FROM {schema}.tick").fetchone())[0]
    tell(
        f"a scheduler started on {count:,} tasks plans its first tick within {FIRST} s",
        f"{first:.2f} s",
        met=first < FIRST,
        beside=f"python and psycopg alone, to the first row: {floor.wall:.2f} s",
    )
    tell(
        f"and stays under {MEMORY} MB",
        f"{memory:.0f} MB at most",
        met=memory < MEMORY,
        beside=f"{WATCHED} s, in which it planned {rows:,} ticks; psycopg alone: {floor.memory:.0f} MB",
    )


_FIRST_TICK = """
import sys, psycopg
_, url, schema = sys.argv
psycopg.connect(url, autocommit=True).execute(f"INSERT INTO {schema}.tick"
    " (task_id, due_at, version, state, queue, priority, ready_at)"
    f" SELECT task_id, next_due, version, 'planned', 'default', 1, next_due FROM {schema}.cursor"
    " ORDER BY next_due LIMIT 500")
"""


def most_memory(pid: int) -> float:
    """Return the most memory in MB that a process has had."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def main() -> None:
    """Print what is asked of a million tasks, and what came of it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TASKS
    with server() as place:
        applied(place, count)
        planned(place, "lines", count)
        among(place, "shared", count, INSTANTS, LATER)
        among(place, "own", count, count, LATER)


if __name__ == "__main__":
    main()
