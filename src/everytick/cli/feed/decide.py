"""The commands with which a person decides about a list that is held: approve and reject."""

import signal
import sys
from typing import Annotated, Literal

import typer

from everytick.app import author
from everytick.cli import present
from everytick.cli.feed import values
from everytick.cli.feed.chosen import Chosen, FeedArgument, chosen
from everytick.cli.feed.look import show_held
from everytick.cli.options import AppOption, JsonOption
from everytick.clock import SystemClock
from everytick.errors import FeedError, UsageError
from everytick.feeds.ask.show import show

NoteOption = Annotated[str, typer.Option("--note", "-m", help="Why; kept with the decision.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where nobody can be asked.")]
_FEW = 4
"""So many keys of each kind, and the figures above them stay on a small screen."""

_Deed = Literal["approve", "reject"]


def approve(
    feed: FeedArgument,
    app: AppOption = "",
    note: NoteOption = "",
    *,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Publish the list that is held: shows it, asks first.

    Exit code 1 where none is held, or the answer is no.
    """
    _decide("approve", chosen(app, feed), note, yes=yes, as_json=as_json)


def reject(
    feed: FeedArgument,
    app: AppOption = "",
    note: NoteOption = "",
    *,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Refuse the list that is held for good: shows it, asks first.

    It is refused whenever it comes again, telling who said so and why.
    Exit code 1 where none is held, or the answer is no.
    """
    _decide("reject", chosen(app, feed), note, yes=yes, as_json=as_json)


def _decide(deed: _Deed, which: Chosen, note: str, *, yes: bool, as_json: bool) -> None:
    from everytick.feeds import decide

    name = which.name
    held = show(which.data, name).held
    if held is None:
        sys.stderr.write(
            f"everytick: no list of {name} is held; everytick feed show {name} tells how it stands\n"
        )
        raise typer.Exit(1)
    if not yes:
        note = _asked(deed, which, note, as_json=as_json)
        seen, held = held, show(which.data, name).held
        if held is None or held.snapshot.digest != seen.snapshot.digest:
            raise FeedError(
                f"another refresh of {name} has ended meanwhile, and nothing was decided; look again"
            )
    if not note.strip():
        raise UsageError(
            "say why with --note: it is kept with the decision, and told when the list comes again"
        )
    now, actor = SystemClock().now(), author(note).actor
    made = decide.approve if deed == "approve" else decide.reject
    entry = made(which.data, name, actor=actor, note=note, moment=now, digest=held.snapshot.digest)
    if as_json:
        present.write_json(values.of_entry(entry))
    elif deed == "approve":
        figures = f"{entry.added:,} added, {entry.removed:,} removed, {entry.changed:,} changed"
        present.write(
            f"{name}: {actor} approved it; published as snapshot {entry.sequence}, "
            f"{entry.rows:,} rows: {figures}"
        )
    else:
        served = f"snapshot {entry.sequence} is still the list" if entry.sequence else "there is no list yet"
        present.write(
            f"{name}: {actor} rejected it; {served}, and this very list is refused when it comes again"
        )


def _asked(deed: _Deed, which: Chosen, note: str, *, as_json: bool) -> str:
    """Show what is held, and ask whether that is wanted and why; return why.

    Raises:
        UsageError: Nobody can be asked.
        Exit: They do not want it.
    """
    if as_json or not sys.stdin or not sys.stdin.isatty():
        raise UsageError(
            f"nobody can be asked here; look with everytick feed held {which.name}, "
            "then give --yes and --note"
        )
    show_held(which, SystemClock().now(), _FEW)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # polars' own lets input() wait on
    what = "Publish it" if deed == "approve" else "Refuse it for good"
    try:
        answer = input(f"\n{what}? [y/N] ")
        if answer.strip().lower() in {"y", "yes"}:
            return note or input("Why? ")
    except EOFError:
        present.write("")
    except KeyboardInterrupt:
        present.write("\nNothing was decided.")
        raise typer.Exit(130) from None
    present.write("Nothing was decided.")
    raise typer.Exit(1)
