"""Editions: bringing the schema of a PostgreSQL ledger up to date, one process at a time.

A migration named ``before`` only adds: it runs when the first process of a new release opens the ledger,
and processes of the release before go on beside it. One named ``after`` takes something away: it runs when
a person says that no older release is left (``everytick ledger migrate --after``).
"""

from collections.abc import Collection, Mapping

import psycopg

from everytick import release
from everytick.errors import (
    LedgerDamaged,
    LedgerError,
    LedgerLocked,
    LedgerMoved,
    LedgerReadOnly,
    LedgerTooNew,
    LedgerUnfinished,
)
from everytick.ledgers import reach
from everytick.ledgers.postgres.connection import Connection
from everytick.ledgers.postgres.faults import explain
from everytick.ledgers.statements import Migration, lacking, migrations, withheld
from everytick.upkeep import MigrationRow

OLDEST = 140_000
"""PostgreSQL 14, as its server_version_num says it."""

_TRIES = 10

HALF = "0000-after-the-copy-is-whole"
"""Stands among the migrations of a half copy: releases that know no copies take it for a newer one's."""

MOVED = "0000-after-it-moved"
"""Stands there when the ledger was given up for its copy."""


def bring_up_to_date(db: Connection, *, after: bool = False, marked: bool = False) -> list[str]:
    """Make the schema, or run the migrations it lacks; return the names of those that ran.

    Args:
        db: The ledger's connection.
        after: Also those that only may run where no older release is left.
        marked: Whether it may be a half copy, or given up.

    Raises:
        LedgerError: It cannot be done, or a newer release was here.
    """
    known = migrations("postgres")
    try:
        seen = _seen(db)
        if HALF in seen and not marked:
            raise LedgerUnfinished(
                f"{db.told}: a copy into this ledger was begun, and is not whole yet. Go on with it: "
                f"everytick ledger copy SOURCE {db.told}"
            )
        if MOVED in seen and not marked:
            raise LedgerMoved(reach.moved_to(db.told, db.rows("select_successor")[0][0]))
        _refuse_newer(db, seen, known)
    except psycopg.Error as fault:
        raise explain(fault, db.told) from fault
    todo = lacking(seen, known, after=after)
    for left in reversed(range(_TRIES if todo else 0)):
        try:
            return db.transact(lambda: _migrate(db, known, after=after), begin="begin_edit")
        except LedgerReadOnly as fault:
            raise (withheld(fault, todo) if seen else fault) from fault
        except LedgerLocked:
            if not left:
                raise
    return []


def told(db: Connection) -> list[MigrationRow]:
    """Return the migrations of this release, and which of them have run."""
    try:
        seen = _seen(db)
    except psycopg.Error as fault:
        raise explain(fault, db.told) from fault
    return [
        MigrationRow(name=one.name, after=one.after, done=one.name in seen, release=seen.get(one.name, ""))
        for one in migrations("postgres").values()
    ]


def _seen(db: Connection) -> dict[str, str]:
    """Return which migrations the schema has seen, each with the release that ran it."""
    _, migration, version, encoding, tables = db.rows("place", schema=db.quoted)[0]
    if version < OLDEST:
        raise LedgerError(
            f"{db.told}: PostgreSQL {version // 10_000} is too old; "
            f"the ledger needs {OLDEST // 10_000} or newer"
        )
    if encoding != "UTF8":
        raise LedgerError(f"{db.told}: the database keeps its text as {encoding}; the ledger needs UTF8")
    if tables and not migration:
        raise LedgerDamaged(
            f"{db.told}: the schema '{db.address.schema}' belongs to another program; name one of its own "
            "for the ledger with schema="
        )
    return dict(db.rows("select_migrations")) if migration else {}


def _refuse_newer(db: Connection, seen: Collection[str], known: Mapping[int, Migration]) -> None:
    for name in sorted(set(seen) - {one.name for one in known.values()} - {HALF, MOVED}):
        if "-after-" in name:
            raise LedgerTooNew(
                f"{db.told}: a newer Everytick took away what this release needs ({name}). Upgrade "
                "Everytick, or open a copy from before the upgrade"
            )


def _migrate(db: Connection, known: Mapping[int, Migration], *, after: bool) -> list[str]:
    db.execute("one_at_a_time", schema=db.address.schema)
    db.execute("give_way")
    if not db.rows("place", schema=db.quoted)[0][0]:
        db.execute("make_schema")
    db.execute("make_migration")
    todo = lacking(dict(db.rows("select_migrations")), known, after=after)
    for one in todo:
        db.script(one.script)
        db.execute("insert_migration", name=one.name, release=release.VERSION)
    return [one.name for one in todo]
