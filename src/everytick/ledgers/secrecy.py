"""Secrecy: passwords in the URLs of ledgers, and URLs as people may see them."""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

_SECRETS = {"password", "sslpassword"}


def without_password(url: str) -> str:
    """Return a URL as people may see it: a password in it is left out."""
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    words = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(
        [(name, "..." if name in _SECRETS else value) for name, value in words], quote_via=quote, safe="/"
    )
    netloc = f"{name}{':...' if colon else ''}{at}{place}"
    return urlunsplit(parts._replace(netloc=netloc, query=query))


def tells_password(url: str) -> bool:
    """Tell whether a password stands in a URL."""
    parts = urlsplit(url)
    asked = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    return ":" in parts.netloc.rpartition("@")[0] or bool(asked & _SECRETS)
