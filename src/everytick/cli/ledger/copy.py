"""The command `ledger copy`."""

from pathlib import Path
from typing import Annotated

import typer

from everytick import copier
from everytick.app import open_ledger
from everytick.audit.auditor import Audit
from everytick.cli import present
from everytick.cli.options import AppOption, JsonOption, not_for_all_to_see
from everytick.cli.progress import progress
from everytick.cli.session import lasting, that_is_there, the_app
from everytick.clock import SystemClock
from everytick.copier import Begun
from everytick.ledgers.secrecy import without_password
from everytick.life.presence import LEASE
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
    move: Annotated[
        bool, typer.Option("--move", help="Give SOURCE up in the end: programs refuse it, and name TARGET.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Copy a whole ledger to another place, from SQLite to PostgreSQL, or back.

    End all programs first: a source at which somebody works is refused. Numbers and history stay as they are,
    so that programs which then open TARGET go on as if nothing had happened. A copy that was cut short goes
    on where it stopped when the same command is given again; until it is whole, no program opens it.

    In the end rows are counted and compared one by one, and the copy is audited. Two ledgers with the same
    tasks run every tick twice: with --move nobody uses SOURCE any more by mistake, without it see to that.
    """
    clock = SystemClock()
    lease = the_app(app).runner.lease if app else LEASE
    with open_ledger(that_is_there(source), marked=True) as old:
        whether = "whether a process that has not ended well still works on the source"
        seconds = f"everytick: watching for {lease / 1e6:.0f} s {whether}"
        with progress(f"watching {whether}", instead=seconds) as told:
            copier.stands_still(old, clock, lease, told)
        with open_ledger(lasting(target), marked=True) as new:
            begun = copier.begin(old, new)
            with progress("copying", of="rows", first=begun.arrived) as told:
                copier.carry(old, new, begun, told)
            with progress("comparing", of="rows") as told:
                copier.compare(old, new, begun, told)
            with progress("auditing the copy", of="ticks") as told:
                successor = _wherever(target) if move else ""
                found = copier.finish(old, new, begun, clock.now(), told, successor=successor)
    if as_json:
        counts = {table: begun.tally[table] for table in KEYS}
        present.write_json(
            {
                "resumed": begun.resumed,
                "arrived_before": begun.arrived,
                "rows": counts,
                "audit": found.as_json(),
                "moved": move,
            }
        )
    else:
        _show(begun, found, without_password(source), without_password(target), moved=move)


def _wherever(target: str) -> str:
    """Return the URL of a ledger as it is read in another folder, and as people may see it."""
    scheme, _, path = target.partition(":///")
    return f"sqlite:///{Path(path).resolve()}" if scheme == "sqlite" else without_password(target)


def _show(begun: Begun, found: Audit, source: str, target: str, *, moved: bool) -> None:
    from everytick.cli import tables

    made = tables.table("copied", "rows", right=("rows",))
    for name in KEYS:
        if begun.tally[name]:
            made.add_row(name, f"{begun.tally[name]:,}")
    console = tables.console()
    console.print(made)
    if begun.resumed:
        present.write(f"It went on where it had stopped: {begun.arrived:,} rows were there already.")
    if found.clean:
        present.write("Compared and audited: nothing is missing, doubled or unexplained.")
    else:
        wrong = present.many(len(found.findings) + found.unlisted, "thing")
        present.write(f"Compared: no row differs. An audit finds {wrong}, in the source as in the copy.")
    if moved:
        present.write(f"The tasks are at {target} now. Programs refuse {source}.")
    else:
        present.write(
            f"Let the programs use {target} from now on, and none of them {source}: two ledgers with the "
            "same tasks run every tick twice."
        )
