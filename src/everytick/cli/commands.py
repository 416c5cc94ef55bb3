"""The names of all commands. What a command needs is loaded when it is asked for: each starts fast."""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from everytick.release import VERSION

_HOMES = {
    "up": "programs:up",
    "scheduler": "programs:scheduler",
    "runner": "programs:runner",
    "plan": "act:plan",
    "apply": "act:apply",
    "next": "schedules:next_",
    "explain": "schedules:explain",
    "simulate": "simulate:simulate",
    "tasks": "look:tasks",
    "ticks": "look:ticks",
    "show": "look:show",
    "why": "look:why",
    "run": "act:run",
    "pause": "act:pause",
    "resume": "act:resume",
    "backfill": "act:backfill",
    "cancel": "act:cancel",
    "audit": "proof:audit",
    "ledger": "ledger:family",
    "check": "proof:check",
    "doctor": "proof:doctor",
    "extract": "extract:extract",
    "feed": "feed:family",
    "completion": "completion:completion",
}


class _Commands(Mapping[str, Any]):
    """The commands by name; each is made when it is looked up."""

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - typer's own classes
        room, _, place = _HOMES[name].partition(":")
        found = getattr(import_module(f"everytick.cli.{room}"), place)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(name)(found)
            found = alone
        return typer.main.get_command(found)

    def __iter__(self) -> Iterator[str]:
        return iter(_HOMES)

    def __len__(self) -> int:
        return len(_HOMES)


_Misuse: type[Exception] = typer.BadParameter.__mro__[1]
"""Typer's error of words that a command does not take; its home differs from release to release."""

_FILE = re.compile(r"Got unexpected extra argument.*\((\S+\.(?:toml|py))\)")


class _Group(TyperGroup):
    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - typer's own
        super().__init__(**attributes | {"commands": _Commands()})

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's own
        """Run a command; whoever names the configuration as another command wants it is told the way."""
        try:
            return super().invoke(ctx)
        except _Misuse as fault:
            _tell_the_mend(fault)
            raise


def _tell_the_mend(fault: Any) -> None:  # noqa: ANN401 - typer's own
    """Add how a command takes the configuration: most behind ``-a``, those about it alone."""
    command = fault.ctx.command if fault.ctx else None
    app = next((each for each in getattr(command, "params", ()) if each.name == "app"), None)
    if app is None:
        return
    file = _FILE.match(fault.message)
    if file and app.param_type_name == "option":
        fault.message += f"; name the configuration with -a {file[1]}"
    elif fault.message.endswith((": -a", ": --app")):
        fault.message += "; name the configuration alone, without it"


application = typer.Typer(
    name="everytick",
    help="Periodic tasks: every tick runs on time, once, and is accounted for.",
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"everytick {VERSION}")
        raise typer.Exit


@application.callback()
def everytick(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Periodic tasks: every tick runs on time, once, and is accounted for."""
    del version
