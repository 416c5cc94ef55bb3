"""A wall clock that can be moved, for the programs that get its environment.

libfaketime tells each of them another wall clock, which a file moves. It leaves CLOCK_MONOTONIC and
CLOCK_BOOTTIME alone where FAKETIME_DONT_FAKE_MONOTONIC is set.
"""

from pathlib import Path

from everytick.tick import SECOND


class Wall:
    """A wall clock that can be moved.

    Args:
        folder: Where the file lies that moves it.
        name: The file's name.
    """

    def __init__(self, folder: Path, name: str = "wall") -> None:
        self._file = folder / name
        self.move(0)

    def move(self, ahead: int) -> None:
        """Let it be so many microseconds ahead of the true one, from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{ahead / SECOND:+.0f}\n")
        new.replace(self._file)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a program that is to go by it."""
        (library,) = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
