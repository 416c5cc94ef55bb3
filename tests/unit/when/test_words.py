"""Text in, text out: the grammar's faults, the English sentences, the notes and the fingerprints."""

import copy
from datetime import UTC, datetime

import pytest

from everytick.errors import ScheduleError
from everytick.when import Cron, instant_of, schedule
from everytick.when.walltime import zone_named

MOMENT = instant_of(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("  0  6 * *  MON-FRI ", "0 6 * * mon-fri"),
        ("h h(0-6) * * FRIl", "H H(0-6) * * friL"),
        ("0 0 lw,15w * *", "0 0 LW,15W * *"),
        ("@Daily in Asia/Kolkata", "@daily in Asia/Kolkata"),
        ("30 2 * * * gap=SKIP fold=both", "30 2 * * * gap=skip fold=both"),
        ("30 2 * * * in Europe/Berlin fold=second", "30 2 * * * in Europe/Berlin fold=second"),
        ("EVERY 90m", "every 1h30m"),
        ("every 15m from 2026-01-01T00:00+05:30", "every 15m from 2025-12-31T18:30:00Z"),
        ("at 2026-12-01 09:00 in Asia/Kolkata", "at 2026-12-01T09:00:00 in Asia/Kolkata"),
        ("((0 6 * * *))", "0 6 * * *"),
        (
            "every 5m WITHIN 09:15 - 15:30 Mon-Fri in Asia/Kolkata",
            "every 5m within 09:15-15:30 mon-fri in Asia/Kolkata",
        ),
    ],
)
def test_text_has_one_canonical_form_that_reads_back(text: str, canonical: str) -> None:
    assert str(schedule(text)) == canonical
    assert schedule(canonical) == schedule(text)


def test_the_zone_given_holds_for_every_part_that_names_none() -> None:
    assert schedule("0 6 * * * | 0 7 * * * in UTC", zone="Asia/Kolkata") == (
        Cron("0 6 * * *", zone="Asia/Kolkata") | Cron("0 7 * * *", zone="UTC")
    )


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("", "A schedule is missing here", 0),
        ("0 6 * * * | ", "A schedule is missing here", 12),
        ("0 6 * * * | 0 25 * * *", "The hour goes from 0 to 23, not 25", 14),
        ("(0 6 * * *", "A bracket stays open", 0),
        ("0 6 * * *) | @daily", "This bracket closes nothing", 9),
        ("(0 6 * * *) in UTC", "Behind a bracket comes", 11),
        ("evry 15m", "did you mean every?", 0),
        ("tomorrow", "A schedule does not begin with 'tomorrow'", 0),
        ("every", "A duration is written like", 5),
        ("every 15", "A duration is written like", 6),
        ("every 15m from soon", "A time is written like", 15),
        ("every 15m from 2026-01-01T00:00", "Say the offset of the anchor", 15),
        ("at noon", "A time is written like", 3),
        ("0 6 * * * in Europe/Berln", "did you mean Europe/Berlin?", 13),
        ("0 6 * * * gap=jump", "gap='jump' is none of next, skip, previous", 10),
        ("0 6 * * * fold=3", "fold='3' is none of first, second, both", 10),
        ("@daily minus 0 0 30 2 *", "No year has such a day", 17),
        ("@hourly within 09:15-25:00", "A time of day is written like 09:15", 21),
    ],
)
def test_a_fault_is_shown_at_its_place_in_the_whole_text(text: str, message: str, position: int) -> None:
    with pytest.raises(ScheduleError) as refused:
        schedule(text)
    assert message in refused.value.args[0]
    assert refused.value.text == text
    assert refused.value.position == position


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(ScheduleError, match="at most 2000 characters"):
        schedule("0 " * 100_000)


