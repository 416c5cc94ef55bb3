"""The laws of schedules in every zone: each drawn line is held against all of them, at a change of each."""

from datetime import UTC, datetime
from itertools import islice, pairwise
from zoneinfo import available_timezones

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from everytick.when import Cron, Instant, moment_of, schedule
from everytick.when.walltime import zone_named

ZONES = sorted(available_timezones())
FROM, TO = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2020, 2035))
SECOND = 1_000_000
YEAR = 366 * 86_400

MINUTES = st.sampled_from(["0", "30", "15,45", "*/20", "*", "7-55/16"])
HOURS = st.sampled_from(["0", "1", "2", "3", "0-3", "2,23", "*/2", "*"])
DAYS = st.sampled_from(["* * *", "* * sun", "* * mon-fri", "L * *", "1-7 * 0"])
GAPS = st.sampled_from([None, "next", "skip", "previous"])
FOLDS = st.sampled_from([None, "first", "second", "both"])


def start_in(zone: str, second: int, hours: int) -> Instant:
    """Return a moment some hours from the zone's next change, or the second itself where there is none."""
    change = next(zone_named(zone).changes(second, second + YEAR), None)
    return (change.second + hours * 3600 if change else second) * SECOND


def laws(line: Cron, moment: Instant) -> None:
    walked = list(islice(line.instants(moment, moment + YEAR * SECOND), 8))
    end = walked[-1] if walked else moment
    assert all(earlier < later for earlier, later in pairwise([moment, *walked]))
    assert line.count(moment, end) == len(walked)
    assert list(line.between(moment_of(moment), moment_of(end))) == [moment_of(instant) for instant in walked]
    for earlier, later in pairwise(walked):
        assert line.instant_before(later) == earlier
    if walked:
        back = line.instant_before(walked[0])
        assert back is None or back <= moment
    assert schedule(str(line)) == line


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.builds(lambda *words: " ".join(words), MINUTES, HOURS, DAYS),
    GAPS,
    FOLDS,
    st.integers(FROM, TO),
    st.integers(-30, 6),
)
def test_the_laws_hold_in_every_zone(line: str, gap: str, fold: str, second: int, hours: int) -> None:
    for zone in ZONES:
        laws(Cron(line, zone, gap=gap, fold=fold), start_in(zone, second, hours))  # type: ignore[arg-type]
