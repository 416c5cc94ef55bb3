import csv
import gzip
import io
import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event, Thread

import pytest

from everytick.errors import ExtractFailed, FeedError, FeedHeld, FeedRefused, FetchFailed, UnknownName
from everytick.feeds import section
from everytick.feeds.archive.folder import Archive
from everytick.feeds.ask.changes import changes
from everytick.feeds.ask.show import show
from everytick.feeds.feed import Feed, Limit
from everytick.feeds.refresh import refresh, run
from everytick.feeds.refreshed import Refreshed
from everytick.testing.provider import Provider, send
from everytick.tick import Tick
from everytick.when import moment_of

Rows = dict[str, tuple[str, ...]]

DAY = 86_400_000_000
HEADER: tuple[str, ...] = ("SYMBOL", "NAME OF COMPANY", "SERIES", "DATE OF LISTING", "PAID UP VALUE")
HEADER += ("MARKET LOT", "ISIN NUMBER", "FACE VALUE")
NSE = Feed(
    name="nse",
    url="",
    allow_private=("127.0.0.0/8",),
    key="ISIN NUMBER",
    check="isin",
    header=HEADER,
    max_removed=Limit(hold=0.1),
    max_changed=Limit(hold=0.2),
)
NSDL = Feed(
    name="nsdl",
    url="",
    allow_private=("127.0.0.0/8",),
    key="isin",
    check="isin",
    max_removed=Limit(hold=0.4),
    max_changed=Limit(hold=0.25),
)
PLAIN = Feed(
    name="list",
    url="",
    allow_private=("127.0.0.0/8",),
    key="ISIN",
    check="isin",
    max_removed=Limit(hold=0.5),
    max_changed=Limit(hold=0.5),
)

APPLE, SAP, BAE, RELIANCE = "US0378331005", "DE0007164600", "GB0002634946", "INE002A01018"
FOUR = f"ISIN,NAME\n{APPLE},Apple\n{SAP},SAP\n{BAE},BAE\n{RELIANCE},Reliance\n".encode()


def keyed(body: bytes, key: str, header: tuple[str, ...] = ()) -> Rows:
    """Read a list with the standard library alone: the judge of these tests."""
    table = list(csv.reader(io.StringIO(body.decode(), newline="")))
    names = [name.strip() for name in table[0]]
    if key not in names:
        table, names = [[], *table], list(header)
    place = names.index(key)
    return {row[place]: tuple(row[:place] + row[place + 1 :]) for row in table[1:]}


def published(data: Path, feed: Feed) -> Rows:
    return keyed((data / "feeds" / feed.name / "current.csv").read_bytes(), feed.key)


def differences(before: Rows, after: Rows) -> dict[str, list[str]]:
    return {
        "added": sorted(after.keys() - before.keys()),
        "removed": sorted(before.keys() - after.keys()),
        "changed": sorted(key for key in before.keys() & after.keys() if before[key] != after[key]),
    }


# Each file with what must become of it. The lists of 2022 and 2025-03 came without their header line.
NSE_DAYS = {
    "EQUITY_L-20210307.csv": "published",
    "EQUITY_L-20220731.csv": "published",
    "EQUITY_L-20231105.csv": "published",
    "EQUITY_L-20250304.csv": "published",
    "EQUITY_L-20250505-lfs-pointer.csv": "answered 200 with a Git LFS pointer",
    "EQUITY_L-20250706.csv": "published",
    "EQUITY_L-20251015.csv": "published",
    "EQUITY_L-20251015-truncated.csv": r"2,185 of the last good list's 2,186 rows are gone \(100\.0%\)",
    "EQUITY_L-20260130.csv": "published",
    "EQUITY_L-20260710.csv": "published",
}


