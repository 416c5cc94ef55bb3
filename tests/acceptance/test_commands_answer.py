"""Each command on a ledger with a life: what it shows to people, and the JSON that machines may rely on."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from everytick.app import Everytick
from everytick.cli import look
from everytick.ledgers.sqlite import SqliteLedger
from everytick.task import Command, Task
from everytick.tick import TickRow
from everytick.when import schedule

from .shell import Shell

JOBS = """
ledger = "sqlite:///jobs.db"
[runner]
grace = "1s"
[task.hello]
command = ["sh", "-c", "echo hello from $EVERYTICK_TICK"]
schedule = "every 1s"
[task.fails]
command = ["sh", "-c", "echo before; exit 3"]
schedule = "every 1s"
retry = { attempts = 2, delay = "10ms" }
[task.hangs]
command = ["sleep", "60"]
schedule = "every 1s"
timeout = "300ms"
grace = "100ms"
[task.slow]
command = ["sleep", "4"]
schedule = "every 1s"
[task.replaced]
command = ["sleep", "4"]
schedule = "every 1s"
overlap = "queue_one"
[task.paused]
command = ["true"]
schedule = "every 1s"
[task.rare-and-with-a-name-so-long-that-no-line-of-a-terminal-holds-it-together-with-its-instant]
command = ["sleep", "600"]
schedule = "30 6 1 1 *"
zone = "Asia/Kolkata"
finish_within = "1h"
[task.function]
call = "work.py:double"
arguments = { number = 21 }
schedule = "30 6 1 1 *"
"""
RARE = "rare-and-with-a-name-so-long-that-no-line-of-a-terminal-holds-it-together-with-its-instant"
TICK = {
    "tick", "task", "due_at", "request", "version", "state", "reason", "attempt", "reruns", "count",
    "through", "ready_at", "started_at", "ended_at", "summary",
}  # fmt: skip


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A folder whose ledger has ticks in every state, and a runner that lives."""
    shell = Shell(tmp_path_factory.mktemp("answers"))
    shell.write("everytick.toml", JOBS)
    shell.write(
        "work.py", "def double(tick, number):\n    print('working')\n    return {'doubled': 2 * number}\n"
    )
    shell("apply", "--yes")
    shell("pause", "paused", "-m", "not today")
    with shell.running("up"):
        shell("run", RARE)
        for state, task in (
            ("succeeded", "slow"), ("failed", "fails"), ("failed", "hangs"), ("skipped", "slow"),
            ("skipped", "replaced"), ("running", RARE),
        ):  # fmt: skip
            eventually(shell, task, state)
        shell("resume", "paused")  # what was skipped is counted when the pause is over
        eventually(shell, "paused", "skipped")
        shell("pause", "paused")
        yield shell


def eventually(shell: Shell, task: str, state: str) -> None:
    """Ask until a task has a tick in a state: each question takes a while."""
    for _ in range(60):
        if shell("ticks", task, "--state", state, "--json").json:
            return
    pytest.fail(f"no tick of {task} is {state}")


def newest(shell: Shell, task: str, state: str, reason: str | None = None) -> dict[str, Any]:
    ticks: list[dict[str, Any]] = shell("ticks", task, "--state", state, "--json", "-n", "1000").json
    return next(tick for tick in ticks if tick["reason"] == reason)


def test_tasks(here: Shell) -> None:
    listed = here("tasks", "--json").json
    assert [task["task"] for task in listed] == sorted(
        ["hello", "fails", "hangs", "slow", "replaced", "paused", RARE, "function"]
    )
    assert set(listed[0]) == {
        "task", "status", "paused_until", "version", "since", "origin", "definition", "next_due", "last",
    }  # fmt: skip
    assert {task["task"]: task["status"] for task in listed}["paused"] == "paused"
    shown = here("tasks").out
    assert "Nobody runs them" not in shown
    assert "hello" in shown
    assert "30 6 1 1 *" in shown


