"""The command `ledger prune`."""

from datetime import timedelta
from typing import Annotated

import typer

from everytick.app import CONFIG, author, find_app, of_this_folder, open_ledger
from everytick.audit import pruner
from everytick.audit.pruner import Pruned
from everytick.cli import present
from everytick.cli.options import AppOption, JsonOption, LedgerOption, NoteOption, value_of
from everytick.cli.progress import progress
from everytick.cli.session import ledger_of, that_is_there
from everytick.clock import SystemClock
from everytick.errors import UsageError
from everytick.settings import kept
from everytick.tick import rfc3339
from everytick.when import format_duration


def prune(
    ledger: LedgerOption = "",
    app: AppOption = "",
    keep: Annotated[
        str, typer.Option("--keep", metavar="DURATION", help="Keep so much; keep_ticks of APP by default.")
    ] = "",
    note: NoteOption = "",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Audit the ticks that are old, and delete them.

    What was due and has ended longer ago than DURATION goes. Of each task a seal is left, which says how many
    ticks ended in which way, and an audit begins there. A task keeps its newest 100 ticks, everything since
    its newest success, and everything from the first tick on that has not ended. A task in which the audit
    finds something keeps everything, and the exit status is 1.

    The programs may go on meanwhile. A pruning that was cut short goes on when the command is given again.
    """
    length = _typed(keep) if keep else _configured(app)
    clock = SystemClock()
    with open_ledger(that_is_there(ledger or ledger_of(app))) as opened:
        now = clock.now()
        change = None if dry_run else pruner.pruning(now, length, author(note).actor, note)
        with progress("auditing what is old" if dry_run else "pruning", of="ticks") as told:
            found = pruner.prune(opened, now, length, change, told)
    if as_json:
        present.write_json(found.as_json() | {"dry_run": dry_run})
    else:
        _show(found, length, dry_run=dry_run)
    if found.findings:
        raise typer.Exit(1)


def _typed(keep: str) -> int:
    with value_of("--keep"):
        return kept(keep)


def _configured(app: str) -> int:
    length = (find_app(app) if app else of_this_folder()).keep_ticks
    if length is None:
        where = app or f"{CONFIG}, or of the .toml file that --app names"
        raise UsageError(f'say how much is kept: --keep 90d, or keep_ticks = "90d" at the top of {where}')
    return length


def _show(found: Pruned, length: int, *, dry_run: bool) -> None:
    from everytick.cli import tables

    if found.tasks:
        made = tables.table("to be pruned" if dry_run else "pruned", "ticks", right=("ticks",))
        for state, count in sorted(found.ticks.items()):
            if count:
                made.add_row(state.value, f"{count:,}")
        tables.console().print(made)
    went = "would go" if dry_run else "went"
    words = format_duration(timedelta(microseconds=length))
    present.write(
        f"{present.many(found.rows, 'row')} of {present.many(found.tasks, 'task')} {went}: what was due by "
        f"{rfc3339(found.due_by)}, {words} ago."
    )
    console = tables.console()
    for finding in found.findings:
        console.print(f"kept, {finding.kind}: {finding.sentence}", style="red", markup=False)
    if found.unlisted:
        present.write(f"{found.unlisted:,} more findings are not listed; everytick audit tells more.")
