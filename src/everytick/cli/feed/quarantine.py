"""The command that shows the rows that were left out of a list."""

import json
from typing import Annotated, Any

import typer

from everytick.cli import present
from everytick.cli.feed.chosen import FeedArgument, chosen
from everytick.cli.feed.next import SHORT
from everytick.cli.options import AppOption, JsonOption
from everytick.cli.verdict import plain
from everytick.feeds.ask.show import show

_KEY = 40


def quarantine(
    feed: FeedArgument,
    app: AppOption = "",
    download: Annotated[
        str,
        typer.Option(
            "--download",
            metavar="SHA256",
            help="Of this one, by the begin of its digest; else of the newest.",
        ),
    ] = "",
    limit: Annotated[int, typer.Option("-n", "--limit", min=0, help="At most so many rows.")] = 20,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show the rows that were left out of a list: line, key, reason."""
    from everytick.feeds.ask.quarantine import quarantined

    which = chosen(app, feed)
    found = quarantined(which.data, feed, download, limit=limit)
    if as_json:
        rows = [
            {"line": row.line, "key": row.key, "reason": row.reason, "row": json.loads(row.row)}
            for row in found.rows
        ]
        present.write_json(
            {
                "feed": feed,
                "download": found.raw_sha256,
                "total": found.total,
                "reasons": dict(found.reasons),
                "rows": rows,
            }
        )
        return
    where = f"download {found.raw_sha256[:SHORT]} of {feed}" if download else f"the newest download of {feed}"
    if found.total:
        _draw(found, f"{present.many(found.total, 'row')} left out of {where}")
    else:
        present.write(f"no row was left out of {where}")
    snapshot = show(which.data, feed).snapshot
    if download or snapshot is None or snapshot.raw_sha256 == found.raw_sha256:
        return
    if snapshot.invalid or snapshot.repeated:  # and who asks may mean that list
        left = present.many(snapshot.invalid + snapshot.repeated, "row")
        shown = f"everytick feed quarantine {feed} --download {snapshot.raw_sha256[:SHORT]}"
        present.write(f"of the list that is published, {left}: {shown}")


def _draw(found: Any, heading: str) -> None:  # noqa: ANN401 - its module is slow to load
    from everytick.cli import tables

    console = tables.console()
    console.print(heading, markup=False)
    made = tables.table("line", "key", "reason", "row", right=("line",), clip=("row",))
    for row in found.rows:
        made.add_row(
            "-" if row.line is None else str(row.line),
            tables.clipped(plain(row.key)[:_KEY]),
            tables.clipped(plain(row.reason)),
            tables.clipped(plain(", ".join(map(str, json.loads(row.row).values())))),
        )
    console.print(made)
    if found.total > len(found.rows):
        console.print(f"... and {found.total - len(found.rows):,} more; --limit shows them", markup=False)
