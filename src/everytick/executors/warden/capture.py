"""What an attempt writes, kept within a limit."""


class Capture:
    """The first and the last part of a stream of bytes.

    Args:
        limit: How many bytes are kept: half from the beginning, half from the end.
    """

    __slots__ = ("_first", "_half", "_last", "_left_out")

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._first = bytearray()
        self._last = bytearray()
        self._left_out = 0

    def add(self, data: bytes) -> None:
        """Take in what was written next."""
        room = self._half - len(self._first)
        self._first += data[:room]
        self._last += data[room:]
        excess = len(self._last) - self._half
        if excess > 0:
            self._left_out += excess
            del self._last[:excess]

    def text(self) -> str:
        """Return it as text, with the number of bytes left out where they were."""
        if not self._left_out:
            return (self._first + self._last).decode(errors="replace")
        gap = f"\n... {self._left_out} bytes left out ...\n"
        return self._first.decode(errors="replace") + gap + self._last.decode(errors="replace")