def test_the_real_lists_of_an_exchange_in_their_order(
    lists: Path, provider: Provider, tmp_path: Path
) -> None:
    feed, good, sequence = replace(NSE, url=provider.url), Rows(), 0
    for moment, (name, verdict) in enumerate(NSE_DAYS.items()):
        body = (lists / "nse_equity_l" / name).read_bytes()
        provider.serve(body)
        if verdict == "published":
            arrived = keyed(body, feed.key, HEADER)
            expected = differences(good, arrived)
            refreshed = refresh(feed, tmp_path, moment=moment)
            good, sequence = arrived, sequence + 1
            assert changes(tmp_path, "nse").shown() == {**expected, "snapshot": sequence}
            assert refreshed.summary() == {
                "verdict": "published",
                "rows": len(arrived),
                **{kind: len(keys) for kind, keys in expected.items()},
                "invalid": 0,
                "repeated": 0,
                "snapshot": sequence,
                "arrived": "other_bytes",
                "as_of": None,
                "warnings": [],
            }
        else:
            with pytest.raises(FeedError, match=verdict):
                refresh(feed, tmp_path, moment=moment)
            refusal = show(tmp_path, "nse").refusal
            assert refusal is not None
            assert refusal.at == moment
        assert published(tmp_path, feed) == good
    assert sequence == 8


def test_a_real_list_without_its_header_line_is_not_guessed(
    lists: Path, provider: Provider, tmp_path: Path
) -> None:
    provider.serve((lists / "nse_equity_l" / "EQUITY_L-20220731.csv").read_bytes())
    with pytest.raises(ExtractFailed, match=r"no column 'ISIN NUMBER'.* '20MICRONS'"):
        refresh(replace(NSE, url=provider.url, header=None), tmp_path, moment=1)


@pytest.mark.parametrize(
    ("name", "described", "error", "words"),
    [
        ("DEBT-20231105.csv", {"key": "ISIN NUMBER"}, ExtractFailed, "no column 'ISIN NUMBER'"),
        ("eq_etfseclist-20231105.csv", {"key": "ISIN Number"}, ExtractFailed, "is not utf-8: byte 0x"),
        (
            "eq_etfseclist-20231105.csv",
            {"key": "ISIN Number", "encoding": "cp1252"},
            FeedRefused,
            r"1 of 181 rows \(0\.6%\) repeat a key",
        ),
        ("EQUITY_L-20250505-lfs-pointer.csv", {"key": "ISIN NUMBER"}, FetchFailed, "Git LFS pointer"),
    ],
)
def test_real_files_that_are_not_such_a_list(
    lists: Path,
    provider: Provider,
    tmp_path: Path,
    name: str,
    described: dict[str, str],
    error: type[FeedError],
    words: str,
) -> None:
    body = (lists / "nse_equity_l" / name).read_bytes()
    provider.serve(body)
    with pytest.raises(error, match=words):
        refresh(
            section.read("other", {"url": provider.url, "allow_private": ["127.0.0.0/8"], **described})[0],
            tmp_path,
            moment=1,
        )
    assert not (tmp_path / "feeds" / "other" / "current.csv").exists()


def test_the_real_list_of_a_depository_packed_and_much_shrunk(
    lists: Path, provider: Provider, tmp_path: Path
) -> None:
    old, new = (
        (lists / "nsdl_casparser" / f"isin-{version}.csv.gz").read_bytes()
        for version in ("2025.3.1", "2026.5.1")
    )
    before, after = (keyed(gzip.decompress(body), "isin") for body in (old, new))
    feed = replace(NSDL, url=provider.url)
    provider.serve(old)
    assert refresh(feed, tmp_path, moment=1).rows == len(before) == 288_702
    provider.serve(new)
    served = (tmp_path / "feeds" / "nsdl" / "current.csv").read_bytes()
    assert {line[:12].decode() for line in served.splitlines()[1:]} == before.keys()
    with pytest.raises(
        FeedRefused, match=r"104,197 of the last good list's 288,702 rows are gone \(36\.1%\)"
    ):
        refresh(replace(feed, max_removed=Limit(hold=0.05)), tmp_path, moment=2)
    assert (tmp_path / "feeds" / "nsdl" / "current.csv").read_bytes() == served
    assert refresh(feed, tmp_path, moment=3).rows == len(after) == 259_483
    assert published(tmp_path, feed) == after
    assert changes(tmp_path, "nsdl").shown() == {**differences(before, after), "snapshot": 2}


