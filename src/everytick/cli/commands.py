"""The names of all commands."""

from typing import Annotated

import typer

from everytick.cli import act, extract, feed, look, programs, proof, schedules
from everytick.cli.present import write
from everytick.release import VERSION

application = typer.Typer(
    name="everytick",
    help="Periodic tasks: every tick runs on time, once, and is accounted for.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(*, asked: bool) -> None:
    if asked:
        write(f"everytick {VERSION}")
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


for command in (
    programs.up,
    programs.scheduler,
    programs.runner,
    act.plan,
    act.apply,
    schedules.explain,
    look.tasks,
    look.ticks,
    look.show,
    look.why,
    act.run,
    act.pause,
    act.resume,
    act.backfill,
    act.cancel,
    proof.audit,
    proof.check,
    proof.doctor,
    extract.extract,
):
    application.command()(command)
application.command("next")(schedules.next_)
application.add_typer(feed.family, name="feed")
