"""The example of `make up`, as a new user meets it: started, watched, ended, started again."""

import os
import re
import shutil
import socket
import sys
from itertools import pairwise
from pathlib import Path
from threading import Event

import pytest

from everytick.tick import SECOND, parse_rfc3339

from .shell import Screen, Shell

EXAMPLE = Path(__file__).parents[2] / "examples" / "isin-daily"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the example whose provider listens on a free port."""
    folder = tmp_path / "isin-daily"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("everytick.db*", "everytick-data", "__*"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "everytick.toml"
    config.write_text(config.read_text("utf-8").replace(":8723/", f":{port}/"), "utf-8")
    return folder


TROUBLE = ("isins held", "of the last good list's", "everytick feed held isins", "still served: #")
"""What is shown on the first of the bad days, when half of the rows are gone."""


def living(session: int) -> list[str]:
    """Return what still runs of a session of processes."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, its_session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
            command = (process / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_session) == session and state != "Z":
            found.append(command.replace("\0", " "))
    return found


def run_it(folder: Path, *words: str) -> None:
    """Run the example until it has shown these words, then press Ctrl-C."""
    with Screen([sys.executable, folder / "run.py"], folder.parent) as screen:
        session = os.getsid(screen.program.pid)
        screen.shows("A pretend exchange serves http://127.0.0.1:", "due next", *words)
        assert any("provider.py" in command for command in living(session))
        assert screen.interrupt() == 0, screen.seen
        for _ in range(100):  # the provider looks for its parent twice a second
            if not living(session):
                break
            Event().wait(0.1)
        assert living(session) == []


def test_it_shows_its_list_ends_cleanly_and_accounts_for_what_it_missed(example: Path) -> None:
    run_it(example, "isins", "every 5s", "succeeded", "published, ", "isins #2", "Ctrl-C ends it.", *TROUBLE)
    shell = Shell(example)
    ran = shell("ticks", "isins", "--json", "-n", "1000").json
    last = max(parse_rfc3339(tick["due_at"]) for tick in ran)
    changes = shell("feed", "changes", "isins", "--json").json
    assert changes["snapshot"] >= 2
    assert any(changes[kind] for kind in ("added", "removed", "changed"))
    current = (example / "everytick-data/feeds/isins/current.csv").read_text("utf-8")
    assert all(key in current for key in changes["added"])
    assert not any(key in current for key in changes["removed"])
    while not passed(shell, last + 12 * SECOND):  # until two more are due, so that one of them is missed
        pass

    run_it(example, "skipped", "missed", "succeeded")
    told = shell("ticks", "isins", "--json", "-n", "1000").json
    missed = [tick for tick in told if tick["reason"] == "missed"]
    assert missed
    assert all(parse_rfc3339(tick["due_at"]) > last for tick in missed)
    due = sorted(parse_rfc3339(tick["due_at"]) for tick in told)
    assert {later - earlier for earlier, later in pairwise(due)} == {5 * SECOND}
    story = shell("why", missed[0]["tick"]).out
    assert re.search(r"nobody\s.*\snext\s+tick\s+was\s+due", story, re.DOTALL)
    audit = shell("audit", "--json").json
    assert (audit["missing"], audit["doubled"], audit["unexplained"], audit["findings"]) == (0, 0, 0, [])


def passed(shell: Shell, instant: int) -> bool:
    """Tell whether it is later than that; the question takes a while."""
    (following,) = shell("next", "every 1s", "-n", "1", "--json").json
    return parse_rfc3339(following) > instant
