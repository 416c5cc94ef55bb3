"""Whether a list is the one that is due now, by the day that it says it is of."""

from datetime import date
from zoneinfo import ZoneInfo

from everytick.errors import NothingNew
from everytick.feeds.asked import Asked
from everytick.feeds.feed import Feed
from everytick.when import moment_of


def refuse_old_news(feed: Feed, asked: Asked, as_of: date | None, before: date | None) -> None:
    """Wait for a newer list, where one has to be there.

    Args:
        feed: Has a window if so, and names the days when the same list is right.
        asked: Which refresh this is.
        as_of: The day that the list is of.
        before: The day that the last good one is of.

    Raises:
        NothingNew: The list is of no later day, and today one is due.
    """
    if feed.window is None or as_of is None or before is None or as_of > before:
        return
    day = moment_of(asked.due_at).astimezone(ZoneInfo(asked.zone)).date()
    if feed.same_on and {day.isoformat(), f"{day:%a}".lower()} & set(feed.same_on):
        return
    older = f", older than the last good one, of {before}" if as_of < before else ""
    raise NothingNew(
        f"the list is still the one of {as_of}{older}; on {day} a newer one is due "
        f"(if the same one is right that day, say so in feed.{feed.name}.same_on)"
    )
