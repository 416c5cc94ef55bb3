"""The SQL of a ledger: every statement stands, named and described, in a .sql file."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from everytick.errors import LedgerReadOnly

_SQL = Path(__file__).with_name("sql")
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_FILE = re.compile(r"(\d{4})(?:-(before|after)-[a-z-]+)?\.sql")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """A script that brings a store from one edition to the next.

    ``NNNN-before-WHAT.sql`` only adds, and runs before a release is deployed: the release before it goes
    on beside it, and can be started anew. ``NNNN-after-WHAT.sql`` takes away what only older releases
    need, and runs when none of them does.

    Attributes:
        name: Its file's name, without the ending.
        after: Whether no older release may run any more.
        script: What to run.
    """

    name: str
    after: bool
    script: str


@cache
def migrations(dialect: str) -> Mapping[int, Migration]:
    """Return the migrations of a dialect by the edition they reach, in order.

    Raises:
        ValueError: A file's name does not say when it is to run.
    """
    found: dict[int, Migration] = {}
    for file in sorted(_SQL.joinpath(dialect, "migrations").iterdir()):
        told = _FILE.fullmatch(file.name)
        if told is None:
            raise ValueError(f"{file.name} is no name of a migration; write NNNN-before-WHAT.sql")
        found[int(told[1])] = Migration(
            name=file.stem, after=told[2] == "after", script=file.read_text("utf-8")
        )
    return found


def lacking(seen: Collection[str], known: Mapping[int, Migration], *, after: bool) -> list[Migration]:
    """Return what is to run; a new ledger needs all of it, and there is no older release beside it.

    Args:
        seen: The names of those that have run.
        known: All.
        after: Also those that may run only where no older release is left.
    """
    return [one for one in known.values() if one.name not in seen and (after or not seen or not one.after)]


def withheld(fault: LedgerReadOnly, lacking: Sequence[Migration]) -> LedgerReadOnly:
    """Return the error to raise where somebody opens a ledger who may not bring it up to date."""
    names = ", ".join(one.name for one in lacking)
    return LedgerReadOnly(
        f"{fault}. The ledger is of an older release, and lacks {names}: let somebody who may write to it "
        "say everytick ledger migrate"
    )
