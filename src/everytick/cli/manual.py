"""The reference of all commands, made from the commands themselves: `make docs` writes it."""

from collections.abc import Iterator
from typing import Any

import typer

from everytick.cli.commands import application

_INTRODUCTION = """# Commands

Each command with `--json` prints one JSON value for machines. Times on the command line are RFC 3339
(`2026-11-21T06:00:00Z`) or durations (`2h`); a time without an offset is refused unless `--zone` says
which it is. Colours are for terminals only, and none under `NO_COLOR` or `TERM=dumb`.

Tab completes commands, options, states, zones, and the names of tasks and feeds in `everytick.toml` (or in
the `.toml` that `--app` names): `everytick --install-completion` sets it up for the shell it is typed in.
To do it by hand, put one of these into the shell's start file:

    eval "$(everytick completion bash)"       # ~/.bashrc
    eval "$(everytick completion zsh)"        # ~/.zshrc, behind compinit
    everytick completion fish | source        # ~/.config/fish/config.fish

Exit codes: 0 done; 1 the answer is no (the audit found something, a run failed, a list was refused);
2 wrong usage or configuration, or the ledger cannot be used.

Which ledger: `--ledger URL`, else the environment's `EVERYTICK_LEDGER`, else that of `--app APP`, else
that of `everytick.toml` in this folder. `EVERYTICK_ACTOR` names who acts, where that is not the login
name.
"""


def manual() -> str:
    """Return the reference of all commands as Markdown."""
    whole = typer.main.get_command(application)
    return _INTRODUCTION + "".join(_command(name, command) for name, command in _walk("everytick", whole))


def _walk(path: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - typer's own classes
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        yield from _walk(f"{path} {name}", child)


def _command(path: str, command: Any) -> str:  # noqa: ANN401 - typer's own classes
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and one.name != "help"]
    usage = " ".join([path, *(one.metavar or one.name.upper() for one in arguments)])
    rows = "".join(f"| `{_names(one)}` | {one.help or ''} |\n" for one in options)
    table = f"\n| option | meaning |\n|---|---|\n{rows}" if rows else ""
    return f"\n## `{usage}`\n\n{command.help}\n{table}"


def _names(option: Any) -> str:  # noqa: ANN401 - typer's own classes
    value = "" if option.is_flag else f" {option.metavar or option.name.upper()}"
    return ", ".join(sorted(option.opts, key=len)) + value


def main() -> None:
    """Print the reference."""
    typer.echo(manual(), nl=False)


if __name__ == "__main__":
    main()
