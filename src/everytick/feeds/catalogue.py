"""Sources that are known by name: what a feed's table would say of each, as data.

``source = "nse-equities"`` in a ``[feed.NAME]`` table stands for the keys of ``catalogue/nse-equities.toml``.
Keys that the table has itself win over them, each as a whole.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from everytick.errors import ConfigError
from everytick.settings import nearest

_FOLDER = Path(__file__).parent / "catalogue"


def sources() -> tuple[str, ...]:
    """Return the names of the sources, sorted."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.toml")))


def resolve(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a feed's table with the keys of its source below its own; without ``source``, as it stands.

    Raises:
        ConfigError: There is no such source; the message names the nearest.
    """
    if "source" not in table:
        return dict(table)
    source = table["source"]
    if source not in sources():
        near = nearest(source, set(sources())) if isinstance(source, str) else ""
        raise ConfigError(f"source names no source: {source!r}{near}; there are: {', '.join(sources())}")
    return {**_entry(source), **{key: value for key, value in table.items() if key != "source"}}


@cache
def _entry(source: str) -> Mapping[str, Any]:
    return tomllib.loads((_FOLDER / f"{source}.toml").read_text(encoding="utf-8"))