def test_ticks(here: Shell) -> None:
    listed = here("ticks", "--json", "-n", "1000").json
    assert all(set(tick) == TICK for tick in listed)
    instants = [datetime.fromisoformat(tick["due_at"]) for tick in listed]
    assert instants == sorted(instants, reverse=True)
    assert all(tick["due_at"].endswith("Z") for tick in listed)
    assert {tick["state"] for tick in listed} >= {"succeeded", "failed", "skipped", "running"}
    assert {tick["reason"] for tick in listed} >= {
        None,
        "error",
        "timeout",
        "overlap",
        "superseded",
        "paused",
    }
    assert {tick["task"] for tick in here("ticks", "hello", "--json").json} == {"hello"}
    assert len(here("ticks", "-n", "3", "--json").json) == 3
    since = here("ticks", "--from", "1h", "--to", "now", "--state", "failed", "-s", "skipped", "--json").json
    assert {tick["state"] for tick in since} <= {"failed", "skipped"}
    assert here("ticks", "--from", "2030-01-01T00:00", "--zone", "Europe/Berlin", "--json").json == []
    assert "no ticks match" in here("ticks", "--from", "2030-01-01T00:00Z").out


def test_no_line_is_wider_than_the_screen_and_no_name_is_cut(here: Shell) -> None:
    for words in (["tasks"], ["ticks", "-n", "50"], ["show", "hello"], ["show", RARE], ["doctor"], ["audit"]):
        shown = here(*words).out
        assert max(len(line) for line in shown.splitlines()) <= 80
    shown = here("ticks", "-n", "100").out
    assert re.search(r"^hello@\S+Z  +succeeded", shown, re.MULTILINE)
    assert re.search(r"skipped \(superseded\) ", shown)
    asked = here("ticks", RARE).out.splitlines()
    assert "".join(line.split("  ")[0] for line in asked[1:]) == newest(here, RARE, "running")["tick"]


def test_show_of_a_task_speaks_in_words(here: Shell) -> None:
    shown = here("show", "fails").out
    assert re.search(r"^command +sh -c 'echo before; exit 3'", shown, re.MULTILINE)
    assert re.search(r"^retry +attempts 2, delay 10ms", shown, re.MULTILINE)
    assert "overlap" not in shown  # it is as it always is
    assert "{" not in shown
    rare = here("show", RARE).out
    assert re.search(r"^when +At 06:30 .*, Asia/Kolkata time", rare, re.MULTILINE)
    assert re.search(r"^finish_within  1h", rare, re.MULTILINE)
    told = here("show", "fails", "--json").json
    assert told["definition"]["policies"]["retry"]["attempts"] == 2
    assert {tick["task"] for tick in told["ticks"]} == {"fails"}


def test_show_of_a_tick_has_its_attempts_and_its_output(here: Shell) -> None:
    tick = newest(here, "fails", "failed", "error")["tick"]
    told = here("show", tick, "--json").json
    assert told["attempt"] == 2
    assert [one["outcome"] for one in told["attempts"]] == ["error"]
    assert set(told["attempts"][0]) == {"attempt", "outcome", "started_at", "ended_at", "refused"}
    assert told["error"] == "exit status 3"
    assert told["output"] == "before\n"
    shown = here("show", tick).out
    assert "attempt 1" in shown
    assert "before" in shown


