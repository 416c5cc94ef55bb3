"""The command `ledger migrate`."""

from typing import Annotated

import typer

from everytick.app import open_ledger
from everytick.cli import present
from everytick.cli.options import AppOption, JsonOption, LedgerOption
from everytick.cli.progress import progress
from everytick.cli.session import ledger_of, that_is_there, the_app
from everytick.clock import SystemClock
from everytick.errors import LedgerError
from everytick.ledger import Process
from everytick.life.living import living
from everytick.life.presence import LEASE
from everytick.release import VERSION, is_older
from everytick.upkeep import MigrationRow, Store


def migrate(
    ledger: LedgerOption = "",
    app: AppOption = "",
    *,
    after: Annotated[
        bool, typer.Option("--after", help="Run those that wait until no older release is left.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show how the ledger was brought from release to release.

    Migrations that only add something run when a release first opens the ledger: this command does, too.
    Those that take something away wait for --after, which is refused while an older release runs.
    """
    with open_ledger(that_is_there(ledger or ledger_of(app))) as opened:
        ran = list(opened.migrated)
        if after and not all(one.done for one in opened.migrations()):
            _refuse_older(opened, LEASE if ledger and not app else the_app(app).runner.lease)
            ran += opened.migrate()
        rows = opened.migrations()
    if as_json:
        listed = [
            {"name": one.name, "after": one.after, "done": one.done, "release": one.release} for one in rows
        ]
        present.write_json({"migrations": listed, "ran": ran})
    else:
        _show(rows, ran)
        if after and not ran:
            present.write("Nothing waited: the ledger is as this release has it.")


def _refuse_older(opened: Store, lease: int) -> None:
    """Refuse while a process of an older release gives a sign of life.

    Raises:
        LedgerError: One does.
    """

    def older(process: Process) -> bool:
        return is_older(process.release)

    with progress("watching whether an older release still runs") as told:
        found = living(opened, SystemClock(), lease, older, told)
    if found is not None:
        raise LedgerError(
            f"{found.kind} {found.id} (pid {found.pid} on {found.host}) runs Everytick {found.release}: "
            f"end it, or start {VERSION} in its place, and say this again; nothing was taken away"
        )


def _show(rows: list[MigrationRow], ran: list[str]) -> None:
    from everytick.cli import tables

    made = tables.table("migration", "when", "state")
    for one in rows:
        by = f", by {one.release}" if one.release else ""
        state = ("has just run" if one.name in ran else "has run") + by if one.done else "waits for --after"
        made.add_row(one.name, "after" if one.after else "before", state, style="" if one.done else "yellow")
    tables.console().print(made)
