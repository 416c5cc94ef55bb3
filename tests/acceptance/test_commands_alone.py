"""The commands that need no ledger: schedules, patterns, lists, the command line itself."""

import json
import resource
import subprocess
from pathlib import Path

import pytest

from everytick.testing.provider import Provider

from .shell import EVERYTICK, Screen, Shell, surroundings

ROOT = Path(__file__).parents[2]
ORDERS = ROOT / "tests" / "unit" / "feeds" / "orders.json"


def test_next_lists_instants_in_utc(shell: Shell) -> None:
    words = ["next", "30 6 * * mon-fri", "--zone", "Asia/Kolkata", "-n", "3"]
    told = shell(*words, "--from", "2026-11-20T06:30", "--json").json
    assert told == ["2026-11-23T01:00:00Z", "2026-11-24T01:00:00Z", "2026-11-25T01:00:00Z"]
    assert shell(*words, "--from", "2026-11-20T01:00:00Z", "--json").json == told
    shown = shell(*words, "--from", "2026-11-20T06:30").out
    assert "2026-11-23T01:00:00Z  Mon 2026-11-23 06:30:00 +0530" in shown
    assert shell("next", "at 2020-01-01T00:00", "--json").json == []
    assert "never" in shell("next", "at 2020-01-01T00:00").out
    assert len(shell("next", "every 15m", "-n", "7", "--json").json) == 7


def test_explain_warns(shell: Shell) -> None:
    told = shell("explain", "30 2 * * *", "--zone", "Europe/Berlin", "--json").json
    assert set(told) == {"schedule", "sentence", "notes"}
    assert told["schedule"] == "30 2 * * * in Europe/Berlin"
    assert any("does not exist in Europe/Berlin" in note for note in told["notes"])
    assert (
        "At 02:30 every day, Europe/Berlin time." in shell("explain", "30 2 * * *", "-z", "Europe/Berlin").out
    )


def test_extract(shell: Shell) -> None:
    ids = [*range(1, 12), *range(648, 654)]
    assert shell("extract", r'"id":(\d+)', str(ORDERS), "--as", "int").json == ids
    assert shell("extract", r"(?<=:)\d+", str(ORDERS)).json == [*map(str, ids), "3"]
    assert shell("extract", r"\d\.\d", typed="1.5 é 2.5").json == ["1.5", "2.5"]
    assert shell("extract", "é.", typed="é☃").json == ["é☃"]
    assert shell("extract", "x", typed="").json == []
    (shell.folder / "latin").write_bytes(b"\xe9")
    assert "latin is not UTF-8" in shell("extract", ".", "latin", code=2).err


@pytest.mark.parametrize(
    ("pattern", "text", "seconds"),
    [
        ("(?:(?:(?:a|b){1000}c){1000}d){1000}", "", "1"),
        ("(?:(?:(?:a|b){1000}c){1000}d){1000}", "", "600"),
        ("(?:(?:(?:ab){1000}c){1000}d){1000}", "", "1"),
        (r"(?:a|aa|aaa)+\d(?<=b)x", "a" * 60, "1"),
    ],
)
def test_no_pattern_keeps_it_busy_or_eats_the_machine(pattern: str, text: str, seconds: str) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    ended = subprocess.run(
        [EVERYTICK, "extract", pattern, "--timeout", seconds],
        input=text, env=surroundings(None), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode == 2, ended
    assert ended.stderr.startswith("everytick: the pattern "), ended.stderr
    assert ended.stdout == ""
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, 2 * 2**20 + 100_000)  # KiB


def test_lists(shell: Shell) -> None:
    with Provider() as provider:
        shell.write(
            "everytick.toml",
            f'[feed.list]\nurl = "{provider.url}"\nallow_private = ["127.0.0.0/8"]\n'
            'key = "ISIN"\ncheck = "isin"\nschedule = "@daily"\n'
            'max_removed = "40%"\nmax_changed = "60%"\n',
        )
        assert "was never refreshed" in shell("feed", "show", "list", code=2).err
        assert "no feed 'lst'; did you mean 'list'?" in shell("feed", "show", "lst", code=2).err
        provider.serve(b"ISIN,NAME\nUS0378331005,Apple\nDE0007164600,SAP\n")
        done = shell("feed", "refresh", "list", "--json").json
        assert done == {
            "verdict": "published", "arrived": "other_bytes", "as_of": None, "rows": 2, "snapshot": 1,
            "added": 2, "removed": 0, "changed": 0, "invalid": 0, "repeated": 0, "warnings": [],
        }  # fmt: skip
        provider.serve(b"ISIN,NAME\nUS0378331005,Apple Inc.\nDE0007164600,SAP\nINE002A01018,Reliance\n")
        assert "1 added, 0 removed, 1 changed" in shell("feed", "refresh", "list").out
        told = shell("feed", "changes", "list", "--json").json
        assert told == {"added": ["INE002A01018"], "removed": [], "changed": ["US0378331005"], "snapshot": 2}
        assert shell("feed", "changes", "list").out.splitlines()[1:] == [
            "+ INE002A01018  Reliance",
            "~ US0378331005  NAME: Apple -> Apple Inc.",
        ]
        provider.serve(b"ISIN,NAME\nUS0378331005,Apple\n")
        assert "more than max_removed" in shell("feed", "refresh", "list", code=1).err
        seen = shell("feed", "show", "list", "--json").json
        assert set(seen) == {
            "feed", "snapshot", "rows", "as_of", "accepted_at", "good_at", "published", "path", "refused",
            "held", "last",
        }  # fmt: skip
        assert (seen["snapshot"], seen["rows"]) == (2, 3)
        assert "max_removed" in seen["refused"]["reason"]
        assert Path(seen["path"]).read_text().splitlines()[0] == "ISIN,NAME"
        assert "3 rows" in shell("feed", "show", "list").out


