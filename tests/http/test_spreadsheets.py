"""No text that anybody can type becomes a formula or a link in a downloaded file; numbers stay numbers."""

import csv
import io
import unicodedata
from decimal import Decimal

import openpyxl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.downloads import Sheet, csv_lines, xlsx_bytes

LIVE = "=+-@\t\r\n=+-@"
texts = st.one_of(
    st.text(),
    st.builds(
        lambda blanks, first, rest: blanks + first + rest,
        st.text(" \ufeff\u200b\u200c\u2060\u00a0\u3000", max_size=3),
        st.sampled_from("=+-@\t\r\n\0=+-@|%"),
        st.text(max_size=12),
    ),
)
numbers = st.one_of(
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.decimals(-(10**6), 10**6, places=4, allow_nan=False),
)


def read_csv(data: bytes) -> list[list[object]]:
    """As a strict reader sees it: quoted fields are texts, bare ones numbers."""
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), quoting=csv.QUOTE_NONNUMERIC))


@settings(max_examples=1000, deadline=None)
@given(st.lists(texts, min_size=1, max_size=4))
@example(['=HYPERLINK("http://x","y")'])
@example(["\0=1+1"])
@example(["\ufeff\u200b =cmd|' /C calc'!A0"])
@example(["\ud800"])
@example(["a\r\n=1+1"])
def test_no_csv_field_begins_like_a_formula(row):
    data = b"".join(csv_lines(Sheet("s", ["列"] * len(row), [row])))
    read = read_csv(data)[1]
    assert len(read) == len(row)
    for field, given_text in zip(read, row, strict=True):
        seen = [char for char in str(field) if unicodedata.category(char) not in {"Zs", "Cf"}]
        assert not seen or seen[0] not in LIVE
        if given_text.isprintable() and given_text[:1].isalnum():
            assert field == given_text


@settings(max_examples=120, deadline=None)
@given(st.lists(texts, min_size=1, max_size=4))
@example(['=HYPERLINK("http://x","y")', "http://example.org", "mailto:a@b.c", "{=1+1}"])
@example(["x" * 40_000])
def test_no_xlsx_cell_is_a_formula_or_a_link(row):
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes([Sheet("s", ["列"] * len(row), [row])])))
    cells = list(book["s"].iter_rows(min_row=2))
    for cell in cells[0] if cells else ():
        assert cell.data_type in {"s", "n"}
        assert cell.data_type == "s" or cell.value is None
        assert cell.hyperlink is None


@settings(max_examples=80, deadline=None)
@given(st.lists(numbers, min_size=1, max_size=4))
def test_numbers_stay_numbers_negative_ones_too(row):
    read = read_csv(b"".join(csv_lines(Sheet("s", ["n"] * len(row), [row]))))[1]
    assert read == [float(one) for one in row]
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes([Sheet("s", ["n"] * len(row), [row])])))
    cells = next(book["s"].iter_rows(min_row=2))
    assert [cell.data_type for cell in cells] == ["n"] * len(row)


def test_csv_begins_with_a_byte_order_mark_and_keeps_decimals_as_published():
    data = b"".join(csv_lines(Sheet("s", ["单位", "得分"], [["教育局", Decimal("85.00")], ["无", None]])))
    assert data == b"\xef\xbb\xbf" + '"单位","得分"\r\n"教育局",85.00\r\n"无",""\r\n'.encode()


def test_an_empty_xlsx_text_and_a_missing_value_are_empty():
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes([Sheet("s", ["a", "b", "c"], [["", None, "x"]])])))
    assert [cell.value for cell in next(book["s"].iter_rows(min_row=2))] == ["", None, "x"]
