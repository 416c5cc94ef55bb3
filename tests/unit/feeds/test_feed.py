import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everytick.errors import ConfigError
from everytick.feeds.feed import Feed, Limit
from everytick.feeds.section import KEYS, read

NSE: dict[str, Any] = {
    "url": "https://nsearchives.nseindia.com/content/equities/EQUITY_L.csv",
    "schedule": "0 19 * * mon-fri",
    "zone": "Asia/Kolkata",
    "format": "csv",
    "key": " ISIN NUMBER ",
    "check": "isin",
    "max_removed": "5%",
    "max_changed": "20%",
    "fresh_within": "26h",
}


def test_a_table_is_split_into_the_feed_and_the_keys_of_its_task() -> None:
    feed, rest = read("nse", NSE)
    assert feed == Feed(
        name="nse", url=NSE["url"], key="ISIN NUMBER", check="isin", max_removed=Limit(hold=0.05)
    )
    assert feed.max_changed == Limit(hold=0.2)
    assert rest == {"schedule": "0 19 * * mon-fri", "zone": "Asia/Kolkata", "fresh_within": "26h"}


def test_every_key_can_be_set() -> None:
    section = {
        "url": "http://127.0.0.1:8000/list?day=1",
        "key": "isin",
        "format": "csv",
        "columns": ["isin", "name"],
        "identity": ["name"],
        "header": ["isin", "name", "price"],
        "check": "isin",
        "max_removed": "0.5 %",
        "max_changed": 1,
        "max_invalid": 0.25,
        "encoding": "windows-1252",
        "delimiter": "\t",
        "headers": {"User-Agent": "Mozilla/5.0"},
        "fetch_timeout": "1m30s",
        "size_limit": "20MB",
        "publish": "lists/nse.csv",
    }
    assert section.keys() <= KEYS
    feed, rest = read("nse", section)
    assert rest == {}
    assert feed == Feed(
        name="nse",
        url="http://127.0.0.1:8000/list?day=1",
        key="isin",
        columns=("isin", "name"),
        identity=("name",),
        header=("isin", "name", "price"),
        check="isin",
        max_removed=Limit(hold=0.005),
        max_changed=Limit(hold=1.0),
        max_invalid=0.25,
        encoding=("cp1252",),
        delimiter="\t",
        headers={"User-Agent": "Mozilla/5.0"},
        fetch_timeout=90.0,
        size_limit=20_000_000,
        publish=("lists/nse.csv",),
    )


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("keep_snapshots", 0, "at least the newest one"),
        ("url", "ftp://example.org/list", "http or https"),
        ("url", "https://user:word@example.org/list", "keeps no secrets"),
        ("url", "https:///list", "http or https"),
        ("url", "http://[::1/list", "no URL"),
        ("url", 7, "not a text"),
        ("key", "  ", "not a text"),
        ("format", "xlsx", "one of: csv, excel, text"),
        ("check", "luhn", "one of: isin"),
        ("columns", "name", "no list of columns"),
        ("columns", [], "no list of columns"),
        ("columns", ["a", " a"], "a column twice"),
        ("max_removed", "5", '"5%"'),
        ("max_removed", 5, '"5%"'),
        ("max_removed", "-5%", '"5%"'),
        ("max_removed", "101%", '"5%"'),
        ("max_changed", True, '"5%"'),
        ("max_invalid", float("nan"), '"5%"'),
        ("encoding", "utf-99", "no text encoding"),
        ("encoding", "rot13", "no text encoding"),
        ("encoding", "undefined", "no text encoding"),
        ("encoding", "utf-8\0", "no text encoding"),
        ("delimiter", ";;", "one character"),
        ("delimiter", "\n", "one character"),
        ("delimiter", '"', "one character"),
        ("headers", {"Authorization": "Bearer x"}, "keeps no secrets"),
        ("headers", {"X-API-Key": "x"}, 'X-API-Key = "env:NAME"'),
        ("headers", {"X-API-Key": "env:A B"}, "no variable of the environment"),
        ("headers", {"X-Name": "a\nb"}, "no HTTP header"),
        ("headers", "agent", "no table"),
        ("fetch_timeout", "soon", "duration"),
        ("fetch_timeout", 0, "between 0 and a day"),
        ("fetch_timeout", "2d", "between 0 and a day"),
        ("size_limit", "20", '"200MB"'),
        ("size_limit", 0, '"200MB"'),
        ("publish", "", "not a text"),
        ("publish", "csv", "no .csv, .jsonl or .parquet"),
        ("publish", "lists/.csv", "no .csv, .jsonl or .parquet"),
        ("publish", "a\0.csv", "no .csv, .jsonl or .parquet"),
        ("url", "http://example.org:port/", "no URL"),
        ("url", "http://example.org/a b", "write %20"),
        ("url", "http://example.org/\x01", "no URL can hold"),
    ],
)
def test_a_bad_value_is_refused_with_its_key_and_the_mend(key: str, value: object, words: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        read("nse", {**NSE, key: value})
    assert f"feed.nse.{key}" in str(refusal.value)
    assert words in str(refusal.value)


@pytest.mark.parametrize("key", ["url", "key"])
def test_what_cannot_be_left_out(key: str) -> None:
    with pytest.raises(ConfigError, match=f'feed.nse lacks "{key}"; write {key} = '):
        read("nse", {name: value for name, value in NSE.items() if name != key})


@pytest.mark.parametrize("name", ["", ".hidden", "../up", "a/b", "a b", "ü", "x" * 101])
def test_a_name_that_is_no_folder_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot name a feed"):
        read(name, NSE)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"header": ["isin", "name"]}, "lacks the key column 'ISIN NUMBER'"),
        ({"header": ["ISIN NUMBER"], "columns": ["NAME"]}, "columns names 'NAME'"),
        ({"columns": ["A"], "identity": ["B"]}, "identity names 'B'"),
        ({"header": ["ISIN NUMBER", "A", "B"], "columns": ["A"], "identity": ["B"]}, "identity names 'B'"),
    ],
)
def test_columns_that_contradict_each_other_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read("nse", {**NSE, **changes})


NAMES = st.lists(st.sampled_from("abcdef"), min_size=1, unique=True).map(lambda names: ["key", *names])


@given(
    st.fixed_dictionaries(
        {"url": st.just("https://example.org/list"), "key": st.just("key")},
        optional={
            "columns": NAMES,
            "check": st.just("isin"),
            "max_removed": st.floats(0, 1),
            "max_changed": st.floats(0, 1),
            "encoding": st.sampled_from(["utf-8", "latin-1", "big5"]),
            "delimiter": st.sampled_from(",;\t|"),
            "headers": st.just({"User-Agent": "x"}),
            "fetch_timeout": st.floats(0.001, 86_400),
            "size_limit": st.integers(1, 10**12),
            "publish": st.just("/srv/list.csv"),
        },
    )
)
def test_a_feed_crosses_to_a_worker_as_json_and_back(section: dict[str, Any]) -> None:
    feed, _ = read("nse", section)
    assert read("nse", json.loads(json.dumps(feed.section()))) == (feed, {})
