"""What a Python callable may do and be, inline and in a worker."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from everytick.executor import Executor, Job, Result
from everytick.executors.inline import InlineExecutor
from everytick.executors.process import ProcessExecutor
from everytick.executors.warden.client import Warden
from everytick.executors.warden.frames import LIMIT

Run = Callable[..., Result]
Wait = Callable[..., list[Result]]

TICK = {
    "task": "report",
    "due_at": "2026-11-21T06:00:00+00:00",
    "interval_start": "2026-11-20T06:00:00+00:00",
    "attempt": 2,
    "request": 0,
}
TOLD = "report@2026-11-21T06:00:00Z 2 2026-11-20 06:00:00+00:00 "


@pytest.fixture(params=["inline", "process"])
def run(request: pytest.FixtureRequest, warden: Warden, wait: Wait, jobs: str) -> Run:
    executor: Executor = InlineExecutor() if request.param == "inline" else ProcessExecutor(warden)

    def result(what: str, arguments: Mapping[str, object] | None = None) -> Result:
        call = what if ":" in what else f"{jobs}:{what}"
        executor.start(Job(key="a", call=call, arguments=arguments or {}, tick=TICK))
        return wait(executor)[0]

    return result


@pytest.mark.parametrize(
    ("value", "summary"),
    [
        (None, None),
        ({"rows": 7}, '{"rows":7}'),
        ("ünd", '"\\u00fcnd"'),
        ("x" * 4094, f'"{"x" * 4094}"'),
        ("x" * 4095, None),
        (list(range(100_000)), None),
    ],
)
def test_what_it_returns_is_kept_where_json_can_say_it_shortly(
    run: Run, value: object, summary: str | None
) -> None:
    result = run("give", {"value": value})
    assert (result.outcome, result.summary) == ("succeeded", summary)


def test_what_json_cannot_say_is_left_out(run: Run) -> None:
    assert run("Nested").outcome == "succeeded"
    assert run("Nested").summary is None


def test_its_name_may_reach_into_a_class(run: Run) -> None:
    assert run("Nested.method").summary == '"nested"'


def test_the_tick_goes_where_there_is_room_for_it(run: Run) -> None:
    assert run("by_name", {"times": 1}).summary == f'"{TOLD}"'
    assert run("by_place", {"times": 2}).summary == f'"{TOLD * 2}"'
    assert run("without").summary == "1"
    assert run("without", {"times": 3}).summary == "3"


def test_wrong_arguments_are_its_error(run: Run) -> None:
    result = run("without", {"often": 3})
    assert result.error == "TypeError: without() got an unexpected keyword argument 'often'"


@pytest.mark.parametrize("value", [object(), "x" * LIMIT])
def test_what_a_worker_cannot_be_given_is_an_error(warden: Warden, jobs: str, value: object) -> None:
    executor = ProcessExecutor(warden)
    executor.start(Job(key="a", call=f"{jobs}:give", arguments={"value": value}))
    (result,) = executor.results()
    assert result.error is not None
    assert result.error.startswith("its arguments cannot be passed on: ")


@pytest.mark.parametrize(
    ("status", "outcome", "error"),
    [
        (None, "succeeded", None),
        (0, "succeeded", None),
        (4, "error", "exit status 4"),
        ("no more", "error", "no more"),
    ],
)
def test_sys_exit_is_an_exit_status(run: Run, status: object, outcome: str, error: str | None) -> None:
    result = run("leave", {"status": status})
    assert (result.outcome, result.error) == (outcome, error)


def test_keyboard_interrupt_ends_a_runner_but_not_a_worker(warden: Warden, jobs: str, wait: Wait) -> None:
    job = Job(key="a", call=f"{jobs}:interrupt")
    with pytest.raises(KeyboardInterrupt):
        InlineExecutor().start(job)
    executor = ProcessExecutor(warden)
    executor.start(job)
    assert wait(executor)[0].error == "KeyboardInterrupt"


def test_an_error_of_ours_that_it_raises_keeps_its_traceback(run: Run) -> None:
    result = run("refuse")
    assert result.error == "everytick.errors.UsageError: no such thing"
    assert 'jobs.py", line ' in result.output


def test_a_list_that_it_refuses_is_told_without_a_traceback(run: Run) -> None:
    result = run("refuse_a_list")
    assert result.error == "FeedRefused: half of it is gone"
    assert not result.output


def test_an_async_function_is_refused(run: Run) -> None:
    assert run("in_future").error == "it is an async function; wrap it in one that calls asyncio.run"


def test_a_module_that_cannot_be_imported_shows_where(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("def fine():\n    pass\n\n1 / 0\n")
    crooked = tmp_path / "crooked.py"
    crooked.write_text("def fine(:\n")
    for path, error in ((broken, "ZeroDivisionError: division by zero"), (crooked, "SyntaxError: ")):
        result = run(f"{path}:fine")
        assert result.error is not None
        assert result.error.startswith(f"cannot import '{path}': {error}")
        assert f'File "{path}", line ' in result.output
        assert "everytick" not in result.output
