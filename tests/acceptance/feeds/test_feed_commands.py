"""The `feed` family as people type it, on mornings when the list is good and when it is not."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.acceptance.shell import EVERYTICK, Screen, Shell

from everytick.feeds.isin import check_digit
from everytick.testing.provider import Provider, send

CONFIG = """\
[feed.nse]
url = "{url}"
allow_private = ["127.0.0.0/8"]
key = "ISIN"
check = "isin"
identity = ["NAME"]
as_of = {{ column = "DAY" }}
schedule = "0 19 * * mon-fri"
zone = "Asia/Kolkata"
max_removed = "10%"
max_invalid = "5%"
max_repeated = "5%"

[feed.other]
url = "{url}"
allow_private = ["127.0.0.0/8"]
key = "ISIN"
schedule = "@daily"
"""


def isin(number: int) -> str:
    body = f"INE{number:03d}A0101"
    return f"{body}{check_digit(body)}"


def listing(numbers: Iterable[int], day: str, renamed: Iterable[int] = ()) -> bytes:
    new = set(renamed)
    rows = [f"{isin(n)},Company {n}{' Limited' if n in new else ''},{day}" for n in numbers]
    return "\n".join(["ISIN,NAME,DAY", *rows, ""]).encode()


@pytest.fixture
def shell(tmp_path: Path, provider: Provider) -> Shell:
    made = Shell(tmp_path)
    made.write("everytick.toml", CONFIG.format(url=provider.url))
    return made


def readers_have(shell: Shell) -> list[str]:
    lines = (shell.folder / "everytick-data/feeds/nse/current.csv").read_text("utf-8").splitlines()
    return [line.partition(",")[0] for line in lines[1:]]


def fits(text: str) -> bool:
    return max(map(len, text.splitlines())) <= 80


def test_a_bad_morning(shell: Shell, provider: Provider) -> None:  # noqa: PLR0915 - one story
    everyone = [isin(n) for n in range(100)]

    # A good day.
    provider.serve(listing(range(100), "2010-01-04"))
    assert "published: snapshot 1, 100 rows, of 2010-01-04" in shell("feed", "refresh", "nse").out

    # Half of the rows are gone: nothing is published, and the command says what to do.
    provider.serve(listing(range(50), "2010-01-05"))
    told = shell("feed", "refresh", "nse", code=1)
    assert told.out == ""
    assert "nse: held" in told.err
    assert "50 of the last good list's 100 rows are gone (50.0%), more than max_removed" in flat(told.err)
    assert "The last good list is still served: snapshot 1, 100 rows" in flat(told.err)
    assert "everytick feed held nse" in told.err
    assert fits(told.err)
    assert readers_have(shell) == everyone
    assert "held" in shell("feed", "list").out.splitlines()[1]

    # What is it? The same again is the same hold.
    shell("feed", "refresh", "nse", code=1)
    shown = shell("feed", "show", "nse").out
    assert "nse  held" in shown
    assert "everytick feed approve nse --note WHY" in shown
    held = shell("feed", "held", "nse").out
    assert "against snapshot 1: 0 added, 50 removed, 0 changed" in held
    assert f"- {isin(50)}  Company 50, 2010-01-04" in held
    assert "- ... and 40 more removed" in held
    keys = shell("feed", "held", "nse", "--json").json["keys"]
    assert keys == {"added": [], "removed": everyone[50:], "changed": []}
    story = shell("feed", "why", "nse").out
    assert fits(story)
    assert "3 refreshes: 1 published, 2 held." in story
    assert "held: it differs too much to be published unseen. So it went 2 times" in story
    assert "50 rows of 2010-01-05" in story
    assert "with snapshot 1, 100 rows: 0 added, 50 removed, 0 changed" in flat(story)
    assert "everytick feed reject nse --note WHY" in story

    # It is wrong, says a person. It needs a reason, and nobody can be asked here.
    assert "give --yes and --note" in shell("feed", "reject", "nse", "-m", "half of it", code=2).err
    assert "say why with --note" in shell("feed", "reject", "nse", "--yes", code=2).err
    said = shell("feed", "reject", "nse", "--yes", "--note", "half of it is missing").out
    assert "nse: tester rejected it; snapshot 1 is still the list" in said
    assert "no list of nse is held" in shell("feed", "reject", "nse", "--yes", "-m", "again", code=1).err
    assert "no list of nse is held" in shell("feed", "held", "nse").out
    assert shell("feed", "held", "nse", "--json").json is None

    # The source sends the very same list again: refused, with who and why.
    told = shell("feed", "refresh", "nse", code=1)
    assert "nse: refused" in told.err
    assert "tester rejected this very list: half of it is missing" in flat(told.err)
    refused = shell("feed", "refresh", "nse", "--json", code=1).json
    assert (refused["verdict"], refused["error"], refused["snapshot"]) == ("refused", "FeedRefused", 1)
    assert readers_have(shell) == everyone

    # The next one lacks a fifth, and that is how it is: approved.
    provider.serve(listing(range(80), "2010-01-06", renamed=[3]))
    shell("feed", "refresh", "nse", code=1)
    entry = shell("feed", "approve", "nse", "--yes", "-m", "20 delisted, asked them", "--json").json
    assert (entry["act"], entry["actor"], entry["note"]) == ("approved", "tester", "20 delisted, asked them")
    assert (entry["snapshot"], entry["removed"], entry["changed"]) == (2, 20, 1)
    assert readers_have(shell) == everyone[:80]
    assert "approved    by tester: 20 delisted, asked them" in shell("feed", "show", "nse").out
    assert shell("feed", "changes", "nse", "--json").json == {
        "added": [],
        "removed": everyone[80:],
        "changed": [isin(3)],
        "snapshot": 2,
    }
    changes = shell("feed", "changes", "nse", "-n", "1").out.splitlines()
    assert changes[1:] == [
        f"- {isin(80)}  Company 80, 2010-01-04",
        "- ... and 19 more removed; --limit shows them",
        f"~ {isin(3)}  NAME: Company 3 -> Company 3 Limited",
    ]

    # One of them comes back, and with it rows that are no good.
    bad = f"{isin(5)},Company 5,2010-01-07\nINE000A01019,\x1b[31mCheck digit,2010-01-07\n"
    provider.serve(listing([*range(80), 99], "2010-01-07", renamed=[3]) + bad.encode())
    told_well = shell("feed", "refresh", "nse").out
    assert "published: snapshot 3, 81 rows, of 2010-01-07; 1 added, 0 removed, 0 changed" in told_well
    assert "1 invalid, 1 repeated; everytick feed quarantine nse" in told_well
    life = shell("feed", "history", "nse", isin(99)).out
    assert fits(life)
    assert [line.split()[:6] for line in life.splitlines()[2:]] == [
        ["2010-01-04", "(#1)", "2010-01-06", "(#2)", "added", "removed"],
        ["2010-01-07", "(#3)", "now", "back", "-", "DAY:"],
    ]
    spans = shell("feed", "history", "nse", isin(99), "--json").json
    assert [(span["began"], span["ended"]) for span in spans] == [("added", "removed"), ("back", None)]
    assert "never stood in nse" in shell("feed", "history", "nse", "INE999A01010", code=1).out
    past = shell("feed", "history", "nse").out
    assert fits(past)
    assert [line.split()[0] for line in past.splitlines()[3:]] == ["3", "2", "1"]
    assert "80 to 100" in past
    assert [each["rows"] for each in shell("feed", "history", "nse", "--json").json] == [100, 80, 81]
    left = shell("feed", "quarantine", "nse").out
    assert fits(left)
    assert "2 rows left out of the newest download of nse" in left
    assert "\x1b" not in left
    assert [line.split()[:2] for line in left.splitlines()[2:]] == [["83", isin(5)], ["84", "INE000A01019"]]
    whole = shell("feed", "quarantine", "nse", "--json").json
    assert [row["line"] for row in whole["rows"]] == [83, 84]
    assert whole["rows"][1]["row"]["NAME"] == "\x1b[31mCheck digit"

    # The whole story of the day, and the list as it stood then.
    story = shell("feed", "why", "nse").out
    assert fits(story)
    summed_up = "7 refreshes and 2 decisions: 2 published, 3 held, 1 rejected, 2 refused, 1 approved."
    assert summed_up in flat(story)
    assert "tester rejected it" in story
    assert "half of it is missing" in story
    assert "tester approved it, and it was published as snapshot 2" in story
    assert "snapshot 2, 80 rows, of 2010-01-06, approved by tester" in story
    assert "Nothing: the list was found good" in story
    acts = [entry["act"] for entry in shell("feed", "why", "nse", "--json").json["entries"]]
    assert acts == [
        "published", "held", "held", "rejected", "refused", "refused", "held", "approved", "published",
    ]  # fmt: skip
    then = shell("feed", "show", "nse", "--as-of", "2010-01-06", "--json").json
    assert (then["snapshot"], then["rows"], then["approved_by"]) == (2, 80, "tester")
    assert Path(then["path"]).exists()


def flat(text: str) -> str:
    """Return a text without its line ends."""
    return " ".join(text.split())


def test_what_is_no_news_is_told_as_such(shell: Shell, provider: Provider) -> None:
    body = listing(range(9), "2010-01-04")
    etag = {"ETag": '"a"'}
    provider.serve(body, headers=etag)
    shell("feed", "refresh", "nse")
    provider.serve(body)
    assert "unchanged: the same bytes came again; snapshot 1" in shell("feed", "refresh", "nse").out
    provider.serve(body.replace(b"\n", b"\r\n"), headers=etag)
    assert "unchanged: other bytes came, and they are the same list" in shell("feed", "refresh", "nse").out
    provider.manners = lambda handler: send(handler, b"", status=304, headers=etag)
    assert "unchanged: the source has nothing newer (304" in shell("feed", "refresh", "nse").out
    provider.serve(listing(range(9), "2010-01-05"))
    assert "published: snapshot 2" in (said := shell("feed", "refresh", "nse").out)
    assert "the same keys, and what differs is in columns that are not compared" in said
    told = shell("feed", "why", "nse", "--json").json
    assert [entry["arrived"] for entry in told["entries"]] == [
        "other_bytes", "same_bytes", "other_bytes", "not_modified", "other_bytes",
    ]  # fmt: skip
    assert [entry["act"] for entry in told["entries"]] == ["published", *["unchanged"] * 3, "published"]


def test_a_page_in_place_of_the_list(shell: Shell, provider: Provider) -> None:
    provider.serve(b"<!DOCTYPE html><html><body>Sorry</body></html>")
    told = shell("feed", "refresh", "nse", code=1).err
    assert "nse: failed: the list did not arrive whole" in told
    assert "a page instead of a list" in told
    assert "No list was published yet, so readers have none." in told
    assert "open the url in a browser" in told
    row = next(line for line in shell("feed", "list").out.splitlines() if line.startswith("nse"))
    assert "failed" in row
    story = shell("feed", "why", "nse", "today").out
    assert "until now     none: no list had been published yet" in story


def test_yesterdays_list_where_a_new_one_is_due(shell: Shell, provider: Provider) -> None:
    config = shell.folder / "everytick.toml"
    window = 'max_removed = "10%"\nwindow = { every = "10m", within = "3h" }'
    config.write_text(config.read_text("utf-8").replace('max_removed = "10%"', window), "utf-8")
    provider.serve(listing(range(9), "2010-01-04"))
    shell("feed", "refresh", "nse")
    told = shell("feed", "refresh", "nse", code=1).err
    assert "nse: nothing new: it is the list of before, and a newer one was due" in flat(told)
    assert "same_on of [feed.nse]" in flat(told)
    assert readers_have(shell) == [isin(n) for n in range(9)]
    assert shell("feed", "list", "--json").json[0]["state"] == "nothing_new"
    assert "2 refreshes: 1 published, 1 nothing new." in shell("feed", "why", "nse").out


def test_the_feeds_in_a_row(shell: Shell, provider: Provider) -> None:
    rows = shell("feed", "list", "--json").json
    assert [(row["feed"], row["state"], row["next_due"]) for row in rows] == [
        ("nse", "never", None),
        ("other", "never", None),
    ]
    provider.serve(listing(range(9), "2010-01-04"))
    shell("feed", "refresh", "nse")
    shell("apply", "--yes")
    rows = {row["feed"]: row for row in shell("feed", "list", "--json").json}
    assert (rows["nse"]["state"], rows["nse"]["rows"], rows["nse"]["as_of"]) == ("good", 9, "2010-01-04")
    assert rows["nse"]["next_due"].endswith("13:30:00Z")
    assert rows["other"]["next_due"].endswith("00:00:00Z")
    assert fits(shell("feed", "list").out)
    (shell.folder / "everytick-data/feeds/nse/snapshots/000001.json").write_text("{", "utf-8")
    rows = {row["feed"]: row for row in shell("feed", "list", "--json").json}
    assert (rows["nse"]["state"], rows["other"]["state"]) == ("damaged", "never")
    assert "is damaged" in shell("feed", "show", "nse", code=1).err


def test_days(shell: Shell, provider: Provider) -> None:
    story = shell("feed", "why", "nse", "2010-01-09").out
    assert "Saturday 2010-01-09, Asia/Kolkata" in story
    assert "No refresh ended on that day" in story
    assert "'soon' is no day; write 2026-11-22, today" in shell("feed", "why", "nse", "soon", code=2).err
    provider.serve(listing(range(9), "2010-01-04"))
    shell("feed", "refresh", "nse")
    assert (
        "had no list yet, as of 2010-01-03"
        in shell("feed", "show", "nse", "--as-of", "2010-01-03", code=2).err
    )
    assert "snapshot 1, 9 rows" in shell("feed", "show", "nse", "--as-of", "yesterday").out
    assert "1 refresh: 1 published." not in shell("feed", "why", "nse", "2010-01-04").out


@pytest.fixture
def holding(shell: Shell, provider: Provider) -> Shell:
    provider.serve(listing(range(20), "2010-01-04"))
    shell("feed", "refresh", "nse")
    provider.serve(listing(range(10), "2010-01-05"))
    shell("feed", "refresh", "nse", code=1)
    return shell


@pytest.mark.parametrize(("answer", "code", "snapshot"), [("y\rthey said so\r", 0, 2), ("\r", 1, 1)])
def test_a_person_is_shown_the_list_and_asked(holding: Shell, answer: str, code: int, snapshot: int) -> None:
    with Screen([EVERYTICK, "feed", "approve", "nse"], holding.folder) as screen:
        screen.shows("against snapshot 1: 0 added, 10 removed", f"{isin(10)}", "Publish it? [y/N]")
        screen.types(answer)
        while screen.read(1.0):
            pass
        assert screen.program.wait(timeout=30) == code, screen.seen
    seen = holding("feed", "show", "nse", "--json").json
    assert seen["snapshot"] == snapshot
    assert (seen["held"] is None) == (code == 0)
    if code == 0:
        assert seen["last"]["note"] == "they said so"


def test_control_c_at_the_question_decides_nothing(holding: Shell) -> None:
    with Screen([EVERYTICK, "feed", "reject", "nse"], holding.folder) as screen:
        screen.shows("Refuse it for good? [y/N]")
        assert screen.interrupt() == 130
        assert "Nothing was decided." in screen.seen
    assert holding("feed", "held", "nse", "--json").json["snapshot"] == 2


def test_bars_are_drawn_where_a_person_looks_on(shell: Shell, provider: Provider) -> None:
    provider.serve(listing(range(900), "2010-01-04"))
    with Screen([EVERYTICK, "feed", "refresh", "nse"], shell.folder) as screen:
        screen.shows("fetch", "read", "publish", "published: snapshot 1, 900 rows")
    with Screen([EVERYTICK, "feed", "list"], shell.folder, {"NO_COLOR": "1"}) as screen:
        screen.shows("nse", "good")
        assert "\x1b[3" not in screen.seen
