"""From the `[feed.NAME]` tables of a configuration to the tasks that refresh them."""

import math
import re
from collections.abc import Mapping
from os.path import normpath
from pathlib import Path
from typing import Any

from everytick import settings
from everytick.config import Config, read_policies, read_schedule
from everytick.errors import UsageError
from everytick.feeds.catalogue import resolve
from everytick.feeds.feed import Feed
from everytick.feeds.section import KEYS, read
from everytick.task import Call, Task

REFRESH = "everytick.feeds.refresh:run"
"""What a feed's task calls."""

_PASSING = ["FetchFailed", "FeedError", "timeout"]
"""What may be over in a while: a source that is down, another refresh under way, a slow download."""

_TASK_WORDS = {"schedule", "zone", *settings.POLICIES}


def feeds(config: Config) -> dict[str, Feed]:
    """Return the feeds of a configuration by name.

    Raises:
        ConfigError: A table cannot be used; the message names file, line and mend.
    """
    found = {name: _feed(config, name, _table(config, name)) for name in config.feeds}
    _refuse_shared(config, found)
    return found


def tasks(config: Config) -> list[Task]:
    """Return the tasks that refresh the feeds of a configuration.

    Raises:
        ConfigError: As for feeds().
    """
    found = []
    for name, feed in feeds(config).items():
        section = _table(config, name)
        found.append(
            Task(
                name=name,
                schedule=read_schedule(config.place, "feed", name, section),
                work=Call(
                    call=REFRESH,
                    arguments={
                        "name": name,
                        "feed": feed.section(),
                        "data": str(config.data),
                        "zone": section.get("zone", "UTC"),
                    },
                ),
                policies=read_policies(config.place, "feed", name, _policies(feed, section)),
                origin=config.origin,
            )
        )
    return found


def _refuse_shared(config: Config, found: Mapping[str, Feed]) -> None:
    """Refuse files that two feeds would publish to in turn, and those that are Everytick's own."""
    owners, kept = dict[Path, str](), config.data.absolute() / "feeds"
    for name, feed in found.items():
        for each in feed.publish:
            file = Path(normpath(config.data.absolute() / each))
            other = owners.setdefault(file, name)
            if other != name:
                raise config.place.fault(
                    f"feed '{name}': publish names '{each}', where feed '{other}' has its list",
                    "feed",
                    name,
                    "publish",
                )
            if file.is_relative_to(kept):
                raise config.place.fault(
                    f"feed '{name}': publish names '{each}', in the folder where Everytick keeps its own; "
                    'write a name outside of it, such as "isins.csv"',
                    "feed",
                    name,
                    "publish",
                )


def _policies(feed: Feed, section: Mapping[str, Any]) -> dict[str, Any]:
    """Return the words for the policies of a feed's task: its own, and what its window stands for.

    Only what may have another answer in a while is tried again: a refused list is the same in ten seconds.
    Within a window it may be mended, or a held one approved.
    """
    words = {word: value for word, value in section.items() if word in settings.POLICIES}
    window, retry = feed.window, words.get("retry")
    implied: dict[str, Any] = {"on": _PASSING}
    if window is not None:
        words.setdefault("finish_within", window.within)
        implied = {
            "on": [*_PASSING, "NothingNew", "ExtractFailed", "FeedRefused", "FeedHeld"],
            "attempts": math.ceil(window.within / window.every) + 1,
            "backoff": "fixed",
            "delay": window.every,
            "max_delay": window.every,
            "until": "next",
        }
    if isinstance(retry, Mapping):
        words["retry"] = {**implied, **retry}
    elif isinstance(retry, int) and not isinstance(retry, bool):
        words["retry"] = {**implied, "attempts": retry}
    elif window is not None:
        words.setdefault("retry", implied)
    return words


def _table(config: Config, name: str) -> dict[str, Any]:
    """Return a feed's table, its source resolved."""
    try:
        return resolve(config.feeds[name])
    except UsageError as fault:
        raise config.place.fault(f"feed '{name}': {fault}", "feed", name, "source") from fault


def _feed(config: Config, name: str, section: Mapping[str, Any]) -> Feed:
    for word in section.keys() - KEYS - _TASK_WORDS:
        near = settings.nearest(word, {"source", *KEYS, *_TASK_WORDS})
        raise config.place.fault(f"feed '{name}': unknown key '{word}'{near}", "feed", name, word)
    try:
        return read(name, section)[0]
    except UsageError as fault:
        told = str(fault).removeprefix(f"feed.{name}").lstrip(".").lstrip()
        raise config.place.fault(f"feed '{name}': {told}", "feed", name, re.split("[ .]", told)[0]) from fault
