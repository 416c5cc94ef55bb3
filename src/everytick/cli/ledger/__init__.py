"""The commands of the `ledger` family."""

import typer

from everytick.cli.ledger.copy import copy
from everytick.cli.ledger.migrate import migrate
from everytick.cli.ledger.prune import prune

__all__ = ["family"]

family = typer.Typer(
    help="The ledger as a whole.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)

for command in (copy, migrate, prune):
    family.command()(command)
