"""Tasks in JSON Lines: from a file and from the standard input, whole or not at all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .shell import EVERYTICK, Screen, Shell

LEDGER = ("--ledger", "sqlite:///l.db")


def lines(*names: str, schedule: str = "every 1h") -> str:
    """Return a task a line."""
    return "".join(
        json.dumps({"name": name, "schedule": schedule, "command": ["true"]}) + "\n" for name in names
    )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def names(shell: Shell) -> list[str]:
    """Return the names of the ledger's tasks."""
    return [task["task"] for task in shell("tasks", *LEDGER, "--json").json]


def test_a_file_of_lines_is_checked_planned_applied_and_applied_again(shell: Shell) -> None:
    shell.write("tasks.jsonl", lines("b", "a"))
    shell("check", "tasks.jsonl")
    assert [one["act"] for one in shell("plan", "tasks.jsonl", *LEDGER, "--json").json] == ["add", "add"]
    shell("apply", "tasks.jsonl", *LEDGER, typed="y\n")
    assert names(shell) == ["a", "b"]
    assert shell("apply", "tasks.jsonl", *LEDGER).out == "The ledger holds these tasks already.\n"
    shell.write("tasks.jsonl", lines("a", schedule="every 2h") + lines("c"))
    answer = shell("apply", "tasks.jsonl", *LEDGER, "--yes", "--json").json
    assert [(one["task"], one["act"]) for one in answer["differences"]] == [
        ("a", "change"), ("b", "remove"), ("c", "add")]  # fmt: skip
    assert answer["change"] == 2
    assert names(shell) == ["a", "c"]


def test_one_bad_line_refuses_them_all_and_the_ledger_stays_as_it_is(shell: Shell) -> None:
    shell.write("tasks.jsonl", lines("a", "b"))
    shell("apply", "tasks.jsonl", *LEDGER, "--yes")
    shell.write("tasks.jsonl", lines("c") + '{"name": "a", "schedule": "every 1x"}\n{"name": "b"}\n')
    for command in (("plan",), ("apply", "--yes"), ("check",)):
        told = shell(*command, "tasks.jsonl", *(() if command == ("check",) else LEDGER), code=2).err
        assert "tasks.jsonl:2: task 'a': schedule: " in told
        assert "tasks.jsonl:3: task 'b' has no schedule; write schedule =" in told
        assert "2 lines cannot be used" in told
    assert names(shell) == ["a", "b"]


def test_a_name_that_stands_twice_is_told_with_its_line(shell: Shell) -> None:
    shell.write("tasks.jsonl", lines("a", "b", "a"))
    told = shell("plan", "tasks.jsonl", *LEDGER, code=2).err
    assert told == (
        "everytick: tasks.jsonl:3: two tasks are named 'a'; a name stands for one task; "
        "the other stands at line 1\n"
    )


def test_the_standard_input_needs_an_origin_and_asks_nobody(shell: Shell) -> None:
    assert "--origin NAME" in shell("apply", "-", *LEDGER, "--yes", typed=lines("a"), code=2).err
    assert "give --yes" in shell("apply", "-", *LEDGER, "--origin", "us", typed=lines("a"), code=2).err
    assert "- a" not in shell("plan", "-", *LEDGER, "--origin", "us", typed=lines("a")).out
    shell("apply", "-", *LEDGER, "--origin", "us", "--yes", typed=lines("a", "b"))
    shell("apply", "-", *LEDGER, "--origin", "them", "--yes", typed=lines("c"))
    shell("apply", "-", *LEDGER, "--origin", "us", "--yes", typed=lines("b"))
    assert names(shell) == ["b", "c"]
    refused = shell("apply", "-", *LEDGER, "--origin", "us", "--yes", typed=lines("c"), code=2)
    assert "task 'c' belongs to them, not to us" in refused.err


def test_a_program_that_died_before_it_wrote_a_line_removes_nothing(shell: Shell) -> None:
    apply = ("apply", "-", *LEDGER, "--origin", "us", "--yes")
    shell(*apply, typed=lines("a", "b"))
    assert "there is not one line" in shell(*apply, typed="", code=2).err
    assert names(shell) == ["a", "b"]
    shell(*apply, typed="\n")
    assert names(shell) == []


def test_the_ledger_of_this_folder_is_theirs_unless_one_is_named(shell: Shell) -> None:
    shell.write("everytick.toml", 'ledger = "sqlite:///ours.db"\n')
    shell.write("tasks.jsonl", lines("a"))
    shell("apply", "tasks.jsonl", "--yes")
    assert [task["task"] for task in shell("tasks", "-a", "tasks.jsonl", "--json").json] == ["a"]
    assert [task["task"] for task in shell("tasks", "--ledger", "sqlite:///ours.db", "--json").json] == ["a"]


def test_what_is_not_there_or_has_an_origin_of_its_own_is_told(shell: Shell) -> None:
    assert "there is no none.jsonl" in shell("apply", "none.jsonl", *LEDGER, code=2).err
    shell.write("everytick.toml", "")
    assert "--origin goes with JSON Lines" in shell("plan", "--origin", "us", code=2).err


def test_a_great_many_are_shown_in_part_with_a_bar(shell: Shell) -> None:
    shell.write("tasks.jsonl", lines(*(f"t{n:05}" for n in range(12_000))))
    told = shell("plan", "tasks.jsonl", *LEDGER).out
    assert told.count("+ t") == 100
    assert told.endswith("... and so on: 12,000 to add. --json tells all.\n")
    assert len(shell("plan", "tasks.jsonl", *LEDGER, "--json").json) == 12_000
    with Screen([EVERYTICK, "apply", "tasks.jsonl", *LEDGER, "--yes"], shell.folder) as screen:
        screen.shows("reading", "applying", "Applied as change 1.")
    assert len(names(shell)) == 12_000


def test_tasks_from_a_generator_are_applied_from_python(shell: Shell) -> None:
    shell.write(
        "many.py",
        "from everytick import Command, Everytick, Task, schedule\n"
        "from sys import argv\n"
        "app = Everytick('sqlite:///l.db', origin='many')\n"
        "every = schedule('every 1h')\n"
        "named = (Task(name=name, schedule=every, work=Command(command=('true',))) for name in argv[1:])\n"
        "print(app.apply(named, note='by hand'))\n",
    )

    def said(*words: str) -> str:
        command = [sys.executable, "many.py", *words]
        return subprocess.run(command, cwd=shell.folder, capture_output=True, text=True, check=True).stdout

    assert [said("b", "a"), said("a", "b"), said("a")] == ["1\n", "0\n", "2\n"]
    assert names(shell) == ["a"]


def test_of_a_great_many_tasks_a_thousand_are_listed_and_json_lists_all(shell: Shell) -> None:
    shell.write("tasks.jsonl", lines(*(f"t{n:05}" for n in range(1_100))))
    shell("apply", "tasks.jsonl", *LEDGER, "--yes")
    told = shell("tasks", *LEDGER).out
    assert told.count("every 1h") == 1_000
    assert "Only the first 1,000 are shown; --limit N shows more." in told
    assert shell("tasks", *LEDGER, "--limit", "1100").out.count("every 1h") == 1_100
    assert len(names(shell)) == 1_100
    assert [task["task"] for task in shell("tasks", *LEDGER, "-n", "2", "--json").json] == [
        "t00000",
        "t00001",
    ]
