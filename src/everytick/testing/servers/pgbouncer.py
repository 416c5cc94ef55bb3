"""pgbouncer before a PostgreSQL: many clients share a few connections, each for one transaction at a time."""

from collections.abc import Sequence
from pathlib import Path
from signal import SIGTERM

from everytick.testing.servers.postgres import SUPERUSER, PostgresServer
from everytick.testing.servers.server import Server, found, hand_over

CONFIG = """\
[databases]
* = host={server.host} port={server.port}

[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 1000
server_lifetime = 60
auth_type = trust
auth_file = {users}
auth_user = {SUPERUSER}
admin_users = {SUPERUSER}
"""


class PgBouncer(Server):
    """A pgbouncer of one's own; it asks nobody for a password.

    Args:
        folder: Where its files go.
        server: The PostgreSQL behind it.
        mode: When a client gives its connection back: ``transaction``, ``session`` or ``statement``.
        size: How many connections each pair of database and role shares.
    """

    name = "pgbouncer"
    gentle = SIGTERM

    def __init__(
        self, folder: Path, server: PostgresServer, *, mode: str = "transaction", size: int = 5
    ) -> None:
        super().__init__(folder, host=server.host)
        self.server = server
        self.mode = mode
        self.size = size

    def url(self, database: str = SUPERUSER, user: str = SUPERUSER) -> str:
        """Return the URL of a database through it."""
        return f"postgresql://{user}@{self.host}:{self.port}/{database}"

    def command(self) -> Sequence[str]:
        """Write its settings and return the command."""
        users, config = self.folder / "users.txt", self.folder / "pgbouncer.ini"
        users.write_text(f'"{SUPERUSER}" ""\n')
        config.write_text(
            CONFIG.format(
                server=self.server, host=self.host, port=self.port, mode=self.mode, size=self.size,
                users=users, SUPERUSER=SUPERUSER,
            )
        )  # fmt: skip
        hand_over(self.folder)
        return [found("pgbouncer", "pgbouncer"), str(config)]