def test_brackets_without_end_are_refused() -> None:
    with pytest.raises(ScheduleError, match="Too many brackets"):
        schedule("(" * 900 + ")" * 900)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0 6 * * mon-fri in Asia/Kolkata", "At 06:00 on Monday to Friday, Asia/Kolkata time"),
        ("*/5 * * * *", "Every 5 minutes every day, UTC time"),
        ("* * * * *", "Every minute every day, UTC time"),
        ("*/10 * * * * *", "Every 10 seconds every day, UTC time"),
        ("0,30 9-17 * * *", "Minute 0 and 30 of hours 9 to 17 every day, UTC time"),
        ("15 * * * *", "Minute 15 of every hour every day, UTC time"),
        ("15,45 9,17 * * 1,3", "At 09:15, 09:45, 17:15 and 17:45 on Monday and Wednesday, UTC time"),
        ("30 0 9 * * *", "At 09:00:30 every day, UTC time"),
        ("0 0 13 * 5", "At 00:00 on day 13 of the month, and also on Friday, UTC time"),
        ("0 0 13 * */5", "At 00:00 on day 13 of the month, if that is Sunday and Friday, UTC time"),
        ("0 0 L 2,8 *", "At 00:00 on the last day of the month in February and August, UTC time"),
        ("0 0 LW * *", "At 00:00 on the last Monday to Friday of the month, UTC time"),
        ("0 0 15W * *", "At 00:00 on the Monday to Friday nearest to day 15 of the month, UTC time"),
        ("0 0 * * mon#2", "At 00:00 on the second Monday of the month, UTC time"),
        ("0 0 * * friL", "At 00:00 on the last Friday of the month, UTC time"),
        ("H 2 * * *", "At minute H, hour 2 every day (minute chosen by a hash of the task's name), UTC time"),
        ("every 1h30m", "Every 1 hour 30 minutes, counted from when the task was first applied"),
        ("every 1h from 2026-01-01T00:00Z", "Every hour, counted from 2026-01-01 00:00:00 UTC"),
        ("at 2026-12-01T09:00 in Asia/Kolkata", "Once at 2026-12-01 09:00:00 in Asia/Kolkata"),
        ("0 6 * * * | 0 18 * * *", "At 06:00 every day, UTC time; and at 18:00 every day, UTC time"),
        ("0 6 * * * minus 0 6 * * 0", "At 06:00 every day, UTC time; but not at 06:00 on Sunday, UTC time"),
        ("@hourly within mon-fri", "Minute 0 of every hour every day, UTC time; only within mon-fri in UTC"),
    ],
)
def test_each_schedule_says_what_it_means(text: str, sentence: str) -> None:
    assert schedule(text).sentence() == sentence


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("30 2 * * * in Europe/Berlin", (
            "2026-03-29 02:30 does not exist in Europe/Berlin: it comes at 03:00, once",
            "2026-10-25 02:30 comes twice in Europe/Berlin: the first counts",
        )),
        ("30 2 * * * in Europe/Berlin gap=previous fold=both", (
            "2026-03-29 02:30 does not exist in Europe/Berlin: it comes at 01:59, once",
            "2026-10-25 02:30 comes twice in Europe/Berlin: both count",
        )),
        ("*/30 2 * * * in Europe/Berlin", (
            "2026-03-29 02:00 does not exist in Europe/Berlin: nothing comes for it",
            "2026-10-25 02:00 comes twice in Europe/Berlin: both count",
        )),
        ("30 2 * * sun#1 in Europe/Berlin", ()),
        ("*/5 * * * * in Europe/Berlin", ()),
        ("5 0 * * * in Asia/Kolkata", ()),
        ("*/45 * * * *", ("*/45 begins anew at minute 0: the step before that is shorter",)),
        ("*/60 * * * *", ("*/60 in the minute is no more than 0",)),
        ("0 6 * * *",
         ("It comes at the full hour, as most cron lines do: H in place of the minute spreads them",)),
        ("@hourly",
         ("It comes at the full hour, as most cron lines do: H in place of the minute spreads them",)),
        ("5 6 13 * 5", ("It is enough that the day of month or the day of week matches (Vixie's rule)",)),
        ("5 6 31 * *", ("Months without a day 31 are left out: L is the last day of every month",)),
        ("at 2026-03-29T02:30 in Europe/Berlin",
         ("2026-03-29 02:30:00 does not exist in Europe/Berlin: the first second after the gap counts",)),
        ("at 2026-10-25T02:30 in Europe/Berlin",
         ("2026-10-25 02:30:00 comes twice in Europe/Berlin: the first counts",)),
        ("at 2026-10-25T03:30 in Europe/Berlin", ()),
        ("every 15m", ()),
    ],
)  # fmt: skip
def test_notes_warn_before_it_surprises(text: str, notes: tuple[str, ...]) -> None:
    assert schedule(text).notes(MOMENT) == notes


def test_rules_name_each_zone_once_and_nothing_where_nothing_decides() -> None:
    assert schedule("0 6 * * *").rules() == ""
    assert schedule("every 15m").rules() == ""
    berlin, kolkata = (zone_named(name).rules() for name in ("Europe/Berlin", "Asia/Kolkata"))
    both = schedule("0 6 * * * in Europe/Berlin | 0 7 * * * in Europe/Berlin within mon-fri in Asia/Kolkata")
    assert both.rules() == f"{kolkata} {berlin}"
    assert berlin.startswith("Europe/Berlin:")


def test_zones_with_the_same_clock_have_the_same_digest() -> None:
    digests = {
        zone_named(name).rules().partition(":")[2]
        for name in ("Europe/Berlin", "Europe/Vienna", "Europe/Rome")
    }
    assert len(digests) == 1
    assert zone_named("Europe/London").rules().partition(":")[2] not in digests


def test_a_schedule_survives_a_copy() -> None:
    rule = schedule(
        "30 2 * * * in Europe/Berlin minus 30 2 * * sun in Europe/Berlin within mon-sat | every 15m"
    )
    rule = rule.bound(name="report", anchor=MOMENT)
    found = rule.instant_after(MOMENT)
    twin = copy.deepcopy(rule)
    assert twin == rule
    assert twin.instant_after(MOMENT) == found
