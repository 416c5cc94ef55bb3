"""Redis."""

from collections.abc import Sequence
from pathlib import Path

from everytick.testing.servers.server import Server, found


class RedisServer(Server):
    """A Redis of one's own.

    Args:
        folder: Where its files go.
        durable: Whether it writes each command to disk before it answers; else it keeps nothing.
    """

    name = "redis"

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        super().__init__(folder)
        self.durable = durable

    def url(self, database: int = 0) -> str:
        """Return the URL of a database."""
        return f"redis://{self.host}:{self.port}/{database}"

    def command(self) -> Sequence[str]:
        """Return the command."""
        return [
            found("redis-server", "redis-server"), "--bind", self.host, "--port", str(self.port),
            "--dir", str(self.folder), "--save", "", "--protected-mode", "yes",
            "--appendonly", "yes" if self.durable else "no", "--appendfsync", "always",
        ]  # fmt: skip
