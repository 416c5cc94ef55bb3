"""Whatever a person gets wrong is told in a few words, with the place and the mend, and with exit code 2."""

import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from .shell import EVERYTICK, Screen, Shell, surroundings

JOBS = """
ledger = "sqlite:///jobs.db"
[task.hello]
command = ["true"]
schedule = "every 1h"
[task.report]
command = ["true"]
schedule = "30 6 * * mon-fri"
zone = "Asia/Kolkata"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A folder with a ledger and much that is wrong."""
    made = Shell(tmp_path_factory.mktemp("refuse"))
    made.write("jobs.toml", JOBS)
    made("apply", "jobs.toml", "--yes")
    made.write("wrong.toml", '[task.good]\ncommand = ["true"]\nschedule = "@daily"\n' + BROKEN)
    made.write("variable.toml", 'origin = "o"\nledger = "env:LEDGR_URL"\n')
    made.write("text.db", "no database, and long enough for its header to be looked at")
    made.write(
        "boom.py",
        "from everytick import Everytick\n\napp = Everytick()\n\n\ndef f():\n    {}['x']\n\n\nf()\n",
    )
    made.write("syntax.py", "def f(:\n")
    made.write("lacks.py", "\nimport there_is_no_such_module\n")
    made.write("leaves.py", "import sys\nsys.exit('bye')\n")
    made.write("word.py", TASK.format(words='"every 5s", retri=3'))
    made.write("cron.py", TASK.format(words='Cron("0 25 * * *")'))
    made.write("argument.py", TASK.format(words='"every 5s", arguments={"a": object()}'))
    made.write("none.py", "x = 1\n")
    made.write("inner.py", INNER)
    (made.folder / "nothing.db").mkdir()
    with sqlite3.connect(made.folder / "other.db") as other:
        other.execute("create table x (a)")
    other.close()
    return made


