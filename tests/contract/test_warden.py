"""Who dies with whom: real processes, killed and stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from everytick.executor import Job, Result
from everytick.executors.command import CommandExecutor
from everytick.executors.process import ProcessExecutor
from everytick.executors.warden.client import Warden

Until = Callable[[Callable[[], object]], None]
Wait = Callable[..., list[Result]]
Alive = Callable[[int], bool]
Runner = Callable[..., subprocess.Popen[str]]

FAMILY = 'sleep 1000 & a=$!; timeout 99 sleep 99 & echo "$$ $a $!" > "$0.new"; mv "$0.new" "$0"; wait'


def boottime() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000  # noqa: TID251 - a lease is told in real time


def read_pids(ready: Path) -> list[int]:
    return [int(word) for word in ready.read_text().split()]


@pytest.fixture
def runner(jobs: str, tmp_path: Path, until: Until) -> Iterator[Runner]:
    """Start a runner that has a family of each kind, and renews a lease of so many seconds."""
    started: list[subprocess.Popen[str]] = []

    def start(lease: float | None = None) -> subprocess.Popen[str]:
        program = str(Path(__file__).with_name("runner.py"))
        words = [sys.executable, program, jobs, str(tmp_path), json.dumps(lease)]
        started.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True))
        until((tmp_path / "process").exists)
        until((tmp_path / "command").exists)
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def families(tmp_path: Path) -> Callable[[], list[int]]:
    return lambda: read_pids(tmp_path / "process") + read_pids(tmp_path / "command")


def state(pid: int) -> str:
    return stat(pid)[0]


def stop(process: subprocess.Popen[str], until: Until) -> None:
    process.send_signal(signal.SIGSTOP)
    until(lambda: state(process.pid) == "T")  # a busy machine lets it run on for a while


def parent(pid: int) -> int:
    return int(stat(pid)[1])


def stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def test_killed_runner_takes_everything_along(
    runner: Runner, families: Callable[[], list[int]], until: Until, alive: Alive
) -> None:
    process = runner()
    assert [alive(pid) for pid in families()] == [True] * 7
    process.kill()
    process.wait()
    until(lambda: not any(alive(pid) for pid in families()))


def test_stopped_runner_loses_its_attempts_with_its_lease(
    runner: Runner, families: Callable[[], list[int]], until: Until, alive: Alive
) -> None:
    process = runner(1.0)
    stop(process, until)
    until(lambda: not any(alive(pid) for pid in families()))
    assert state(process.pid) == "T"  # all were gone before it could do anything about it
    process.send_signal(signal.SIGCONT)
    assert process.stdout is not None
    told = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert sorted(told) == [["command", "lost"], ["process", "lost"]]


def test_ctrl_c_of_a_terminal_ends_the_runner_alone(
    runner: Runner, families: Callable[[], list[int]], alive: Alive
) -> None:
    process = runner()
    os.killpg(process.pid, signal.SIGINT)  # the runner of this test does not mind
    assert process.stdout is not None
    assert process.stdout.readline().strip() == '"interrupted"'
    assert [alive(pid) for pid in families()] == [True] * 7


def test_nothing_starts_once_the_lease_has_run_out(warden: Warden, wait: Wait) -> None:
    executor = CommandExecutor(warden)
    executor.extend(boottime() - 1)
    executor.start(Job(key="a", command=("true",)))
    (result,) = wait(executor)
    assert (result.outcome, result.pid) == ("lost", None)
    executor.extend(boottime() + 3_600_000_000)
    executor.start(Job(key="a", command=("true",)))
    assert wait(executor)[0].outcome == "succeeded"


def test_a_lease_that_is_renewed_lets_attempts_live(warden: Warden, wait: Wait) -> None:
    executor = CommandExecutor(warden)
    executor.extend(boottime() + 1_000_000)
    executor.start(Job(key="a", command=("sleep", "1.5")))
    executor.extend(boottime() + 3_600_000_000)
    assert wait(executor)[0].outcome == "succeeded"


def test_killed_warden_is_seen_and_replaced(
    warden: Warden, wait: Wait, until: Until, alive: Alive, jobs: str, tmp_path: Path
) -> None:
    command, process = CommandExecutor(warden), ProcessExecutor(warden)
    one, two = tmp_path / "one", tmp_path / "two"
    command.start(Job(key="one", command=("sh", "-c", FAMILY, str(one))))
    process.start(Job(key="two", call=f"{jobs}:family", arguments={"ready": str(two), "apart": True}))
    until(lambda: one.exists() and two.exists())
    until(lambda: not command.results() and not process.results())
    assert warden.pid is not None
    os.kill(warden.pid, signal.SIGKILL)
    until(lambda: not alive(read_pids(two)[0]))  # what it started has no parent any more
    (lost,) = wait(command)
    (also,) = wait(process)
    assert (lost.outcome, also.outcome) == ("lost", "lost")
    assert lost.error == "lost: the process that watched it died"
    until(lambda: not any(alive(pid) for pid in read_pids(one) + read_pids(two)))
    command.start(Job(key="one", command=("true",)))
    assert wait(command)[0].outcome == "succeeded"


def test_the_kernel_ends_attempts_whose_warden_dies(
    runner: Runner, families: Callable[[], list[int]], tmp_path: Path, until: Until, alive: Alive
) -> None:
    process = runner()
    leaders = [read_pids(tmp_path / kind)[0] for kind in ("process", "command")]
    stop(process, until)
    os.kill(parent(leaders[0]), signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in leaders))
    assert state(process.pid) == "T"
    for pid in filter(alive, families()):  # the runner would end these, if it could
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_warden_ends_for_no_other_reason(warden: Warden, wait: Wait, number: signal.Signals) -> None:
    executor = CommandExecutor(warden)
    executor.start(Job(key="a", command=("true",)))
    wait(executor)
    before = warden.pid
    assert before is not None
    os.kill(before, number)
    executor.start(Job(key="a", command=("sh", "-c", f"kill -{number.name[3:]} $$")))
    (result,) = wait(executor)
    assert result.error == f"killed by {number.name}"  # and an attempt does not inherit its deaf ear
    assert warden.pid == before


def test_a_worker_serves_many_and_leaves_when_spoiled(
    warden: Warden, wait: Wait, jobs: str, tmp_path: Path
) -> None:
    executor = ProcessExecutor(warden)

    def run(what: str, **arguments: str) -> Result:
        executor.start(Job(key=what, call=f"{jobs}:{what}", arguments=arguments))
        return wait(executor)[0]

    assert [run("count").summary for _ in range(3)] == ["1", "2", "3"]
    run("fail")
    assert run("count").summary == "4"
    run("desert", ready=str(tmp_path / "left"))
    assert run("count").summary == "1"


def test_a_worker_is_replaced_after_a_thousand_calls(warden: Warden, wait: Wait, jobs: str) -> None:
    executor = ProcessExecutor(warden)
    said = []
    for _ in range(1001):
        executor.start(Job(key="a", call=f"{jobs}:count"))
        said += [result.summary for result in wait(executor)]
    assert said == [*map(str, range(1, 1001)), "1"]


def test_an_unused_worker_is_let_go(wait: Wait, until: Until, alive: Alive, jobs: str) -> None:
    warden = Warden(keep=0.05)
    executor = ProcessExecutor(warden)
    for _ in range(2):
        executor.start(Job(key="a", call=f"{jobs}:count"))
        (result,) = wait(executor)
        assert result.summary == "1"
        worker = result.pid
        assert worker is not None
        until(lambda pid=worker: not alive(pid))  # type: ignore[misc]
    executor.close()


def test_nothing_piles_up_in_the_warden(warden: Warden, wait: Wait, until: Until, jobs: str) -> None:
    command, process = CommandExecutor(warden), ProcessExecutor(warden)

    def use_all(times: int) -> None:
        for _ in range(times):
            command.start(Job(key="a", command=("true",)))
            process.start(Job(key="b", call=f"{jobs}:crash"))
            wait(command)
            wait(process)

    use_all(1)
    open_files = Path(f"/proc/{warden.pid}/fd")
    before = len(list(open_files.iterdir()))
    use_all(20)
    assert len(list(open_files.iterdir())) < before + 20
    children = Path(f"/proc/{warden.pid}/task/{warden.pid}/children")
    until(lambda: children.read_text() == "")


def test_a_shell_s_children_may_clean_up_after_it(
    warden: Warden, wait: Wait, until: Until, tmp_path: Path
) -> None:
    ready, done, go = tmp_path / "ready", tmp_path / "done", tmp_path / "go"
    clean_up = f"while [ ! -e {go} ]; do :; done; echo > {done}; exit"
    inner = f"trap '{clean_up}' TERM; echo > {ready}; while :; do :; done"
    executor = CommandExecutor(warden)
    executor.start(Job(key="a", command=("sh", "-c", f'sh -c "{inner}" & wait')))
    until(ready.exists)
    executor.stop("a", grace=1000.0)
    executor.start(Job(key="b", command=("true",)))
    assert [result.key for result in wait(executor)] == ["b"]
    go.touch()
    assert [(result.key, result.outcome) for result in wait(executor)] == [("a", "cancelled")]
    assert done.exists()


def test_where_memory_runs_out_an_attempt_goes_first(warden: Warden, wait: Wait, jobs: str) -> None:
    ours = int(Path("/proc/self/oom_score_adj").read_text())
    process, command = ProcessExecutor(warden), CommandExecutor(warden)
    process.start(Job(key="a", call=f"{jobs}:expendable"))
    command.start(Job(key="b", command=("cat", "/proc/self/oom_score_adj")))
    (called,) = wait(process)
    (commanded,) = wait(command)
    assert warden.pid is not None
    assert int(Path(f"/proc/{warden.pid}/oom_score_adj").read_text()) == ours
    assert int(called.summary or "") == int(commanded.output) == max(ours, 500)


def test_the_warden_imports_little() -> None:
    program = "import sys, everytick.executors.warden.program; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    ours = {name for name in loaded.stdout.split() if name.startswith("everytick")}
    small = ("attempt", "capture", "child", "frames", "kin", "program")
    assert ours <= {
        "everytick",
        "everytick.release",
        "everytick.executors",
        "everytick.executors.warden",
        *(f"everytick.executors.warden.{name}" for name in small),
    }
    assert "threading" not in loaded.stdout.split()
