"""Editions: bringing a SQLite ledger up to date, one process at a time.

As with PostgreSQL, a migration named ``before`` only adds something, and processes of the release before go
on beside it, or start anew. ``user_version`` says which edition a release has to know to use the file at
all: the newest ``after`` migration that has run, which sets it.
"""

from collections.abc import Mapping

from everytick import release
from everytick.errors import LedgerDamaged, LedgerMoved, LedgerReadOnly, LedgerTooNew, LedgerUnfinished
from everytick.ledgers import reach
from everytick.ledgers.sqlite.connection import Connection
from everytick.ledgers.statements import Migration, lacking, migrations, withheld
from everytick.upkeep import MigrationRow

APPLICATION = 1702130793
"""Marks a SQLite file as a ledger of Everytick ('etti')."""

HALF = 1702130792
"""Marks it as the half copy of one ('etth'): releases that know no copies take it for another program's."""

MOVED = 1702130797
"""Marks it as given up for its copy ('ettm')."""


def bring_up_to_date(db: Connection, *, after: bool = False, marked: bool = False) -> list[str]:
    """Make the tables, or run the migrations that the file lacks; return the names of those that ran.

    Args:
        db: The ledger's connection.
        after: Also those that only may run where no older release is left.
        marked: Whether it may be a half copy, or given up.

    Raises:
        LedgerError: It cannot be done, or a newer release was here.
    """
    known = migrations("sqlite")
    mark = db.rows("application")[0][0]
    if mark == HALF and not marked:
        raise LedgerUnfinished(
            f"{db.path}: a copy into this ledger was begun, and is not whole yet. Go on with it: "
            f"everytick ledger copy SOURCE sqlite:///{db.path}"
        )
    if mark == MOVED and not marked:
        raise LedgerMoved(reach.moved_to(f"sqlite:///{db.path}", db.rows("select_successor")[0][0]))
    seen = _seen(db, known)
    todo = lacking(seen, known, after=after)
    try:
        return _migrate(db, known, after=after) if todo else []
    except LedgerReadOnly as fault:
        raise (withheld(fault, todo) if seen else fault) from fault


def told(db: Connection) -> list[MigrationRow]:
    """Return the migrations of this release, and which of them have run."""
    known = migrations("sqlite")
    seen = _seen(db, known)
    return [
        MigrationRow(name=one.name, after=one.after, done=one.name in seen, release=seen.get(one.name, ""))
        for one in known.values()
    ]


def _seen(db: Connection, known: Mapping[int, Migration]) -> dict[str, str]:
    """Return which migrations the file has seen, each with the release that ran it."""
    (edition,), (application,), (tables,) = (
        db.rows(statement)[0] for statement in ("edition", "application", "table_count")
    )
    if application not in {APPLICATION, HALF, MOVED} and (edition or application or tables):
        raise LedgerDamaged(
            f"{db.path}: this SQLite file belongs to another program; name a file of its own for the ledger"
        )
    if edition > max(known):
        raise LedgerTooNew(
            f"{db.path}: a newer Everytick wrote this ledger (edition {edition}; this release knows "
            f"{max(known)}). Upgrade Everytick, or open a copy from before the upgrade"
        )
    if not edition:
        return {}
    listed = db.rows("has_migrations")[0][0]
    return dict(db.rows("select_migrations")) if listed else {known[1].name: ""}


def _migrate(db: Connection, known: Mapping[int, Migration], *, after: bool) -> list[str]:
    with db.transaction():
        seen = _seen(db, known)
        todo = lacking(seen, known, after=after)
        db.execute("make_migration")
        if seen and not db.rows("select_migrations"):  # made before there was a list
            db.many("insert_migration", [{"name": name, "release": by} for name, by in seen.items()])
        for one in todo:
            db.script(one.script)
            db.execute("insert_migration", name=one.name, release=release.VERSION)
    return [one.name for one in todo]