BROKEN = '[task.broken]\ncommand = ["true"]\nschedule = "0 25 * * *"\n'
TASK = """from everytick import Cron, Everytick
app = Everytick("sqlite:///py.db")
@app.task({words})
def f(tick): ...
"""
INNER = """from everytick import Everytick
app = Everytick()
def make():
    @app.task("@daily")
    def f(tick): ...
make()
"""


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("tasks jobs.toml", "(jobs.toml); name the configuration with -a jobs.toml"),
        ("check -a jobs.toml", "No such option: -a; name the configuration alone, without it"),
        ("next @daily jobs.toml", "Got unexpected extra argument(s) (jobs.toml)"),
        ("tasks", "name the ledger: --ledger sqlite:///file.db, --app APP, or an everytick.toml in"),
        ("ledger prune -l sqlite:///jobs.db", "everytick: say how much is kept: --keep 90d, or"),
        ("ledger prune -l sqlite:///jobs.db", "of everytick.toml, or of the .toml file that --app names"),
        ("ledger prune -a jobs.toml", '--keep 90d, or keep_ticks = "90d" at the top of jobs.toml'),
        ("plan", "name the tasks: a .toml, .py or .jsonl file"),
        ("up", "name the tasks: a .toml, .py or .jsonl file"),
        ("tasks -a jbs.toml", "there is no jbs.toml"),
        ("tasks -a jobs", "there is no module 'jobs'"),
        ("tasks -l sqlite:///typo.db", "there is no ledger at typo.db; everytick up or everytick apply"),
        ("runner -l sqlite:///typo.db", "there is no ledger at typo.db"),
        ("scheduler -l sqlite:///typo.db", "there is no ledger at typo.db"),
        ("tasks -l sqlite:///nothing.db", "this is a folder; name a file in it"),
        ("tasks -l sqlite:///text.db", "the file is no ledger of Everytick"),
        ("tasks -l sqlite:///other.db", "belongs to another program"),
        ("apply jobs.toml -l sqlite:///", "sqlite:/// names no file: a ledger in memory is gone"),
        ("apply jobs.toml -y -l sqlite:///:memory:", "sqlite:///:memory: names no file"),
        ("tasks -l sqlite://", "sqlite:// names no file"),
        ("ledger copy sqlite:///jobs.db sqlite:/// --move", "sqlite:/// names no file"),
        ("tasks -a variable.toml", "variable.toml:2: ledger: the environment has no LEDGR_URL, which is to"),
        ("apply variable.toml -y", "variable.toml:2: ledger: the environment has no LEDGR_URL"),
        ("up variable.toml", "variable.toml:2: ledger: the environment has no LEDGR_URL"),
        ("runner -a variable.toml", "variable.toml:2: ledger: the environment has no LEDGR_URL"),
        ("tasks -l env:LEDGR_URL", "env:LEDGR_URL names the ledger, but the environment has no URL in"),
        ("tasks -l mysql://x", "'mysql' names no ledger of this release"),
        ("up jobs.toml -l sqlite:///no/x.db", "there is no folder"),
        ("check wrong.toml", "wrong.toml:6: task 'broken': schedule: The hour goes from 0 to 23, not 25"),
        ("up wrong.toml", "wrong.toml:6: task 'broken'"),
        ("check boom.py", "boom.py:7: the module cannot be imported: KeyError: 'x'"),
        ("up boom.py", "boom.py:7: the module cannot be imported: KeyError: 'x'"),
        ("plan boom", "boom.py:7: the module cannot be imported: KeyError: 'x'"),
        ("up syntax.py", "syntax.py:1: this is no Python"),
        ("up lacks.py", "lacks.py:2: the module cannot be imported: ModuleNotFoundError: No module named"),
        ("up leaves.py", "leaves.py:2: the module cannot be imported: SystemExit: bye"),
        ("up word.py", "word.py:3: unknown policy 'retri'; did you mean 'retry'?"),
        ("up cron.py", "cron.py:3: The hour goes from 0 to 23, not 25"),
        ("up argument.py", "argument.py:3: a = <object object"),
        ("up none.py", "'none.py' names no Everytick; write none.py:NAME"),
        ("up inner.py", "inner.py:4: task 'f' is defined inside a function"),
        ("show hell -a jobs.toml", "there is no task 'hell'; did you mean 'hello'?"),
        ("run hell -a jobs.toml", "there is no task 'hell'; did you mean 'hello'?"),
        ("pause hell -a jobs.toml", "there is no task 'hell'; did you mean 'hello'?"),
        ("resume hell -a jobs.toml", "there is no task 'hell'; did you mean 'hello'?"),
        ("backfill hell -a jobs.toml --from 1h", "there is no task 'hell'; did you mean 'hello'?"),
        ("run hello --wait -a jobs.toml", "no runner lives, so nobody would run it"),
        ("resume hello -a jobs.toml", "task 'hello' is active already"),
        ("pause hello -a jobs.toml --until soon", "--until: 'soon' is no time"),
        ("pause hello -a jobs.toml --until 1x", "--until: A duration is written like"),
        ("pause hello -a jobs.toml --until 2020-01-01T00:00Z", "a pause must end after it begins"),
        ("ticks -a jobs.toml --state runing", "cancelled, skipped; did you mean 'running'?"),
        ("ticks -a jobs.toml --state done", "'done' is no state; they are: planned"),
        ("ticks -a jobs.toml --to 2026-01-01T00:00", "--to: '2026-01-01T00:00' names no zone; put Z or an"),
        ("ticks -a jobs.toml --from 2026-01-01 --zone Europe/Berln", "did you mean Europe/Berlin?"),
        ("ticks -a jobs.toml --from 5x", "--from: A duration is written like"),
        ("ticks -a jobs.toml -n 0", "Invalid value for '-n' / '--limit'"),
        ("why hell -a jobs.toml", "there is no task 'hell'; did you mean 'hello'?"),
        ("why hello@2026-11-21T06:00:00 -a jobs.toml", "is no instant of a tick; write it in UTC"),
        ("why hello@2026-11-21T06:00:00Z#99999999999999999999 -a jobs.toml", "is no instant of a tick"),
        ("show hello@noon -a jobs.toml", "'hello@noon' names no tick"),
        ("why hell@2026-11-21T06:00:00Z -a jobs.toml", "there is no task 'hell'"),
        ("cancel hello@2026-11-21T06:00:00Z -a jobs.toml", "there is no tick"),
        ("backfill hello -a jobs.toml --from 1h --to 2026-01-01", "--to: '2026-01-01' names no zone"),
        ("backfill hello -a jobs.toml --from 1h --to 2h", "--from 1h is later than --to 2h"),
        ("backfill hello -a jobs.toml --from 2999-01-01T00:00Z", "T00:00Z is later than --to now"),
        ("backfill report -a jobs.toml --from 1m", "never due in that span; nothing to backfill"),
        ("audit hell -a jobs.toml", "there is no task 'hell'"),
        ("audit -a jobs.toml --to noon", "--to: 'noon' is no time"),
        ("ledger prune --keep abc -a jobs.toml", "--keep: A duration is written like"),
        ("ledger prune --keep 1h -a jobs.toml", "--keep: '1h' is too short: ticks are kept for at least 1d"),
        ("apply jobs.toml -l sqlite:///new.db --json", "with --json nobody is asked: give --yes too"),
        ("feed show nse -a jobs.toml", "jobs.toml has no feed 'nse'"),
        ("next @fortnightly", "@fortnightly"),
        ("next @daily --from 2026-01-01T00:00", "--from: '2026-01-01T00:00' names no zone"),
        ("explain @daily --zone Mars", "There is no time zone 'Mars'"),
        ("nxt @daily", "No such command 'nxt'"),
        ("extract ( jobs.toml", "broken pattern, at position 1"),
        ("extract a nofile", "nofile: No such file or directory"),
        ("extract a . ", ".: Is a directory"),
        ("extract a jobs.toml --as dec", "'dec' is not one of: int, float"),
        ("extract a jobs.toml --as int", "is not a whole number"),
        ("extract a jobs.toml --timeout 0", "--timeout 0: write seconds"),
    ],
)  # fmt: skip
def test_it_is_told_in_a_few_words(folder: Shell, typed: str, complaint: str) -> None:
    answer = folder(*typed.split(), code=2)
    assert complaint in answer.err
    assert answer.err.startswith(("everytick: ", "Usage: "))
    assert answer.out == ""
    assert not (folder.folder / "typo.db").exists()


