"""A standby takes over while programs run, as the document on backups tells it.

Where commits wait for the standby nothing is lost, and the programs go on by themselves. Where they do not,
the programs notice what was lost, and start nothing until a person takes the ledger as it is.
"""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from psycopg.rows import dict_row

from everytick.clock import SystemClock
from everytick.testing.servers import PostgresServer
from everytick.testing.servers.server import hand_over

from .marks import JOBS, Marks, accounted
from .reader import ROOT
from .shell import EVERYTICK, Shell, surroundings, until

DOCUMENT = ROOT / "docs/how-to/back-up-and-restore.md"
COMMITS = {"synchronous_commit": "on"}
"""What commits wait for; not for the disk, as no machine crashes here."""
PROGRAMS = ("scheduler", "runner", "runner")
SUCCEEDED = "SELECT due_at, attempt, started_at, ended_at FROM everytick.tick WHERE state = 'succeeded'"
WAITING = "SELECT FROM everytick.tick WHERE due_at BETWEEN %s AND %s AND state = 'planned'"
ALARMS = "SELECT FROM everytick.change WHERE act = 'lost-commits'"
TOLD = "SELECT act FROM everytick.change WHERE act IN ('lost-commits', 'accept-restore') ORDER BY id"


class Pair:
    """A primary with a ledger, and a standby that streams from it.

    Args:
        folder: Where both go.
        waits: Whether each commit waits until the standby has it.
    """

    def __init__(self, folder: Path, *, waits: bool) -> None:
        access = ["host all all samenet trust", "host replication all samenet trust"]
        self.primary = PostgresServer(folder / "primary", settings=COMMITS, access=access)
        self.standby = PostgresServer(folder / "standby", settings=COMMITS)
        self._waits = waits

    @property
    def ledger(self) -> str:
        """The URL that the document gives, for these two."""
        (documented,) = re.findall(
            r"`(postgresql://\S+target_session_attrs\S+)`", DOCUMENT.read_text("utf-8")
        )
        hosts = ",".join(f"{one.host}:{one.port}" for one in (self.primary, self.standby))
        assert "@db1,db2/app" in documented
        return str(documented.replace("db1,db2", hosts))

    def __enter__(self) -> Self:
        """Start both, and wait until the standby streams."""
        self.primary.folder.parent.mkdir(mode=0o711)
        self.primary.start()
        self.primary.database("app")
        self.standby.folder.mkdir()
        hand_over(self.standby.folder)
        self.primary.run(
            str(self.primary.programs / "pg_basebackup"), f"--pgdata={self.standby.data}",
            "--checkpoint=fast", "--write-recovery-conf", f"--dbname={self.primary.url()}",
        )  # fmt: skip
        self.standby.start()
        with self.primary.connect() as db:
            if self._waits:
                db.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
                db.execute("SELECT pg_reload_conf()")
            wanted = "sync" if self._waits else "async"
            streams = "SELECT FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = %s"
            until(lambda: db.execute(streams, [wanted]).rowcount)
        return self

    def __exit__(self, *_: object) -> None:
        """End both; nobody needs their files again."""
        self.primary.kill()
        self.standby.kill()

    def part(self) -> None:
        """Let the standby hear nothing of the primary any more."""
        with self.standby.connect() as db:
            db.execute("ALTER SYSTEM SET primary_conninfo = ''")
            db.execute("SELECT pg_reload_conf()")
            until(lambda: not db.execute("SELECT FROM pg_stat_wal_receiver").rowcount)

    def fail_over(self) -> None:
        """Kill the primary, and let the standby take over."""
        self.primary.kill()
        self.standby.run(
            str(self.standby.programs / "pg_ctl"), "promote", "--wait", f"--pgdata={self.standby.data}"
        )


def rows(server: PostgresServer, query: str, *values: object) -> list[dict[str, Any]]:
    """Ask a ledger's tables themselves."""
    with server.connect("app") as db:
        return db.cursor(row_factory=dict_row).execute(query, values).fetchall()


@pytest.fixture
def marks(shell: Shell) -> Marks:
    return Marks(shell.folder)


@contextmanager
def working(shell: Shell, pair: Pair) -> Iterator[None]:
    """Keep programs at work on the ledger of a pair; in the end they end well when they are told to."""
    shell.write("jobs.toml", f'ledger = "{pair.ledger}"\n{JOBS}')
    shell("apply", "jobs.toml", "--yes")
    with ExitStack() as stack:
        log = stack.enter_context((shell.folder / "log").open("wb"))
        programs = []
        for kind in PROGRAMS:
            command = [str(EVERYTICK), kind, "--app", "jobs.toml"]
            program = subprocess.Popen(
                command, cwd=shell.folder, env=surroundings(None), stdout=log, stderr=log
            )
            stack.callback(program.kill)
            programs.append(program)
        yield
        for program in programs:
            program.send_signal(signal.SIGTERM)
        codes = [program.wait(30) for program in programs]
        told = (shell.folder / "log").read_text()
        assert codes == [0] * len(programs), told
        assert "Traceback" not in told


def test_nothing_is_lost_where_commits_wait_for_the_standby(
    shell: Shell, marks: Marks, servers: Path
) -> None:
    with Pair(servers / "synchronous", waits=True) as pair:
        with working(shell, pair):
            marks.more(2)
            shell("run", "mark", "--app", "jobs.toml")
            confirmed = rows(pair.primary, SUCCEEDED)
            pair.fail_over()
            marks.more(3)
        kept = rows(pair.standby, SUCCEEDED)
        assert confirmed
        assert [row for row in confirmed if row not in kept] == []
        assert rows(pair.standby, "SELECT FROM everytick.change WHERE act = 'run'")
        assert rows(pair.standby, ALARMS) == []
        accounted(shell, marks, "--app", "jobs.toml")


def test_nothing_starts_where_the_standby_lacks_commits_until_a_person_accepts_it(
    shell: Shell, marks: Marks, servers: Path
) -> None:
    clock = SystemClock()
    with Pair(servers / "asynchronous", waits=False) as pair:
        with working(shell, pair):
            marks.more(1)
            pair.part()
            known = len(rows(pair.standby, SUCCEEDED))
            marks.more(2)
            assert len(rows(pair.primary, SUCCEEDED)) > known
            pair.fail_over()
            taken_over, before = clock.now(), marks.all()
            until(lambda: rows(pair.standby, ALARMS))
            until(lambda: rows(pair.standby, WAITING, taken_over, clock.now()))
            assert marks.all() == before
            told = shell("doctor", "--app", "jobs.toml", "--json", code=1).json
            assert [one["verdict"] for one in told if one["what"] == "lost"] == ["bad"]
            shell("doctor", "--app", "jobs.toml", "--accept-restore", "-m", "the primary is lost")
            marks.more(len(before) + 3)
        *alarms, accepted = rows(pair.standby, TOLD)
        assert {alarm["act"] for alarm in alarms} == {"lost-commits"}
        assert accepted["act"] == "accept-restore"
        ran = accounted(shell, marks, "--app", "jobs.toml")
        again = {tick for tick, times in ran.items() if times > 1}
    assert again
    assert again <= set(before)
