"""What can be wrong with a PostgreSQL server, and how to mend it: one clear error for each."""

import re
from collections.abc import Mapping

import psycopg

from everytick.errors import LedgerDamaged, LedgerError, LedgerFull, LedgerLocked, LedgerReadOnly

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
    "3D000": (LedgerError, "there is no such database. Make it: createdb"),
    "3F000": (LedgerError, "there is no such schema any more. Restore it, or name another with schema="),
    "40": (LedgerLocked, "other processes were in the way, again and again"),
    "42501": (
        LedgerReadOnly,
        "this user may not do it. Let it own the schema: CREATE SCHEMA everytick AUTHORIZATION its_name",
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
    "XX": (LedgerDamaged, "the server's data is damaged. Keep it, restore a backup, and look at the disk"),
}

_UNREACHED = "the server cannot be reached. Look at host and port, and whether it runs"
_NOT_TRUSTED = "no connection as sslmode asks for. Look at sslmode, sslrootcert, and the server's certificate"

_IN_WORDS: Mapping[str, str] = {
    r"password|pg_hba\.conf|role .* does not exist|not permitted to log in": _FAULTS["28"][1],
    r"database .* does not exist": _FAULTS["3D000"][1],
    r"too many|connection slots": _FAULTS["53300"][1],
    r"the database system is": _FAULTS["57P"][1],
    r"certificate|support SSL|sslmode": _NOT_TRUSTED,
    r"refused|resolve|translate|timeout|timed out|unreachable|No route": _UNREACHED,
}
"""Where no connection was made libpq has words alone, and no code."""

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
    for length in (5, 3, 2):
        found = _FAULTS.get(state[:length])
        if found is not None:
            kind, mend = found
            return kind(f"{told}: {mend} ({said})")
    hints = (mend for words, mend in _IN_WORDS.items() if not state and re.search(words, said))
    hint = next(hints, None)
    return LedgerError(f"{told}: {hint} ({said})" if hint else f"{told}: {said}")


def _first_line(fault: psycopg.Error) -> str:
    """Return what was said in one line: of several addresses of a host, what the last one said."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(("LINE ", "^", "Multiple connection attempts"))]
    return (
        lines[0].removeprefix("ERROR:").removeprefix("connection failed:").strip()
        if lines
        else type(fault).__name__
    )
