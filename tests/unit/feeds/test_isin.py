import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from everytick.feeds.isin import are_isins, check_digit, faults, is_isin

GOOD = [
    "US0378331005",  # Apple
    "US5949181045",  # Microsoft
    "DE0007164600",  # SAP
    "GB0002634946",  # BAE Systems
    "AU0000XVGZA3",  # the example of the standard
    "INE002A01018",  # Reliance, NSE
    "EZV1JDJ1R5Q9",  # the first record of a FIRDS delta; a prefix of no country
]
BAD = [
    "US0378331004",
    "us0378331005",
    "US037833100",
    "US03783310055",
    "",
    " US0378331005",
    "US0378331005 ",
    "US0378331005\n",
    "1S0378331005",
    "U10378331005",
    "US037833100A",
    "US037-331005",
    "ÜS0378331005",
    "US03783310é",  # 12 bytes, 11 characters
    "US037833100\u0665",  # a digit, but not one of ours
    "000000000000",
    "-",
]
BODY = st.from_regex(r"[A-Z]{2}[A-Z0-9]{9}", fullmatch=True)
NEAR = st.text(alphabet="AZaz059 -ü\x00\n\u0663\U0001d7d7", min_size=9, max_size=14) | st.text(max_size=13)


def test_known_isins() -> None:
    assert [text for text in GOOD if not is_isin(text)] == []
    assert [text for text in BAD if is_isin(text)] == []


def test_known_isins_all_at_once() -> None:
    verdicts = are_isins(pl.Series("x", [*GOOD, *BAD, None]))
    assert verdicts.to_list() == [True] * len(GOOD) + [False] * (len(BAD) + 1)
    assert verdicts.name == "x"


@pytest.mark.parametrize("size", [0, 1, 262_143, 262_145, 524_288])
def test_each_text_keeps_its_place_however_many_there_are(size: int) -> None:
    texts = pl.Series(["US0378331005", "US0378331004", None] * (size // 3 + 1), dtype=pl.String).head(size)
    verdicts = are_isins(texts)
    assert verdicts.dtype == pl.Boolean
    assert verdicts.arg_true().to_list() == list(range(0, size, 3))


@pytest.mark.parametrize(
    "body", ["", "US037833100A", "us037833100", "US03783310", "1S037833100", "US03783310\u0665"]
)
def test_only_eleven_letters_and_digits_have_a_check_digit(body: str) -> None:
    with pytest.raises(ValueError, match="two letters"):
        check_digit(body)


@given(BODY)
def test_exactly_one_digit_makes_a_body_an_isin(body: str) -> None:
    digits = [digit for digit in range(10) if is_isin(f"{body}{digit}")]
    assert digits == [check_digit(body)]


@given(BODY, st.data())
def test_a_single_changed_digit_is_always_noticed(body: str, data: st.DataObject) -> None:
    isin = f"{body}{check_digit(body)}"
    places = [place for place, character in enumerate(isin) if character.isdigit()]
    place = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != isin[place]]))
    changed = isin[:place] + other + isin[place + 1 :]
    assert not is_isin(changed)
    assert are_isins(pl.Series([isin, changed])).to_list() == [True, False]


@given(
    st.lists(NEAR | BODY.map(lambda body: f"{body}{check_digit(body)}") | BODY.map(lambda body: body + "7"))
)
def test_one_at_a_time_and_all_at_once_agree(texts: list[str]) -> None:
    verdicts = are_isins(pl.Series(texts, dtype=pl.String))
    assert verdicts.to_list() == [is_isin(text) for text in texts]


@given(st.lists(st.binary(min_size=12, max_size=12)))
def test_they_agree_on_any_twelve_bytes_that_are_text(cells: list[bytes]) -> None:
    texts = [cell.decode("utf-8", "ignore") for cell in cells] + [cell.decode("latin-1") for cell in cells]
    assert are_isins(pl.Series(texts, dtype=pl.String)).to_list() == [is_isin(text) for text in texts]


@given(
    st.lists(NEAR | BODY.map(lambda body: f"{body}{check_digit(body)}") | BODY.map(lambda body: body + "7")),
    st.integers(0, 5),
)
def test_every_text_that_is_no_isin_has_a_fault_and_no_isin_has_one(texts: list[str], cut: int) -> None:
    series = pl.Series("x", texts, dtype=pl.String)
    found = faults(pl.concat([series.head(cut), series.slice(cut)], rechunk=False))
    assert found.name == "x"
    assert found.dtype == pl.String
    assert [fault is None for fault in found] == [is_isin(text) for text in texts]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (None, "empty"),
        ("", "empty"),
        ("US0378331004", "the check digit is 4 instead of 5"),
        ("US03783310055", "13 characters instead of 12"),
        ("Ü", "1 character instead of 12"),
        ("US03783310é5", "character 11 is neither a capital letter nor a digit"),
        ("US037833100\u0665", "character 12 is neither a capital letter nor a digit"),
        ("U10378331005", "the prefix 'U1' is not two letters"),
        ("US037833100A", "the check digit is a letter, 'A'"),
    ],
)
def test_a_fault_is_named_exactly(text: str | None, fault: str) -> None:
    assert faults(pl.Series([text], dtype=pl.String)).to_list() == [fault]


@given(BODY, st.integers(0, 9))
def test_the_digit_that_a_fault_names_is_the_right_one(body: str, digit: int) -> None:
    right = check_digit(body)
    expected = None if digit == right else f"the check digit is {digit} instead of {right}"
    assert faults(pl.Series([f"{body}{digit}"])).to_list() == [expected]
