from pathlib import Path

import pytest

from everytick.config import parse
from everytick.errors import ConfigError
from everytick.feeds.catalogue import resolve, sources
from everytick.feeds.extract import Extracted, extract
from everytick.feeds.judge.contract import compare
from everytick.feeds.section import read
from everytick.feeds.tasks import feeds, tasks

MIRROR = "https://mirror.example.org/list"


def arrived(source: str, body: str) -> Extracted:
    feed, _ = read(source, resolve({"source": source, "url": MIRROR}))
    return extract(body.encode(), feed, {})


def test_there_are_these_sources() -> None:
    assert sources() == ("amfi-navall", "nsdl", "nse-equities")


@pytest.mark.parametrize("source", sources())
def test_every_source_can_be_read_and_read_back(source: str) -> None:
    feed, rest = read(source, resolve({"source": source, "url": MIRROR}))
    assert rest == {}
    assert feed.check == "isin"
    assert read(source, feed.section())[0] == feed


def test_keys_of_the_table_win_over_those_of_its_source() -> None:
    table = resolve({"source": "nse-equities", "min_rows": 100, "schedule": "@daily"})
    assert table["min_rows"] == 100
    assert table["schedule"] == "@daily"
    assert table["key"] == "ISIN NUMBER"
    assert "source" not in table
    assert resolve({"source": "nse-equities"})["min_rows"] == 1000
    assert resolve({"url": MIRROR}) == {"url": MIRROR}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nse-equity", "did you mean 'nse-equities'"),
        ("zzz", "there are: amfi-navall, nsdl"),
        (3, "no source: 3"),
    ],
)
def test_an_unknown_source_is_refused_with_those_there_are(source: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        resolve({"source": source})


def test_a_configuration_may_name_a_source() -> None:
    text = '[feed.nse]\nsource = "nse-equities"\nschedule = "0 19 * * mon-fri"\nzone = "Asia/Kolkata"\n'
    config = parse(Path("everytick.toml"), text)
    (task,) = tasks(config)
    assert task.name == "nse"
    assert feeds(config)["nse"].url.endswith("EQUITY_L.csv")
    with pytest.raises(ConfigError, match=r"everytick\.toml:2: feed 'nse': source names no source: 'nse'"):
        feeds(parse(Path("everytick.toml"), text.replace('"nse-equities"', '"nse"')))


MAIN = "SYMBOL,NAME OF COMPANY, SERIES, DATE OF LISTING, PAID UP VALUE, MARKET LOT, ISIN NUMBER, FACE VALUE"
SMALL = "SYMBOL,NAME_OF_COMPANY,SERIES,DATE_OF_LISTING,PAID_UP_VALUE,ISIN_NUMBER,FACE_VALUE,"


@pytest.mark.parametrize(
    "body",
    [
        f"{MAIN}\nX,N,EQ,06-OCT-2008,5,1,INE144J01027,5\n",
        f"{SMALL}\nX,N,EQ,08-Jul-25,1,INE144J01027,1,\n",
        "X,N,EQ,06-OCT-2008,5,1,INE144J01027,5\n",
    ],
)
def test_nse_writes_one_list_in_several_dialects(body: str) -> None:
    frame = arrived("nse-equities", body).frame
    wanted = ["ISIN NUMBER", "SYMBOL", "NAME OF COMPANY", "SERIES"]
    assert frame.select(wanted).rows() == [("INE144J01027", "X", "N", "EQ")]


@pytest.mark.parametrize("header", ["Symbol,Security Name,ISIN Number", "Symbol,SecurityName,ISINNumber"])
def test_nse_funds_have_names_of_their_own(header: str) -> None:
    table = resolve({"source": "nse-equities", "identity": ["SYMBOL", "NAME OF COMPANY"]})
    frame = extract(f"{header}\nX,N,INF204KB14I2\n".encode(), read("etf", table)[0], {}).frame
    assert frame.rows(named=True) == [{"ISIN NUMBER": "INF204KB14I2", "SYMBOL": "X", "NAME OF COMPANY": "N"}]


OLD = (
    "Scheme Code;ISIN Div Payout/ ISIN Growth;ISIN Div Reinvestment;Scheme Name;Net Asset Value;Date\r\n \r\n"
    "Open Ended Schemes(Debt)\r\n \r\nHouse\r\n \r\n"
    "119551;INF209KA12Z1;INF209KA13Z9;Fund - IDCW;107.9;18-Aug-2026\r\n"
    "119552;INF209K01YM2;-;Fund - Growth;117.9;17-Aug-2026\r\n"
)
NEW = (
    "Scheme Code;ISIN Div Payout/ ISIN Growth;ISIN Div Reinvestment;Scheme Name;Plan;Option;"
    "Net Asset Value;Date\r\n \r\nOpen Ended Schemes(Debt)\r\n \r\nHouse\r\n \r\n"
    "119551;INF209KA12Z1;INF209KA13Z9;Fund;Direct Plan;IDCW Option;107.9;19-Aug-2026\r\n"
    "119552;INF209K01YM2;-;Fund;Direct Plan;Growth Option;117.9;18-Aug-2026\r\n"
)


def test_both_schemas_of_amfi_are_the_same_list_and_the_change_is_an_event() -> None:
    old, new = arrived("amfi-navall", OLD), arrived("amfi-navall", NEW)
    assert old.frame["ISIN"].to_list() == ["INF209KA12Z1", "INF209KA13Z9", "INF209K01YM2"]
    assert new.frame["ISIN"].to_list() == old.frame["ISIN"].to_list()
    assert old.frame.columns == new.frame.columns == ["ISIN", "Scheme Code", "Scheme Name"]
    assert (old.sections, new.sections) == (2, 2)
    assert [str(each.as_of) for each in (old, new)] == ["2026-08-18", "2026-08-19"]
    feed, _ = read("amfi", resolve({"source": "amfi-navall"}))
    (event,) = compare(new.names, old.names, feed)
    assert (event.kind, event.columns, event.response) == ("unknown", ("Plan", "Option"), "warn")


@pytest.mark.parametrize(
    "header",
    [
        "ISIN,Description,Issuer,Type,Status",
        "isin,name,issuer,type,status",
        "ISIN,SECURITY_DESCRIPTION,NAME_OF_ISSUER,CFI,FISN",
    ],
)
def test_nsdl_lists_have_the_same_columns_by_any_name(header: str) -> None:
    frame = arrived("nsdl", f"{header}\nIN000125C020,a,b,c,d\n").frame
    assert frame.columns[:3] == ["ISIN", "Description", "Issuer"]
    assert frame.row(0) == ("IN000125C020", "a", "b", "c", "d")
