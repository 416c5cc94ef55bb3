"""Text to schedule: the one grammar of the command line, the configuration and the ledger."""

from everytick.when.cron import Cron
from everytick.when.every import Every
from everytick.when.schedule import Schedule


def schedule(text: str, zone: str = "UTC") -> Schedule:
    """Read a schedule.

    Args:
        text: A cron line, `every 15m`.
        zone: The zone of everything in the text that names none.

    Raises:
        ScheduleError: The text cannot be read; the error points at the place.
    """
    word, _, rest = text.strip().partition(" ")
    if word.lower() == "every":
        return Every(rest)
    return Cron(text, zone=zone)
