"""What can be wrong with a PostgreSQL server, and how to mend it: one clear error for each."""

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from everytick.errors import LedgerDamaged, LedgerError, LedgerFull, LedgerLocked, LedgerMoved, LedgerReadOnly
from everytick.ledgers.postgres.address import SCHEMA
from everytick.ledgers.secrecy import options

_FAULTS: Mapping[str, tuple[type[LedgerError], str]] = {
    "08": (LedgerError, "the connection was lost; it is made again"),
    "23": (
        LedgerDamaged,
        "a row that breaks a law of the ledger was refused with its whole transaction. Run everytick audit",
    ),
    "25006": (
        LedgerReadOnly,
        "the server only reads, as a standby does. Name the primary: target_session_attrs=read-write",
    ),
    "25P03": (LedgerError, "the server ended a transaction of this process, which stood still meanwhile"),
    "28": (LedgerError, "the server does not let this user in. Look at its password and pg_hba.conf"),
    "3D000": (LedgerError, "there is no such database. Name another, or make it: CREATE DATABASE {database}"),
    "3F000": (LedgerError, "there is no such schema any more. Restore it, or name another with schema="),
    "40": (LedgerLocked, "other processes were in the way, again and again"),
    "42501": (
        LedgerReadOnly,
        (
            "this user may not do it. Name the role that owns the schema, or, where there is none yet, make "
            "one for it: CREATE SCHEMA {schema} AUTHORIZATION {user}"
        ),
    ),
    "42P01": (LedgerDamaged, "tables of the ledger are missing. Restore the schema, or name another"),
    "42703": (LedgerDamaged, "tables of the ledger lack a column. Restore the schema, or name another"),
    "53100": (
        LedgerFull,
        "the server's disk is full. Nothing that was committed is lost; make room, then try again",
    ),
    "53300": (LedgerError, "the server has no connection left. Raise max_connections, or use a pooler"),
    "55P03": (
        LedgerLocked,
        "another transaction holds the ledger's rows. See which: SELECT * FROM pg_stat_activity",
    ),
    "57014": (LedgerLocked, "the server ended a statement that took too long"),
    "57P": (LedgerError, "the server is stopping or starting"),
    "58": (LedgerError, "the server's disk failed to read or write. Look at the server's log"),
    "ET001": (  # what copy.sql raises
        LedgerMoved,
        "this ledger was given up while it was open. Open it anew, and it tells where its tasks are",
    ),
    "XX": (LedgerDamaged, "the server's data is damaged. Keep it, restore a backup, and look at the disk"),
}

_UNREACHED = "the server cannot be reached. Look at host and port, and whether it runs"
_NOT_TRUSTED = "no connection as sslmode asks for. Look at sslmode, sslrootcert, and the server's certificate"

_IN_WORDS: Mapping[str, str] = {
    r"password|pg_hba\.conf|role .* does not exist|not permitted to log in": _FAULTS["28"][1],
    r"database .* does not exist|no such database": _FAULTS["3D000"][1],
    r"too many|connection slots": _FAULTS["53300"][1],
    r"the database system is": _FAULTS["57P"][1],
    r"certificate|support SSL|sslmode": _NOT_TRUSTED,
    r"refused|resolve|translate|timeout|timed out|unreachable|No route": _UNREACHED,
}
"""Where no connection was made libpq has words alone, and no code."""

_POOLED = "pgbouncer gives each statement another connection. Let it say pool_mode = transaction, or session"

AGAIN = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
"""What is no fault: the transaction is done once more."""


def explain(fault: psycopg.Error, told: str) -> LedgerError:
    """Return the error to raise for what the server said.

    Args:
        fault: What psycopg raised.
        told: The ledger's address without its password.
    """
    state = fault.sqlstate or ""
    said = _first_line(fault)
    if "statement pooling mode" in said:
        return LedgerError(f"{told}: {_POOLED} ({said})")
    for length in (5, 3, 2):
        found = _FAULTS.get(state[:length])
        if found is not None:
            kind, mend = found
            return kind(f"{told}: {_named(mend, told)} ({said})")
    hints = (mend for words, mend in _IN_WORDS.items() if not state and re.search(words, said))
    hint = next(hints, None)
    return LedgerError(f"{told}: {_named(hint, told)} ({said})" if hint else f"{told}: {said}")


def _named(mend: str, told: str) -> str:
    """Return a mend with the names that the ledger's address holds, as they are written in SQL."""
    parts, words = urlsplit(told), dict(options(told))
    names = {
        "schema": words.get("schema", SCHEMA),
        "user": unquote(parts.username or "") or words.get("user", "its_name"),
        "database": unquote(parts.path[1:]) or words.get("dbname", "its_name"),
    }
    return mend.format_map({key: sql.Identifier(name).as_string(None) for key, name in names.items()})


def _first_line(fault: psycopg.Error) -> str:
    """Return what was said in one line: of several addresses of a host, what the last one said."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("LINE ", "^", "Multiple connection attempts"))]
    return (
        lines[0].removeprefix("ERROR:").removeprefix("connection failed:").strip()
        if lines
        else type(fault).__name__
    )
