"""Who belongs to an attempt: its process, all that descends from it, all that shares a session with these.

A process group would not do: ``timeout`` and interactive shells make groups of their own, and a child
started in a new session would escape a look at sessions alone.
"""

import contextlib
import os
import signal
from collections.abc import Container, Mapping


def left_behind(roots: set[int], known: Container[int]) -> bool:
    """Tell whether a family has members whose parents are dead.

    Such an orphan becomes a child of the warden. Looking there is cheap; the kernels that keep no list of
    children are searched instead.

    Args:
        roots: The family.
        known: The processes that the warden started itself.
    """
    me = os.getpid()
    try:
        listed = _read(f"/proc/{me}/task/{me}/children")
    except FileNotFoundError:
        return any(pid not in known for pid in family(roots))
    orphans = (pid for pid in map(int, listed.split()) if pid not in known)
    return any(_session(pid) in roots for pid in orphans)


def family(roots: set[int]) -> set[int]:
    """Return the living processes of a family.

    Args:
        roots: Process and session ids to begin with. Leaders of sessions that are found on the way are
            added, so that a later look still finds those whose ancestors have gone meanwhile.
    """
    return _members(roots, _everybody())


def _members(roots: set[int], everybody: Mapping[int, tuple[int, int]]) -> set[int]:
    members: set[int] = set()
    grown = True
    while grown:
        grown = False
        for pid, (parent, session) in everybody.items():
            if pid not in members and (pid in roots or session in roots or parent in members):
                members.add(pid)
                grown = True
                if pid == session:
                    roots.add(pid)
    return members


def marked(mark: str) -> set[int]:
    """Return the processes that have a variable, as NAME=VALUE, in the environment they were started with."""
    found = set()
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError):  # no process, gone, or not ours to look at
            if mark.encode() in _read(f"/proc/{entry.name}/environ", 1 << 22).split(b"\0"):
                found.add(int(entry.name))
    return found


def tell(roots: set[int], number: signal.Signals) -> None:
    """Send a signal to each member of a family, parents first."""
    for pid in _elders_first(roots, set()):
        _send(pid, number)


def kill(roots: set[int]) -> None:
    """Send SIGKILL to each member of a family but this process, parents first, and those born meanwhile."""
    told = {os.getpid()}
    while rest := _elders_first(roots, told):
        for pid in rest:
            _send(pid, signal.SIGKILL)
        told.update(rest)


def _elders_first(roots: set[int], told: Container[int]) -> list[int]:
    """Return a family but for who was told, parents before children.

    A shell whose program ends before it is told itself goes on with its next step: with ``mv new list``.
    """
    everybody = _everybody()
    left = {pid for pid in _members(roots, everybody) if pid not in told}
    found: list[int] = []
    while left:
        elders = [pid for pid in left if everybody[pid][0] not in left] or list(left)
        found += elders
        left.difference_update(elders)
    return found


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def _send(pid: int, number: signal.Signals) -> None:
    # Gone meanwhile, or a set-uid program that is not ours to signal.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _everybody() -> dict[int, tuple[int, int]]:
    """Return parent and session of each process on this machine that is not dead."""
    found: dict[int, tuple[int, int]] = {}
    with os.scandir("/proc") as entries:
        for entry in entries:
            if not entry.name.isdigit():
                continue
            try:
                status = _read(f"/proc/{entry.name}/stat")
            except (FileNotFoundError, ProcessLookupError, PermissionError):  # gone, or hidden: not ours
                continue
            # The name stands in brackets and may hold anything; state, parent, group and session follow it.
            state, parent, _, session = status.rpartition(b")")[2].split()[:4]
            if state not in b"ZX":
                found[int(entry.name)] = (int(parent), int(session))
    return found


def _read(path: str, most: int = 1 << 16) -> bytes:
    """Return what a file of /proc says; these are short and need no buffering."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, most)
    finally:
        os.close(descriptor)
