"""Periodic tasks: every tick runs on time, once, and is accounted for."""

__version__ = "0.1.0"
