"""What a shell completes, and the script that makes it ask: a shell starts this program at each Tab.

Names are taken from the configuration as it stands: whoever types is not told here what is wrong with it.
"""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

import typer
from typer._completion_shared import get_completion_script

from everytick.tick import State

CONFIG = "everytick.toml"
_LARGEST = 10_000_000


def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(metavar="bash|zsh|fish")],
) -> None:
    """Print the script that teaches a shell the commands and names.

    For bash, put eval "$(everytick completion bash)" into ~/.bashrc.
    """
    typer.echo(get_completion_script(prog_name="everytick", complete_var="_EVERYTICK_COMPLETE", shell=shell))


def task_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the tasks, feeds among them, of the configuration that ``--app`` names, else of this folder."""
    return [name for name in (*_names(ctx, "task"), *_names(ctx, "feed")) if name.startswith(incomplete)]


def feed_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the feeds of the configuration that ``--app`` names, else of this folder."""
    return [name for name in _names(ctx, "feed") if name.startswith(incomplete)]


def states(incomplete: str) -> list[str]:
    """Return the states of a tick."""
    return [state.value for state in State if state.value.startswith(incomplete)]


def zones(incomplete: str) -> list[str]:
    """Return the names of time zones."""
    return sorted(name for name in available_timezones() if name.startswith(incomplete))


def _names(ctx: typer.Context, kind: str) -> list[str]:
    import tomllib

    path = Path(ctx.params.get("app") or CONFIG)
    try:
        if path.suffix != ".toml" or path.stat().st_size > _LARGEST:
            return []
        table = tomllib.loads(path.read_text("utf-8")).get(kind)
    except (OSError, ValueError):
        return []
    return list(table) if isinstance(table, dict) else []
