"""One suite for every executor: each kind of job says the same things in its own way."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from everytick.executor import Executor, Job, Result
from everytick.executors.command import CommandExecutor
from everytick.executors.inline import InlineExecutor
from everytick.executors.process import ProcessExecutor
from everytick.executors.warden.client import OUTPUT_LIMIT, Warden

Until = Callable[[Callable[[], object]], None]
Wait = Callable[..., list[Result]]
Alive = Callable[[int], bool]
Make = Callable[..., Job]

SCRIPTS = {
    "nothing": "",
    "fail": "exit 3",
    "say": 'echo "$0"; echo and on stderr >&2',
    "shout": 'printf begin; head -c "$0" /dev/zero | tr "\\0" x; printf end',
    "crash": "kill -KILL $$",
    "hang": 'echo $$ > "$0"; exec sleep 1000',
    "tidy": 'trap "echo cleaned up > \'$1\'; exit" TERM; echo $$ > "$0"; while :; do sleep 0.01; done',
    "stubborn": 'trap "" TERM; echo $$ > "$0"; sleep 1000',
    "family": 'sleep 1000 & a=$!; timeout 1000 sleep 1000 & b=$!; setsid sleep 1000 & echo "$$ $a $b $!" > '
    '"$0.new"; mv "$0.new" "$0"; wait',
    "desert": 'sleep 1000 & echo $! > "$0"',
    "variable": 'printf %s "$EVERYTICK_TASK"',
    "place": "pwd",
}
"""What a shell does in place of the callables of jobs.py."""


@pytest.fixture(params=["inline", "process", "command"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def executor(kind: str, warden: Warden) -> Executor:
    if kind == "inline":
        return InlineExecutor()
    return ProcessExecutor(warden) if kind == "process" else CommandExecutor(warden)


@pytest.fixture
def make(kind: str, jobs: str) -> Make:
    def job(what: str, *, key: str = "report@2026-11-21T06:00:00Z!1", **fields: object) -> Job:
        arguments = fields.pop("given", {})
        assert isinstance(arguments, dict)
        if kind == "command":
            command = ("sh", "-c", SCRIPTS[what], *map(str, arguments.values()))
            return Job(key=key, command=command, **fields)  # type: ignore[arg-type]
        return Job(key=key, call=f"{jobs}:{what}", arguments=arguments, **fields)  # type: ignore[arg-type]

    return job


only_inline = pytest.mark.parametrize("kind", ["inline"], indirect=True)
not_inline = pytest.mark.parametrize("kind", ["process", "command"], indirect=True)


def pids(ready: Path) -> list[int]:
    return [int(word) for word in ready.read_text().split()]


def test_what_goes_well_succeeds(executor: Executor, make: Make, wait: Wait) -> None:
    executor.start(make("nothing"))
    (result,) = wait(executor)
    assert (result.key, result.outcome, result.error) == ("report@2026-11-21T06:00:00Z!1", "succeeded", None)
    assert result.pid
    assert executor.results() == []


def test_what_fails_says_so_in_one_line(kind: str, executor: Executor, make: Make, wait: Wait) -> None:
    executor.start(make("fail"))
    (result,) = wait(executor)
    assert result.outcome == "error"
    assert result.error == ("exit status 3" if kind == "command" else "ValueError: broken in two lines")
    assert result.summary == ("3" if kind == "command" else None)
    if kind != "command":
        assert 'jobs.py", line ' in result.output
        assert "everytick/executors" not in result.output


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("no_such.module:function", "cannot import 'no_such.module': ModuleNotFoundError: No module"),
        ("/no/such/file.py:function", "cannot import '/no/such/file.py': FileNotFoundError: "),
        ("json:no_such", "'json' has no 'no_such'"),
        ("json:__name__", "'json:__name__' is no callable but str"),
        ("json", "'json' names no callable; write package.module:function"),
        ("", ""),
    ],
)
def test_a_call_of_nothing_is_an_error_without_a_traceback(
    call: str, error: str, warden: Warden, wait: Wait
) -> None:
    executors: list[Executor] = [ProcessExecutor(warden), InlineExecutor()]
    for executor in executors:
        executor.start(Job(key="a", call=call))
        (result,) = wait(executor)
        check_plain_error(result, error)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (("no-such-program",), "cannot start 'no-such-program': No such file or directory"),
        (("/etc/passwd",), "cannot start '/etc/passwd': Permission denied"),
        (("a\0\nb",), "cannot start 'a\ufffd b': "),
        ((), "there is nothing to run"),
    ],
)
def test_a_command_that_is_none_is_an_error_without_a_traceback(
    command: tuple[str, ...], error: str, warden: Warden, wait: Wait
) -> None:
    executor = CommandExecutor(warden)
    executor.start(Job(key="a", command=command))
    (result,) = wait(executor)
    check_plain_error(result, error)


def check_plain_error(result: Result, error: str) -> None:
    assert result.outcome == "error"
    assert result.error
    assert result.error.startswith(error)
    assert "\n" not in result.error
    assert result.output == ""


@not_inline
def test_a_directory_is_where_it_runs(executor: Executor, make: Make, wait: Wait, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    found = []
    for directory in (str(tmp_path), None, str(tmp_path / "none")):
        executor.start(make("place", directory=directory))
        found += wait(executor)
    said = [(result.summary or "") + result.output for result in found]
    assert str(tmp_path) in said[0]
    assert str(Path.cwd()) in said[1]
    assert found[2].error == f"cannot enter the directory '{tmp_path / 'none'}': No such file or directory"


@not_inline
def test_environment_holds_for_one_attempt(executor: Executor, make: Make, wait: Wait) -> None:
    given = {"name": "EVERYTICK_TASK"}
    executor.start(make("variable", given=given, environment={"EVERYTICK_TASK": "report"}))
    executor.start(make("variable", given=given, key="second"))
    first, second = sorted(wait(executor, 2), key=lambda result: result.key)
    assert "report" in (first.summary or "") + first.output
    assert (second.summary in {None, "0"}, second.output) == (True, "")


@not_inline
def test_output_is_captured(executor: Executor, make: Make, wait: Wait) -> None:
    executor.start(make("say", given={"text": "für alle"}))
    (result,) = wait(executor)
    assert result.output == "für alle\nand on stderr\n"


@not_inline
def test_long_output_keeps_its_ends(executor: Executor, make: Make, wait: Wait) -> None:
    executor.start(make("shout", given={"size": 3_000_000}))
    (result,) = wait(executor)
    assert result.outcome == "succeeded"
    first, gap, last = result.output.splitlines()
    assert (first[:5], last[-3:]) == ("begin", "end")
    assert len(first) + len(last) == OUTPUT_LIMIT
    assert gap == f"... {3_000_008 - OUTPUT_LIMIT} bytes left out ..."


def test_two_hundred_quick_jobs_each_end_once_with_their_own_output(
    kind: str, executor: Executor, make: Make, wait: Wait
) -> None:
    keys = {f"quick!{number}" for number in range(200)}
    found: list[Result] = []
    for start, key in enumerate(sorted(keys)):
        executor.start(make("say", key=key, given={"text": key}))
        if start % 8 == 7:
            found += wait(executor, 8)
    assert {result.key for result in found} == keys
    assert {result.outcome for result in found} == {"succeeded"}
    if kind != "inline":
        assert [result for result in found if result.output != f"{result.key}\nand on stderr\n"] == []


@not_inline
def test_a_key_in_flight_is_refused(executor: Executor, make: Make, wait: Wait, tmp_path: Path) -> None:
    executor.start(make("hang", given={"ready": str(tmp_path / "ready")}))
    with pytest.raises(ValueError, match="in flight"):
        executor.start(make("nothing"))
    executor.stop("report@2026-11-21T06:00:00Z!1", grace=0)
    wait(executor)
    executor.start(make("nothing"))
    assert wait(executor)[0].outcome == "succeeded"


@not_inline
def test_a_crash_is_an_error(executor: Executor, make: Make, wait: Wait) -> None:
    executor.start(make("crash"))
    (result,) = wait(executor)
    assert result.outcome == "error"
    assert result.error is not None
    assert result.error.startswith("killed by SIGKILL")


@not_inline
def test_a_timeout_ends_it(executor: Executor, make: Make, wait: Wait, tmp_path: Path) -> None:
    executor.start(make("hang", given={"ready": str(tmp_path / "ready")}, timeout=0.2))
    (result,) = wait(executor)
    assert (result.outcome, result.error) == ("timeout", "timed out after 0.2 s")


@not_inline
def test_one_that_will_not_end_does_not_hold_up_others(
    executor: Executor, make: Make, wait: Wait, until: Until, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    executor.start(make("stubborn", key="stubborn", given={"ready": str(ready)}))
    until(ready.exists)
    executor.stop("stubborn", grace=1000.0)
    executor.start(make("hang", key="second", given={"ready": str(tmp_path / "second")}, timeout=0.2))
    assert [(result.key, result.outcome) for result in wait(executor)] == [("second", "timeout")]
    executor.stop("stubborn", grace=0)
    assert [(result.key, result.outcome) for result in wait(executor)] == [("stubborn", "cancelled")]


@not_inline
def test_stop_asks_then_kills(
    executor: Executor, make: Make, wait: Wait, until: Until, alive: Alive, tmp_path: Path
) -> None:
    ready, done = tmp_path / "ready", tmp_path / "done"
    executor.start(make("tidy", given={"ready": str(ready), "done": str(done)}))
    until(ready.exists)
    executor.stop("report@2026-11-21T06:00:00Z!1", grace=1000.0)
    (result,) = wait(executor)
    assert (result.outcome, result.error) == ("cancelled", "stopped on request")
    assert done.read_text().strip() == "cleaned up"

    ready = tmp_path / "again"
    executor.start(make("stubborn", given={"ready": str(ready)}))
    until(ready.exists)
    executor.stop("report@2026-11-21T06:00:00Z!1", grace=0.1)
    assert wait(executor)[0].outcome == "cancelled"
    assert [alive(pid) for pid in pids(ready)] == [False]


def test_stop_of_what_has_ended_does_nothing(executor: Executor, make: Make, wait: Wait) -> None:
    executor.stop("never heard of", grace=0)
    executor.start(make("nothing"))
    wait(executor)
    executor.stop("report@2026-11-21T06:00:00Z!1", grace=0)
    executor.start(make("nothing"))
    assert wait(executor)[0].outcome == "succeeded"


@not_inline
def test_a_stopped_family_is_gone_to_the_last(
    executor: Executor, make: Make, wait: Wait, until: Until, alive: Alive, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    executor.start(make("family", given={"ready": str(ready)}))
    until(ready.exists)
    family = pids(ready)
    assert [alive(pid) for pid in family] == [True] * 4
    executor.stop("report@2026-11-21T06:00:00Z!1", grace=0)
    wait(executor)
    assert [pid for pid in family if alive(pid)] == []


@not_inline
def test_what_an_attempt_leaves_behind_is_killed(
    executor: Executor, make: Make, wait: Wait, until: Until, alive: Alive, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    executor.start(make("desert", given={"ready": str(ready)}))
    assert wait(executor)[0].outcome == "succeeded"
    (left,) = pids(ready)
    until(lambda: not alive(left))
    executor.start(make("nothing"))
    assert wait(executor)[0].outcome == "succeeded"


@not_inline
def test_a_terminal_does_not_reach_an_attempt(
    executor: Executor, make: Make, until: Until, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    executor.start(make("hang", given={"ready": str(ready)}))
    until(lambda: ready.exists() and pids(ready))
    (pid,) = pids(ready)
    assert os.getsid(pid) == pid


@not_inline
def test_close_kills_and_says_what_was_lost(
    executor: Executor, make: Make, until: Until, alive: Alive, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    executor.start(make("family", given={"ready": str(ready)}))
    until(ready.exists)
    executor.close()
    (result,) = executor.results()
    assert result.outcome == "lost"
    assert [pid for pid in pids(ready) if alive(pid)] == []
    assert executor.fileno() is None


@only_inline
def test_inline_runs_in_our_own_process(executor: Executor, make: Make) -> None:
    executor.start(Job(key="a", function=os.getpid))
    (result,) = executor.results()
    assert (result.summary, result.pid) == (str(os.getpid()), os.getpid())
    executor.extend(0)
    executor.start(make("nothing", timeout=0.0))
    assert executor.results()[0].outcome == "succeeded"
    executor.close()
