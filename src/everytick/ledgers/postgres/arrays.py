"""Batches as PostgreSQL takes them: one array a column, as text.

psycopg looks at every element of a list to find its type; the columns here have one each, so that
their text is put together at once, in a tenth of the time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import Connection
from psycopg.adapt import Buffer
from psycopg.types.string import StrDumper

Values = Mapping[str, Any]
"""What the parameters of a statement are bound to."""


_WHOLE = {int, type(None)}


def columns(rows: Sequence[Values]) -> dict[str, str]:
    """Return the columns of a batch, each as the text of an array."""
    return {name: array([row[name] for row in rows]) for name in rows[0]}


def array(values: Iterable[Any]) -> str:
    """Return the text of an array of numbers, texts or truths; None is NULL."""
    column = list(values)
    if _WHOLE.issuperset(map(type, column)):
        return numbers(column).replace("None", "NULL")
    written = {value: _element(value) for value in set(column)}  # few texts stand in many rows
    return "{" + ",".join([written[value] for value in column]) + "}"


def numbers(values: Iterable[int]) -> str:
    """Return the text of an array of whole numbers."""
    return "{" + ",".join(map(str, values)) + "}"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


class _Text(StrDumper):
    """Writes a text without what PostgreSQL cannot keep: the character 0, and halves of characters."""

    def dump(self, obj: str) -> Buffer:
        if "\0" in obj:
            obj = obj.replace("\0", "\ufffd")
        return obj.encode("utf-8", "replace")


def prepare(connection: Connection[Any]) -> None:
    """Let a connection write texts as they can be kept."""
    connection.adapters.register_dumper(str, _Text)
