"""Messages on a stream socket: JSON texts, each behind its length in four bytes."""

import contextlib
import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

Frame = dict[str, Any]

LIMIT = 16 * 1024 * 1024
"""The longest message in bytes; whoever announces a longer one is not of us."""

_LENGTH = struct.Struct("!I")
_TIMEVAL = struct.Struct("@ll")  # seconds and microseconds, as setsockopt(2) wants them


class Frames:
    """One end of a conversation."""

    __slots__ = ("_arrived", "_leaving", "_socket")

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._arrived = bytearray()
        self._leaving = bytearray()

    def fileno(self) -> int:
        """Return the socket's descriptor."""
        return self._socket.fileno()

    def send(self, frame: Frame) -> None:
        """Send a message and wait until it is out.

        Raises:
            OSError: The other end is gone, or took nothing within the time limit.
            ValueError: It is longer than the limit, or no JSON.
        """
        self._socket.sendall(_packed(frame))

    def post(self, frame: Frame) -> None:
        """Send a message as far as that needs no waiting; `flush` sends the rest."""
        self._leaving += _packed(frame)
        self.flush()

    def flush(self) -> bool:
        """Send what `post` left over, without waiting; tell whether all is out.

        To an end that is gone everything counts as sent; reading tells that it is.
        """
        while self._leaving:
            try:
                sent = self._socket.send(self._leaving, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            except OSError:
                self._leaving.clear()
                return True
            del self._leaving[:sent]
        return True

    def receive(self, *, wait: bool) -> list[Frame]:
        """Return the messages that have arrived whole; maybe none.

        Args:
            wait: Whether to wait until something has arrived.

        Raises:
            EOFError: The other end is gone, or does not speak our language.
            TimeoutError: Nothing came within the time limit.
        """
        try:
            data = self._socket.recv(1 << 18, 0 if wait else socket.MSG_DONTWAIT)
        except BlockingIOError as fault:
            if wait:
                raise TimeoutError from fault
            return []
        except ConnectionError as fault:
            raise EOFError from fault
        if not data:
            raise EOFError
        self._arrived += data
        try:
            return list(self._whole())
        except ValueError as fault:
            raise EOFError from fault

    def limit(self, seconds: int) -> None:
        """Wait for so long at most whenever something is to be sent or received."""
        # Not settimeout: with it, even a call that is told not to wait would.
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            self._socket.setsockopt(socket.SOL_SOCKET, option, _TIMEVAL.pack(seconds, 0))

    def finish(self) -> None:
        """Send what `post` left over, and wait until it is out or nobody takes it."""
        with contextlib.suppress(OSError):
            self._socket.sendall(self._leaving)
        self._leaving.clear()

    def end(self) -> None:
        """Say that nothing more will be sent; the other end sees EOF and may still answer."""
        with contextlib.suppress(OSError):  # the other end is gone
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _whole(self) -> Iterator[Frame]:
        while len(self._arrived) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._arrived)
            if length > LIMIT:
                raise ValueError("too long")
            end = _LENGTH.size + length
            if len(self._arrived) < end:
                return
            text = bytes(self._arrived[_LENGTH.size : end])
            del self._arrived[:end]
            yield json.loads(text)


def _packed(frame: Frame) -> bytes:
    text = json.dumps(frame, separators=(",", ":")).encode()
    if len(text) > LIMIT:
        raise ValueError(f"a message of {len(text)} bytes is longer than {LIMIT}")
    return _LENGTH.pack(len(text)) + text