@pytest.fixture
def feed(provider: Provider, tmp_path: Path) -> Feed:
    """A feed whose first list of four is published."""
    described = replace(PLAIN, url=provider.url)
    provider.serve(FOUR)
    refresh(described, tmp_path, moment=DAY, tick="list@1970-01-02T00:00:00Z")
    return described


def test_the_same_list_again_is_unchanged_and_still_fresh(
    feed: Feed, provider: Provider, tmp_path: Path
) -> None:
    header, *rows = FOUR.decode().splitlines()
    provider.serve("\r\n".join([header, *reversed(rows)]).encode("utf-8-sig"))
    again = refresh(feed, tmp_path, moment=2 * DAY, tick="list@1970-01-03T00:00:00Z")
    assert again == Refreshed(verdict="unchanged", sequence=1, rows=4)
    shown = show(tmp_path, "list")
    assert shown.good_at == 2 * DAY
    assert shown.snapshot is not None
    assert shown.snapshot.at == DAY
    assert Archive(tmp_path, "list").sequences() == [1]


def test_a_tick_that_is_run_again_reports_what_it_published(feed: Feed, tmp_path: Path) -> None:
    again = refresh(feed, tmp_path, moment=DAY + 1, tick="list@1970-01-02T00:00:00Z")
    assert again == Refreshed(verdict="published", sequence=1, rows=4, added=4)


