import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everytick.errors import ExtractFailed
from everytick.feeds.extract.decode import as_utf8

EVERY = ("utf-8", "cp1252", "latin-1")


@pytest.mark.parametrize(
    ("text", "encoding", "encodings"),
    [
        ("Müller €", "utf-8", EVERY),
        ("Müller €", "cp1252", EVERY),
        ("Müller \x81", "latin-1", EVERY),
        ("台積電", "big5", ("utf-8", "big5")),
        ("Ω", "utf-16", ("utf-8", "utf-16")),
        ("Ω", "utf-16-le", ("utf-8", "utf-16-le")),
        ("Ω\ufeff", "utf-8-sig", EVERY),
    ],
)
def test_the_first_encoding_that_fits_every_byte_counts(
    text: str, encoding: str, encodings: tuple[str, ...]
) -> None:
    assert as_utf8(text.encode(encoding), encodings).decode() == text


@pytest.mark.parametrize(
    ("body", "encodings", "words"),
    [
        (b"a\nb\xe9\n", ("utf-8",), 'line 2 is not utf-8: byte 0xe9 at offset 3; set "encoding"'),
        (
            b"\x81",
            ("utf-8", "cp1252"),
            "is not utf-8: byte 0x81 at offset 0; line 1 is not cp1252: byte 0x81",
        ),
        (b"a\xc3", ("utf-8",), "line 1 is not utf-8: byte 0xc3 at offset 1"),
        (b"a\0b", ("utf-8",), "not utf-8: it would hold NUL characters"),
        (b"\xff\xfea\0", ("utf-8",), 'it begins with the mark of utf-16, so set encoding = "utf-16"'),
        (b"\xff\xfea", ("utf-16",), "not utf-16"),
        (rb"\ud800", ("unicode_escape",), "not unicode_escape: "),
    ],
)
def test_bytes_that_no_encoding_fits_are_refused(body: bytes, encodings: tuple[str, ...], words: str) -> None:
    with pytest.raises(ExtractFailed) as refusal:
        as_utf8(body, encodings)
    assert words in str(refusal.value)


@given(st.text(alphabet="aé台😀\n", max_size=40), st.integers(1, 9))
def test_utf8_is_the_same_whole_or_in_pieces(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("everytick.feeds.extract.decode._CHUNK", size)
        assert as_utf8(text.encode(), ("utf-8",)) == text.encode()


@given(st.binary(max_size=40), st.integers(1, 9))
def test_bytes_are_refused_as_python_refuses_them(body: bytes, size: int) -> None:
    body = body.replace(b"\0", b"").removeprefix(codecs.BOM_UTF8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("everytick.feeds.extract.decode._CHUNK", size)
        try:
            expected = body.decode()
        except UnicodeDecodeError as error:
            with pytest.raises(ExtractFailed, match=f"at offset {error.start}"):
                as_utf8(body, ("utf-8",))
        else:
            assert as_utf8(body, ("utf-8",)) == expected.removeprefix("\ufeff").encode()
