"""Finding out that a Python callable is not on this machine, without importing anything.

What counts as absent is the callable's own module, file or name. A module that is there and cannot be
imported is not absent: its import fails, and so does the attempt. Where modules are made or found by
code of their own, only an import can tell; then nothing is said to be absent.
"""

import importlib
import re
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from pathlib import Path

_LARGE = 4 * 1024 * 1024
_DYNAMIC = re.compile(rb"import\s*\*|__getattr__|globals\(|setattr\(|exec\(|vars\(|__dict__|sys\.modules")
_PATHS = re.compile(rb"__path__|extend_path|declare_namespace")


def absent(call: str) -> str | None:
    """Return what is absent of a callable's name; None where it may be there.

    Args:
        call: ``package.module:function`` or ``/path/file.py:function``; dots reach into classes.
    """
    place, _, name = call.rpartition(":")
    if not place or not name or not call.isascii():
        return None
    try:
        if place.endswith(".py"):
            file = Path(place)
            return _no_name(place, name, file) if file.is_file() else f"there is no file '{place}'"
        return _no_module(place, name)
    except Exception:  # noqa: BLE001 - a finder of somebody's own may raise anything: the import will tell
        return None


def _no_module(place: str, name: str) -> str | None:
    importlib.invalidate_caches()  # a folder that changed just now may look as it did
    search: list[str] | None = None
    file: Path | None = None
    parts = place.split(".")
    for depth in range(1, len(parts) + 1):
        whole = ".".join(parts[:depth])
        spec = _spec(whole, search)
        if spec is None:
            moved = file is not None and _PATHS.search(_text(file))
            return None if moved else f"there is no module '{whole}'"
        file = Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None
        search = list(spec.submodule_search_locations or ())
    return _no_name(place, name, file) if file is not None else None


def _spec(whole: str, search: list[str] | None) -> ModuleSpec | None:
    """Ask each finder where a module is, as an import does, but without importing its package."""
    finders: Iterable[object] = sys.meta_path
    for finder in finders:
        find = getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = None if find is None else find(whole, search)
        if spec is not None:
            return spec
    return None


def _no_name(place: str, name: str, file: Path) -> str | None:
    """Tell of a name that the text of a module does not even mention."""
    text = _text(file)
    first = name.partition(".")[0]
    mentioned = re.search(rb"(?<!\w)" + re.escape(first.encode()) + rb"(?!\w)", text)
    return None if mentioned or _DYNAMIC.search(text) else f"'{place}' has no '{first}'"


def _text(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(_LARGE)