@pytest.mark.parametrize(
    ("task", "state", "reason", "words"),
    [
        ("hello", "succeeded", None, ["It was due at", "It succeeded at", "has what it printed"]),
        (
            "fails",
            "failed",
            "error",
            [
                "Attempt 1 started at",
                "It was tried again",
                "exit status 3; retry allows 2 attempts",
                "The last it printed: before",
                "The task has never succeeded yet",
            ],
        ),
        (
            "hangs",
            "failed",
            "timeout",
            ["took longer than the task's timeout, 300ms, and was stopped; the task has no retry"],
        ),
        (
            "slow",
            "skipped",
            "overlap",
            ["an earlier tick, slow@", 'was still active, and overlap = "skip" leaves out'],
        ),
        ("replaced", "skipped", "superseded", ['a newer tick took its place: overlap = "queue_one"']),
        (
            "paused",
            "skipped",
            "paused",
            ["the task was paused when it was due: tester paused it at", "not today"],
        ),
        (
            RARE,
            "running",
            None,
            ["tester asked for it at", "It is running for", "held by process 1 (up, pid"],
        ),
    ],
)
def test_why(here: Shell, task: str, state: str, reason: str | None, words: list[str]) -> None:
    tick = newest(here, task, state, reason)["tick"]
    told = here("why", tick, "--json").json
    assert set(told) == {"tick", "story"}
    story = " ".join(told["story"])
    assert all(word in story for word in words), story
    shown = here("why", tick).out
    assert all(word in " ".join(shown.split()) for word in words)
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    ("tick", "words"),
    [
        ("hello@2020-01-01T00:00:00Z", "The task did not exist yet"),
        ("hello@2090-01-01T00:00:00.5Z", "The nearest after it is hello@2090-01-01T00:00:01Z, in "),
        (f"{RARE}@2090-01-01T01:00:00Z", "(Sun 06:30 in Asia/Kolkata), and gets its row"),
        (f"{RARE}@2090-01-01T06:30:00Z", f"you may have meant {RARE}@2090-01-01T01:00:00Z (Sun 06:30 in"),
        ("function@2020-01-01T06:30:00Z", "everytick backfill function --from 2020-01-01T06:30:00Z --to"),
        ("hello@2020-01-01T00:00:00Z#1", "#1 stands for change 1 (apply by tester at "),
        ("hello@2020-01-01T00:00:00Z#999", "there is no change 999"),
    ],
)
def test_why_there_is_no_such_tick(here: Shell, tick: str, words: str) -> None:
    story = here("why", tick, "--json").json["story"]
    assert story[0] == f"There is no tick {tick}."
    assert words in " ".join(story)


def test_why_of_a_task_is_that_of_its_newest_tick(here: Shell) -> None:
    told = here("why", RARE, "--json").json
    assert told["tick"] in {tick["tick"] for tick in here("ticks", RARE, "--json").json}
    assert "the newest that was due" in here("why", "hello").out


def test_run_waits_for_the_outcome(here: Shell) -> None:
    done = here("run", "function", "--wait", "--json").json
    assert (done["state"], done["summary"]) == ("succeeded", {"doubled": 42})
    assert "doubled 42" in here("run", "function", "-w", "-m", "again").out
    assert here("run", "fails", "--wait", "--json", code=1).json["reason"] == "error"
    asked = here("run", "hello", "--json").json["tick"]
    assert re.fullmatch(r"hello@\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z#\d+", asked)


def test_cancel(here: Shell) -> None:
    tick = here("run", "function", "--json").json["tick"]
    here("pause", "function")
    here("resume", "function")
    ended = here("show", tick, "--json").json["state"]
    assert ended in {"planned", "running", "succeeded"}
    running = newest(here, RARE, "running")["tick"]
    told = here("cancel", running, "-m", "enough", "--json").json
    assert told == {"tick": running, "was": "running", "asked_to_stop": True}
    eventually(here, RARE, "cancelled")
    assert "It was cancelled at" in here("why", running).out
    assert "has ended: it was cancelled" in here("cancel", running, code=2).err
    here("run", RARE)
    eventually(here, RARE, "running")


def test_pause_and_resume(here: Shell) -> None:
    told = here("pause", "function", "--until", "1h", "--json").json
    assert (told["task"], told["status"]) == ("function", "paused")
    assert told["until"].endswith("Z")
    assert "paused until" in here("show", "function").out
    assert here("why", "function", "--json").json["story"][0].startswith("The task is paused since ")
    assert here("resume", "function", "--json").json == {"task": "function", "status": "active"}


