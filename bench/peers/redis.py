"""Redis, as little of it as a reader of lists needs: one connection that asks and takes replies."""

import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Self

Reply = bytes | int | list["Reply"] | None


class Redis:
    """One connection to a Redis on this machine.

    Args:
        port: Where it listens.
        database: The number of the database.
    """

    def __init__(self, port: int, database: int) -> None:
        self._place = port, database
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._file = self._socket.makefile("rb")
        self.ask("SELECT", str(database))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def another(self) -> "Redis":
        """Return a second connection to the same database."""
        return Redis(*self._place)

    def ask(self, *words: str) -> Reply:
        """Return the reply to a command."""
        return self.ask_all([words])[0]

    def ask_all(self, commands: Sequence[Sequence[str]]) -> list[Reply]:
        """Return the replies to many commands that are sent at once."""
        sent = b"".join(
            b"*%d\r\n" % len(words)
            + b"".join(b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words)
            for words in commands
        )
        self._socket.sendall(sent)
        return [self._reply() for _ in commands]

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._socket.close()

    def _reply(self) -> Reply:
        line = self._file.readline()
        kind, told = line[:1], line[1:-2]
        if kind == b"+":
            return told
        if kind == b":":
            return int(told)
        if kind == b"$":
            return None if int(told) < 0 else self._file.read(int(told) + 2)[:-2]
        if kind == b"*":
            return None if int(told) < 0 else [self._reply() for _ in range(int(told))]
        raise RuntimeError(f"Redis says {line.decode()!r}")
