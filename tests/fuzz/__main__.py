"""Fuzz the extractors for a while, and print what came of it.

    python -m tests.fuzz               all targets, FUZZ_SECONDS together (180), each in a process of its own
    python -m tests.fuzz TARGET ...    these alone
    python -m tests.fuzz TARGET FILE   replay one input

Exits with 1 at a finding: an exception that is not the project's own, a row that an independent reader does
not find, a list that is published although it should not be, an input that takes too long or too much memory.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .damage import MOST
from .lists import FOLDER
from .target import Target
from .targets import TARGETS

RUNS = 100_000
"""Inputs that a target is given at most."""

HANG = 30
"""Seconds that one input may take; a search by a regular expression stops itself after ten."""

MEMORY = 1500
"""MiB that a target may take."""

START = 60
"""Seconds that a process may need before its first input and after its last."""

_WRONG = re.compile(r"=== Uncaught Python exception: ===\n(.*)|SUMMARY: libFuzzer: (.*)")
_COUNTS = re.compile(r"^#(\d+)\s.*?cov: (\d+) .*?corp: (\d+)", re.MULTILINE)
_SPENT = re.compile(r"Done \d+ runs in (\d+) second")
_FORM = "{:9}{:>7}{:>9}{:>10}{:>8}{:>10}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a target's process told.

    Attributes:
        runs: Inputs that were tried.
        seconds: How long; nothing where a finding ended it.
        coverage: Branches of ours that were taken.
        corpus: Inputs that each reach something of their own.
        wrong: What was found; empty for nothing.
        inputs: By which inputs.
    """

    runs: str = "-"
    seconds: str = "-"
    coverage: str = "-"
    corpus: str = "-"
    wrong: str = ""
    inputs: Sequence[Path] = ()


def main(arguments: Sequence[str]) -> int:
    """Do as asked; return the exit code."""
    names = [each for each in arguments if each in TARGETS]
    others = [each for each in arguments if each not in TARGETS]
    if len(names) == 1 and len(others) == 1:
        print(TARGETS[names[0]].run(Path(others[0]).read_bytes()))
        return 0
    if others:
        print(f"there is no target '{others[0]}'; there are: {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    return fuzz_all(names or list(TARGETS), float(os.environ.get("FUZZ_SECONDS", "180")))


def fuzz_all(names: Sequence[str], seconds: float) -> int:
    """Fuzz one target after the other, and print the table; return 1 if something was found."""
    folder = Path(tempfile.mkdtemp(prefix="everytick-fuzz-"))
    if not FOLDER.is_dir():
        print(f"the real lists are not at {FOLDER} (EVERYTICK_DATA); invented ones stand in for them")
    print(_FORM.format("target", "runs", "seconds", "coverage", "corpus", "findings"), flush=True)
    found = 0
    for name in names:
        told = fuzz(name, TARGETS[name], folder / name, max(1, round(seconds / len(names))))
        counts = (told.runs, told.seconds, told.coverage, told.corpus)
        print(_FORM.format(name, *counts, max(len(told.inputs), bool(told.wrong))), flush=True)
        if told.wrong:
            print(f"  {told.wrong}")
        for file in told.inputs:
            print(f"  again: {sys.executable} -m tests.fuzz {name} {file}", flush=True)
        found += bool(told.wrong)
    print(f"inputs and logs are in {folder}")
    return 1 if found else 0


def fuzz(name: str, target: Target, folder: Path, seconds: int) -> Told:
    """Fuzz one target in a process of its own."""
    corpus, log = folder / "corpus", folder / "log"
    corpus.mkdir(parents=True)
    for place, seed in enumerate(target.seeds()):
        (corpus / f"seed{place:03d}").write_bytes(seed)
    bounds = {
        "max_total_time": seconds,
        "runs": RUNS,
        "timeout": HANG,
        "rss_limit_mb": MEMORY,
        "max_len": MOST,
        "len_control": 0,
        "artifact_prefix": f"{folder}/",
    }
    options = [f"-{key}={value}" for key, value in bounds.items()]
    command = [sys.executable, "-m", "tests.fuzz.one", name, *options, str(corpus)]
    environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as process:
        try:
            code = process.wait(seconds + HANG + START)
        except subprocess.TimeoutExpired:
            process.kill()
            return Told(wrong=f"hangs; see {log}")
    inputs = [file for file in sorted(folder.iterdir()) if file.is_file() and "-" in file.name]
    return read(log, code, inputs)


def read(log: Path, code: int, inputs: Sequence[Path]) -> Told:
    """Return what a process told in its log and by its exit code."""
    text = log.read_text(errors="replace")
    runs, coverage, corpus = [("-", "-", "-"), *_COUNTS.findall(text)][-1]
    spent, wrong = _SPENT.search(text), _WRONG.search(text)
    what = (wrong[1] or wrong[2]) if wrong else f"exit code {code}; see {log}"
    return Told(
        runs=runs,
        seconds=spent[1] if spent else "-",
        coverage=coverage,
        corpus=corpus,
        wrong=what if code else "",
        inputs=inputs,
    )


sys.exit(main(sys.argv[1:]))
