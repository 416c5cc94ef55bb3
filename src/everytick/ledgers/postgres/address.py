"""Where a PostgreSQL ledger lies: its URL, and what is told of it to people.

postgresql://USER@HOST:PORT/DATABASE?schema=everytick&sslmode=verify-full

Everything behind the question mark but ``schema`` and ``password_file`` is libpq's own, as its
documentation names it. A password comes from PGPASSWORD, from a password file of libpq
(PGPASSFILE, ``passfile=``, ~/.pgpass), or from ``password_file=``, a file that holds nothing else.
"""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from psycopg import Error
from psycopg.conninfo import conninfo_to_dict

from everytick.errors import ConfigError
from everytick.ledgers.secrecy import PROPER, options, without_password

SCHEMA = "everytick"
"""The schema of who names none."""

_LONGEST_NAME = 63
_LIVELY = {
    "connect_timeout": "5",
    "keepalives_idle": "4",
    "keepalives_interval": "2",
    "keepalives_count": "2",
    "tcp_user_timeout": "6000",
    "application_name": "everytick",
}
"""A peer that is gone is noticed before a lease ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a ledger lies.

    Attributes:
        options: What libpq is told.
        schema: The schema that holds the ledger, and nothing else.
        told: The address as people may see it, without a password.
    """

    options: dict[str, str] = field(repr=False)
    schema: str
    told: str


def address_of(url: str) -> Address:
    """Read a ledger's URL.

    Raises:
        ConfigError: It cannot be read, or a file that it names.
    """
    told = without_password(url)
    if not PROPER.fullmatch(url):
        raise ConfigError(
            f"{told}: this is no URL of PostgreSQL; write postgresql://USER@HOST/DATABASE. "
            "Within a name, a password or a value write % as %25, @ as %40, : as %3A, / as %2F, ? as %3F, "
            "# as %23, & as %26 and a space as %20"
        )
    words = options(url)
    own = {name: value for name, value in words if name in {"schema", "password_file"}}
    rest = [f"{name}={quote(value, safe='')}" for name, value in words if name not in own]
    schema = own.get("schema", SCHEMA)
    if not 0 < len(schema.encode()) <= _LONGEST_NAME or "\0" in schema or schema.startswith("pg_"):
        raise ConfigError(f"{told}: '{schema}' is no name of a schema; write schema=everytick")
    try:
        found = conninfo_to_dict("?".join([url.partition("?")[0], "&".join(rest)]))
    except (Error, UnicodeError) as fault:
        raise ConfigError(f"{told}: this is no URL of PostgreSQL: {str(fault).strip()}") from None
    if not found.get("dbname"):
        raise ConfigError(f"{told}: it names no database; write postgresql://USER@HOST/DATABASE")
    if "password_file" in own:
        found["password"] = _secret(Path(own["password_file"]), told)
    settings = {name: str(value) for name, value in found.items() if value is not None}
    return Address(options=_LIVELY | settings, schema=schema, told=told)


def _secret(file: Path, told: str) -> str:
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as fault:
        why = getattr(fault, "strerror", None) or "it is no text"
        raise ConfigError(f"{told}: the password cannot be read from {file}: {why}") from None