def test_backfill(here: Shell) -> None:
    words = [
        "backfill",
        "function",
        "--from",
        "2021-06-01T00:00",
        "--to",
        "2023-06-01T00:00",
        "--zone",
        "UTC",
    ]
    told = here(*words, "--json").json
    assert told["ticks"] == 2
    for _ in range(60):
        due = {
            tick["due_at"] for tick in here("ticks", "function", "--json", "-s", "succeeded", "-n", "99").json
        }
        if {"2022-01-01T06:30:00Z", "2023-01-01T06:30:00Z"} <= due:
            break
    else:
        pytest.fail("the backfill was not run")
    story = " ".join(here("why", "function@2022-01-01T06:30:00Z", "--json").json["story"])
    assert f"It was asked for as function@2022-01-01T06:30:00Z#{told['change']}: succeeded." in story
    assert "would ask for it now" not in story


def test_audit(here: Shell) -> None:
    told = here("audit", "--json").json
    counts = ("expected", "recorded", "missing", "doubled", "unexplained", "skipped", "reruns", "behind")
    assert all(isinstance(told[name], int) for name in counts)
    assert (told["missing"], told["doubled"], told["unexplained"], told["findings"]) == (0, 0, 0, [])
    assert told["expected"] == told["recorded"] > 0
    assert told["skipped"] > 0
    assert here("audit", "hello", "--from", "1h", "--to", "1s", "--json").json["expected"] > 0
    assert "Nothing is missing, doubled or unexplained." in here("audit").out


def test_plan_and_apply_show_what_differs(here: Shell) -> None:
    assert "The ledger holds these tasks already." in here("plan").out
    here.write("other.toml", 'origin = "other"\n[task.new]\ncommand = ["true"]\nschedule = "0 6 * * *"\n')
    ledger = ["-l", f"sqlite:///{here.folder}/jobs.db"]
    assert "+ new\n    At 06:00 every day, UTC" in here("plan", "other.toml", *ledger).out
    added = here("apply", "other.toml", *ledger, "--yes", "--json").json
    assert [(one["task"], one["act"], one["before"]) for one in added["differences"]] == [
        ("new", "add", None)
    ]
    here.write("other.toml", 'origin = "other"\n[task.new]\ncommand = ["true"]\nschedule = "0 7 * * *"\n')
    assert (
        "~ new\n    - schedule: 0 6 * * *\n    + schedule: 0 7 * * *\n"
        in here("plan", "other.toml", *ledger).out
    )
    here.write("other.toml", 'origin = "other"\n')
    gone = here("plan", "other.toml", *ledger, "--json").json
    assert [(one["task"], one["act"], one["after"]) for one in gone] == [("new", "remove", None)]
    here("apply", "other.toml", *ledger, "-y")
    assert "removed, version 2" in here("show", "new").out  # its history stays
    assert here("ticks", "new", "--json").json == []
    for act in (["run"], ["pause"], ["resume"], ["backfill", "--from", "1h"]):
        assert "there is no task 'new'; everytick tasks lists them" in here(*act, "new", code=2).err
        assert "there is no task 'newt'; everytick tasks lists them" in here(*act, "newt", code=2).err
    assert "there is no task 'newt'; did you mean 'new'?" in here("show", "newt", code=2).err
    assert "new" in [task["task"] for task in here("tasks", "--removed", "--json").json]
    here.write("other.toml", 'origin = "other"\n[task.hello]\ncommand = ["true"]\nschedule = "@daily"\n')
    assert "task 'hello' belongs to" in here("plan", "other.toml", *ledger, code=2).err


