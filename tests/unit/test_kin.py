"""Who belongs to an attempt, on machines that hide the processes of others."""

import errno
import os

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
