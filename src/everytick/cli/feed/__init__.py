"""The commands of the `feed` family."""

import typer

from everytick.cli.feed.changes import changes
from everytick.cli.feed.decide import approve, reject
from everytick.cli.feed.history import history
from everytick.cli.feed.listing import list_
from everytick.cli.feed.look import held, show
from everytick.cli.feed.quarantine import quarantine
from everytick.cli.feed.refresh import refresh
from everytick.cli.feed.why import why

__all__ = ["family"]

family = typer.Typer(
    help="Lists that are kept up to date.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)

family.command()(refresh)
family.command("list")(list_)
for command in (show, changes, history, quarantine, held, approve, reject, why):
    family.command()(command)
