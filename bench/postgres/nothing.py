"""What the ticks of a bench do."""


def nothing(tick: object) -> None:
    """Do nothing with a tick."""
    del tick
