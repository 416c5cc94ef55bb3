"""Laws that hold for every schedule, in every zone, at every moment of 2020 to 2035."""

from datetime import UTC, datetime
from itertools import islice, pairwise
from zoneinfo import available_timezones

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from everytick.errors import ScheduleError
from everytick.when import At, Cron, Every, Instant, Schedule, Within, instant_of, moment_of, schedule
from everytick.when.walltime import zone_named

ZONES = sorted(available_timezones())
SOME_ZONE = st.sampled_from(ZONES)
FROM, TO = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2020, 2036))
SECOND = 1_000_000
MANY = 40


def field(low: int, high: int, *more: str) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    ranges = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    steps = st.tuples(st.one_of(st.just("*"), ranges), st.integers(1, high)).map(
        lambda it: f"{it[0]}/{it[1]}"
    )
    lists = st.lists(st.one_of(number.map(str), ranges), min_size=1, max_size=3).map(",".join)
    return st.one_of(st.just("*"), lists, steps, st.sampled_from([*more, "*"]))


def comes(line: str) -> bool:
    try:
        Cron(line)
    except ScheduleError:
        return False  # such as */14 * mon#2: the second Monday is never a 1st, 15th or 29th
    return True


HOURS = st.one_of(field(0, 23), st.sampled_from(["0", "1", "2", "3", "0-3", "2,3"]))
LINES = (
    st.tuples(
        st.one_of(st.just(""), field(0, 59).map(lambda seconds: f"{seconds} ")),
        field(0, 59, "H", "H/15", "30"),
        HOURS,
        field(1, 28, "?", "L", "LW", "15W", "1,L", "31", "H"),
        field(1, 12, "jan-mar", "oct"),
        field(0, 6, "?", "mon-fri", "fri-sun", "mon#2", "5L"),
    )
    .map(lambda words: words[0] + " ".join(words[1:]))
    .filter(comes)
)
GAPS = st.sampled_from([None, None, "next", "skip", "previous"])
FOLDS = st.sampled_from([None, None, "first", "second", "both"])
CRONS = st.builds(Cron, LINES, zone=SOME_ZONE, gap=GAPS, fold=FOLDS)
TIMES = st.integers(FROM, TO).map(lambda wall: datetime.fromtimestamp(wall, UTC).replace(tzinfo=None))
OTHERS = st.one_of(
    st.builds(Every, st.timedeltas(datetime.resolution * 10**6, datetime.resolution * 10**12).map(
        lambda period: period - period % (datetime.resolution * 1000))),
    st.builds(lambda times, zone: At(*times, zone=zone), st.lists(TIMES, min_size=1, max_size=3), SOME_ZONE),
)  # fmt: skip
WINDOWS = st.sampled_from(["09:15-15:30 mon-fri", "22:00-03:00", "sat,sun", "00:00-24:00 mon", "02:00-02:30"])
SIMPLE = st.one_of(CRONS, CRONS, OTHERS)
RARE = st.builds(
    lambda minute, hour, zone: Cron(f"{minute} {hour} * * *", zone),
    st.integers(0, 59),
    field(0, 23),
    SOME_ZONE,
)
SCHEDULES = st.one_of(
    SIMPLE,
    st.builds(lambda a, b: a | b, SIMPLE, SIMPLE),
    st.builds(Within, SIMPLE, WINDOWS, SOME_ZONE),
    st.tuples(SIMPLE, RARE).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: pair[0] - pair[1]),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Schedule, Instant]:
    """Draw a bound schedule and a moment, half of them within a day of a change of some zone's clock."""
    anchor = draw(st.integers(FROM, TO)) * SECOND
    rule = draw(SCHEDULES).bound(name=draw(st.sampled_from(["report", "prices"])), anchor=anchor)
    moment = draw(st.integers(FROM, TO))
    if draw(st.booleans()):
        zone = zone_named(getattr(rule, "zone", "Europe/Berlin"))
        change = next(zone.changes(moment, moment + 366 * 86_400), None)
        moment = change.second + draw(st.integers(-86_400, 86_400)) if change else moment
    assume(leaves_something(rule, moment * SECOND))
    return rule, moment * SECOND + draw(st.sampled_from([0, 0, 1, -1, 500_000]))


def leaves_something(rule: Schedule, moment: Instant) -> bool:
    """Tell whether a schedule was not taken from its like, as a minute of Abidjan from that of Accra."""
    try:
        rule.instant_after(moment)
        rule.instant_before(moment)
    except ScheduleError:
        return False
    return True


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
@example((Cron("30 2 * * *", "Europe/Berlin"), instant_of(datetime(2026, 3, 29, 1, tzinfo=UTC))))
def test_instants_are_strictly_increasing_and_before_undoes_after(case: tuple[Schedule, Instant]) -> None:
    rule, moment = case
    walked = list(islice(rule.instants(moment, moment + 400 * 86_400 * SECOND), MANY))
    assert all(moment < instant for instant in walked[:1])
    assert all(earlier < later for earlier, later in pairwise(walked))
    for earlier, later in pairwise(walked):
        assert rule.instant_before(later) == earlier
        assert rule.instant_after(later - 1) == later
        assert rule.instant_after((earlier + later) // 2) == later
        assert rule.instant_before((earlier + later + 1) // 2) == earlier
    if walked:
        back = rule.instant_before(walked[0])
        assert back is None or back <= moment


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_between_and_count_agree_with_after(case: tuple[Schedule, Instant]) -> None:
    rule, moment = case
    walked = list(islice(rule.instants(moment, moment + 400 * 86_400 * SECOND), MANY))
    end = walked[-1] if walked else moment
    assert rule.count(moment, end) == len(walked)
    assert rule.count(moment, moment) == 0
    assert list(rule.between(moment_of(moment), moment_of(end))) == [moment_of(instant) for instant in walked]
    found = moment_of(moment)
    for instant in walked:
        later = rule.after(found)
        assert later == moment_of(instant)
        found = later
    half = (moment + end) // 2
    assert rule.count(moment, half) + rule.count(half, end) == len(walked)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEDULES)
def test_the_text_reads_back_to_an_equal_schedule(rule: Schedule) -> None:
    assert schedule(str(rule)) == rule
    assert hash(schedule(str(rule))) == hash(rule)
    bound = rule.bound(name="report", anchor=FROM * SECOND)
    assert schedule(str(bound)) == bound
    assert bound.bound(name="other", anchor=TO * SECOND) == bound
    assert rule.sentence()
    assert all(isinstance(note, str) for note in bound.notes(FROM * SECOND))
