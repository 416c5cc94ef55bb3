"""The user's own module, imported: what goes wrong in it is told with file and line of theirs."""

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from traceback import FrameSummary, extract_tb
from types import ModuleType
from typing import TypeVar

from everytick.errors import ConfigError, UsageError

LOADED = "_everytick_app_"
"""What the name of a module begins with that was loaded from a file."""

_OURS = str(Path(__file__).parent)
_SHORT = 300
T = TypeVar("T")


def module_of_file(path: Path) -> ModuleType:
    """Return the module that a Python file is.

    Raises:
        ConfigError: There is no such file, or it cannot be imported.
    """
    if not path.is_file():
        raise ConfigError(f"there is no {path}; name a .toml file, a .py file or a module")
    spec = importlib.util.spec_from_file_location(LOADED + path.stem, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is no Python file")
    module, loader = importlib.util.module_from_spec(spec), spec.loader
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules[spec.name] = module
    _imported(str(path), lambda: loader.exec_module(module))
    return module


def module_named(name: str) -> ModuleType:
    """Return the module of a name; the folder we are in is looked at first.

    Raises:
        ConfigError: There is none, or it cannot be imported.
    """
    sys.path.insert(0, str(Path.cwd()))
    try:
        there = bool(name) and importlib.util.find_spec(name.partition(".")[0]) is not None
    except (ImportError, ValueError):
        there = False
    if not there:
        raise ConfigError(f"there is no module '{name}'; name a .toml file, a .py file or a module")
    return _imported(name, lambda: importlib.import_module(name))


def _imported(place: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except SyntaxError as fault:
        raise ConfigError(
            f"this is no Python: {fault.msg}", file=fault.filename or place, line=fault.lineno
        ) from fault
    except (Exception, SystemExit) as fault:
        frame = _theirs(fault)
        raise ConfigError(
            _told(fault), file=frame.filename if frame else place, line=frame.lineno if frame else None
        ) from fault


def _told(fault: BaseException) -> str:
    if isinstance(fault, UsageError):
        return str(fault)
    words = f"{type(fault).__name__}: {fault}".removesuffix(": ").strip()
    first = words.partition("\n")[0]
    return f"the module cannot be imported: {first[:_SHORT]}"


def _theirs(fault: BaseException) -> FrameSummary | None:
    """Return where in the user's own code it went wrong: not in ours, nor in a library."""
    frames = [
        frame
        for frame in extract_tb(fault.__traceback__)
        if not frame.filename.startswith((_OURS, "<frozen ")) and frame.filename != importlib.__file__
    ]
    own = [frame for frame in frames if not _is_library(frame.filename)]
    found = own or frames
    return found[-1] if found else None


def _is_library(file: str) -> bool:
    return "site-packages" in file or file.startswith((sys.base_prefix, "<"))
