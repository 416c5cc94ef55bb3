"""Commands where the ledger is to be on PostgreSQL, and is not."""

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from everytick.ledgers.postgres import PostgresLedger
from everytick.testing.servers import PostgresServer

from .shell import EVERYTICK, Screen, Shell

JOBS = '[task.hello]\ncommand = ["true"]\nschedule = "@daily"\n'

Place = Callable[[PostgresServer], str]


@pytest.fixture(autouse=True)
def jobs(shell: Shell) -> None:
    """Write a task into the folder."""
    shell.write("jobs.toml", JOBS)


def schemas(server: PostgresServer) -> set[str]:
    with server.connect("somebodys") as db:
        return {name for (name,) in db.execute("SELECT nspname FROM pg_namespace")}


@pytest.mark.parametrize(
    "words",
    [("tasks",), ("ticks",), ("why", "hello"), ("run", "hello"), ("audit",), ("scheduler",), ("runner",),
     ("ledger", "migrate")],
)  # fmt: skip
def test_a_misspelt_schema_is_no_new_ledger(
    shell: Shell, postgres15: PostgresServer, place: Place, words: tuple[str, ...]
) -> None:
    before, url = schemas(postgres15), place(postgres15)
    said = shell(*words, "--ledger", url, code=2).err
    assert said == f"everytick: there is no ledger at {url}; everytick up or everytick apply makes it\n"
    assert schemas(postgres15) == before


def test_plan_writes_nothing_there_either(shell: Shell, postgres15: PostgresServer, place: Place) -> None:
    before = schemas(postgres15)
    assert shell("plan", "jobs.toml", "--ledger", place(postgres15)).out.startswith("+ hello\n")
    assert schemas(postgres15) == before


def test_the_variable_that_names_it_is_looked_into(
    shell: Shell, postgres15: PostgresServer, place: Place
) -> None:
    named = {"LEDGER_URL": place(postgres15)}
    said = shell("tasks", "--ledger", "env:LEDGER_URL", code=2, environment=named).err
    assert f"there is no ledger at {named['LEDGER_URL']};" in said
    shell("apply", "jobs.toml", "--yes", "--ledger", "env:LEDGER_URL", environment=named)
    assert "hello" in shell("tasks", "--ledger", "env:LEDGER_URL", environment=named).out


@pytest.mark.parametrize("kind", ["scheduler", "runner"])
def test_a_program_says_where_it_works(
    shell: Shell, postgres15: PostgresServer, place: Place, kind: str
) -> None:
    url = place(postgres15)
    shell.write("none.toml", "")
    shell("apply", "none.toml", "--yes", "--ledger", url)
    with Screen([EVERYTICK, kind, "--ledger", url], shell.folder) as screen:
        screen.shows("there are no tasks yet; everytick apply brings them in")
        screen.program.send_signal(signal.SIGTERM)
        assert screen.program.wait(60) == 0
    assert f"INFO everytick: {kind}, pid {screen.program.pid}, works on {url}" in screen.seen.replace(
        "\r\n", ""
    )


def test_the_live_view_outlives_an_outage_of_its_ledger(shell: Shell, servers: Path) -> None:
    shell.write("jobs.toml", JOBS.replace("@daily", "every 1s"))
    with PostgresServer(servers / "away", durable=True) as server:
        url = server.database("jobs")
        with Screen([EVERYTICK, "up", "jobs.toml", "--ledger", url], shell.folder) as screen:
            screen.shows("succeeded")
            server.stop()
            screen.shows("as it was before the ledger was away")
            server.start()
            screen.shows("the ledger answers again")
            screen.seen = ""
            screen.shows("due next", "succeeded", "Ctrl-C ends it.")
            assert screen.interrupt() == 0


def test_lines_go_on_after_an_outage_of_the_ledger(shell: Shell, servers: Path) -> None:
    shell.write("jobs.toml", JOBS.replace("@daily", "every 1s"))
    with PostgresServer(servers / "gone", durable=True) as server:
        url = server.database("jobs")
        with shell.running("up", "jobs.toml", "--ledger", url) as program:
            lines = iter(program.stdout or ())
            assert any("succeeded" in line for line in lines)
            server.stop()
            assert any("the ledger does not answer" in line for line in lines)
            server.start()
            assert any("the ledger answers again" in line for line in lines)
            assert any("succeeded" in line for line in lines)


def test_doctor_notices_programs_of_another_machine_that_nobody_is_left_to_miss(
    shell: Shell, postgres15: PostgresServer, place: Place
) -> None:
    url = place(postgres15)
    shell.write("jobs.toml", f'ledger = "{url}"\n[runner]\nlease = "2s"\n{JOBS}')
    shell("apply", "jobs.toml", "--yes")
    nobody = shell("doctor", "-a", "jobs.toml", "--json", code=1).json
    assert [one["what"] for one in nobody][-2:] == ["deserted"] * 2
    with shell.running("up", "jobs.toml"):
        points = {one["what"]: one for one in shell("doctor", "-a", "jobs.toml", "--json").json}
        assert points["up"]["verdict"] == points["sqlite"]["verdict"] == "good"
        with PostgresLedger(url) as ledger:
            (living,) = ledger.processes()
    with PostgresLedger(url) as ledger:
        ledger.register(replace(living, host="far.example.org", kind="runner"))
    points = {one["what"]: one for one in shell("doctor", "-a", "jobs.toml", "--json", code=1).json}
    assert "far.example.org) has stopped beating" in points["dead"]["detail"]
    assert "runner" not in points
