"""The simulation: a random world on the real SQL, in virtual time, whose laws a small model watches.

``simulate(seed)`` plays one world: several schedulers and runners on one ledger, random tasks, people who
edit, and crashes before and after every commit and every call of an executor. Then it lets the world
come to rest, and checks the laws. The seed decides everything: a failure is replayed by
``python -m everytick.testing.simulation --seed N``.
"""

from everytick.testing.simulation.play import Played, simulate

__all__ = ["Played", "simulate"]