def test_the_command_line_helps(shell: Shell) -> None:
    helped = shell("--help").out
    commands = [
        "up", "scheduler", "runner", "plan", "apply", "next", "explain", "simulate", "tasks", "ticks", "show",
        "why", "run", "pause", "resume", "backfill", "cancel", "audit", "check", "doctor", "extract", "feed",
        "completion",
    ]  # fmt: skip
    assert all(f"\n  {name} " in helped for name in commands)
    assert "..." not in helped.replace("[ARGS]...", "")  # no sentence is cut
    assert max(map(len, helped.splitlines())) <= 80
    assert shell("--version").out.startswith("everytick ")
    assert "Usage: everytick" in shell(code=2).err


def test_colours_are_for_terminals_and_none_where_they_are_unwanted(shell: Shell) -> None:
    shell.write("everytick.toml", '[task.a]\ncommand = ["true"]\nschedule = "@daily"\n')
    assert "\x1b[" not in shell("plan").out
    for wish, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        for word, said in (("plan", "+ a"), ("check", "at the full hour"), ("explain", "At 00:00 every day")):
            with Screen(
                [EVERYTICK, word, *(["@daily"] if word == "explain" else [])], shell.folder, wish
            ) as screen:
                screen.shows(said)
                assert screen.program.wait(timeout=60) == 0
                assert ("\x1b[3" in screen.seen) is (coloured and word != "explain")
                assert "\x1b" not in screen.seen or "TERM" not in wish
    with Screen([EVERYTICK, "simulate"], shell.folder) as screen:
        screen.shows("30 ticks of 1 task")
        assert "\x1b[3" not in screen.seen
        assert "playing" not in screen.seen  # that takes no time


def test_what_is_long_goes_on_below_its_own_beginning(shell: Shell) -> None:
    name = "a-name-as-long-as-a-line-of-a-terminal-and-then-some-more-of-it-as-nobody-should-write"
    shell.write(
        "everytick.toml",
        f'[task.{name}]\ncommand = ["true"]\nzone = "America/Argentina/ComodRivadavia"\n'
        'schedule = "0 6-12 1-7,14-21 jan,feb,mar,apr mon-fri | every 30s within 09:15-15:30 mon-fri"\n',
    )
    for words in (["plan"], ["check"], ["explain", "0 6-12 1-7,14-21 jan,feb,mar,apr mon-fri"], ["simulate"]):
        assert max(map(len, shell(*words).out.splitlines())) <= 80
    planned = shell("plan").out.splitlines()
    assert planned[:2] == [f"+ {name[:78]}", f"  {name[78:]}"]
    assert all(line.startswith("    ") for line in planned[2:])


def test_check_of_many_tasks_holds_nothing_open(shell: Shell) -> None:
    jobs = (f'[task.t{number}]\ncommand = ["true"]\nschedule = "@daily"\n' for number in range(300))
    shell.write("everytick.toml", "".join(jobs))
    limited = subprocess.run(
        ["prlimit", "--nofile=64:64", EVERYTICK, "check", "--json"],
        cwd=shell.folder, env=surroundings(None), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (limited.returncode, limited.stderr) == (0, "")
    assert len(json.loads(limited.stdout)) == 300


def test_json_is_one_value(shell: Shell) -> None:
    shell.write("everytick.toml", '[task.a]\ncommand = ["true"]\nschedule = "@daily"\n')
    shell("apply", "--yes")
    for words in (["tasks"], ["ticks"], ["show", "a"], ["audit"], ["check"], ["plan"]):
        assert json.loads(shell(*words, "--json").out) is not None
    assert json.loads(shell("doctor", "--json", code=1).out)[-1]["what"] == "deserted"
    assert shell("ticks", "--json").json == []
    assert "no ticks match" in shell("ticks").out
    assert "Nobody runs them: no scheduler and no runner lives" in shell("tasks").out
    shell.write("none.toml", 'origin = "none"\nledger = "sqlite:///none.db"\n')
    assert "The ledger holds these tasks already." in shell("apply", "none.toml").out
    assert "no tasks yet; everytick apply brings them in" in shell("tasks", "-a", "none.toml").out
