"""The command that lists all feeds."""

from collections.abc import Mapping

from everytick.app import open_ledger
from everytick.cli import present
from everytick.cli.feed import values
from everytick.cli.feed.chosen import Chosen, all_of, configured
from everytick.cli.feed.standing import STYLES, Found, stale, standing, state
from everytick.cli.options import AppOption, JsonOption
from everytick.cli.session import is_there
from everytick.clock import SystemClock
from everytick.errors import EverytickError
from everytick.feeds.ask.show import Shown
from everytick.ledger import TaskRow
from everytick.plan import Status
from everytick.versions import revived
from everytick.when import Instant


def list_(app: AppOption = "", *, as_json: JsonOption = False) -> None:
    """List the feeds: how fresh each is, and whether one is held."""
    config, now = configured(app), SystemClock().now()
    found = [(each, state(each)) for each in all_of(config)]
    due = _next_due(config.ledger, now)
    if as_json:
        present.write_json([_as_values(each, one, now, due.get(each.name)) for each, one in found])
        return
    if not found:
        present.write(f"{config.place.file} has no feeds; a [feed.NAME] table makes one")
        return
    from rich.text import Text

    from everytick.cli import tables

    made = tables.table("feed", "rows", "as of", "good", "state", "next", right=("rows",), clip=("feed",))
    for each, one in found:
        word, words = standing(each, one, now)
        snapshot = one.snapshot if isinstance(one, Shown) else None
        made.add_row(
            tables.clipped(each.name),
            f"{snapshot.rows:,}" if snapshot else "-",
            str(one.as_of or "-") if isinstance(one, Shown) else "-",
            present.ago(one.good_at, now) if isinstance(one, Shown) else "-",
            Text(words, style=STYLES.get(word, "red")),
            present.ago(due.get(each.name), now),
        )
    tables.console().print(made)


def _as_values(which: Chosen, found: Found, now: Instant, due: Instant | None) -> dict[str, object]:
    word, _ = standing(which, found, now)
    told = values.of_shown(found) if isinstance(found, Shown) else {"feed": which.name}
    return told | {"state": word, "stale": stale(which, found, now), "next_due": values.time(due)}


def _next_due(url: str, now: Instant) -> Mapping[str, Instant]:
    """Return when the tasks are due next, where a ledger is there and can be read."""
    if not is_there(url):
        return {}
    try:
        with open_ledger(url) as ledger:
            due = {row.newest.name: _due(row, now) for row in ledger.tasks()}
    except EverytickError:  # everytick doctor tells what is wrong with it
        return {}
    return {name: instant for name, instant in due.items() if instant is not None}


def _due(row: TaskRow, now: Instant) -> Instant | None:
    if present.status(row.newest, now) is not Status.ACTIVE:
        return None
    return revived(row.newest).schedule.instant_after(max(now, row.newest.since))
