"""The command `ledger copy`."""

from typing import Annotated

import typer

from everytick import copier
from everytick.app import open_ledger
from everytick.auditor import Audit
from everytick.cli import present
from everytick.cli.options import AppOption, JsonOption, not_for_all_to_see
from everytick.cli.progress import progress
from everytick.cli.session import that_is_there, the_app
from everytick.clock import SystemClock
from everytick.copier import Begun
from everytick.ledgers.secrecy import without_password
from everytick.presence import LEASE
from everytick.upkeep import KEYS

_URL = "sqlite:///file.db, postgresql://USER@HOST/DATABASE, or env:NAME."
SourceArgument = Annotated[
    str, typer.Argument(metavar="SOURCE", callback=not_for_all_to_see, help=f"The ledger to copy: {_URL}")
]
TargetArgument = Annotated[
    str, typer.Argument(metavar="TARGET", callback=not_for_all_to_see, help=f"A new one: {_URL}")
]


def copy(
    source: SourceArgument,
    target: TargetArgument,
    app: AppOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Copy a whole ledger to another place, from SQLite to PostgreSQL, or back.

    End all programs first: a source at which somebody works is refused. Numbers and history stay as they are,
    so that programs which then open TARGET go on as if nothing had happened. A copy that was cut short goes
    on where it stopped when the same command is given again; until it is whole, no program opens it.

    In the end rows are counted and both are audited. Then keep SOURCE switched off: two ledgers with the same
    tasks would run every tick twice.
    """
    clock = SystemClock()
    lease = the_app(app).runner.lease if app else LEASE
    with open_ledger(that_is_there(source)) as old:
        with progress("watching whether somebody works on the source") as told:
            copier.stands_still(old, clock, lease, told)
        with open_ledger(target, unfinished=True) as new:
            begun = copier.begin(old, new)
            with progress("copying") as told:
                copier.carry(old, new, begun, told)
            with progress("auditing both") as told:
                found = copier.finish(old, new, begun, clock.now(), told)
    if as_json:
        counts = {table: begun.tally[table] for table in KEYS}
        present.write_json({"resumed": begun.resumed, "rows": counts, "audit": found.as_json()})
    else:
        _show(begun, found, without_password(target))


def _show(begun: Begun, found: Audit, target: str) -> None:
    from everytick.cli import tables

    made = tables.table("copied", "rows", right=("rows",))
    for name, count in begun.tally.items():
        if name.partition(" ")[0] in KEYS and count:
            made.add_row(name, f"{count:,}")
    console = tables.console()
    console.print(made)
    if found.clean:
        present.write("Counted and audited: nothing is missing, doubled or unexplained.")
    else:
        wrong = present.many(len(found.findings) + found.unlisted, "thing")
        present.write(f"Counted and audited: an audit finds {wrong}, in the source as in the copy.")
    present.write(
        f"Let the programs use {target} from now on, and no more the ledger that it was copied from."
    )
