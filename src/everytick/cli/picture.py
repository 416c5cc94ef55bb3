"""Pictures made of text: bars, the tallest of which fills the height."""

from collections.abc import Sequence

_BLOCKS = " ▁▂▃▄▅▆▇█"


def bars(counts: Sequence[int], height: int = 1) -> list[str]:
    """Return lines in which each count is a bar of eighths; whatever is there at all shows.

    Args:
        counts: What each column stands for.
        height: How many lines.
    """
    most = max(counts, default=0)
    if not most:
        return [" " * len(counts)] * height
    eighths = [max(1, round(8 * height * count / most)) if count else 0 for count in counts]
    return [
        "".join(_BLOCKS[min(8, max(0, each - 8 * line))] for each in eighths)
        for line in reversed(range(height))
    ]
