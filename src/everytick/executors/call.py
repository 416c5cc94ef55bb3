"""Finding a Python callable by its name, and calling it for one attempt."""

import importlib
import importlib.util
import inspect
import json
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Literal

import msgspec

from everytick.errors import FeedError, UsageError
from everytick.tick import Tick

SUMMARY_LIMIT = 4096
"""The longest summary of a returned value in characters; a longer one is left out."""

_ERROR_LIMIT = 500
_TRACE_LIMIT = 8192
_OURS = (__file__, importlib.__file__, "<frozen importlib")


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a call ended.

    Attributes:
        outcome: Whether it returned.
        summary: What it returned, as JSON text; None for None and for what JSON cannot say shortly.
        error: Why it did not return, in one line.
        trace: The traceback below the call, bounded.
    """

    outcome: Literal["succeeded", "error"]
    summary: str | None = None
    error: str | None = None
    trace: str = ""


def find(call: str) -> Callable[..., object]:
    """Return the callable of that name, importing its module.

    Args:
        call: ``package.module:function`` or ``/path/file.py:function``; dots reach into classes.

    Raises:
        UsageError: There is none; the message is one line, the cause is the fault inside the module.
        KeyboardInterrupt: Somebody wants the whole process to end.
    """
    place, _, name = call.rpartition(":")
    if not place or not name:
        raise UsageError(f"'{call}' names no callable; write package.module:function")
    try:
        found: object = _from_file(place) if place.endswith(".py") else importlib.import_module(place)
    except KeyboardInterrupt:
        raise
    except BaseException as fault:  # a module may raise anything, SystemExit too
        raise UsageError(f"cannot import '{place}': {one_line(fault)}") from fault
    for part in name.split("."):
        if not hasattr(found, part):
            raise UsageError(f"'{place}' has no '{name}'")
        found = getattr(found, part)
    if not callable(found):
        raise UsageError(f"'{call}' is no callable but {type(found).__name__}")
    return found


def perform(
    function: Callable[..., object], tick: Mapping[str, Any], arguments: Mapping[str, Any]
) -> Verdict:
    """Call a function for one attempt.

    The tick goes to its parameter ``tick``; without one, to its first parameter that has neither a
    default nor an argument; a function that has neither is called without.

    Raises:
        KeyboardInterrupt: Somebody wants the whole process to end.
    """
    try:
        way = _way_of_tick(function, frozenset(arguments))
        if way == "name":
            value = function(**arguments, tick=make_tick(tick))
        elif way == "place":
            value = function(make_tick(tick), **arguments)
        else:
            value = function(**arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as fault:  # noqa: BLE001 - the attempt's failure, whatever it is, must not be ours
        return failure(fault)
    if inspect.iscoroutine(value):
        value.close()
        return Verdict(
            outcome="error", error="it is an async function; wrap it in one that calls asyncio.run"
        )
    return Verdict(outcome="succeeded", summary=_summary(value))


def failure(fault: BaseException) -> Verdict:
    """Return the verdict on a call that raised."""
    if isinstance(fault, SystemExit) and not isinstance(fault.code, str):
        status = fault.code or 0
        return (
            Verdict(outcome="error", error=f"exit status {status}")
            if status
            else Verdict(outcome="succeeded")
        )
    if isinstance(fault, FeedError):  # a list that was refused: its message says it all
        return Verdict(outcome="error", error=f"{type(fault).__name__}: {fault}"[:_ERROR_LIMIT])
    return Verdict(outcome="error", error=one_line(fault)[:_ERROR_LIMIT], trace=_trace(fault))


def refusal(fault: UsageError) -> Verdict:
    """Return the verdict on a call that could not be made; what a module raised is the cause."""
    message = " ".join(str(fault).split())
    return Verdict(outcome="error", error=message[:_ERROR_LIMIT], trace=_trace(fault.__cause__))


def one_line(fault: BaseException) -> str:
    """Return type and message of an exception in one line."""
    if isinstance(fault, SystemExit):
        return str(fault.code)
    lines = traceback.format_exception_only(fault)
    line = lines[-1] if isinstance(fault, SyntaxError) else lines[0]
    return " ".join(line.split())


def make_tick(fields: Mapping[str, Any]) -> Tick:
    """Return the Tick that a callable is given, from its fields as JSON values."""
    start = fields["interval_start"]
    return Tick(
        task=fields["task"],
        due_at=datetime.fromisoformat(fields["due_at"]),
        interval_start=None if start is None else datetime.fromisoformat(start),
        attempt=fields["attempt"],
        request=fields["request"],
    )


def _from_file(path: str) -> ModuleType:
    """Import a file as if it were run as a script: modules beside it can be imported too."""
    if path.startswith("/") and path in sys.modules:
        return sys.modules[path]
    place = Path(path).resolve()
    name = str(place)  # two files of the same name in two folders are two modules
    if name in sys.modules:
        return sys.modules[name]
    specification = importlib.util.spec_from_file_location(name, place)
    if specification is None or specification.loader is None:
        raise ImportError("not a Python file")
    if str(place.parent) not in sys.path:
        sys.path.insert(0, str(place.parent))
    module = sys.modules[name] = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@lru_cache(maxsize=1024)
def _way_of_tick(
    function: Callable[..., object], arguments: frozenset[str]
) -> Literal["name", "place", "none"]:
    """Tell how a function wants its tick."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # written in C, and silent about itself
        return "none"
    free = [parameter for parameter in parameters if parameter.name not in arguments]
    if any(p.name == "tick" and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) for p in free):
        return "name"
    first = parameters[0] if parameters else None
    if (
        first in free
        and first.default is first.empty
        and first.kind not in (first.KEYWORD_ONLY, first.VAR_KEYWORD)
    ):
        return "place"
    return "none"


def _summary(value: object) -> str | None:
    if value is None:
        return None
    parts: list[str] = []
    length = 0
    try:
        for part in _encoder.iterencode(value):  # in parts: what is too long is not built whole
            parts.append(part)
            length += len(part)
            if length > SUMMARY_LIMIT:
                return None
    except (TypeError, ValueError, RecursionError):
        return None
    return "".join(parts)


_encoder = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def _trace(fault: BaseException | None) -> str:
    """Return the traceback without the frames that led to the user's own code."""
    if fault is None:
        return ""
    frames: TracebackType | None = fault.__traceback__
    while frames and frames.tb_frame.f_code.co_filename.startswith(_OURS):
        frames = frames.tb_next
    if frames is None and not isinstance(fault, SyntaxError):
        return ""
    return "".join(traceback.format_exception(type(fault), fault, frames))[-_TRACE_LIMIT:]