def test_check_and_doctor(here: Shell) -> None:
    assert here("check", "--json").json == []
    assert "8 tasks, nothing to complain of." in here("check").out
    here.write("odd.toml", '[task.a]\ncommand = ["no-such-program"]\nschedule = "@daily"\n'
               '[task.b]\ncall = "no_such_module:f"\nschedule = "@daily"\n')  # fmt: skip
    found = [one for one in here("check", "odd.toml", "--json", code=1).json if one["verdict"] == "bad"]
    assert [one["what"] for one in found] == ["a", "b"]
    assert all(set(one) == {"verdict", "what", "detail"} for one in found)
    points = {one["what"]: one for one in here("doctor", "--json").json}
    assert points["up"]["verdict"] == "good"
    assert "8 tasks" in points["ledger"]["detail"]
    assert {one["what"] for one in here("doctor", "-l", "sqlite:///x.db", "--json", code=1).json} >= {
        "ledger"
    }


def test_tasks_asks_by_the_page_and_not_for_each_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = f"sqlite:///{tmp_path}/many.db"
    every = schedule("@daily")
    many = [
        Task(name=f"t{n:04}", schedule=every, work=Command(command=("true",)), origin="o")
        for n in range(1001)
    ]
    Everytick(ledger, origin="o").apply(many)
    pages: list[int] = []
    last = SqliteLedger.last

    def noted(self: SqliteLedger, tasks: Sequence[int], until: int) -> Mapping[int, TickRow]:
        pages.append(len(tasks))
        return last(self, tasks, until)

    monkeypatch.setattr(SqliteLedger, "last", noted)
    monkeypatch.setattr(SqliteLedger, "ticks", None)
    look.tasks(ledger, as_json=True)
    assert [one["task"] for one in json.loads(capsys.readouterr().out)] == [one.name for one in many]
    assert pages == [500, 500, 1]


def test_doctor_tells_what_keeps_tasks_from_running(shell: Shell) -> None:
    def told(*words: str) -> list[tuple[str, str]]:
        points = shell("doctor", *words, "--json", code=1).json
        return [(one["verdict"], one["what"]) for one in points if one["verdict"] == "bad"]

    shell.write("jobs.toml", '[task.a]\ncommand = ["true"]\nschedule = "@daily"\n')
    shell("apply", "jobs.toml", "--yes")
    assert told("-a", "jobs.toml") == [("bad", "deserted")] * 2
    shell.write("jobs.toml", 'ledger = "env:LEDGR_URL"\n')
    assert (
        "jobs.toml:1: ledger: the environment has no LEDGR_URL"
        in shell("doctor", "-a", "jobs.toml", "--json", code=1).out
    )
    assert told("-a", "jobs.toml") == [("bad", "ledger")]


def test_doctor_says_which_lease_it_takes_where_nothing_tells_it(shell: Shell) -> None:
    shell.write("jobs.toml", '[runner]\nlease = "2s"\n[task.a]\ncommand = ["true"]\nschedule = "@daily"\n')
    shell("apply", "jobs.toml", "--yes")
    named, accept = ("-l", "sqlite:///everytick.db"), ("--accept-restore", "-m", "an older copy")
    points = shell("doctor", *named, *accept, "--json").json
    assert [one["what"] for one in points] == ["ledger", "lease"]
    assert "taken to be 10 s, as a ledger alone is named" in points[-1]["detail"]
    for app in (("-a", "jobs.toml"), (*named, "-a", "jobs.toml")):
        assert [one["what"] for one in shell("doctor", *app, *accept, "--json").json] == ["ledger"]
    assert "lease" not in [one["what"] for one in shell("doctor", *named, "--json", code=1).json]


def test_brackets_and_colons_are_shown_as_they_were_written(shell: Shell) -> None:
    said = "[bold]everytick[postgres] :warning:"
    shell.write("jobs.toml", f'[task.a]\ncommand = ["echo", "{said}"]\nschedule = "@daily"\n')
    assert "no ledger at [bold]x:eye:.db;" in shell("doctor", "-l", "sqlite:///[bold]x:eye:.db", code=1).out
    with shell.running("up", "jobs.toml"):
        tick = shell("run", "a", "--wait", "--json", "-a", "jobs.toml").json["tick"]
        assert f"\nattempt 1\n{said}\n" in shell("show", tick, "-a", "jobs.toml").out
