"""Next instants a second: ours against cronsim and croniter, interleaved in one run.

    .venv/bin/python bench/when.py

Each library walks the same stretch of instants again and again, by turns; the best turn of each counts, and
the ratios are those of the best turns. Required: at least 10 times cronsim's next().
"""

from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim

from everytick.when import Cron, instant_of, moment_of
from figures import tell

LINES = ("*/5 * * * *", "0 6 * * 1-5")
ZONES = ("Asia/Kolkata", "Europe/Berlin")
START = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = 600
TURNS = 15
ASKED = 10
Walk = Callable[[], object]


def walks(line: str, zone: str) -> dict[str, Walk]:
    """Return one way to walk for each library; all start afresh."""
    schedule = Cron(line, zone=zone)
    local = START.astimezone(ZoneInfo(zone))
    start = instant_of(START)

    def instant_after() -> object:
        at: int | None = start
        for _ in range(STEPS):
            assert at is not None
            at = schedule.instant_after(at)
        return at

    def after() -> object:
        at: datetime | None = START
        for _ in range(STEPS):
            assert at is not None
            at = schedule.after(at)
        return at

    def cronsim() -> object:
        times = CronSim(line, local)
        for _ in range(STEPS - 1):
            next(times)
        return next(times)

    def judge() -> object:
        times = croniter(line, local, ret_type=datetime)
        for _ in range(STEPS - 1):
            next(times)
        return next(times)

    return {"instant_after": instant_after, "after": after, "cronsim": cronsim, "croniter": judge}


def rates(line: str, zone: str) -> dict[str, float]:
    """Return the steps a second of each, the best of some turns taken alternately."""
    best: dict[str, float] = {}
    by_name = walks(line, zone)
    ends = {moment_of(end) if isinstance(end := walk(), int) else end for walk in by_name.values()}
    assert len(ends) == 1, f"they disagree on {line} in {zone}: {ends}"
    for _ in range(TURNS):
        for name, walk in by_name.items():
            begun = perf_counter()
            walk()
            best[name] = max(best.get(name, 0.0), STEPS / (perf_counter() - begun))
    return best


def main() -> None:
    """Print the rates, and ours as multiples of theirs."""
    names = ("instant_after", "after", "cronsim", "croniter")
    ratios = (("instant_after", "cronsim"), ("after", "cronsim"), ("after", "croniter"))
    heads = (*(f"{name}/s" for name in names), *(f"{ours}:{theirs}" for ours, theirs in ratios))
    print(f"{'next()':30}", *(f"{head:>21}" for head in heads))
    least: list[tuple[float, dict[str, float]]] = []
    for line in LINES:
        for zone in ZONES:
            rate = rates(line, zone)
            figures = (
                *(f"{rate[name]:21,.0f}" for name in names),
                *(f"{rate[ours] / rate[theirs]:20.1f}x" for ours, theirs in ratios),
            )
            print(f"{line:14}{zone:16}", *figures)
            least.append((rate["instant_after"] / rate["cronsim"], rate))
    ratio, rate = min(least, key=lambda one: one[0])
    tell(
        "cron next() at least 10 times cronsim's",
        f"{ratio:.1f} times, the least of {len(least)} lines and zones",
        met=ratio >= ASKED,
        beside=f"{rate['instant_after']:,.0f}/s against {rate['cronsim']:,.0f}/s",
    )


if __name__ == "__main__":
    main()
