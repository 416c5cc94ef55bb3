"""Every bench of the ledger on PostgreSQL in turn, then one table of what is asked for and what was measured.

    cd bench && python -m postgres [BENCH ...]

Each has a server of its own, with fsync on. Exits with 1 if a bench fails; an ask that is not met is in the
table, not an error: the machine may be busy.
"""

import sys

from table import played

RUNS = (("rates",), ("steady", "60"), ("scale",), ("kept",), ("copy",))
"""The programs with their arguments, in the order of the table."""


def main() -> int:
    """Run the benches that are named, or all; return how many failed."""
    wanted = set(sys.argv[1:]) or {name for name, *_ in RUNS}
    return played([["-m", f"postgres.{name}", *rest] for name, *rest in RUNS if name in wanted])


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
