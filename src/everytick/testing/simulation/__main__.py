"""Replay one world, or play many and print what fell on which call."""

import argparse
import sys

from everytick.testing.simulation.play import simulate
from everytick.testing.simulation.report import crashes, play_many, table


def main() -> int:
    """Play what the command line asks for; return 1 where a law was broken."""
    parser = argparse.ArgumentParser(prog="python -m everytick.testing.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first world")
    parser.add_argument("--worlds", type=int, default=0, help="how many worlds; without it, one is traced")
    parser.add_argument("--processes", type=int, default=2, help="how many to play at once")
    chosen = parser.parse_args()
    if not chosen.worlds:
        played = simulate(chosen.seed, tell=_print)
        verdict = played.broken or "all laws hold"
        _print(f"seed {played.seed}: {verdict}; {played.ticks} ticks, {played.runs} attempts")
        return int(bool(played.broken))
    counts, broken = play_many(range(chosen.seed, chosen.seed + chosen.worlds), chosen.processes)
    _print(table(counts))
    _print(f"{chosen.worlds} worlds, {crashes(counts)} crashes")
    for played in broken:
        _print(f"seed {played.seed}: {played.broken}")
        _print(f"  replay it: python -m everytick.testing.simulation --seed {played.seed}")
    return int(bool(broken))


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
