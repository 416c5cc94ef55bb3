"""Where in a longer text a fault lies."""

from everytick.errors import ScheduleError


class part_of:  # noqa: N801 - it reads as what it does: with part_of(text, start)
    """Let errors about a part of `text` that begins at `start` point into the whole text."""

    __slots__ = ("_start", "_text")

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._start = start

    def __enter__(self) -> None:
        """Begin the part."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Let an error point into the whole text."""
        if isinstance(error, ScheduleError):
            raise ScheduleError(
                error.args[0], text=self._text, position=self._start + (error.position or 0)
            ) from None
