"""The bookkeeping of the warden: what an attempt came to, and what it wrote."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everytick.executors.warden.attempt import SECOND, Attempt
from everytick.executors.warden.capture import Capture
from everytick.executors.warden.frames import Frame

START: Frame = {"start": "a", "timeout": 60.0, "grace": 10.0}
ANSWER: Frame = {"outcome": "succeeded", "summary": "7", "error": None, "spent": False}


def attempt(**more: object) -> Attempt:
    return Attempt({**START, **more}, Capture(100), 1000)


def ending(ended: Attempt, complaint: str | None = None) -> tuple[object, object, object]:
    report = ended.report(7, complaint)
    assert (report["ended"], report["pid"]) == ("a", 7)
    return report["outcome"], report["summary"], report["error"]


def test_timeout_and_grace_follow_one_another() -> None:
    running = attempt()
    assert running.moments() == [1000 + 60 * SECOND]
    running.run_out(61 * SECOND)
    assert running.moments() == [71 * SECOND]
    assert attempt(timeout=None).moments() == []


def test_the_first_reason_stays_and_the_first_end_counts() -> None:
    running = attempt()
    running.ask_to_end("cancelled", "stopped on request", 50)
    running.ask_to_end("lost", "killed", 20)
    running.ask_to_end("lost", "killed", 80)
    assert running.kill_at == 20
    running.status = signal.SIGKILL
    assert ending(running) == ("cancelled", None, "stopped on request")


@pytest.mark.parametrize(
    ("status", "complaint", "expected"),
    [
        (0, None, ("succeeded", "0", None)),
        (3 << 8, None, ("error", "3", "exit status 3")),
        (signal.SIGSEGV, None, ("error", None, "killed by SIGSEGV")),
        (40, None, ("error", None, "killed by signal 40")),
        (70 << 8, "cannot start 'a': why", ("error", None, "cannot start 'a': why")),
    ],
)
def test_a_command_ends_as_its_status_says(
    status: int, complaint: str | None, expected: tuple[object, object, object]
) -> None:
    ended = attempt()
    ended.status = status
    assert ending(ended, complaint) == expected


def test_a_call_ends_as_it_answers_or_as_its_worker_ends() -> None:
    answered = attempt(call="a:b")
    answered.answer = ANSWER
    assert ending(answered) == ("succeeded", "7", None)

    crashed = attempt(call="a:b")
    crashed.status = signal.SIGKILL
    assert ending(crashed) == ("error", None, "killed by SIGKILL before the call returned")


def test_a_call_that_returned_has_succeeded_though_it_was_asked_to_end() -> None:
    asked = attempt(call="a:b")
    asked.ask_to_end("cancelled", "stopped on request", 50)
    asked.answer = ANSWER
    assert ending(asked) == ("succeeded", "7", None)

    gave_in = attempt(call="a:b")
    gave_in.ask_to_end("cancelled", "stopped on request", 50)
    gave_in.answer = {"outcome": "error", "summary": None, "error": "stopped by SIGTERM", "spent": True}
    assert ending(gave_in) == ("cancelled", None, "stopped on request")


@given(st.integers(2, 40).map(lambda half: 2 * half), st.lists(st.binary(max_size=50)))
def test_capture_keeps_both_ends_whatever_the_pieces(limit: int, pieces: list[bytes]) -> None:
    capture = Capture(limit)
    for piece in pieces:
        capture.add(piece.replace(b"\n", b" "))
    whole = b"".join(pieces).replace(b"\n", b" ")
    if len(whole) <= limit:
        expected = whole.decode(errors="replace")
    else:
        half = limit // 2
        first, last = whole[:half].decode(errors="replace"), whole[-half:].decode(errors="replace")
        expected = f"{first}\n... {len(whole) - limit} bytes left out ...\n{last}"
    assert capture.text() == expected
