"""Words: how figures are written in tables, on the page and in the picture."""

from peers.burst import Burst
from peers.crash import Crash
from peers.judge import Lateness


def seconds(value: float) -> str:
    """Return a lateness so that three figures of it count."""
    if value < 0.9995:
        return f"{value * 1_000:.0f} ms" if value >= 0.00995 else f"{value * 1_000:.1f} ms"
    return f"{value:.1f} s" if value < 100 else f"{value:.0f} s"


def late(found: Lateness, value: float | None) -> str:
    """Return a percentile; one that wasn't reached while it was watched is later than that."""
    return f"> {found.watched:.0f} s" if value is None else seconds(value)


def burst_cells(burst: Burst) -> tuple[str, str, str, str, str, str, str]:
    """Return p50, p99, the latest, arrived of due, CPU, load and stolen time."""
    found = burst.lateness
    if found is None:
        return ("", "", "", f"not played: {burst.why}", "", "", "")
    return (
        late(found, found.p50),
        late(found, found.p99),
        late(found, found.most),
        f"{found.arrived:,} of {found.due:,}" + (", then it ended" if burst.why else ""),
        f"{burst.cpu:.1f} s",
        "" if burst.load is None else f"{burst.load:.1f}",
        f"{burst.stolen:.0%}",
    )


def crash_cells(crash: Crash | None) -> tuple[str, str, str, str]:
    """Return ticks due, lost, doubled and told again."""
    if crash is None:
        return ("", "", "", "")
    if crash.losses is None:
        return ("", f"not played: {crash.why}", "", "")
    found = crash.losses
    lost = f"{found.lost:,}" + (f" ({crash.skipped:,} told skipped)" if crash.skipped else "")
    return f"{found.due:,}", lost, f"{found.doubled:,}", f"{found.again:,}"
