"""The end of the time that a download may take, whatever the other side does.

A timeout for each read lets a source that sends a byte now and then go on for ever. So at the deadline the
connections themselves are shut, and whoever reads from one finds it at its end.
"""

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from threading import Event, Lock, Thread, Timer
from typing import Any, Self, TypeVar

from everytick.clock import Clock, SystemClock

_Found = TypeVar("_Found")


class Deadline:
    """So many seconds, from the moment it is entered as a context.

    Args:
        seconds: How long.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = 0
        self._over = Event()
        self._lock = Lock()
        self._sockets: list[socket.socket] = []
        self._timer = Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Start."""
        self._end = _clock().boot() + round(self.seconds * 1e6)
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let the rest of the time go."""
        self._timer.cancel()

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self._over.is_set()

    def left(self) -> float:
        """Return how many seconds are left; a little more than none when it is over, fit for a timeout."""
        return max(0.001, (self._end - _clock().boot()) / 1e6)

    def wait(self, seconds: float) -> None:
        """Wait so long, or until the time is over."""
        self._over.wait(seconds)

    def call(self, work: Callable[[], _Found]) -> _Found:
        """Do what cannot be interrupted, and leave it alone if it is not done in time.

        Raises:
            TimeoutError: It was not.
        """
        found: list[_Found] = []
        failed: list[Exception] = []

        def run() -> None:
            try:
                found.append(work())
            except Exception as error:  # noqa: BLE001 - it is raised again, where it is waited for
                failed.append(error)

        thread = Thread(target=run, daemon=True)
        thread.start()
        thread.join(self.left())
        if failed:
            raise failed[0]
        if not found:
            raise TimeoutError
        return found[0]

    def hear(self, event: str, told: dict[str, Any]) -> None:
        """Listen to an HTTP request (httpx's ``trace``): every connection that it opens ends in time."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            opened = told["return_value"].get_extra_info("socket")
            with self._lock:
                self._sockets.append(opened)
                if self.over:
                    _shut(opened)

    def _expire(self) -> None:
        with self._lock:
            self._over.set()
            for opened in self._sockets:
                _shut(opened)


def _shut(opened: socket.socket) -> None:
    with suppress(OSError):  # it was closed meanwhile, or TLS has taken it over under another object
        socket.socket.shutdown(opened, socket.SHUT_RDWR)


@cache
def _clock() -> Clock:
    return SystemClock()
