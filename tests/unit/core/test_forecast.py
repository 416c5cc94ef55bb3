"""When how many ticks start, and how those that meet are spread."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everytick.forecast import Load, at_most, forecast, in_force, starts
from everytick.policy import Policies
from everytick.spread import spread
from everytick.task import Command, Task
from everytick.tick import SECOND, parse_rfc3339
from everytick.when import instant_of, schedule
from everytick.when.walltime import zone_named

START = parse_rfc3339("2026-03-01T00:00:00Z")
DAY = 86_400 * SECOND
MINUTE = 60 * SECOND


def task(name: str, text: str, zone: str = "UTC", jitter: int = 0) -> Task:
    return Task(
        name=name,
        schedule=schedule(text, zone),
        work=Command(command=("true",)),
        policies=Policies(jitter=jitter),
    )


def load(*tasks: Task, days: float = 30, zone: str = "UTC") -> Load:
    end = START + round(days * DAY)
    return forecast([in_force(one, START) for one in tasks], START, end, zone_named(zone))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("@daily", 30), ("0 6 * * *", 30), ("every 1h", 720), ("every 15m", 2880), ("every 2d", 15),
        ("0 6 * * mon-fri", 21), ("0 0 1 * *", 1), ("at 2026-03-31T00:00Z", 0), ("at 2026-03-01T00:00Z", 1),
    ],
)  # fmt: skip
def test_a_span_holds_its_first_instant_and_not_its_last(text: str, count: int) -> None:
    assert load(task("a", text)).ticks == {"a": count}


def test_peaks_herds_and_the_load_over_time() -> None:
    told = load(
        task("a", "0 6 * * *"),
        task("b", "0 6 * * *"),
        task("c", "0,30 6 * * mon-fri"),
        task("d", "1 6 * * *"),
    )
    assert told.second is not None
    assert told.minute is not None
    assert (told.second.at, told.second.ticks) == (instant_of(datetime(2026, 3, 2, 6, tzinfo=UTC)), 3)
    assert (told.minute.at, told.minute.ticks) == (told.second.at, 3)
    assert [(herd.tasks, herd.times, herd.first) for herd in told.herds] == [
        (("a", "b", "c"), 21, told.second.at),
        (("a", "b"), 9, START + 6 * 3600 * SECOND),
    ]
    assert (told.hours[6], sum(told.hours)) == (132, 132)
    assert sum(told.buckets) == 132
    assert told.width == 12 * 3600 * SECOND
    assert len(told.buckets) == 60


def test_days_are_those_of_the_zone_and_whole() -> None:
    told = load(task("a", "0 6 * * mon-fri", "Asia/Kolkata"), zone="Asia/Kolkata")
    assert told.days == 29  # it begins at 05:30 there
    assert told.idle == tuple(date(2026, 3, day) for day in (7, 8, 14, 15, 21, 22, 28, 29))
    assert told.idle_of == {"a": 8}
    assert load(task("a", "@daily"), days=0.5).days == 0


def test_ticks_that_jitter_spreads_are_no_herd() -> None:
    names = [f"task-{number}" for number in range(20)]
    assert len(load(*(task(name, "@daily") for name in names)).herds[0].tasks) == 20
    spread_out = load(*(task(name, "@daily", jitter=60 * MINUTE) for name in names))
    assert max(len(herd.tasks) for herd in spread_out.herds) <= 3
    assert sum(spread_out.ticks.values()) == 600


def test_a_task_that_is_due_often_is_no_herd_of_its_own() -> None:
    told = load(task("a", "every 100ms"), days=0.01)
    assert told.herds == ()
    assert told.second is not None
    assert told.second.ticks == 10


def test_no_tick_at_all() -> None:
    told = load(task("a", "at 2020-01-01T00:00Z"))
    assert (told.second, told.minute, told.herds) == (None, None, ())
    assert len(told.idle) == 30
    assert set(load().buckets) == {0}


SPECS = [
    "@hourly",
    "*/7 * * * *",
    "every 11m",
    "30 2 * * *",
    "0 6 * * mon-fri",
    "every 1h | 0 6 * * *",
    "0 0 * * *",
]


@given(
    st.lists(st.tuples(st.sampled_from(SPECS), st.integers(0, 3)), min_size=1, max_size=5),
    st.integers(0, 400),
    st.integers(1, 80),
)
def test_it_counts_what_a_list_of_all_ticks_counts(
    specs: list[tuple[str, int]], begin: int, hours: int
) -> None:
    start = START + begin * DAY
    end = start + hours * 3600 * SECOND
    tasks = [
        in_force(task(f"t{number}", text, "Europe/Berlin", jitter * 5 * MINUTE), start)
        for number, (text, jitter) in enumerate(specs)
    ]
    told = forecast(tasks, start, end, zone_named("Europe/Berlin"))
    ready = [(at // SECOND, one.name) for one in tasks for at, _, _ in starts(one, start, end)]
    counts = Counter(second for second, _ in ready)
    assert sum(told.ticks.values()) == len(ready)
    assert all(told.ticks[one.name] == one.schedule.count(start - 1, end - 1) for one in tasks)
    assert all(at_most(one.schedule, start, end) >= told.ticks[one.name] for one in tasks)
    assert (told.second.ticks if told.second else 0) == max(counts.values(), default=0)
    assert sum(herd.times for herd in told.herds) == sum(count > 1 for count in counts.values())
    assert sum(told.buckets) == sum(told.hours) == len(ready)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("@daily", "schedule", "H 0 * * *"),
        ("30 6 * * mon-fri", "schedule", "H 6 * * mon-fri"),
        ("*/15 * * * *", "schedule", "H/15 * * * *"),
        ("* * * * *", "schedule", "H * * * * *"),
        ("0 0 6 * * *", "schedule", "H 6 * * *"),
        ("0,30 6 * * *", "jitter", "10m"),
        ("H 6 * * *", "jitter", "10m"),
        ("every 90s", "jitter", "45s"),
        ("at 2026-04-01T00:00Z", "jitter", "10m"),
        ("every 1s", None, None),
        ("* * * * * *", None, None),
    ],
)
def test_how_a_task_is_spread(text: str, key: str | None, value: str | None) -> None:
    told = spread(task("a", text), START)
    assert (told and told.key, told and told.value) == (key, value)
    assert spread(task("a", text, jitter=MINUTE), START) is None


def test_the_advice_breaks_the_herd_up() -> None:
    herd = [task(f"task-{number}", "0 6 * * *") for number in range(20)]
    advice = [spread(one, START) for one in herd]
    followed = [task(one.name, told.value) for one, told in zip(herd, advice, strict=True) if told]
    assert len(load(*herd).herds[0].tasks) == len(followed) == 20
    assert max(len(each.tasks) for each in load(*followed).herds) <= 4
