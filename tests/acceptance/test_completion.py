"""Tab, in a real shell into which the script was loaded."""

import subprocess

import pytest

from .shell import EVERYTICK, Shell, surroundings

JOBS = """
[task.report]
command = ["true"]
schedule = "@daily"
[task.refresh]
command = ["true"]
schedule = "@daily"
[feed.nse]
url = "http://127.0.0.1:1/list.csv"
key = "ISIN"
schedule = "@daily"
"""
ASK = """
eval "$(everytick completion bash)"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_everytick_completion everytick
printf '%s\\n' "${COMPREPLY[@]}"
"""


def press_tab(shell: Shell, *words: str) -> list[str]:
    """Return what bash offers behind these words, the last of which is unfinished."""
    ended = subprocess.run(
        ["bash", "--norc", "-c", ASK, "bash", *words],
        cwd=shell.folder,
        env=surroundings({"PATH": f"{EVERYTICK.parent}:/usr/bin:/bin"}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.split()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["p"], ["plan", "pause"]),
        (["simulate", "--f"], ["--for", "--from"]),
        (["show", "re"], ["report", "refresh"]),
        (["ticks", ""], ["report", "refresh", "nse"]),
        (["pause", "x"], []),
        (["audit", "-a", "other.toml", ""], ["elsewhere"]),
        (["run", "--app", "broken.toml", ""], []),
        (["run", "--app", "absent.toml", ""], []),
        (["ticks", "--state", "s"], ["succeeded", "skipped"]),
        (["next", "@daily", "--zone", "Asia/Kol"], ["Asia/Kolkata"]),
        (["completion", "f"], ["fish"]),
    ],
)
def test_bash_offers(shell: Shell, typed: list[str], offered: list[str]) -> None:
    shell.write("everytick.toml", JOBS)
    shell.write("other.toml", '[task.elsewhere]\ncommand = ["true"]\nschedule = "@daily"\n')
    shell.write("broken.toml", "[task.a\n")
    assert press_tab(shell, "everytick", *typed) == offered


@pytest.mark.parametrize(
    ("name", "mark"),
    [("bash", "complete -o default -F"), ("zsh", "compdef"), ("fish", "complete --command everytick")],
)
def test_each_shell_has_its_script(shell: Shell, name: str, mark: str) -> None:
    assert mark in shell("completion", name).out
    assert "'tcsh' is not one of" in shell("completion", "tcsh", code=2).err
    assert "--install-completion" in shell("--help").out