def test_nothing_is_written_just_to_look(folder: Shell) -> None:
    folder("plan", "jobs.toml", "-l", "sqlite:///looked.db")
    assert not (folder.folder / "looked.db").exists()


def test_a_ledger_without_permission_is_told(shell: Shell) -> None:
    bound = "-dac_override,-dac_read_search"  # what lets root read everything
    humble = ["setpriv", f"--bounding-set={bound}", f"--inh-caps={bound}"] if os.geteuid() == 0 else []
    shell.write("x.db", "")
    shell.folder.chmod(0o000)
    try:
        ended = subprocess.run(
            [*humble, EVERYTICK, "tasks", "-l", f"sqlite:///{shell.folder}/x.db"],
            cwd="/", env=surroundings(None), capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        shell.folder.chmod(0o755)
    assert ended.returncode == 2
    assert ended.stderr.startswith("everytick: "), ended.stderr
    assert "Permission denied" in ended.stderr or "permission" in ended.stderr


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("n\n", 1, "Nothing was applied."),
        ("", 2, "nobody answered, and nothing was applied; --yes applies without asking"),
        ("y\n", 0, "Applied as change 1."),
    ],
)
def test_apply_asks(shell: Shell, typed: str, code: int, said: str) -> None:
    shell.write("everytick.toml", JOBS)
    answer = shell("apply", typed=typed, code=code)
    assert "Apply? [y/N]" in answer.out
    assert said in answer.out + answer.err
    assert len(shell("tasks", "--json").json) == (2 if code == 0 else 0)


def test_ctrl_c_at_the_question_applies_nothing(shell: Shell) -> None:
    shell.write("everytick.toml", JOBS)
    with Screen([EVERYTICK, "apply"], shell.folder) as screen:
        screen.shows("Apply? [y/N]")
        screen.read(0.5)  # what a person needs to find the keys
        assert screen.interrupt() == 130
        screen.shows("Nothing was applied.")
    assert shell("tasks", "--json").json == []


def test_a_reader_that_has_enough_ends_it_quietly(shell: Shell) -> None:
    with subprocess.Popen(
        [EVERYTICK, "next", "* * * * *", "-n", "50000", "--json"],
        env=surroundings(None), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as writer:  # fmt: skip
        assert writer.stdout is not None
        assert writer.stderr is not None
        assert writer.stdout.readline() == b"[\n"
        writer.stdout.close()
        assert writer.stderr.read() == b""
        assert writer.wait(timeout=30) == 141
    shell.write("jobs.toml", JOBS)
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [EVERYTICK, "plan", "jobs.toml"], cwd=shell.folder, env=surroundings(None), stdout=full,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (ended.returncode, "No space left on device" in ended.stderr) == (2, True)
    assert "Traceback" not in ended.stderr
