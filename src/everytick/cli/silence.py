"""Which programs are silent: seen from here, where nobody may be left who watches the others' beats."""

from everytick.cli.progress import progress
from everytick.cli.session import Session
from everytick.life.presence import ended

_GLANCE = 100_000


def silent(here: Session, lease: int) -> set[int]:
    """Return the numbers of the processes that have ended, or do not beat while this watches for a lease.

    It takes until each that is there has beaten once: about a second, where all is well.

    Args:
        here: The session.
        lease: In microseconds.
    """
    processes = here.ledger.processes()
    gone = {one.id for one in processes if ended(one)}
    unheard = {one.id: one.beat for one in processes if one.id not in gone}
    begun = here.clock.boot()
    with progress("listening for the programs", long=bool(unheard)) as told:
        while unheard and (since := here.clock.boot() - begun) < lease:
            told(since, lease)
            here.clock.wait(here.now() + _GLANCE)
            beats = {one.id: one.beat for one in here.ledger.processes()}
            unheard = {number: beat for number, beat in unheard.items() if beats.get(number) == beat}
    return gone | unheard.keys()
