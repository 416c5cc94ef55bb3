"""The results of a run: what is kept of it, and the file it is kept in."""

from pathlib import Path

import msgspec

from peers.burst import Burst
from peers.crash import Crash


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """A run.

    Attributes:
        date: When it began, UTC.
        machine: What it ran on.
        versions: Packages and servers, with their versions.
        bursts: What came of the bursts.
        again: What came of Everytick's bursts when they were played once more, at the end of the run.
        crashes: What came of the crashes.
        remark: What else there is to know of the run.
    """

    date: str
    machine: str
    versions: dict[str, str]
    bursts: list[Burst]
    again: list[Burst]
    crashes: list[Crash]
    remark: str = ""


def burst_of(bursts: list[Burst], row: str, tasks: int) -> Burst | None:
    """Return the burst of a row, if it was played."""
    return next((one for one in bursts if (one.row, one.tasks) == (row, tasks)), None)


def write(results: Results, path: Path) -> None:
    """Write a run."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def read(path: Path) -> Results:
    """Return the run that a file holds."""
    return msgspec.json.decode(path.read_bytes(), type=Results)
