"""psycopg alone: the rows that a ledger writes, in the same batches; nothing is read or decided."""

from collections.abc import Sequence

from everytick.testing.servers import PostgresServer
from postgres.place import PERIOD, connected, ledger, process, with_tasks


class Bare:
    """Writes lives into the tables of a ledger; what is the same in all rows is sent once.

    Args:
        server: Where.
        schema: Of the ledger, which is made.
        tasks: How many tasks it has.
        spread: Microseconds between the instants of a task and of the next one.
    """

    def __init__(self, server: PostgresServer, schema: str, tasks: int, spread: int = 0) -> None:
        with ledger(server, schema) as made:
            with_tasks(made, tasks, lambda _: "every 10s")
            process(made)
        self.server, self.schema, self.spread = server, schema, spread

    def connect(self) -> None:
        """Connect, in each process that writes."""
        self.db = connected(self.server)

    def plan(self, tasks: range, dues: Sequence[int]) -> None:
        """Move the cursors of tasks and insert their ticks."""
        with self.db.transaction():
            self.db.execute(
                f"UPDATE {self.schema}.cursor AS c"
                " SET planned_through = %s + c.task_id * %s, last_due = %s + c.task_id * %s,"
                " next_due = %s + c.task_id * %s"
                " FROM unnest(%s::bigint[]) AS d (task_id) WHERE c.task_id = d.task_id AND request = 0",
                (
                    dues[-1],
                    self.spread,
                    dues[-1],
                    self.spread,
                    dues[-1] + PERIOD,
                    self.spread,
                    numbers(tasks),
                ),
            )
            self.db.execute(
                f"INSERT INTO {self.schema}.tick"
                " (task_id, due_at, version, prev_due, next_due, state, queue, priority, ready_at)"
                " SELECT task_id, at, 1, at - %s, at + %s, 'planned', 'default', 1, at"
                " FROM unnest(%s::bigint[]) AS d (task_id) CROSS JOIN unnest(%s::bigint[]) AS e (due)"
                " CROSS JOIN LATERAL (SELECT due + task_id * %s) AS f (at)",
                (PERIOD, PERIOD, numbers(tasks), numbers(dues), self.spread),
            )

    def claim(self, tasks: range, due: int) -> None:
        """Insert the slots of tasks and start their ticks."""
        with self.db.transaction():
            self.db.execute(
                f"INSERT INTO {self.schema}.slot (task_id, lane, due_at, request, attempt, holder)"
                " SELECT task_id, 0, %s + task_id * %s, 0, 1, 1 FROM unnest(%s::bigint[]) AS d (task_id)",
                (due, self.spread, numbers(tasks)),
            )
            self.db.execute(
                f"UPDATE {self.schema}.tick AS t"
                " SET state = 'running', ready_at = NULL, holder = 1, started_at = %s"
                " FROM unnest(%s::bigint[]) AS d (task_id)"
                " WHERE t.task_id = d.task_id AND due_at = %s + d.task_id * %s AND request = 0",
                (due, numbers(tasks), due, self.spread),
            )

    def settle(self, tasks: range, due: int) -> None:
        """End the ticks of tasks and delete the slots."""
        with self.db.transaction():
            self.db.execute(
                f"UPDATE {self.schema}.tick AS t"
                " SET state = 'succeeded', holder = NULL, ended_at = %s, proof = t.task_id + %s"
                " FROM unnest(%s::bigint[]) AS d (task_id)"
                " WHERE t.task_id = d.task_id AND due_at = %s + d.task_id * %s AND request = 0",
                (due, due, numbers(tasks), due, self.spread),
            )
            done = self.db.execute(
                f"DELETE FROM {self.schema}.slot AS s USING unnest(%s::bigint[]) AS d (task_id)"
                " WHERE s.task_id = d.task_id AND lane = 0",
                (numbers(tasks),),
            )
        assert done.rowcount == len(tasks)


def numbers(found: Sequence[int]) -> str:
    """Return an array of whole numbers as PostgreSQL reads it."""
    return "{" + ",".join(map(str, found)) + "}"
