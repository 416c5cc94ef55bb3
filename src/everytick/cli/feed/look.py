"""The commands that tell how one feed stands: what it holds, and what is held against it."""

from typing import Annotated

import typer

from everytick.cli import present
from everytick.cli.feed import values
from everytick.cli.feed.changes import SIGNS, LimitOption, draw
from everytick.cli.feed.chosen import Chosen, Day, FeedArgument, chosen
from everytick.cli.feed.next import SHORT, after_refusal, to_decide
from everytick.cli.feed.standing import standing
from everytick.cli.local import clock
from everytick.cli.options import AppOption, JsonOption
from everytick.cli.verdict import act, plain
from everytick.clock import SystemClock
from everytick.feeds.archive.snapshot import Snapshot
from everytick.feeds.ask.show import Shown
from everytick.feeds.ask.show import show as state_of
from everytick.when import Instant


def show(
    feed: FeedArgument,
    app: AppOption = "",
    as_of: Annotated[
        str,
        typer.Option("--as-of", metavar="DAY", help="As it stood that day: 2026-11-22, today, yesterday."),
    ] = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what a list holds, how fresh it is, and what is wrong."""
    which, now = chosen(app, feed), SystemClock().now()
    if as_of:
        _show_then(which, Day.read(as_of, which.zone, now), now, as_json=as_json)
        return
    found = state_of(which.data, feed)
    if as_json:
        present.write_json(values.of_shown(found))
        return
    from everytick.cli import tables

    console, snapshot = tables.console(), found.snapshot
    _, words = standing(which, found, now)
    listed = (
        f"snapshot {snapshot.sequence}, {snapshot.rows:,} rows" if snapshot else "no list was accepted yet"
    )
    console.print(tables.headline(feed, f"{words}; {listed}"))
    if snapshot is not None:
        console.print(tables.pairs(_facts(feed, snapshot, now) | _state(which, found, now)))
    _troubles(found, now)


def _state(which: Chosen, found: Shown, now: Instant) -> dict[str, str]:
    within = which.task.policies.fresh_within
    limit = f"; fresh within {present.elapsed(within)}" if within else ""
    return {"found good": f"{present.ago(found.good_at, now)}{limit}", "file": str(found.path)}


def _facts(name: str, snapshot: Snapshot, now: Instant) -> dict[str, str]:
    """Return what there is to say of an accepted list."""
    which = f"{name} --download {snapshot.raw_sha256[:SHORT]}"
    parts = {"not valid": snapshot.invalid, "repeated": snapshot.repeated, "without a key": snapshot.keyless}
    left = ", ".join(f"{count:,} {what}" for what, count in parts.items() if count)
    told = {
        "as of": str(snapshot.as_of or ""),
        "published": f"{present.ago(snapshot.at, now)}, {clock(snapshot.at)}",
        "approved": f"by {snapshot.approved_by}: {plain(snapshot.note)}" if snapshot.approved_by else "",
        "against": "" if snapshot.sequence == 1 else f"snapshot {snapshot.sequence - 1}: {differs(snapshot)}",
        "left out": f"{left}; everytick feed quarantine {which} shows them" if left else "",
        "warnings": "\n".join(plain(each) for each in snapshot.warnings),
        "came from": f"{snapshot.url}, {snapshot.raw_bytes:,} bytes",
    }
    return {name: text for name, text in told.items() if text}


def differs(snapshot: Snapshot) -> str:
    """Return what a list gained and lost, in figures."""
    return f"{snapshot.added:,} added, {snapshot.removed:,} removed, {snapshot.changed:,} changed"


def _troubles(found: Shown, now: Instant) -> None:
    """Write what is held, what was refused last, and what to do about it."""
    from everytick.cli import tables

    if found.refusal is None and found.held is None:
        return
    console = tables.console()
    console.print()
    against = {} if found.held is None else {"held": (found.held.snapshot.at, found.held.reasons)}
    if found.refusal is not None and found.refusal.act != "held":
        against[act(found.refusal)] = (found.refusal.at, found.refusal.reasons)
    for word, (at, reasons) in against.items():
        console.print(tables.paragraph(f"{word} {present.ago(at, now)}", style="bold"))
        for reason in reasons:
            console.print(tables.paragraph(plain(reason), "  - "))
    console.print()
    for line in after_refusal(found, now):
        console.print(tables.paragraph(line, rest="  "))


def _show_then(which: Chosen, day: Day, now: Instant, *, as_json: bool) -> None:
    """Show the list as it stood on a day."""
    from everytick.feeds.ask.history import as_of

    snapshot = as_of(which.data, which.name, day.date)
    path = which.data / "feeds" / which.name / "content" / f"{snapshot.digest}.parquet"
    if as_json:
        present.write_json(
            {"feed": which.name}
            | values.of_snapshot(snapshot)
            | {"path": str(path) if path.exists() else None}
        )
        return
    from everytick.cli import tables

    console = tables.console()
    listed = f"as of {day.date}: snapshot {snapshot.sequence}, {snapshot.rows:,} rows"
    console.print(tables.headline(which.name, listed))
    file = str(path) if path.exists() else "no longer kept"
    console.print(tables.pairs(_facts(which.name, snapshot, now) | {"file": file}))


def held(
    feed: FeedArgument, app: AppOption = "", limit: LimitOption = None, *, as_json: JsonOption = False
) -> None:
    """Show the list that is held, against the last good one."""
    which, now = chosen(app, feed), SystemClock().now()
    if state_of(which.data, feed).held is None:
        present.write_json(None) if as_json else present.write(
            f"no list of {feed} is held; everytick feed why {feed} has what was, and what became of it"
        )
        return
    show_held(which, now, limit, as_json=as_json)
    if not as_json:
        for line in ("", *to_decide(feed, seen=True)):
            present.write(line)


def show_held(which: Chosen, now: Instant, limit: int | None = None, *, as_json: bool = False) -> None:
    """Write what is held against the last good list: figures, reasons, a few of the rows.

    Raises:
        UnknownName: No list is held.
    """
    from everytick.feeds.ask import closer

    found, changed = closer.held(which.data, which.name)
    snapshot = found.snapshot
    if as_json:
        keys = {kind: changed.keys(kind, limit) for kind in SIGNS}
        told = {"feed": which.name, "reasons": list(found.reasons), **values.of_snapshot(snapshot)}
        present.write_json(told | {"keys": keys})
        return
    from everytick.cli import tables

    console = tables.console()
    of = f", of {snapshot.as_of}" if snapshot.as_of else ""
    console.print(
        tables.headline(which.name, f"held {present.ago(snapshot.at, now)}: {snapshot.rows:,} rows{of}")
    )
    for reason in found.reasons:
        console.print(tables.paragraph(plain(reason), "  - "))
    against = "the first list" if snapshot.sequence == 1 else f"against snapshot {snapshot.sequence - 1}"
    console.print(f"{against}: {differs(snapshot)}", markup=False)
    draw(which, changed, limit)
