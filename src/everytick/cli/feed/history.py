"""The command that tells how a list, or one of its keys, came to be as it is."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from everytick.cli import picture, present
from everytick.cli.feed import values
from everytick.cli.feed.chosen import Chosen, FeedArgument, chosen
from everytick.cli.options import AppOption, JsonOption
from everytick.cli.verdict import plain
from everytick.clock import SystemClock
from everytick.feeds.archive.record import Record
from everytick.feeds.archive.snapshot import Snapshot

_WIDTH = 60


def history(
    feed: FeedArgument,
    key: Annotated[
        str, typer.Argument(metavar="[KEY]", help="The life of one key, such as an ISIN.", show_default=False)
    ] = "",
    app: AppOption = "",
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="At most so many snapshots.")] = 20,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show the lists that were accepted, or the life of a key.

    Exit code 1 where the key never did.
    """
    which = chosen(app, feed)
    if key:
        _of_key(which, key, as_json=as_json)
    else:
        _of_list(which, limit, as_json=as_json)


def _of_list(which: Chosen, limit: int, *, as_json: bool) -> None:
    found = Record(which.data, which.name).known().snapshots()
    shown = found[-limit:]
    if as_json:
        present.write_json([values.of_snapshot(each) for each in shown])
        return
    if not found:
        present.write(f"{which.name}: no list was accepted yet")
        return
    from everytick.cli import tables

    console, now = tables.console(), SystemClock().now()
    console.print(tables.headline(which.name, present.many(len(found), "snapshot")))
    console.print(_trend(found[-_WIDTH:]), markup=False)
    made = tables.table(
        "#", "accepted", "", "as of", "rows", "added", "removed", "changed", "by",
        right=("#", "rows", "added", "removed", "changed"), clip=("by",),
    )  # fmt: skip
    for each in reversed(shown):
        made.add_row(
            str(each.sequence),
            f"{which.local(each.at):%Y-%m-%d %H:%M}",
            present.ago(each.at, now),
            str(each.as_of or "-"),
            *(f"{count:,}" for count in (each.rows, each.added, each.removed, each.changed)),
            tables.clipped(plain(each.approved_by)),
        )
    console.print(made)
    if len(found) > len(shown):
        console.print(f"... and {len(found) - len(shown):,} older ones; --limit shows them", markup=False)


def _trend(found: Sequence[Snapshot]) -> str:
    """Return a picture of the rows of snapshots, the lowest at its foot, with what foot and top stand for."""
    rows = [each.rows for each in found]
    low, high = min(rows), max(rows)
    if low == high:
        return f"rows {low:,} in each"
    (drawn,) = picture.bars([1 + 7 * (count - low) // (high - low) for count in rows])
    return f"rows {drawn}  {low:,} to {high:,}"


def _of_key(which: Chosen, key: str, *, as_json: bool) -> None:
    from everytick.feeds.ask.history import Moment
    from everytick.feeds.ask.history import history as lives

    spans = lives(which.data, which.name, key)
    if as_json:
        present.write_json(
            [
                {
                    "key": span.key,
                    "from": values.of_moment(span.since.sequence, span.since.at, span.since.as_of),
                    "began": span.began,
                    "to": span.until
                    and values.of_moment(span.until.sequence, span.until.at, span.until.as_of),
                    "ended": span.ended,
                    "row": dict(span.row),
                }
                for span in spans
            ]
        )
    elif not spans:
        present.write(
            f"{plain(key)} never stood in {which.name}; "
            f"everytick feed quarantine {which.name} shows what was left out"
        )
    if not spans:
        raise typer.Exit(1)
    if as_json:
        return
    from everytick.cli import tables

    def when(moment: Moment | None) -> str:
        if moment is None:
            return "now"
        day = moment.as_of or f"{which.local(moment.at):%Y-%m-%d %H:%M}"
        return f"{day} (#{moment.sequence})"

    console = tables.console()
    stands = "stands in the list" if spans[-1].until is None else "is gone"
    console.print(
        tables.headline(plain(key), f"{stands} {which.name}" if spans[-1].until is None else stands)
    )
    made = tables.table("from", "to", "began", "ended", "as it stood", clip=("as it stood",))
    before: Mapping[str, str] = {}
    for span in spans:
        made.add_row(
            when(span.since),
            when(span.until),
            span.began,
            span.ended or "-",
            tables.clipped(plain(_told(before, span.row))),
        )
        before = span.row
    console.print(made)


def _told(before: Mapping[str, str], row: Mapping[str, str]) -> str:
    """Return a row: the columns that differ from the one before, or all where there is none."""
    if not before:
        return ", ".join(value for value in row.values() if value)
    differing = [f"{name}: {value or '(empty)'}" for name, value in row.items() if before.get(name) != value]
    return ", ".join(differing) or "as before"
