"""Files that are whole after any crash: written aside, made durable, then given their name."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

T = TypeVar("T")

_ASIDE = ".aside-"


def write(path: Path, data: bytes) -> None:
    """Put bytes under a name so that a reader, or a crash, finds the old content or the new, never a part.

    One writer at a time: two would use the same name aside.
    """
    make(path, lambda file: file.write(data))


def make(path: Path, fill: Callable[[BinaryIO], T]) -> T:
    """Do as ``write`` does with whatever ``fill`` writes into the open file; return what it returns."""
    made = aside(path)
    with made.open("wb") as file:
        filled = fill(file)
    name(made, path)
    return filled


def name(made: Path, path: Path) -> None:
    """Give a file that was made aside, on the same disk, its name."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    made.replace(path)
    settle(path.parent)


def remove(path: Path) -> None:
    """Take a file or a link away, if it is there."""
    if path.is_symlink() or path.exists():
        path.unlink()
        settle(path.parent)


def link(path: Path, target: str) -> None:
    """Point a name at another one in its folder, in place of what it pointed at."""
    if path.is_symlink() and str(path.readlink()) == target:
        return
    made = aside(path)
    made.unlink(missing_ok=True)
    made.symlink_to(target)
    made.replace(path)
    settle(path.parent)


def settle(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def aside(path: Path) -> Path:
    """Return the name under which a file or folder is prepared before it gets its own."""
    return path.with_name(f"{_ASIDE}{path.name}")


def sweep(folder: Path) -> None:
    """Remove what killed writers left aside."""
    for left in folder.glob(f"{_ASIDE}*"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)
