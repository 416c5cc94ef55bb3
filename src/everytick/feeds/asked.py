"""What a refresh is asked for."""

from dataclasses import dataclass

from everytick.when import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which refresh this is.

    Attributes:
        moment: Now.
        due_at: The nominal instant.
        tick: The name of the tick that asked; empty where none did.
        zone: Where ``same_on`` has its days.
    """

    moment: Instant
    due_at: Instant
    tick: str = ""
    zone: str = "UTC"
