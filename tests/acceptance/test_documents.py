"""The documents are run: what they tell a reader to type works, in the order they tell it."""

import json
import re
import runpy
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from everytick import settings
from everytick.app import find_app
from everytick.cli.commands import application
from everytick.cli.manual import manual
from everytick.feeds import section
from everytick.feeds.catalogue import resolve, sources
from everytick.feeds.feed import Feed

from .reader import ROOT, Reader, steps, typed

DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
FIRST_TASK = "docs/tutorial/first-task.md"
FEEDS = "docs/reference/feeds.md"
PLAYED = [each for each in DOCUMENTS if any(steps(each)) and each != ROOT / FIRST_TASK]
KNOWN = {"url": "https://example.org/list.csv", "key": "ISIN", "schedule": "@daily"}


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


def blocks(document: Path, language: str) -> list[str]:
    """Return a document's blocks of a language, also those within a list."""
    found = re.findall(
        rf"^([ ]*)```{language}\n(.*?)^[ ]*```", document.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def read(document: str, folder: Path) -> dict[str, str]:
    with Reader(folder) as reader:
        return reader.read(ROOT / document).said


@pytest.mark.parametrize("document", PLAYED, ids=name)
def test_a_document_works_as_it_is_written(document: Path, tmp_path: Path) -> None:
    assert read(name(document), tmp_path), "nothing was typed"
    reference = (ROOT / FEEDS).read_text("utf-8")
    for feed in tmp_path.glob("*/feeds/*"):
        left = {path.name for path in feed.iterdir() if path.name != "lock"}
        assert all(re.search(rf"`{re.escape(each)}[`/]", reference) for each in left), left
        if (feed / "current.json").exists():
            assert json.loads((feed / "current.json").read_bytes()).keys() <= dict(rows(FEEDS)).keys()


def test_the_first_task_works_as_it_is_written(tmp_path: Path) -> None:
    said = read(FIRST_TASK, tmp_path)
    assert "+ hello" in said["everytick plan jobs.toml"]
    assert "hello@" in said["everytick ticks hello -a jobs.toml"]
    flaky = [line for line in said["everytick ticks flaky -a jobs.toml"].splitlines() if "succeeded" in line]
    assert flaky
    assert "skipped (missed)" in said["everytick ticks hello -a jobs.toml --state skipped"]
    assert "Nothing is missing, doubled or unexplained." in said["everytick audit -a jobs.toml"]


def test_the_readme_shows_a_configuration_that_is_accepted(tmp_path: Path) -> None:
    whole = "\n".join(blocks(ROOT / "README.md", "toml"))
    tomllib.loads(whole)
    (tmp_path / "jobs.toml").write_text(whole, "utf-8")
    found = {task.name for task in find_app(str(tmp_path / "jobs.toml")).tasks}
    assert found == {"hello", "report", "shares", "nse", "funds"}


def test_the_readme_shows_a_module_that_defines_its_task(tmp_path: Path) -> None:
    (block,) = blocks(ROOT / "README.md", "python")
    (tmp_path / "jobs.py").write_text(block, "utf-8")
    (task,) = find_app(str(tmp_path / "jobs.py")).tasks
    assert task.name == "refresh_prices"
    assert task.policies.retry.attempts == 5
    assert task.schedule.sentence().startswith("At 06:00")


def test_the_reference_of_commands_says_what_the_commands_say() -> None:
    assert (ROOT / "docs/reference/commands.md").read_text("utf-8") == manual(), "make docs writes it anew"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_table_that_is_shown_is_accepted(document: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(document, "toml")):
        told = tomllib.loads(block)
        if not {"task", "feed"} & told.keys():
            assert section.read("list", {**KNOWN, **told})[1].keys() <= {"schedule", *settings.POLICIES}
            continue
        file = tmp_path / f"{number}.toml"
        file.write_text(block, "utf-8")
        named = {*told.get("task", ()), *told.get("feed", ())}
        assert {task.name for task in find_app(str(file)).tasks} == named


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_all_python_that_is_shown_runs(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, block in enumerate(blocks(document, "python")):
        file = tmp_path / f"shown{number}.py"
        file.write_text(block, "utf-8")
        assert runpy.run_path(str(file))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_command_that_is_shown_exists(document: Path) -> None:
    for block in blocks(document, "console"):
        for command, _ in typed(block):
            words = shlex.split(command.partition(" > ")[0], comments=True)
            if words[0] == "everytick":
                understood(words[1:])


def understood(words: list[str]) -> None:
    """Let the parser of the commands read some words, and run nothing; it raises what it does not know."""
    command = typer.main.get_command(application)
    context = command.make_context("everytick", [words[0]], resilient_parsing=True)
    while isinstance(command, TyperGroup):
        found = command.get_command(context, words[0])
        assert found is not None, f"there is no {words[0]}"
        command, words = found, words[1:]
    command.make_context(command.name, words, parent=context)


def rows(document: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each key that stands in the first column of a table, with the other columns."""
    for line in (ROOT / document).read_text("utf-8").splitlines():
        if line.startswith("| `"):
            first, *others = (cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|")))
            for key in re.findall(r"`(\w+)(?: = [^`]*)?`", first):
                yield key, others


def test_the_reference_of_feeds_tells_every_key_and_what_holds_without_it() -> None:
    told = dict(rows(FEEDS))
    assert section.KEYS | {"source"} <= told.keys()
    shortest = Feed(name="list", url=KNOWN["url"], key=KNOWN["key"])
    compared = 0
    for key in section.KEYS:
        found = re.fullmatch(r"`([^`]+)`", told[key][-1])
        if found:
            value = tomllib.loads(f"key = {found[1]}")["key"]
            compared += 1
            given, _ = section.read("list", {**KNOWN, key: value})
            assert getattr(given, key) == getattr(shortest, key), key
    assert compared > 15


def test_the_reference_of_feeds_names_every_source_that_is_known() -> None:
    text = (ROOT / FEEDS).read_text("utf-8")
    for source in sources():
        assert f"`{source}`" in text
        assert resolve({"source": source})


def test_the_reference_of_the_configuration_tells_every_policy() -> None:
    told = dict(rows("docs/reference/configuration.md"))
    assert set(settings.POLICIES) <= told.keys()


def anchors(document: Path) -> set[str]:
    """Return the places of a document that a link can name, as GitHub names them."""
    titles = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", document.read_text("utf-8")):
        other = (document.parent / target).resolve() if target else document
        assert other.exists(), f"a link leads to {target}"
        assert not anchor or anchor in anchors(other), f"{target} has no #{anchor}"


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text("utf-8")
    for document in ROOT.glob("docs/**/*.md"):
        if document.name != "README.md":
            assert f"({document.relative_to(ROOT / 'docs')})" in index, name(document)
