"""The stage: namespaces of its own for network, mounts and processes, in which a run takes place.

Whatever a run makes is inside them: when the first of their processes ends, by whatever cause, the kernel
ends all others and takes networks and mounts away. Two stages know nothing of each other.
"""

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_UNSHARE = (
    "unshare",
    "--net",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--propagation",
    "private",
)
_FIRST = '"$@" & wait $!'
"""The first process: a shell, because it takes in the orphans' ends."""


def why_not() -> str:
    """Return why no stage can be made here; empty where one can."""
    if os.geteuid() != 0:
        return "network namespaces with a bridge need root; run the tests as root, or in a container that is"
    tried = subprocess.run(
        [*_UNSHARE, "ip", "link", "add", "bridge", "type", "bridge"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no network namespace can be made here: {tried.stderr.strip()}" if tried.returncode else ""


def on_stage(*words: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run this room's program on a stage of its own.

    Args:
        words: Its arguments.
        seconds: After so many it is taken down, with everything on it.
    """
    program = [sys.executable, "-m", "tests.fault.cluster", *words]
    return subprocess.run(
        [*_UNSHARE, "bash", "-c", _FIRST, "stage", *program],
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def furnish() -> Path:
    """Set the stage from inside; return a folder for everybody on it, on a disk of 400 MB."""
    _do("ip", "link", "set", "lo", "up")
    _do("mount", "-t", "tmpfs", "-o", "size=400m,mode=755", "disk", "/srv")
    _do("mount", "-t", "tmpfs", "-o", "mode=1777", "memory", "/dev/shm")
    return Path("/srv")


def _do(*words: str) -> None:
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
