"""What the document on PostgreSQL tells to do is done, by its words."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from everytick.testing.servers import PostgresServer

DOCUMENT = Path(__file__).parents[2] / "docs/how-to/put-the-ledger-on-postgresql.md"


def block(language: str) -> str:
    """Return the first block of a language."""
    text = DOCUMENT.read_text("utf-8")
    found, *_ = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return str(found)


def replaced(text: str, **words: str) -> str:
    """Return a text in which each of these words stood, with others in their places."""
    for word, other in words.items():
        assert word in text
        text = text.replace(word, other)
    return text


def test_its_role_its_url_and_its_commands_work(
    guarded: PostgresServer,
    certificates: Path,
    tmp_path: Path,
    until: Callable[[Callable[[], object]], None],
) -> None:
    with guarded.connect() as db:
        db.execute("CREATE DATABASE app")
    with guarded.connect("app") as db:
        # A role belongs to the whole server, and this one has an everytick.
        db.execute(replaced(block("sql"), everytick="reader").encode())
    (password,) = re.findall(r"PASSWORD '(.*)'", block("sql"))
    (tmp_path / "pgpass").write_text(f"127.0.0.1:{guarded.port}:app:reader:{password}\n")
    (tmp_path / "pgpass").chmod(0o600)
    told = replaced(
        block("toml").replace("everytick@", "reader@").replace("?", "?schema=reader&"),
        **{"db.example.org": f"127.0.0.1:{guarded.port}", "/etc/ssl/db-root.crt": f"{certificates}/root.crt"},
    )
    (tmp_path / "jobs.toml").write_text(told)

    def program(*words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "everytick", *words],
            cwd=tmp_path,
            env={**os.environ, "PGPASSFILE": str(tmp_path / "pgpass")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    apply, *programs = [
        shlex.split(line.removeprefix("$ everytick ")) for line in block("console").splitlines()
    ]
    with program(*apply) as applying:
        assert "hello" in applying.communicate(timeout=60)[0]
    assert applying.returncode == 0
    running = [program(*words) for words in programs]
    with guarded.connect("app") as db:
        until(lambda: db.execute("SELECT FROM reader.tick WHERE state = 'succeeded'").rowcount >= 2)
    for one in running:
        one.terminate()
    for one in running:
        assert [line for line in one.communicate(timeout=60)[0].splitlines() if " INFO " not in line] == []
        assert one.returncode == 0
    with program("audit", "--app", "jobs.toml") as auditing:
        said = auditing.communicate(timeout=60)[0]
    assert "Nothing is missing, doubled or unexplained." in said
    assert auditing.returncode == 0
