"""Real servers for tests: private, on loopback, ended with the test run.

    with PostgresServer(open_folder()) as server:
        ledger = PostgresLedger(server.database("somebodys", user="everytick"))

Each has a folder and a port of its own, runs as an ordinary user even where the tests run as root, and
is ended by the numbers of its processes. Nothing here is for production: anybody on the machine may log in.
"""

from everytick.testing.servers.pgbouncer import PgBouncer
from everytick.testing.servers.postgres import PostgresServer
from everytick.testing.servers.redis import RedisServer
from everytick.testing.servers.server import Server, ServerFailed, open_folder

__all__ = ["PgBouncer", "PostgresServer", "RedisServer", "Server", "ServerFailed", "open_folder"]
