"""The command that tells what a list gained and lost, key by key."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import typer

from everytick.cli import present
from everytick.cli.feed.chosen import Chosen, FeedArgument, chosen
from everytick.cli.options import AppOption, JsonOption
from everytick.cli.verdict import plain
from everytick.errors import FeedError

LimitOption = Annotated[
    int | None,
    typer.Option(
        "-n", "--limit", min=0, help="At most so many keys of each kind; 10 for people, all for machines."
    ),
]
Kind = Literal["added", "removed", "changed"]

SIGNS: Mapping[Kind, tuple[str, str]] = {
    "added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow"),
}  # fmt: skip
"""The sign of each kind of key, and its colour."""

_FEW = 10


def changes(
    feed: FeedArgument,
    app: AppOption = "",
    snapshot: Annotated[
        int | None, typer.Option("--snapshot", metavar="N", min=1, help="Of this one; else of the newest.")
    ] = None,
    limit: LimitOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what a list gained and lost against the one before."""
    from everytick.feeds.ask.changes import changes as differ

    which = chosen(app, feed)
    found = differ(which.data, feed, snapshot)
    if as_json:
        told: dict[str, object] = {kind: found.keys(kind, limit) for kind in SIGNS}
        present.write_json(told | {"snapshot": found.snapshot.sequence})
        return
    later = found.snapshot
    against = "the first" if later.sequence == 1 else "against the one before"
    figures = f"{later.added:,} added, {later.removed:,} removed, {later.changed:,} changed"
    present.write(f"{feed}, snapshot {later.sequence}, {against}: {figures}")
    draw(which, found, limit)


def draw(which: Chosen, found: Any, limit: int | None) -> None:  # noqa: ANN401 - its module is slow to load
    """Write the first keys of each kind with what is known of them.

    Args:
        which: The feed.
        found: The ``Changes``.
        limit: How many of each kind; a few if None.
    """
    from rich.text import Text

    from everytick.cli import tables

    few = _FEW if limit is None else limit
    console, later = tables.console(), found.snapshot
    counts = {"added": later.added, "removed": later.removed, "changed": later.changed}
    for kind, (sign, style) in SIGNS.items():
        for seen in _seen(which, found, kind, few):
            head = f"{sign} {plain(seen.key)}  "
            if kind == "changed":
                told = _changed(seen.before, seen.after, later.identity)
                line = tables.paragraph(plain(told), head, "    ") if told else Text(head.rstrip())
            else:
                line = tables.clipped(f"{head}{plain(_row(seen.before or seen.after))}".rstrip())
            line.stylize(style, 0, 1)
            console.print(line, no_wrap=kind != "changed", overflow="ellipsis")
        if counts[kind] > few:
            console.print(
                f"{sign} ... and {counts[kind] - few:,} more {kind}; --limit shows them", markup=False
            )


def _seen(which: Chosen, found: Any, kind: Kind, limit: int) -> Sequence[Any]:  # noqa: ANN401 - as for draw
    """Return keys with their rows; without them where a list is no longer kept."""
    from everytick.feeds.ask import closer

    try:
        return closer.look(which.data, which.name, found, kind, limit)
    except FeedError:
        return [closer.Seen(key=key, before={}, after={}) for key in found.keys(kind, limit)]


def _row(row: Mapping[str, str]) -> str:
    return ", ".join(value for value in row.values() if value)


def _changed(before: Mapping[str, str], after: Mapping[str, str], identity: Sequence[str] | None) -> str:
    """Return the columns that count and differ, as they stood and as they stand."""
    counting = (name for name in after if identity is None or name in identity)
    both = (name for name in counting if name in before and before[name] != after[name])
    return ", ".join(f"{name}: {before[name] or '(empty)'} -> {after[name] or '(empty)'}" for name in both)
