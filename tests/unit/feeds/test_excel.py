import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from everytick.errors import ExtractFailed
from everytick.feeds.extract import Extracted, extract
from everytick.feeds.feed import AsOf, Feed

SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"

ROWS = [
    ["List of securities"],
    ["Updated as at 11/10/2021"],
    ["Stock Code", "ISIN ", "Board\nLot"],
    ["00001", "KYG217651051", "500"],
    [],
    ["Debt securities"],
    ["00002", "HK0002007356", "1,000"],
    ["00003", "", "2,000"],
]
FEED = Feed(name="list", url="https://example.org", key="ISIN", format="excel", none=("",), sections=True)


def workbook(*sheets: tuple[str, list[list[str]]], dimension: str = "A1:C2") -> bytes:
    """Return a workbook as an exchange's software writes it, with a range that it does not keep to."""
    files = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": _relations([("s0", "officeDocument", "xl/workbook.xml")]),
        "xl/_rels/workbook.xml.rels": _relations(
            [(f"s{n}", "worksheet", f"worksheets/sheet{n}.xml") for n, _ in enumerate(sheets, 1)]
        ),
        "xl/workbook.xml": f'<workbook xmlns="{SHEETS}" xmlns:r="{OFFICE}"><sheets>'
        + "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="s{n}"/>' for n, (name, _) in enumerate(sheets, 1)
        )
        + "</sheets></workbook>",
    }
    for number, (_, rows) in enumerate(sheets, 1):
        files[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{SHEETS}"><dimension ref="{dimension}"/><sheetData>'
            + "".join(_row(line, row) for line, row in enumerate(rows, 1))
            + "</sheetData></worksheet>"
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in files.items():
            book.writestr(name, text)
    return packed.getvalue()


def _relations(found: list[tuple[str, str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="{name}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for name, kind, target in found
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def _row(line: int, cells: list[str]) -> str:
    shown = (
        f'<c r="{place}{line}" t="str"><v>{cell}</v></c>'
        for place, cell in zip("ABCDEF", cells, strict=False)
    )
    return f'<row r="{line}">{"".join(shown)}</row>'


def _far_off() -> bytes:
    """Return a workbook with two cells, the first and the last that a sheet can have."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(("S", [["ISIN"], ["", "X"]])))) as good,
        zipfile.ZipFile(packed, "w") as bad,
    ):
        for each in good.infolist():
            bad.writestr(each.filename, good.read(each).replace(b'r="B2"', b'r="XFD1048576"'))
    return packed.getvalue()


def changed(**words: object) -> Feed:
    return Feed(**{**{name: getattr(FEED, name) for name in Feed.__slots__}, **words})


def read(body: bytes, feed: Feed = FEED) -> Extracted:
    return extract(body, feed, {})


def test_a_sheet_is_read_by_the_names_of_its_columns_whatever_range_it_declares() -> None:
    feed = changed(as_of=AsOf(pattern=r"as at (\S+)", format="%d/%m/%Y"))
    extracted = read(workbook(("Securities", ROWS)), feed)
    assert extracted.frame.rows() == [("KYG217651051", "00001", "500"), ("HK0002007356", "00002", "1,000")]
    assert extracted.names == ("Stock Code", "ISIN", "Board\nLot")
    assert (extracted.sections, extracted.keyless) == (1, 1)
    assert str(extracted.as_of) == "2021-10-11"
    places = extracted.frame.with_row_index().get_column("index")
    assert extracted.lines_of(places).to_list() == [4, 7]


def test_the_first_sheet_is_read_unless_another_is_named() -> None:
    body = workbook(("Notes", [["ISIN"], ["US0378331005"]]), ("Shares", [["ISIN"], ["DE0007164600"]]))
    assert read(body, changed(sections=False)).frame.rows() == [("US0378331005",)]
    assert read(body, changed(sheet="Shares", sections=False)).frame.rows() == [("DE0007164600",)]
    with pytest.raises(ExtractFailed, match="no sheet 'ETFs'; the sheets found are: 'Notes', 'Shares'"):
        read(body, changed(sheet="ETFs"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"ISIN,NAME\nUS0378331005,Apple\n", "plain text instead of an Excel workbook"),
        (b"<html><body>Access Denied</body></html>", "a page instead of an Excel workbook"),
        (workbook(("S", ROWS))[:700], "damaged or cut off"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "damaged or cut off"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xf0" * 600, "damaged"),
        (workbook(("S", [["Isin code", "Name"], ["US0378331005", "Apple"]])), "no column 'ISIN'"),
        (_far_off(), "reading it takes more than 4,294,967,296 bytes"),
        (workbook(("S", [])), "no column 'ISIN'"),
    ],
)
def test_what_is_no_such_workbook_is_told(body: bytes, words: str) -> None:
    with pytest.raises(ExtractFailed, match=words):
        read(body)


def test_a_workbook_that_unpacks_to_too_much_is_refused() -> None:
    with pytest.raises(ExtractFailed, match="unpacks to more than size_limit, 100,000 bytes"):
        read(workbook(("S", [["ISIN"], ["0" * 200_000]])), changed(size_limit=100_000))


def test_a_workbook_for_a_csv_feed_is_refused_with_the_mend() -> None:
    with pytest.raises(
        ExtractFailed, match=r'an Excel workbook \(.xlsx\) instead of a list; write format = "excel"'
    ):
        read(workbook(("S", ROWS)), Feed(name="list", url="https://example.org", key="ISIN"))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_a_list_or_a_clear_refusal(data: st.DataObject) -> None:
    body = bytearray(workbook(("S", ROWS)))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(body[: data.draw(st.integers(1, len(body)))]))
    except ExtractFailed:
        return
    assert found.frame.columns[0] == "ISIN"
