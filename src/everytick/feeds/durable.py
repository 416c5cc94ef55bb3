"""Files that are whole after any crash: written aside, made durable, then given their name."""

import os
import shutil
from pathlib import Path

_ASIDE = ".aside-"


def write(path: Path, data: bytes) -> None:
    """Put bytes under a name so that a reader, or a crash, finds the old content or the new, never a part.

    One writer at a time: two would use the same name aside.
    """
    name = aside(path)
    with name.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    name.replace(path)
    settle(path.parent)


def link(path: Path, target: str) -> None:
    """Point a name at another one in its folder, in place of what it pointed at."""
    name = aside(path)
    name.unlink(missing_ok=True)
    name.symlink_to(target)
    name.replace(path)
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
