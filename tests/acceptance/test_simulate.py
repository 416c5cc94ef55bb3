"""The command that plays schedules: what it tells people, and the JSON that machines may rely on."""

import pytest

from .shell import EVERYTICK, Screen, Shell

LONG = "a-name-so-long-that-no-line-of-a-terminal-holds-it-together-with-what-is-said-of-it"
JOBS = f"""
[task.equities]
command = ["true"]
schedule = "0 6 * * mon-fri"
zone = "Asia/Kolkata"
[task.report]
command = ["true"]
schedule = "30 2 * * *"
zone = "Europe/Berlin"
[task.hourly]
command = ["true"]
schedule = "every 1h"
[task.often]
command = ["true"]
schedule = "*/5 * * * *"
overlap = "queue_one"
[task.backup]
command = ["true"]
schedule = "0 6 * * *"
timeout = "2m"
[task.{LONG}]
command = ["true"]
schedule = "(0,30 6-9 * * mon-fri in Asia/Kolkata | every 6h) minus at 2026-03-04T06:00"
[feed.nse]
url = "http://127.0.0.1:1/list.csv"
key = "ISIN"
schedule = "0 6 * * *"
"""
MARCH = ["--from", "2026-03-01T00:00:00Z", "--for", "31d"]


@pytest.fixture
def here(shell: Shell) -> Shell:
    shell.write("everytick.toml", JOBS)
    return shell


def test_machines_are_told_everything(here: Shell) -> None:
    told = here("simulate", *MARCH, "--took", "7m", "--took", "equities=1s", "--json").json
    assert set(told) == {
        "from", "to", "zone", "ticks", "tasks", "busiest", "together", "load", "hours", "days",
        "days_without",
    }  # fmt: skip
    assert (told["from"], told["to"]) == ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
    tasks = {task["task"]: task for task in told["tasks"]}
    counts = {name: task["ticks"] for name, task in tasks.items()}
    assert counts == {
        "equities": 22, "report": 31, "hourly": 744, "often": 8928, "backup": 31, "nse": 31,
        LONG: 22 * 8 + 31 * 4 - 1,
    }  # fmt: skip
    assert told["ticks"] == sum(counts.values()) == sum(told["hours"]) == sum(told["load"]["ticks"])
    assert (told["days"], told["days_without"], tasks["equities"]["days_without"]) == (31, [], 9)
    assert tasks["report"]["clock_changes"] == [
        {
            "at": "2026-03-29T01:00:00Z", "zone": "Europe/Berlin", "wall": "2026-03-29T02:30:00", "times": 1,
            "fate": "moved", "to": "2026-03-29T01:00:00Z",
        }
    ]  # fmt: skip
    assert set(told["together"][0]["tasks"]) == {"hourly", "often", "backup", LONG, "nse"}
    assert told["together"][0]["spread"]["backup"] == {"schedule": "H 6 * * *"}
    assert told["busiest"]["second"] == {"at": told["together"][0]["first"], "ticks": 5}
    overlap = tasks["often"]["overlap"]
    assert set(overlap) == {
        "policy", "took", "stopped_by_timeout", "ran", "cancelled", "waited", "longest_wait", "most_active",
        "most_waiting", "skipped", "left",
    }  # fmt: skip
    assert overlap["ran"] + overlap["skipped"]["superseded"] + overlap["left"] == 8928
    assert (overlap["took"], overlap["longest_wait"], overlap["policy"]) == (420, 300, "queue_one")
    assert (tasks["backup"]["overlap"]["took"], tasks["backup"]["overlap"]["stopped_by_timeout"]) == (
        120,
        True,
    )
    assert (tasks["equities"]["overlap"]["took"], tasks["equities"]["overlap"]["skipped"]) == (1, {})
    assert "overlap" not in here("simulate", *MARCH, "--json").json["tasks"][0]


def test_it_counts_what_next_lists(here: Shell) -> None:
    told = here("simulate", "--from", "2026-10-20T00:00:00Z", "--for", "12d", "--json").json
    listed = here(
        "next", "30 2 * * *", "-z", "Europe/Berlin", "--from", "2026-10-19T23:59:59Z", "-n", "20", "--json"
    ).json
    expected = [instant for instant in listed if instant < "2026-11-01T00:00:00Z"]
    assert {task["task"]: task["ticks"] for task in told["tasks"]}["report"] == len(expected) == 12


