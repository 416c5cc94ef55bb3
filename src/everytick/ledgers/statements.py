"""The SQL of a ledger: every statement stands, named and described, in a .sql file."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_SQL = Path(__file__).with_name("sql")
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def statements(dialect: str) -> Mapping[str, str]:
    """Return the statements of a dialect by name.

    Raises:
        ValueError: Two statements have one name.
    """
    found: dict[str, str] = {}
    for file in sorted(_SQL.joinpath(dialect).glob("*.sql")):
        parts = _NAME.split(file.read_text("utf-8"))[1:]
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"two statements are named {name}")
            lines = [line for line in text.splitlines() if not line.startswith("--")]
            found[name] = "\n".join(lines).strip().rstrip(";")
    return found


@cache
def migrations(dialect: str) -> Mapping[int, str]:
    """Return the scripts that bring a store from one edition to the next, by the edition they reach."""
    folder = _SQL.joinpath(dialect, "migrations")
    scripts = {int(file.name[:4]): file.read_text("utf-8") for file in folder.iterdir()}
    return dict(sorted(scripts.items()))
