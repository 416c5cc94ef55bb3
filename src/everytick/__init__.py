"""Periodic tasks: every tick runs on time, once, and is accounted for."""

from everytick.release import VERSION

__all__ = ["__version__"]

__version__ = VERSION
