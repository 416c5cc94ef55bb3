"""From the bytes that arrived to a list: one file to a format.

``extract`` is the way in. It and its answer are looked up when they are first used, because the search of
free text needs none of the heavy libraries. Type checkers read ``__init__.pyi``.
"""

from importlib import import_module

_HOMES = {"Extracted": "extracted", "extract": "read"}

__all__ = [*sorted(_HOMES)]  # noqa: PLE0604 - the names are the table's


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
