from pathlib import Path

import pytest

from everytick.errors import ExtractFailed, PatternError
from everytick.feeds.extract.text import decode, matches

ORDERS = decode((Path(__file__).parent / "orders.json").read_bytes(), "orders.json")
IDS = [*range(1, 12), *range(648, 654)]


def test_every_number_after_a_colon_is_text_and_the_error_code_is_among_them() -> None:
    assert matches(r"(?<=:)\d+", ORDERS) == [*map(str, IDS), "3"]


def test_the_first_group_gives_the_ids_alone_as_numbers() -> None:
    assert matches(r'"id":(\d+)', ORDERS, as_="int") == IDS


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"\d+", "a1 b22", ["1", "22"]),
        (r"(\w)=(\d)", "a=1 b=2", ["a", "b"]),
        (r"(?:x)(\d?)", "x1 x", ["1", ""]),
        (r"nothing", "some text", []),
        (r"", "ab", ["", "", ""]),
        (r"(?<=a+)b", "aab", ["b"]),
        (r"ü\p{L}", "über üö", ["üb", "üö"]),
    ],
)
def test_a_match_counts_with_its_first_group_else_whole(pattern: str, text: str, expected: list[str]) -> None:
    assert matches(pattern, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 -2 +3", [1.0, -2.0, 3.0]),
        ("1.5 .5 5. 1e3 -2.5E-1", [1.5, 0.5, 5.0, 1000.0, -0.25]),
    ],
)
def test_floats(text: str, expected: list[float]) -> None:
    assert matches(r"\S+", text, as_="float") == expected


@pytest.mark.parametrize(
    ("as_", "value"),
    [
        ("int", "1.0"),
        ("int", "1_000"),
        ("int", " 7"),
        ("int", "٣"),
        ("int", ""),
        ("int", "0x10"),
        ("int", "-"),
        ("float", "nan"),
        ("float", "inf"),
        ("float", "1,5"),
        ("float", "."),
        ("float", "1e999"),
    ],
)
def test_a_value_that_is_no_number_is_refused_with_its_place(as_: str, value: str) -> None:
    text = f"ok [1]\nand [{value}]"
    with pytest.raises(PatternError, match=r"at line 2, column 6 is (not|too)"):
        matches(r"\[([^\]]*)\]", text, as_="int" if as_ == "int" else "float")


def test_a_number_of_more_digits_than_python_reads_is_refused() -> None:
    with pytest.raises(PatternError, match="line 1, column 1 has more digits"):
        matches(r"\d+", "9" * 5000, as_="int")


def test_a_long_wrong_value_is_shortened() -> None:
    with pytest.raises(PatternError, match=r"'x{37}\.\.\.' at"):
        matches(r"x+", "x" * 500, as_="int")


def test_a_group_that_takes_no_part_is_refused_not_dropped() -> None:
    with pytest.raises(PatternError, match="takes no part in the match at line 1, column 4"):
        matches(r"a(\d)|b", "a1 b a2")


@pytest.mark.parametrize(
    ("pattern", "position", "reason"),
    [("(a", 2, "missing"), ("a**", 2, "multiple repeat"), ("[a", 2, "unterminated"), (r"\1", 2, "group")],
)
def test_a_broken_pattern_is_refused_at_its_position(pattern: str, position: int, reason: str) -> None:
    with pytest.raises(PatternError) as refusal:
        matches(pattern, "text")
    first, line, caret = str(refusal.value).split("\n")
    assert first.startswith(f"broken pattern, at position {position}: ")
    assert reason in first
    assert line == f"  {pattern}"
    assert caret == " " * (2 + position) + "^"


def test_the_caret_stands_under_the_right_line_of_a_long_pattern() -> None:
    with pytest.raises(PatternError) as refusal:
        matches("(?x) a\n  b**\n c", "text")
    assert str(refusal.value).split("\n")[1:] == ["    b**", "      ^"]


def test_a_pattern_nested_too_deeply_is_refused() -> None:
    with pytest.raises(PatternError, match="nested too deeply"):
        matches("(" * 5000 + ")" * 5000, "text")


def test_a_runaway_pattern_is_stopped_and_the_limit_named() -> None:
    with pytest.raises(PatternError, match=r"ran longer than 0\.05 seconds"):
        matches("(" * 90 + "a" + ")*" * 90, "ab" * 5000, timeout=0.05)


@pytest.mark.parametrize("timeout", [0.0, -1.0, float("nan")])
def test_a_timeout_that_is_none_is_refused(timeout: float) -> None:
    with pytest.raises(PatternError, match="more than 0 seconds"):
        matches("a", "a", timeout=timeout)


def test_bytes_that_are_not_utf8_are_refused_with_the_offset() -> None:
    with pytest.raises(ExtractFailed, match=r"prices\.txt is not UTF-8: byte 0xe9 at offset 3"):
        decode(b"caf\xe9 1", "prices.txt")


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decode(b"\xef\xbb\xbf1", "stdin") == "1"
