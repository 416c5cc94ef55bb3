"""Environments: each peer's own virtual environment, made once, with the versions that its file pins."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PLACE = HERE.parent / ".peers"
"""Where they are; git ignores it."""


def python(name: str) -> Path:
    """Return the interpreter of an environment."""
    return PLACE / name / "bin" / "python"


def wanted(name: str) -> str:
    """Return the requirements of an environment."""
    return (HERE / "requirements" / f"{name}.txt").read_text("utf-8")


def stands(name: str) -> bool:
    """Tell whether an environment is there with just these versions."""
    stamp = PLACE / name / "installed"
    return stamp.exists() and stamp.read_text("utf-8") == wanted(name)


def install(name: str) -> None:
    """Make an environment anew.

    Raises:
        RuntimeError: It can't be made; the message is what pip says.
    """
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(PLACE / name)], check=True)
    file = HERE / "requirements" / f"{name}.txt"
    words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", str(file)]
    pip = subprocess.run([str(python(name)), *words], capture_output=True, text=True, check=False)
    if pip.returncode:
        raise RuntimeError(f"{name} cannot be installed: {pip.stderr.strip()}")
    (PLACE / name / "installed").write_text(wanted(name), "utf-8")


def versions(name: str) -> dict[str, str]:
    """Return what is pinned: packages and their versions."""
    pairs = (line.split("==") for line in wanted(name).splitlines())
    return {package.partition("[")[0]: version for package, version in pairs}
