"""Secrecy: passwords in the URLs of ledgers, and URLs as people may see them.

A password that is written into a URL as it is may hold a character that means something there. Whoever
reads such a URL takes a part of the password for the name of a host, and tells it to others. So only a URL
that can be read in one way is read at all.
"""

import re
from urllib.parse import unquote

SCHEMES = ("postgresql", "postgres")

_CHARACTER = r"(?:[^\s%@:/?#\[\],&]|%(?!00)[0-9A-Fa-f]{2})"
_HOST = rf"(?:\[[0-9A-Fa-f:.]+\]|{_CHARACTER}*)(?::\d+)?"
_OPTION = r"\w+=(?:[^\s%@?#&]|%(?!00)[0-9A-Fa-f]{2})*"
PROPER = re.compile(
    rf"(?:{'|'.join(SCHEMES)})://"
    rf"(?:(?P<user>(?:{_CHARACTER}|[,&])*)(?P<password>:(?:{_CHARACTER}|[:,&])*)?@)?"
    rf"(?P<place>{_HOST}(?:,{_HOST})*)"
    rf"(?:/(?:{_CHARACTER}|[:,&])*)?"
    rf"(?:\?(?P<options>{_OPTION}(?:&{_OPTION})*)?)?"
)
"""A URL of PostgreSQL that can be read in one way."""

_HARMLESS = frozenset({
    "schema", "host", "port", "dbname", "user", "sslmode", "sslrootcert", "passfile", "password_file",
    "target_session_attrs", "connect_timeout", "application_name", "service",
})  # fmt: skip


def options(url: str) -> list[tuple[str, str]]:
    """Return what stands behind the question mark of a proper URL; a plus is a plus."""
    found = PROPER.fullmatch(url)
    pieces = (found["options"] or "").split("&") if found else []
    words = (piece.partition("=") for piece in pieces if piece)
    return [(name, unquote(value)) for name, _, value in words]


def without_password(url: str) -> str:
    """Return a URL as people may see it: without a password, and without what might hold one."""
    scheme = url.partition("://")[0]
    if scheme not in SCHEMES:
        return url
    found = PROPER.fullmatch(url)
    if found is None:
        return f"{scheme}://..."
    base, mark, behind = url.partition("?")
    if found["password"]:
        base = f"{base[: found.start('password')]}:...{base[found.end('password') :]}"
    shown = [
        piece if piece.partition("=")[0] in _HARMLESS else f"{piece.partition('=')[0]}=..."
        for piece in behind.split("&")
    ]
    return f"{base}?{'&'.join(shown)}" if mark and behind else base


def tells_password(url: str) -> bool:
    """Tell whether a password stands in a URL, or may do so."""
    if url.partition("://")[0] not in SCHEMES:
        return False
    found = PROPER.fullmatch(url)
    if found is None:
        return ":" in url.partition("://")[2].rpartition("@")[0] or "password" in url
    return bool(found["password"]) or any(name in {"password", "sslpassword"} for name, _ in options(url))
