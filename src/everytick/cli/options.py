"""Options and arguments that commands share, and how they are read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from everytick.cli.completion import task_names, zones
from everytick.errors import UsageError
from everytick.ledgers.secrecy import tells_password
from everytick.settings import duration
from everytick.when import Instant, instant_of
from everytick.when.walltime import zone_named


def not_for_all_to_see(context: typer.Context, parameter: typer.CallbackParam, url: str) -> str:
    """Refuse a password that every user of the machine can read in the list of processes."""
    source = context.get_parameter_source(parameter.name or "")
    if source is not None and source.name == "COMMANDLINE" and tells_password(url):
        raise UsageError(
            "a password on the command line can be read by all users of this machine; write it into "
            "PGPASSWORD, ~/.pgpass or a file named by password_file=, or the whole URL into EVERYTICK_LEDGER"
        )
    return url


LedgerOption = Annotated[
    str,
    typer.Option(
        "--ledger",
        "-l",
        metavar="URL",
        envvar="EVERYTICK_LEDGER",
        callback=not_for_all_to_see,
        help="The ledger: sqlite:///file.db or postgresql://USER@HOST/DATABASE.",
    ),
]
AppOption = Annotated[
    str, typer.Option("--app", "-a", metavar="APP", help="A .toml, .py or .jsonl file, or module:app.")
]
AppArgument = Annotated[
    str,
    typer.Argument(
        metavar="[APP]", help="A .toml, .py or .jsonl file, or module:app; everytick.toml by default."
    ),
]
TasksArgument = Annotated[
    str,
    typer.Argument(
        metavar="[APP]",
        help="A .toml, .py or .jsonl file, module:app, or - for JSON Lines; everytick.toml by default.",
    ),
]
OriginOption = Annotated[
    str,
    typer.Option("--origin", metavar="NAME", help="Whose tasks JSON Lines hold; the file's path by default."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="For machines: one JSON value.")]
NoteOption = Annotated[str, typer.Option("--note", "-m", help="Why; kept with the change.")]
ZoneOption = Annotated[
    str,
    typer.Option(
        "--zone",
        "-z",
        autocompletion=zones,
        help="The zone of times that name none, such as Europe/Berlin.",
    ),
]
TaskArgument = Annotated[str, typer.Argument(metavar="TASK", autocompletion=task_names)]
AnyTaskArgument = Annotated[str, typer.Argument(metavar="[TASK]", autocompletion=task_names)]


@contextmanager
def value_of(option: str) -> Iterator[None]:
    """Let a complaint about a value begin with the option that it was given to.

    Raises:
        UsageError: The complaint.
    """
    try:
        yield
    except UsageError as fault:
        raise UsageError(f"{option}: {fault}") from fault


def moment(option: str, text: str, zone: str, now: Instant, *, past: bool = False) -> Instant:
    """Read a moment: an RFC 3339 time, ``now``, or a duration from now (``2h``).

    Args:
        option: Where it was typed.
        text: What was typed.
        zone: The zone of a time that names none.
        now: The moment.
        past: A duration is counted back.

    Raises:
        UsageError: It is none of these, or a time without a zone.
    """
    if text == "now":
        return now
    if text[:1].isdigit() and text[-1:].isalpha() and text[-1:] != "Z":
        with value_of(option):
            return now - duration(text) if past else now + duration(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option}: '{text}' is no time; write 2026-11-21T06:00:00Z, or a duration such as 2h"
        ) from None
    if found.tzinfo is None:
        if not zone:
            raise UsageError(
                f"{option}: '{text}' names no zone; put Z or an offset behind it, or give --zone"
            )
        found = found.replace(tzinfo=ZoneInfo(zone_named(zone).name))
    return instant_of(found)
