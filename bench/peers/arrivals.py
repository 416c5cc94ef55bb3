"""Arrivals: the moments at which a peer starts a body, or hands a tick over, seen from outside it.

Where the body of a task runs in the scheduler itself, it notes its start in a file. Where the scheduler hands
a message to Redis, a reader takes messages from their list as fast as they come. Where it writes a row to
PostgreSQL, the peer's own column says when.
"""

import json
import threading
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

import psycopg

from everytick.clock import SystemClock
from everytick.tick import SECOND
from everytick.when import instant_of
from peers.redis import Redis


class Arrival(NamedTuple):
    """One start, or one hand-over.

    Attributes:
        task: The number of the task.
        due: The instant it was for, in microseconds since 1970; 0 where the peer doesn't tell.
        attempt: 1, or more where the peer tells that it starts a tick again.
        at: When, in microseconds since 1970.
    """

    task: int
    due: int
    attempt: int
    at: int


class Reader(Protocol):
    """What watches a peer from outside."""

    def count(self) -> int:
        """Return how many have arrived."""
        ...

    def arrivals(self) -> list[Arrival]:
        """Return what has arrived, with all that can be known of it."""
        ...

    def close(self) -> None:
        """Watch no longer."""
        ...


class Notes:
    """Reads the file in which bodies note their starts.

    Args:
        folder: The folder of the cell.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "starts"
        self._path.touch()
        self._read = 0
        self._lines = 0

    def count(self) -> int:
        """Return how many lines there are."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            more = file.read()
        self._read += len(more)
        self._lines += more.count(b"\n")
        return self._lines

    def arrivals(self) -> list[Arrival]:
        """Return every start."""
        return [Arrival(*map(int, line.split())) for line in self._path.read_text("ascii").splitlines()]

    def close(self) -> None:
        """Hold nothing open."""


class Rows:
    """Reads the rows that a peer writes to PostgreSQL.

    Args:
        url: The database of the cell.
        query: Selects the task, its due instant as text or in microseconds, and when the row was written.
        table: Where the rows are.
    """

    def __init__(self, url: str, query: str, table: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._query = query
        self._table = table

    def count(self) -> int:
        """Return how many rows there are."""
        row = self._connection.execute(f"SELECT count(*) FROM {self._table}".encode()).fetchone()
        return int(row[0]) if row else 0

    def arrivals(self) -> list[Arrival]:
        """Return every row."""
        rows = self._connection.execute(self._query.encode()).fetchall()
        return [Arrival(int(task), _instant(due), 1, int(at)) for task, due, at in rows]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _instant(due: object) -> int:
    return due if isinstance(due, int) else instant_of(datetime.fromisoformat(str(due)))


class Messages:
    """Takes messages from a list in Redis as they come, in a thread of its own.

    Args:
        port: Where Redis listens.
        database: The number of the cell's Redis database.
        key: The list.
    """

    def __init__(self, port: int, database: int, key: str) -> None:
        self._redis = Redis(port, database)
        self._key = key
        self._clock = SystemClock()
        self._found: list[tuple[int, bytes]] = []
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def count(self) -> int:
        """Return how many messages have come."""
        return len(self._found)

    def arrivals(self) -> list[Arrival]:
        """Return every message; its task is read from the message, or from the job it names."""
        found = self._found[:]
        return [
            Arrival(task, 0, 1, at)
            for (at, _), task in zip(found, self._tasks([text for _, text in found]), strict=True)
        ]

    def close(self) -> None:
        """Stop taking messages."""
        self._closed.set()
        self._thread.join()
        self._redis.close()

    def _take(self) -> None:
        while not self._closed.is_set():
            reply = self._redis.ask("BLMPOP", "0.1", "1", self._key, "LEFT", "COUNT", "1000")
            now = self._clock.now()
            if isinstance(reply, list) and isinstance(reply[1], list):
                self._found += [(now, text) for text in reply[1] if isinstance(text, bytes)]

    def _tasks(self, messages: list[bytes]) -> list[int]:
        """Return the number that Celery's message has as its argument."""
        return [int(json.loads(message)["headers"]["argsrepr"].strip("[](),")) for message in messages]


class Jobs(Messages):
    """Takes the ids of RQ's jobs from their list in Redis as they come."""

    def _tasks(self, messages: list[bytes]) -> list[int]:
        with self._redis.another() as redis:
            told = redis.ask_all([("HGET", f"rq:job:{one.decode()}", "description") for one in messages])
        return [int(text.decode().rpartition("(")[2].rstrip(")")) for text in told if isinstance(text, bytes)]


def in_order(arrivals: list[Arrival], begin: int, period: int) -> list[Arrival]:
    """Give each arrival that tells no due instant its task's next: the k-th is held against the k-th.

    Args:
        arrivals: What has arrived.
        begin: The first due instant, in microseconds.
        period: Seconds between two.
    """
    seen: Counter[int] = Counter()
    found = []
    for one in sorted(arrivals, key=lambda one: one.at):
        due = one.due or begin + seen[one.task] * period * SECOND
        seen[one.task] += 1
        found.append(one._replace(due=due))
    return found


def by_latest(arrivals: list[Arrival], begin: int, period: int) -> list[Arrival]:
    """Give each arrival that tells no due instant the latest one before it.

    Args:
        arrivals: What has arrived.
        begin: The first due instant, in microseconds.
        period: Seconds between two.
    """
    step = period * SECOND
    early = SECOND // 20  # who wakes a moment early means the instant that comes
    return [
        one if one.due else one._replace(due=begin + (one.at + early - begin) // step * step)
        for one in arrivals
    ]
