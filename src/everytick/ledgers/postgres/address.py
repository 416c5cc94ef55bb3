"""Where a PostgreSQL ledger lies: its URL, and what is told of it to people.

postgresql://USER@HOST:PORT/DATABASE?schema=everytick&sslmode=verify-full

Everything behind the question mark but ``schema`` and ``password_file`` is libpq's own, as its
documentation names it. A password comes from PGPASSWORD, from a password file of libpq
(PGPASSFILE, ``passfile=``, ~/.pgpass), or from ``password_file=``, a file that holds nothing else.
"""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from psycopg import Error
from psycopg.conninfo import conninfo_to_dict

from everytick.errors import ConfigError
from everytick.ledgers.secrecy import without_password

SCHEMES = ("postgresql", "postgres")
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
    parts = urlsplit(url)
    words = parse_qsl(parts.query, keep_blank_values=True)
    own = {name: value for name, value in words if name in {"schema", "password_file"}}
    rest = urlencode([(name, value) for name, value in words if name not in own], quote_via=quote)
    schema = own.get("schema", SCHEMA)
    if not 0 < len(schema.encode()) <= _LONGEST_NAME or "\0" in schema or schema.startswith("pg_"):
        raise ConfigError(f"{told}: '{schema}' is no name of a schema; write schema=everytick")
    try:
        options = conninfo_to_dict(urlunsplit(parts._replace(query=rest)))
    except (Error, UnicodeError) as fault:
        why = str(fault).strip().replace(url, told)
        raise ConfigError(f"{told}: this is no URL of PostgreSQL: {why}") from None
    if not options.get("dbname"):
        raise ConfigError(f"{told}: it names no database; write postgresql://USER@HOST/DATABASE")
    if "password_file" in own:
        options["password"] = _secret(Path(own["password_file"]), told)
    settings = {name: str(value) for name, value in options.items() if value is not None}
    return Address(options=_LIVELY | settings, schema=schema, told=told)


def _secret(file: Path, told: str) -> str:
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as fault:
        why = getattr(fault, "strerror", None) or "it is no text"
        raise ConfigError(f"{told}: the password cannot be read from {file}: {why}") from None