def test_people_see_it_on_80_columns(here: Shell) -> None:
    shown = here("simulate", *MARCH, "--took", "7m", "-z", "Europe/Berlin").out
    assert max(map(len, shown.splitlines())) <= 80
    words = " ".join(shown.split())
    assert words.startswith("31d from 2026-03-01T01:00:00+01:00 10,086 ticks of 7 tasks")
    assert "█" in shown
    assert "fullest second 5, the first at 2026-03-01T07:00:00+01:00" in words
    assert "2026-03-29 02:30 in Europe/Berlin does not exist, and comes once, at 01:00:00 UTC" in words
    assert 'backup: schedule = "H 6 * * *"' in words
    assert "superseded" in words
    assert "2m (timeout)" in words
    quiet = here("simulate", "--from", "2026-03-07T00:00:00Z", "--for", "2d", "quiet.toml", code=2)
    assert "there is no quiet.toml" in quiet.err


def test_days_without_a_tick_are_named(shell: Shell) -> None:
    shell.write("everytick.toml", '[task.a]\ncommand = ["true"]\nschedule = "0 6 * * mon-fri"\n')
    words = " ".join(shell("simulate", "--from", "2026-03-02T00:00Z", "--for", "1w").out.split())
    assert "days without 2 of 7: Sat 2026-03-07, Sun 2026-03-08" in words
    assert "Starting in the same second" not in words
    shell.write("everytick.toml", 'origin = "nobody"\n')
    assert "no tasks to play" in shell("simulate").out


def test_of_many_tasks_those_with_the_most_ticks_are_shown(shell: Shell) -> None:
    daily = "".join(f'[task.t{number}]\ncommand = ["true"]\nschedule = "@daily"\n' for number in range(80))
    shell.write("everytick.toml", daily + '[task.most]\ncommand = ["true"]\nschedule = "@hourly"\n')
    shown = shell("simulate", "--for", "2d", "--from", "2026-03-01T00:00Z").out
    assert "and 31 more tasks, which --json has too" in shown
    assert "most  @hourly" in shown
    assert "t48   @daily" in shown
    assert "t49   @daily" not in shown
    assert len(shell("simulate", "--json").json["tasks"]) == 81


def test_nothing_is_written(here: Shell) -> None:
    here("simulate", "--for", "1h")
    assert [path.name for path in here.folder.iterdir()] == ["everytick.toml"]


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("--for 36525d", "ticks are due in 36525d, and 5,000,000 are played at most: try --for "),
        ("--for 30y", "--for: A duration is written like"),
        ("--from 9999-12-01T00:00Z", "too near to the year 9999"),
        ("--from 2026-01-01T00:00", "--from: '2026-01-01T00:00' names no zone"),
        ("--zone Mars", "There is no time zone 'Mars'"),
        ("--took ofen=5m", "--took ofen=5m: there is no task 'ofen'; did you mean 'often'?"),
        ("--took =5m", "there is no task ''"),
        ("--took soon", "--took soon: A duration is written like"),
        ("absent.toml", "there is no absent.toml"),
    ],
)
def test_what_is_wrong_is_told(here: Shell, typed: str, complaint: str) -> None:
    answer = here("simulate", *typed.split(), code=2)
    assert complaint in answer.err
    assert answer.out == ""


def test_what_is_too_much_is_known_before_it_is_counted(shell: Shell) -> None:
    dense = "every 1ms | every 3ms | (every 1ms minus every 7ms)"
    shell.write("everytick.toml", f'[task.a]\ncommand = ["true"]\nschedule = "{dense}"\n')
    told = shell("simulate", "--for", "3650d", code=2).err
    assert "735,840,000,000 ticks are due in 3650d" in told
    assert "try --for 35m; 'a' alone has 735,840,000,000" in told


def test_a_bar_is_for_terminals(here: Shell) -> None:
    with Screen([EVERYTICK, "simulate", "--for", "400d"], here.folder) as screen:
        screen.shows("playing", "ticks of 7 tasks")
    with Screen([EVERYTICK, "simulate", "--for", "400d"], here.folder, {"TERM": "dumb"}) as screen:
        screen.shows("ticks of 7 tasks")
        assert "\x1b[" not in screen.seen
    assert here("simulate", "--for", "400d").err == ""
