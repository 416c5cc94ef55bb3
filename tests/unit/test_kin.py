"""Who belongs to an attempt, on machines that hide the processes of others."""

import errno
import os
import signal

import pytest

from everytick.executors.warden import kin


def test_processes_that_must_not_be_read_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """With /proc mounted hidepid=1 the others are listed, but reading them is refused."""
    read = kin._read

    def hiding(path: str) -> bytes:
        if path != f"/proc/{os.getpid()}/stat":
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), path)
        return read(path)

    monkeypatch.setattr(kin, "_read", hiding)
    assert kin.family({os.getpid()}) == {os.getpid()}


@pytest.mark.parametrize("ends", [False, True])
def test_parents_are_told_before_their_children(monkeypatch: pytest.MonkeyPatch, ends: bool) -> None:  # noqa: FBT001 - a case
    """A shell whose program is told first goes on with its next step: it would publish half a list."""
    everybody = {
        18304: (9, 18304),
        18303: (18304, 18304),
        7: (18303, 18304),
        8: (7, 7),
        9: (1, 9),
        10: (9, 9),
    }
    told: list[int] = []

    def told_too(pid: int, _number: signal.Signals) -> None:
        told.append(pid)
        if ends:
            del everybody[pid]

    monkeypatch.setattr(kin, "_everybody", lambda: dict(everybody))
    monkeypatch.setattr(kin, "_send", told_too)
    if ends:
        kin.kill({18304})
    else:
        kin.tell({18304}, signal.SIGTERM)
    assert told == [18304, 18303, 7, 8]
