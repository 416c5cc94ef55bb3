"""The documents are run: what they tell a reader to type works, in the order they tell it."""

import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from everytick.app import find_app
from everytick.cli.manual import manual

ROOT = Path(__file__).parents[2]
EVERYTICK = Path(sys.executable).with_name("everytick")
STEP = re.compile(
    r"<!-- (wait) (\d+) seconds -->"
    r"|<!-- (file|append|run)(?:: (\S+)| for (\d+) seconds)? -->\n```\w+\n(.*?)```",
    re.DOTALL,
)


def steps(document: str) -> Iterator[tuple[str, str, str, str]]:
    for found in STEP.finditer((ROOT / document).read_text("utf-8")):
        wait, seconds, act, name, span, block = (part or "" for part in found.groups())
        yield wait or act, name, seconds or span, block


def typed(block: str) -> list[list[str]]:
    lines = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
    return [[word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)] for line in lines]


def run(words: list[str], folder: Path, seconds: str) -> str:
    assert words[0] == "everytick"
    with subprocess.Popen(
        [EVERYTICK, *words[1:]], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as started:
        try:
            output, _ = started.communicate(timeout=float(seconds or 60))
        except subprocess.TimeoutExpired:
            assert seconds, f"{words} did not end"
            started.send_signal(signal.SIGINT)
            output, _ = started.communicate(timeout=30)
    assert started.returncode == 0, f"{words}: {output}"
    return output


def test_the_tutorial_works_as_it_is_written(tmp_path: Path) -> None:
    said: dict[str, str] = {}
    for act, name, seconds, block in steps("docs/tutorial/first-task.md"):
        if act == "file":
            (tmp_path / name).write_text(block, "utf-8")
        elif act == "wait":
            Event().wait(float(seconds))
        elif act == "append":
            with (tmp_path / name).open("a", encoding="utf-8") as file:
                file.write(block)
        else:
            said |= {" ".join(words): run(words, tmp_path, seconds) for words in typed(block)}
    assert "+ hello" in said["everytick plan jobs.toml"]
    assert "hello@" in said["everytick ticks hello -a jobs.toml"]
    flaky = [line for line in said["everytick ticks flaky -a jobs.toml"].splitlines() if "succeeded" in line]
    assert flaky
    assert "skipped (missed)" in said["everytick ticks hello -a jobs.toml --state skipped"]
    assert "Nothing is missing, doubled or unexplained." in said["everytick audit -a jobs.toml"]


def test_the_readme_shows_a_configuration_that_is_accepted(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 2
    whole = "\n".join(blocks)
    tomllib.loads(whole)
    (tmp_path / "jobs.toml").write_text(whole, "utf-8")
    assert {task.name for task in find_app(str(tmp_path / "jobs.toml")).tasks} == {"hello", "report", "nse"}


def test_the_readme_shows_a_module_that_defines_its_task(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "jobs.py").write_text(block, "utf-8")
    (task,) = find_app(str(tmp_path / "jobs.py")).tasks
    assert task.name == "refresh_prices"
    assert task.policies.retry.attempts == 5
    assert task.schedule.sentence().startswith("At 06:00")


def test_the_reference_of_commands_says_what_the_commands_say() -> None:
    assert (ROOT / "docs/reference/commands.md").read_text("utf-8") == manual(), "make docs writes it anew"


def test_every_link_between_documents_leads_somewhere() -> None:
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.relative_to(ROOT)} links to {target}"
