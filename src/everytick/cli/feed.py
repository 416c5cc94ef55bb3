"""The commands of the `feed` family."""

from typing import Annotated

import typer

from everytick.app import CONFIG
from everytick.cli import present
from everytick.cli.options import AppOption, JsonOption
from everytick.clock import SystemClock
from everytick.config import Config, load
from everytick.errors import UnknownName
from everytick.feeds.feed import Feed
from everytick.feeds.tasks import feeds
from everytick.settings import nearest
from everytick.tick import rfc3339

family = typer.Typer(
    help="Lists that are kept up to date.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)

FeedArgument = Annotated[str, typer.Argument(metavar="FEED")]


def _config(app: str) -> Config:
    from pathlib import Path

    return load(Path(app or CONFIG))


def _feed(config: Config, name: str) -> Feed:
    known = feeds(config)
    if name not in known:
        raise UnknownName(
            f"{config.place.file} has no feed '{name}'{nearest(name, set(known))}; "
            f"it has: {', '.join(known) or 'none'}"
        )
    return known[name]


@family.command()
def refresh(name: FeedArgument, app: AppOption = "", *, as_json: JsonOption = False) -> None:
    """Download a list now, and publish it if it is one to believe; exit 1 if it is refused."""
    from everytick.feeds.refresh import refresh as run

    config = _config(app)
    done = run(_feed(config, name), config.data, moment=SystemClock().now())
    if as_json:
        present.write_json(done.summary())
        return
    present.write(
        f"{name}: {done.verdict}, snapshot {done.sequence} with {done.rows:,} rows: "
        f"{done.added} added, {done.removed} removed, {done.changed} changed, {done.invalid} invalid"
    )


@family.command()
def show(name: FeedArgument, app: AppOption = "", *, as_json: JsonOption = False) -> None:
    """Show what a list holds, how fresh it is, and what was refused last."""
    from everytick.feeds.show import show as look

    config = _config(app)
    _feed(config, name)
    found, now = look(config.data, name), SystemClock().now()
    snapshot, refusal = found.snapshot, found.refusal
    if as_json:
        present.write_json(
            {
                "feed": name,
                "snapshot": snapshot and snapshot.sequence,
                "rows": snapshot and snapshot.rows,
                "accepted_at": snapshot and rfc3339(snapshot.at),
                "good_at": None if found.good_at is None else rfc3339(found.good_at),
                "published": found.published,
                "path": str(found.path),
                "refused": refusal and {"at": rfc3339(refusal.at), "reason": refusal.reason},
            }
        )
        return
    if snapshot is None:
        present.write(f"{name}: no list was accepted yet")
    else:
        present.write(f"{name}: snapshot {snapshot.sequence}, {snapshot.rows:,} rows, at {found.path}")
        present.write(
            f"  accepted {present.ago(snapshot.at, now)}, last found good {present.ago(found.good_at, now)}"
        )
        present.write(f"  {snapshot.added} added, {snapshot.removed} removed, {snapshot.changed} changed")
    if refusal is not None:
        present.write(f"  refused {present.ago(refusal.at, now)}: {refusal.reason}")


@family.command()
def changes(name: FeedArgument, app: AppOption = "", *, as_json: JsonOption = False) -> None:
    """Show what the newest accepted list gained and lost against the one before."""
    from everytick.feeds.changes import changes as differ

    config = _config(app)
    _feed(config, name)
    found = differ(config.data, name).shown()
    if as_json:
        present.write_json(found)
        return
    present.write(f"{name}, snapshot {found['snapshot']} against the one before")
    for sign, kind in (("+", "added"), ("-", "removed"), ("~", "changed")):
        keys = found[kind]
        for key in keys if isinstance(keys, list) else []:
            present.write(f"{sign} {key}")
