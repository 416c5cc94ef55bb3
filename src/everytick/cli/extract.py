"""The command `extract`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from everytick.cli import present
from everytick.errors import UsageError
from everytick.settings import one_of


def extract(
    pattern: Annotated[str, typer.Argument(metavar="PATTERN", help="A regular expression.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file, or - for standard input.")] = "-",
    as_: Annotated[str, typer.Option("--as", metavar="int|float", help="Turn the values into numbers.")] = "",
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="Stop a runaway pattern.")
    ] = 10.0,
) -> None:
    """Print every match of a regular expression as a JSON list: the first group, or the match."""
    from everytick.feeds.extract import text

    kind = one_of(as_, {"int": "int", "float": "float"}) if as_ else None
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as fault:
        raise UsageError(f"{file}: {fault.strerror}") from fault
    present.write_json(text.matches(pattern, text.decode(data, file), as_=kind, timeout=timeout))
