"""Tasks in JSON Lines: one object a line, with the keys of a ``[task.NAME]`` table and its ``name``.

    {"name": "report", "schedule": "0 6 * * mon-fri", "zone": "Asia/Kolkata", "command": ["make-report"]}

A file of a million is read line by line, and takes no memory. One line that cannot be used refuses them
all, as one table of everytick.toml does: what the others leave out would be removed. So does a file without
any line, which is what a program that dies early leaves; one empty line says that no task is meant.
"""

import json
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from everytick import settings
from everytick.config import Place, read_task
from everytick.errors import ConfigError, UsageError
from everytick.task import Task

STDIN = "-"
"""What stands for the standard input."""

LONGEST = 1_000_000
"""No line has more bytes."""

_TOLD = 20
"""So many faults are told; then reading ends."""

_OFTEN = 1_000
"""Whoever looks on is told after so many lines."""

_NONE = "there is not one line: whoever writes them may have failed; write an empty line if no task is meant"

_MARK = b"\xef\xbb\xbf"
_HALF = b"\\ud"
"""How JSON writes halves of characters."""


class Line(Place):
    """One line of a file, where a task stands.

    Args:
        file: The file.
        number: Of the line, from 1.
    """

    def __init__(self, file: Path, number: int) -> None:
        super().__init__(file, "")
        self.number = number

    def line(self, *path: str) -> int:
        """Return the line, whichever key is asked for."""
        del path
        return self.number


class Lines:
    """The tasks of a file in JSON Lines.

    Args:
        file: The open file.
        path: Where it stands: relative paths in it begin in its folder.
        origin: Whose tasks these are.
        told: Told how many bytes were read, now and then.
    """

    def __init__(
        self, file: BinaryIO, path: Path, origin: str, told: Callable[[int], None] = lambda _: None
    ) -> None:
        self._file = file
        self._path = path
        self._origin = origin
        self._told = told
        self._number = 0
        self._places = array("L")

    def __iter__(self) -> Iterator[Task]:
        """Yield the tasks, in the order of their lines.

        Raises:
            ConfigError: Lines cannot be used; the message names the first of them, each with its mend.
        """
        folder = self._path.resolve().parent
        faults: list[ConfigError] = []
        bytes_read = 0
        while len(faults) < _TOLD and (text := self._file.readline(LONGEST + 1)):
            self._number += 1
            bytes_read += len(text)
            if self._number % _OFTEN == 0:
                self._told(bytes_read)
            place = Line(self._path, self._number)
            if len(text) > LONGEST:
                faults.append(place.fault(f"this line is longer than {LONGEST:,} bytes; nothing was read on"))
                break
            try:
                if stripped := text.removeprefix(_MARK if self._number == 1 else b"").strip():
                    task = _task(place, stripped, self._origin, folder)
                    if not faults:
                        self._places.append(self._number)
                        yield task
            except ConfigError as fault:
                faults.append(fault)
        if not self._number:
            faults.append(Line(self._path, 1).fault(_NONE))
        if faults:
            raise _all_of(faults)

    def place(self, number: int) -> Line:
        """Return where a task stands, by its number from 1."""
        return Line(self._path, self._places[number - 1])


def _task(place: Line, text: bytes, origin: str, folder: Path) -> Task:
    try:
        table = json.loads(text.decode(), object_pairs_hook=_object, parse_constant=_no_number)
        if _HALF in text.lower():
            json.dumps(table, ensure_ascii=False).encode()
    except UnicodeError as fault:
        raise place.fault("this is not UTF-8; save it as such") from fault
    except json.JSONDecodeError as fault:
        raise place.fault(f"this is no JSON: {fault.msg}, at column {fault.colno}") from fault
    except (RecursionError, ValueError) as fault:  # nested a thousand deep; a number of 5,000 digits
        raise place.fault("this is no JSON that can be read: too deep or too long") from fault
    except UsageError as fault:
        raise place.fault(str(fault)) from fault
    if not isinstance(table, dict):
        raise place.fault('write each task as an object: {"name": "report", "schedule": "every 15m", ...}')
    if "name" not in table:
        raise place.fault('this task has no name; write "name": "report" into the object')
    try:
        name = settings.text(table.pop("name"))
    except UsageError as fault:
        raise place.fault(f"name: {fault}") from fault
    return read_task(place, name, table, origin, folder)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in found if keys.count(key) > 1)
        raise UsageError(f"'{twice}' stands twice in one object; leave one out")
    return found


def _no_number(word: str) -> None:
    raise UsageError(f"JSON has no {word}; write a number")


def _all_of(faults: Sequence[ConfigError]) -> ConfigError:
    """Return one error that tells them all; the place is that of the first."""
    if len(faults) == 1:
        return faults[0]
    more = " or more" if len(faults) == _TOLD else ""
    told = ConfigError("\n".join(map(str, faults)) + f"\n{len(faults)}{more} lines cannot be used")
    told.file, told.line = faults[0].file, faults[0].line
    return told
