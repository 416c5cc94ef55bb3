"""A program and everything it has started: memory and CPU time, from /proc."""

import os
from pathlib import Path

_HERTZ = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """Return a process and all its descendants that live."""
    parents = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and (fields := _stat(int(path.name))):
            parents[int(path.name)] = int(fields[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process, and of its children that have ended."""
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / _HERTZ if fields else 0.0


def memory(pid: int) -> float:
    """Return the memory of a process in MB, pages that it shares with others shared out (PSS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def own_memory(pid: int) -> float:
    """Return the memory of a process in MB, shared pages counted in full (RSS)."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return []
