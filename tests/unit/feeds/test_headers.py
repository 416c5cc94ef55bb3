from dataclasses import replace
from email.utils import formatdate

import pytest

from everytick.feeds.feed import AsOf, Feed
from everytick.feeds.fetch import headers

FEED = Feed(name="list", url="https://example.org/list.csv?token=secret", key="ISIN")
NOW = 1_790_000_000_000_000


def date(seconds: float) -> str:
    """A date so many seconds after NOW, as HTTP writes it."""
    return formatdate(NOW / 1e6 + seconds, usegmt=True)


def test_no_secret_is_kept() -> None:
    said = {
        "ETag": '"1"',
        "Set-Cookie": "session=secret",
        "Location": "/?token=secret",
        "Content-Location": "/?token=secret",
        "Link": "<https://example.org/?token=secret>",
        "X-Amz-Security-Token": "secret",
        "Last-Modified": date(0),
    }
    assert headers.told(said, FEED) == {"etag": '"1"', "last-modified": date(0)}


def test_the_header_with_the_as_of_date_is_kept_unless_it_is_secret() -> None:
    said = {"X-List-Date": "2026-11-20", "Set-Cookie": "day=2026-11-20"}
    assert headers.told(said, replace(FEED, as_of=AsOf(response="X-List-Date"))) == {
        "x-list-date": "2026-11-20"
    }
    assert headers.told(said, replace(FEED, as_of=AsOf(response="Set-Cookie"))) == {}


def test_a_304_freshens_what_is_known_but_not_of_the_body() -> None:
    before = {"etag": '"1"', "content-length": "30", "content-type": "text/csv", "date": date(0)}
    now = {"etag": '"2"', "content-length": "0", "content-type": "text/html", "date": date(60)}
    assert headers.freshened(before, now) == {**before, "etag": '"2"', "date": date(60)}


@pytest.mark.parametrize(
    "other",
    [
        replace(FEED, url="https://example.org/list.csv?token=another"),
        replace(FEED, headers={"Accept": "text/csv"}),
        replace(FEED, as_of=AsOf(response="Last-Modified")),
    ],
)
def test_another_question_is_known_as_another(other: Feed) -> None:
    assert headers.asked(other) != headers.asked(FEED)
    assert "secret" not in headers.asked(FEED)


def test_the_same_question_is_known_again() -> None:
    one = replace(FEED, headers={"Accept": "text/csv", "User-Agent": "Mozilla/5.0"})
    same = replace(one, headers={"user-agent": "Mozilla/5.0", "accept": "text/csv"}, min_rows=7, key="CODE")
    assert headers.asked(one) == headers.asked(same)


@pytest.mark.parametrize(
    ("said", "validator"),
    [
        ({"etag": '"1"'}, '"1"'),
        ({"etag": 'W/"1"'}, None),
        ({"etag": 'W/"1"', "last-modified": date(-3600), "date": date(0)}, None),
        ({"etag": '"1"', "accept-ranges": "none"}, None),
        ({"last-modified": date(-3600), "date": date(0)}, date(-3600)),
        ({"last-modified": date(-59), "date": date(0)}, None),
        ({"last-modified": date(-3600)}, None),
        ({"last-modified": "yesterday", "date": date(0)}, None),
        ({}, None),
    ],
)
def test_which_validator_vouches_for_every_byte(said: dict[str, str], validator: str | None) -> None:
    assert headers.strong(said) == validator


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("bytes 10-29/30", (10, 29, 30)),
        ("bytes 10-29/*", (10, 29, None)),
        ("bytes */30", None),
        ("bytes 10-29", None),
        ("items 10-29/30", None),
        ("", None),
        ("bytes 10-29/" + "9" * 5000, None),
    ],
)
def test_which_part_it_is(value: str, part: tuple[int, int, int | None] | None) -> None:
    assert headers.content_range({"content-range": value}) == part


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": date(90)}, 90.0),
        ({"retry-after": date(-90)}, 0.0),
        ({"retry-after": date(7290), "date": date(7200)}, 90.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "9" * 5000}, 999_999_999.0),
        ({}, None),
    ],
)
def test_how_long_a_source_asks_to_be_left_alone(said: dict[str, str], seconds: float | None) -> None:
    assert headers.retry_after(said, NOW) == seconds


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ({"content-length": "30"}, 30),
        ({"content-length": "20", "content-range": "bytes 10-29/30"}, 30),
        ({"content-length": "20", "content-range": "bytes 10-29/*"}, None),
        ({"content-length": "many"}, None),
        ({}, None),
    ],
)
def test_how_large_a_body_is_to_be(said: dict[str, str], size: int | None) -> None:
    assert headers.whole(said) == size