BAD = {
    "page": (b"<html>Sorry</html>", FetchFailed, "a page instead of a list"),
    "one byte": (b"\n", FetchFailed, "1 bytes"),
    "other columns": (FOUR.replace(b"ISIN", b"Isin"), ExtractFailed, "nearest is 'Isin'"),
    "cut in a row": (FOUR[:-10], ExtractFailed, "the file is cut off: line 5"),
    "header only": (b"ISIN,NAME\n", FeedRefused, "the list is empty; 4 of the last good list's 4 rows"),
    "half gone": (
        FOUR.split(b"GB")[0].replace(SAP.encode() + b",SAP\n", b""),
        FeedHeld,
        "3 of the last good list's 4 rows",
    ),
    "lower case": (
        b"ISIN,NAME\n" + FOUR.split(b"\n", 1)[1].lower(),
        FeedRefused,
        r"4 of 4 rows \(100\.0%\) are not valid",
    ),
    "names changed": (
        FOUR.replace(b"\n", b"!\n").replace(b"NAME!", b"NAME"),
        FeedHeld,
        r"4 of the 4 rows in both lists differ \(100\.0%\)",
    ),
    "a row twice": (
        FOUR + FOUR.splitlines(keepends=True)[1],
        FeedRefused,
        rf"1 of 5 rows \(20\.0%\) repeat a key \(line 6 '{APPLE}'",
    ),
    "column gone": (
        b"ISIN\n" + b"\n".join(r.split(b",")[0] for r in FOUR.split(b"\n")[1:5]),
        FeedRefused,
        "NAME",
    ),
    "cut gzip": (gzip.compress(FOUR)[:-8], ExtractFailed, "cut off"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_list_is_refused_and_noted_and_the_last_good_one_served(
    feed: Feed, provider: Provider, tmp_path: Path, kind: str
) -> None:
    body, error, words = BAD[kind]
    provider.serve(body)
    with pytest.raises(error, match=words) as failure:
        refresh(feed, tmp_path, moment=2 * DAY, tick="list@1970-01-03T00:00:00Z")
    assert published(tmp_path, feed) == keyed(FOUR, "ISIN")
    shown = show(tmp_path, "list")
    assert shown.refusal is not None
    assert shown.refusal.kind == error.__name__
    assert str(failure.value).startswith(shown.refusal.reason)
    assert (shown.good_at, shown.published) == (DAY, 1)
    assert changes(tmp_path, "list").shown()["snapshot"] == 1

    provider.serve(FOUR)
    refresh(feed, tmp_path, moment=3 * DAY)
    assert show(tmp_path, "list").refusal is None


def test_a_first_list_that_is_bad_leaves_nothing(provider: Provider, tmp_path: Path) -> None:
    provider.serve(FOUR.replace(b"5,Apple", b"4,Apple"))
    with pytest.raises(FeedRefused, match=r"1 of 4 rows \(25\.0%\) are not valid \(line 2 'US0378331004'"):
        refresh(replace(PLAIN, url=provider.url), tmp_path, moment=1)
    shown = show(tmp_path, "list")
    assert (shown.snapshot, shown.published, shown.good_at) == (None, None, None)
    with pytest.raises(UnknownName, match="no accepted snapshot"):
        changes(tmp_path, "list")


def test_a_few_rows_without_a_valid_key_are_left_out_and_counted(provider: Provider, tmp_path: Path) -> None:
    provider.serve(FOUR.replace(b"5,Apple", b"4,Apple"))
    feed = replace(PLAIN, url=provider.url, max_invalid=0.25)
    assert refresh(feed, tmp_path, moment=1).summary()["invalid"] == 1
    assert published(tmp_path, feed).keys() == {SAP, BAE, RELIANCE}
    snapshot = show(tmp_path, "list").snapshot
    assert snapshot is not None
    assert (snapshot.invalid, snapshot.invalid_keys) == (1, ("US0378331004",))


def test_a_column_that_is_not_identity_may_change_every_day(provider: Provider, tmp_path: Path) -> None:
    feed = replace(PLAIN, url=provider.url, identity=("NAME",), max_changed=Limit(hold=0.0))
    header, *rows = FOUR.decode().splitlines()
    for day in (1, 2):
        provider.serve("\n".join([f"{header},NAV", *(f"{row},{day}" for row in rows)]).encode())
        assert refresh(feed, tmp_path, moment=day).changed == 0
    assert {nav for _, nav in published(tmp_path, feed).values()} == {"2"}
    assert changes(tmp_path, "list").shown() == {"added": [], "removed": [], "changed": [], "snapshot": 2}


def test_another_key_column_is_compared_by_its_values(feed: Feed, provider: Provider, tmp_path: Path) -> None:
    provider.serve(FOUR.replace(b"ISIN,", b"CODE,").replace(b"Apple", b"Apple Inc."))
    refreshed = refresh(replace(feed, key="CODE"), tmp_path, moment=2 * DAY)
    assert (refreshed.added, refreshed.removed, refreshed.changed) == (0, 0, 1)
    assert changes(tmp_path, "list").shown()["changed"] == [APPLE]


def test_the_manifest_beside_the_list_tells_where_it_came_from(feed: Feed, tmp_path: Path) -> None:
    manifest = json.loads((tmp_path / "feeds" / "list" / "current.json").read_bytes())
    assert manifest["source"] == feed.url
    assert manifest["at"] == "1970-01-02T00:00:00Z"
    assert (manifest["snapshot"], manifest["rows"], manifest["columns"]) == (1, 4, ["ISIN", "NAME"])
    assert manifest["bytes"] == len((tmp_path / "feeds" / "list" / "current.csv").read_bytes())


def test_the_list_is_kept_under_another_name_too(feed: Feed, provider: Provider, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "isins.csv"
    copied = replace(feed, publish=(str(elsewhere),))
    refresh(copied, tmp_path, moment=2 * DAY)
    assert elsewhere.read_bytes() == (tmp_path / "feeds" / "list" / "current.csv").read_bytes()
    provider.serve(FOUR.replace(b"Apple", b"Apple Inc."))
    refresh(copied, tmp_path, moment=3 * DAY)
    assert keyed(elsewhere.read_bytes(), "ISIN")[APPLE] == ("Apple Inc.",)


def test_old_publications_are_removed_but_no_snapshot_is(
    feed: Feed, provider: Provider, tmp_path: Path
) -> None:
    for day in range(2, 8):
        provider.serve(FOUR.replace(b"Apple", b"Apple %d" % day))
        refresh(feed, tmp_path, moment=day * DAY)
    folder = tmp_path / "feeds" / "list"
    assert sorted(path.name for path in (folder / "published").iterdir()) == ["000005", "000006", "000007"]
    assert Archive(tmp_path, "list").sequences() == [1, 2, 3, 4, 5, 6, 7]


def test_two_refreshes_at_once_and_the_second_is_told(feed: Feed, provider: Provider, tmp_path: Path) -> None:
    asked, answer = Event(), Event()
    results: list[Refreshed] = []

    def hesitate(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        answer.wait(30)
        send(handler, FOUR)

    def slow() -> None:
        results.append(refresh(feed, tmp_path, moment=2 * DAY))

    provider.manners = hesitate
    first = Thread(target=slow)
    first.start()
    assert asked.wait(30)
    with pytest.raises(FeedError, match="feed 'list' is being refreshed by another process"):
        refresh(feed, tmp_path, moment=2 * DAY)
    answer.set()
    first.join(30)
    assert [result.verdict for result in results] == ["unchanged"]
    assert show(tmp_path, "list").refusal is None


def test_a_damaged_archive_is_never_compared_with(feed: Feed, provider: Provider, tmp_path: Path) -> None:
    provider.serve(FOUR.replace(b"Apple", b"Apple Inc."))
    (content,) = (tmp_path / "feeds" / "list" / "content").iterdir()
    whole = content.read_bytes()
    for damaged in (whole[:-20], whole.replace(b"SAP", b"sap"), b""):
        content.write_bytes(damaged)
        with pytest.raises(FeedError, match=r"the archived list .* is"):
            refresh(feed, tmp_path, moment=2 * DAY)
    content.unlink()
    with pytest.raises(FeedError, match="is gone: snapshot 1 of 'list'"):
        refresh(feed, tmp_path, moment=2 * DAY)
    content.write_bytes(whole)
    assert refresh(feed, tmp_path, moment=2 * DAY).changed == 1


def test_a_damaged_note_is_named(feed: Feed, tmp_path: Path) -> None:
    note = tmp_path / "feeds" / "list" / "snapshots" / "000001.json"
    note.write_bytes(note.read_bytes()[:40])
    with pytest.raises(FeedError, match=r"000001\.json is damaged"):
        refresh(feed, tmp_path, moment=2 * DAY)


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "feeds").write_text("in the way")
    with pytest.raises(FeedError, match="feed 'list' cannot be kept in"):
        refresh(PLAIN, tmp_path, moment=1)


def test_a_feed_that_was_never_refreshed_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="feed 'nse' was never refreshed"):
        show(tmp_path, "nse")


def test_a_worker_runs_it_from_json(provider: Provider, tmp_path: Path) -> None:
    provider.serve(FOUR)
    arguments = json.dumps(
        {
            "name": "list",
            "feed": {"url": provider.url, "allow_private": ["127.0.0.0/8"], "key": "ISIN"},
            "data": str(tmp_path),
        }
    )
    tick = Tick(task="list", due_at=moment_of(DAY), interval_start=None, attempt=1)
    summary = run(tick, **json.loads(arguments))
    assert json.loads(json.dumps(summary)) == {
        "verdict": "published",
        "rows": 4,
        "added": 4,
        "removed": 0,
        "changed": 0,
        "invalid": 0,
        "repeated": 0,
        "snapshot": 1,
        "arrived": "other_bytes",
        "as_of": None,
        "warnings": [],
    }
    snapshot = show(tmp_path, "list").snapshot
    assert snapshot is not None
    assert (snapshot.due_at, snapshot.tick) == (DAY, "list@1970-01-02T00:00:00Z")
    assert snapshot.at > DAY
