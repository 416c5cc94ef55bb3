"""A run: faults at random for so long, a quiet end, and the verdict."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from tests.fault.pause import pause, until

from .acts import ACTS, Drama
from .cluster import Cluster
from .evidence import Past, unfinished
from .people import People
from .tasks import mixture
from .verdict import Judge

_SETTLED = 120.0
"""Seconds in which everything that was due must have ended, once nothing fails any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What is asked of a run.

    Attributes:
        seed: Decides the faults.
        seconds: For how long they fall; each kind at least once.
        brief: Whether each takes as little time as it can.
        once: Whether no tick may start twice, because all tasks say ``uncertain = "skip"``.
        kinds: Which kinds of faults; none for all.
        count: How many tasks.
        server: Which kind of database.
    """

    seed: int
    seconds: float
    brief: bool
    once: bool
    kinds: Sequence[str] = ()
    count: int = 200
    server: str = "15"


def play(score: Score, disk: Path, folder: Path) -> dict[str, object]:
    """Play a run; return what it came to, as JSON values."""
    random = Random(score.seed)
    jobs = mixture(score.count, once=score.once)
    cluster = Cluster(disk, folder, jobs, random, score.server)
    cluster.start()
    people = People(
        cluster.command, cluster.database.ledger, folder, cluster.settings, jobs, Random(score.seed)
    )
    drama = Drama(cluster, random, score.brief, people)
    begun = cluster.clock.boot()
    pause(5.0)
    people.come()
    faults: Counter[str] = Counter()
    kinds = list(score.kinds or ACTS)
    for kind in _for_ever(kinds, random):
        if cluster.clock.boot() - begun > score.seconds * 1e6 and len(faults) == len(kinds):
            break
        drama.play(kind)
        faults[kind] += 1
        pause(random.uniform(1.0, 3.0))
        for place in cluster.places:
            place.look()
    people.leave()
    took = (cluster.clock.boot() - begun) / 1e6
    until_moment = cluster.clock.now()
    ledger = cluster.database.ledger
    until(lambda: unfinished(ledger, until_moment) == 0, _SETTLED)
    found = cluster.evidence()
    past = Past(restores=drama.restores, frozen=drama.frozen, asked=people.asked)
    verdict = Judge(found, cluster.since, until_moment, past, cluster.offset).judge(jobs)
    audit = cluster.audit()
    codes = {place.name: place.stop() for place in cluster.places}
    cluster.database.keep(folder)
    return {
        "score": asdict(score),
        "seconds": round(took),
        "faults": dict(faults),
        "counts": dict(verdict.counts),
        "asked": dict(Counter(one.act for one in people.asked if one.done)),
        "gaps": [asdict(gap) for gap in drama.gaps],
        "orphans": sum(len(place.orphans) for place in cluster.places),
        "wrong": [*verdict.wrong, *drama.told, *people.faults, *_odd(cluster, codes, audit)],
    }


def _for_ever(kinds: list[str], random: Random) -> Iterator[str]:
    """Yield kinds of faults for ever: all of them in random order, then all anew, and kills again."""
    yield from random.sample(kinds, len(kinds))
    again = kinds + [kind for kind in kinds if "kill -9 of a" in kind]
    while True:
        yield from random.sample(again, len(again))


def _odd(cluster: Cluster, codes: dict[str, int], audit: dict[str, object]) -> Iterator[str]:
    for place in cluster.places:
        yield from place.died
        yield from place.orphans
        if "Traceback" in place.said():
            yield f"{place.name} told a traceback: {place.said().partition('Traceback')[2][:3000]}"
    for name, code in codes.items():
        if code:
            yield f"{name} ended with {code}"
    if audit["findings"] or audit["missing"] or audit["doubled"] or audit["unexplained"]:
        yield f"the audit says: {audit}"
