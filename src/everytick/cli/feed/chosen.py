"""The feed that a command names, and the day."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

import typer

from everytick.app import CONFIG
from everytick.cli.completion import feed_names
from everytick.config import Config, load
from everytick.errors import UnknownName, UsageError
from everytick.feeds.feed import Feed
from everytick.feeds.tasks import feeds, tasks
from everytick.settings import nearest
from everytick.task import Call, Task
from everytick.when import Instant, instant_of, moment_of

FeedArgument = Annotated[str, typer.Argument(metavar="FEED", autocompletion=feed_names)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A feed of a configuration.

    Attributes:
        feed: The feed.
        task: The task that refreshes it.
        data: The folder of the lists.
        ledger: The URL of the ledger, which need not be there yet.
        zone: The zone of its schedule.
    """

    feed: Feed
    task: Task
    data: Path
    ledger: str
    zone: ZoneInfo

    @property
    def name(self) -> str:
        """Its name."""
        return self.feed.name

    def local(self, instant: Instant) -> datetime:
        """Return an instant on the clock of its zone."""
        return moment_of(instant).astimezone(self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day in a zone.

    Attributes:
        date: Its date.
        begin: Its first instant.
        end: The first instant of the next one.
    """

    date: date
    begin: Instant
    end: Instant

    @classmethod
    def read(cls, text: str, zone: ZoneInfo, now: Instant) -> Self:
        """Read a day: a date, ``today`` or ``yesterday``.

        Raises:
            UsageError: It is none of these.
        """
        today = moment_of(now).astimezone(zone).date()
        match text:
            case "today":
                found = today
            case "yesterday":
                found = today - timedelta(days=1)
            case _:
                try:
                    found = date.fromisoformat(text)
                except ValueError:
                    raise UsageError(f"'{text}' is no day; write 2026-11-22, today or yesterday") from None
        if not 1 < found.toordinal() < date.max.toordinal() - 1:
            raise UsageError(f"'{text}' is no day that a list could be of")
        begin, end = (datetime.combine(day, time(), zone) for day in (found, found + timedelta(days=1)))
        return cls(date=found, begin=instant_of(begin), end=instant_of(end))


def configured(app: str) -> Config:
    """Return the configuration that ``--app`` names; everytick.toml of this folder by default."""
    return load(Path(app or CONFIG))


def all_of(config: Config) -> list[Chosen]:
    """Return the feeds of a configuration, in its order."""
    known = feeds(config)
    return [
        Chosen(feed=known[task.name], task=task, data=config.data, ledger=config.ledger, zone=_zone(task))
        for task in tasks(config)
    ]


def chosen(app: str, name: str) -> Chosen:
    """Return the feed of that name.

    Raises:
        UnknownName: There is none; the message names the nearest.
        ConfigError: The configuration cannot be used.
    """
    config = configured(app)
    known = {each.name: each for each in all_of(config)}
    if name not in known:
        raise UnknownName(
            f"{config.place.file} has no feed '{name}'{nearest(name, set(known))}; "
            f"it has: {', '.join(known) or 'none'}"
        )
    return known[name]


def _zone(task: Task) -> ZoneInfo:
    told = task.work.arguments["zone"] if isinstance(task.work, Call) else "UTC"
    return ZoneInfo(str(told))
