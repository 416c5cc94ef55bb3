"""The page and the pictures of a run beside the peers show the results that are kept, and no others."""

import subprocess
import sys
from pathlib import Path

import pytest

from .reader import ROOT


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    draw = [sys.executable, "-m", "peers", "--draw", "--into", str(folder)]
    subprocess.run(draw, cwd=ROOT / "bench", check=True)
    return folder


@pytest.mark.parametrize("name", ["peers.md", "peers.svg", "kills.svg"])
def test_what_is_shown_is_drawn_from_the_results_that_are_kept(name: str, drawn: Path) -> None:
    shown = (ROOT / "docs/reference" / name).read_text("utf-8")
    assert shown == (drawn / name).read_text("utf-8"), "cd bench && python -m peers --draw"
