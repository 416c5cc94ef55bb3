"""What the document on backups tells to do is done, by its words, while programs run and are killed."""

import os
import re
import shlex
import signal
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from everytick.ledgers.postgres import PostgresLedger
from everytick.testing.ledgers.copying import everything
from everytick.testing.ledgers.scene import Scene, due
from everytick.testing.servers import PostgresServer
from everytick.testing.servers.server import hand_over

from .marks import JOBS, Marks, accounted
from .reader import ROOT
from .shell import EVERYTICK, Shell, surroundings, until

DOCUMENT = ROOT / "docs/how-to/back-up-and-restore.md"
HOST = "db.example.org"


def blocks(title: str, language: str) -> list[list[str]]:
    """Return the blocks of a language in the part of the document that has this title, each in its lines."""
    part = DOCUMENT.read_text("utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    found = re.findall(rf"^```{language}\n(.*?)^```", part, re.DOTALL | re.MULTILINE)
    return [[line.removeprefix("$ ") for line in text.splitlines()] for text in found]


class Person:
    """Types what the document says, in a folder where a task leaves its marks.

    Attributes:
        marks: What ran.
        saved: What had run when the backup was taken.
    """

    def __init__(self, shell: Shell, ledger: str, server: PostgresServer | None = None) -> None:
        self.shell = shell
        self.ledger = ledger
        self.server = server
        self.saved = set[str]()
        self.marks = Marks(shell.folder)
        shell.write("jobs.toml", f'ledger = "{ledger}"\n{JOBS}')

    def types(self, lines: Sequence[str]) -> list[str]:
        """Type commands, each of which must do; return what they say."""
        return [self._type(line) for line in lines]

    def _type(self, line: str) -> str:
        environment, programs = surroundings(None), [EVERYTICK.parent]
        if self.server is not None:
            line = line.replace(HOST, f"127.0.0.1:{self.server.port}")
            programs.append(self.server.programs)
        environment["PATH"] = os.pathsep.join([*map(str, programs), environment["PATH"]])
        done = subprocess.run(
            shlex.split(line), cwd=self.shell.folder, env=environment, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (line, done)
        return done.stdout

    @contextmanager
    def crashing(self) -> Iterator[None]:
        """Let the programs run meanwhile; in the end they are killed."""
        command = [str(EVERYTICK), "up", "jobs.toml", "--no-web", "--quiet"]
        with subprocess.Popen(command, cwd=self.shell.folder, env=surroundings(None)) as program:
            try:
                self.marks.more(2)
                yield
                self.marks.more(2)
            finally:
                program.send_signal(signal.SIGKILL)

    def goes_on(self, ledger: str) -> None:
        """Let the programs run on the restored ledger, and see that all is accounted for."""
        lost = self.marks.all()
        with self.shell.running("up", "jobs.toml", "--no-web", "--ledger", ledger):
            self.marks.more(7)
        ran = accounted(self.shell, self.marks, "--ledger", ledger)
        again = {mark for mark, times in ran.items() if times > 1}
        assert again, "what ran between the backup and the crash is unknown to the backup"
        assert again <= set(lost)
        assert max(ran.values()) == 2
        assert self.saved < set(lost)

    def backs_up(self, lines: Sequence[str]) -> None:
        """Take a backup, now."""
        self.saved = set(self.marks.all())
        self.types(lines)


def test_a_file_is_backed_up_while_programs_run_and_restored(shell: Shell) -> None:
    person = Person(shell, "sqlite:///jobs.db")
    back_up, restore = blocks("SQLite", "console")
    (smaller,) = re.findall(r'`(sqlite3 .* "VACUUM .*")`', DOCUMENT.read_text("utf-8"))
    with person.crashing():
        person.types([smaller])
        assert "Nothing is missing" in shell("audit", "--ledger", "sqlite:///backup.db").out
        (shell.folder / "backup.db").unlink()
        alone = (shell.folder / "jobs.db").read_bytes()
        person.backs_up(back_up)
    (shell.folder / "alone.db").write_bytes(alone)
    assert (
        succeeded(shell.folder / "alone.db") < len(person.saved) <= succeeded(shell.folder / "backup.db") + 1
    )
    told = person.types(restore)
    assert any("Nothing is missing, doubled or unexplained." in said for said in told)
    person.goes_on("sqlite:///jobs.db")


def succeeded(path: Path) -> int:
    """Return how many ticks a file knows to have succeeded."""
    with closing(sqlite3.connect(path)) as db:
        if not db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'tick'").fetchone()[0]:
            return 0
        (found,) = db.execute("SELECT count(*) FROM tick WHERE state = 'succeeded'").fetchone()
    return int(found)


def test_a_schema_is_dumped_while_programs_run_and_restored(shell: Shell, postgres15: PostgresServer) -> None:
    person = Person(shell, postgres15.database("app"), postgres15)
    back_up, restore = blocks("PostgreSQL: a dump", "console")
    with person.crashing():
        person.backs_up(back_up)
    restored = postgres15.database("restored")
    told = person.types(restore)
    assert any("Nothing is missing, doubled or unexplained." in said for said in told)
    person.goes_on(restored)


def test_a_server_is_brought_back_to_any_moment(servers: Path) -> None:
    archiving, restoring = blocks("PostgreSQL: to any moment", "ini")
    ((base_backup,),) = blocks("PostgreSQL: to any moment", "console")
    archive, restored = servers / "archive", PostgresServer(servers / "restored", durable=True)
    archive.mkdir()
    hand_over(archive)
    access = ["host all all samenet trust", "host replication all samenet trust"]
    lost = PostgresServer(
        servers / "lost", settings=settings(archiving, archive), durable=True, access=access
    )
    with lost:
        with PostgresLedger(f"{lost.url()}?schema=everytick") as ledger:
            scene = Scene(ledger)
            scene.task()
            restored.folder.mkdir()
            hand_over(restored.folder)
            words = base_backup.replace("/mnt/base", str(restored.data)).replace(
                HOST, f"127.0.0.1:{lost.port}"
            )
            program, *rest = shlex.split(words)
            lost.run(str(lost.programs / program), *rest)
            scene.plan(due(3))
            expected = everything(ledger)
        with lost.connect() as db:
            ((moment,),) = db.execute("SELECT now()").fetchall()
            db.execute("DROP SCHEMA everytick CASCADE")  # the mishap
            ((last,),) = db.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchall()
            archived = "SELECT FROM pg_stat_archiver WHERE last_archived_wal >= %s"
            until(lambda: db.execute(archived, [last]).rowcount)
        lost.kill()
    restored.settings |= settings(restoring, archive) | {"recovery_target_time": str(moment)}
    (restored.data / "recovery.signal").touch()
    hand_over(restored.data)
    with restored, PostgresLedger(f"{restored.url()}?schema=everytick") as ledger:
        assert everything(ledger) == expected


def settings(lines: Sequence[str], archive: Path) -> dict[str, str]:
    """Return the settings of a block, for an archive that lies elsewhere."""
    pairs = (line.partition(" = ") for line in lines)
    return {name: value.strip("'").replace("/mnt/archive", str(archive)) for name, _, value in pairs}
