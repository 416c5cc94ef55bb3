from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from everytick import settings
from everytick.errors import UsageError
from everytick.policy import CatchingUp, CatchUp, Overlap, Overlapping, Policies, Priority, Retry, Uncertain

S = 1_000_000


@pytest.mark.parametrize(
    ("word", "stated", "meant"),
    [
        ("catch_up", "latest", CatchUp()),
        ("catch_up", "all", CatchUp(CatchingUp.ALL)),
        (
            "catch_up",
            {"policy": "all", "limit": 10, "window": "1d"},
            CatchUp(CatchingUp.ALL, limit=10, window=86_400 * S),
        ),
        ("catch_up", {"policy": "none", "grace": "5s"}, CatchUp(CatchingUp.NONE, grace=5 * S)),
        ("catch_up", CatchUp(CatchingUp.NONE), CatchUp(CatchingUp.NONE)),
        ("overlap", "skip", Overlap()),
        ("overlap", "queue_one", Overlap(Overlapping.QUEUE_ONE)),
        ("overlap", "queue_all", Overlap(Overlapping.QUEUE_ALL)),
        ("overlap", "cancel_running", Overlap(Overlapping.CANCEL_RUNNING)),
        ("overlap", "allow", Overlap.allow()),
        ("overlap", {"policy": "allow", "limit": 2}, Overlap.allow(2)),
        ("overlap", {"policy": "skip"}, Overlap()),
        ("overlap", Overlap.allow(3), Overlap.allow(3)),
        ("retry", 5, Retry(5)),
        ("retry", Retry(2), Retry(2)),
        (
            "retry",
            {
                "attempts": 4,
                "backoff": "fixed",
                "delay": "2s",
                "max_delay": 60,
                "jitter": "10%",
                "on": ["timeout", "OSError"],
                "until": "next",
            },
            Retry(4, "fixed", 2 * S, 60 * S, 0.1, ("timeout", "OSError"), "next"),
        ),
        ("retry", {"on": "error"}, Retry(on=("error",))),
        ("uncertain", "rerun", Uncertain.RERUN),
        ("uncertain", "skip", Uncertain.SKIP),
        ("jitter", "1m30s", 90 * S),
        ("timeout", 2.5, 2_500_000),
        ("grace", timedelta(seconds=3), 3 * S),
        ("start_within", "2h", 7_200 * S),
        ("finish_within", "1h", 3_600 * S),
        ("fresh_within", "26h", 93_600 * S),
        ("pause_after", 3, 3),
        ("priority", "high", Priority.HIGH),
        ("priority", "low", Priority.LOW),
        ("priority", Priority.NORMAL, Priority.NORMAL),
        ("queue", "slow", "slow"),
    ],
)
def test_a_word_states_a_policy(word: str, stated: object, meant: object) -> None:
    assert getattr(settings.policies({word: stated}), word) == meant


def test_every_policy_has_a_word() -> None:
    assert set(settings.POLICIES) == set(Policies.__dataclass_fields__)


@pytest.mark.parametrize(
    ("word", "stated", "complaint"),
    [
        ("catch_up", "latst", "'latst' is not one of: latest, all, none; did you mean 'latest'?"),
        ("catch_up", {"policy": "latest", "limit": 1}, "only 'all' has"),
        ("catch_up", {"policy": "all", "limit": 0}, "0 is not a whole number from 1"),
        ("catch_up", {"policy": "all", "windw": "1d"}, "unknown key 'windw'; did you mean 'window'?"),
        ("catch_up", {"policy": ["all"]}, "['all'] is not one of"),
        ("catch_up", {}, "None is not one of"),
        ("overlap", 1, "1 is not one of"),
        ("overlap", {"policy": "queue_one", "limit": 2}, "only 'allow' takes a limit"),
        ("retry", 0, "0 is not a whole number from 1"),
        ("retry", True, "True is not a whole number"),
        ("retry", {"attempt": 3}, "unknown key 'attempt'; did you mean 'attempts'?"),
        ("retry", {"on": 5}, "5 is not a list of texts"),
        ("retry", {"on": []}, "[] is not a list of texts"),
        ("retry", {"on": [5]}, "5 is not a text"),
        ("retry", {"jitter": "110%"}, "'110%' is no share"),
        ("retry", {"jitter": float("nan")}, "nan is no share"),
        ("retry", {"jitter": "x%"}, "'x%' is no share"),
        ("retry", {"until": "never"}, "'never' is not one of: next"),
        ("uncertain", "maybe", "'maybe' is not one of: rerun, skip"),
        ("jitter", "soon", "A duration is written like"),
        ("timeout", 0, "0 is too short"),
        ("timeout", -1, "-1 is too short"),
        ("timeout", True, "True is no duration"),
        ("timeout", float("nan"), "nan is no duration"),
        ("timeout", float("inf"), "inf is no duration"),
        ("timeout", 5e9, "at most 100 years"),
        ("timeout", 1e305, "1e+305 is no duration"),
        ("timeout", 10**400, "is no duration"),
        ("timeout", timedelta(days=40_000), "at most 100 years"),
        ("timeout", None, "None is no duration"),
        ("pause_after", 10**30, "is not a whole number from 1"),
        ("pause_after", "3", "'3' is not a whole number"),
        ("priority", "hgih", "'hgih' is not one of: high, normal, low; did you mean 'high'?"),
        ("queue", "", "'' is not a text"),
        ("queue", "a\0b", "is not a text"),
        ("retry", Retry(3, delay="1s"), "write delay=duration('1s')"),  # type: ignore[arg-type]
        ("retry", Retry(3, max_delay=60), "write max_delay=duration(60)"),
        ("catch_up", CatchUp(CatchingUp.ALL, window=True), "write window=duration(True)"),
    ],
)
def test_what_no_policy_can_be_is_refused_by_its_word(word: str, stated: object, complaint: str) -> None:
    with pytest.raises(UsageError) as refused:
        settings.policies({word: stated})
    assert str(refused.value).startswith(f"{word}: ")
    assert complaint in str(refused.value)


def test_an_unknown_word_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown policy 'overlp'; did you mean 'overlap'"):
        settings.policies({"overlp": "skip"})


def test_arguments_are_json() -> None:
    stated = {"a": 1, "b": [1.5, None, True, {"c": "d"}], "e": {}}
    assert settings.arguments(stated) == stated


deep: list[Any] = []
for _ in range(60):
    deep = [deep]


@pytest.mark.parametrize(
    "stated",
    [
        5,
        {"a": float("nan")},
        {"a": float("-inf")},
        {"a": 2**64},
        {"a": timedelta(1)},
        {"a": {1: 2}},
        {"a": b""},
        {"a": [object()]},
        {"a": deep},
    ],
)
def test_what_json_cannot_hold_is_no_argument(stated: object) -> None:
    with pytest.raises(UsageError, match=r"is no JSON value|is not a table"):
        settings.arguments(stated)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["allow", "all"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5) | st.sampled_from(["policy", "limit", "window", "attempts", "on", "jitter"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@trying(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(read=st.sampled_from([*settings.POLICIES.values(), settings.arguments, settings.texts]), value=values)
def test_no_value_makes_a_reader_stumble(read: Callable[[object], object], value: object) -> None:
    try:
        read(value)
    except UsageError as refused:
        assert str(refused)  # noqa: PT017 - what it says is the point, whether it says it or not
