"""XLSForms as other people write them, after the public documentation of the standard: one feature a workbook.

`workbooks/*.txt` shows their sheets as on paper: a line starting with `#` names the sheet, the next its columns.
"""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZipFile

BOOKS = {file.stem: file.read_text() for file in sorted(Path(__file__).with_name("workbooks").glob("*.txt"))}

REFUSED = {
    "acknowledge": ("workbook_type_elsewhere", "acknowledge", "hidden"),
    "background": ("workbook_type_metadata", "background-audio", "csv-external", "xml-external", "background-geopoint"),
    "barcode": ("workbook_type_elsewhere", "barcode"),
    "chance": ("expression_function_refused", "uuid()", "random()"),
    "default_from_answer": ("form_default_reads", "default"),
    "entities": ("workbook_sheet_unsupported", "entities", "save_to"),
    "external": ("workbook_type_from_file", "select_one_external counties", "external_choices"),
    "from_file": ("workbook_type_from_file", "select_one_from_file regions.csv", "select_multiple_from_file wards.csv"),
    "from_repeat": ("workbook_choices_from_answers",),
    "guidance": ("workbook_column", "guidance_hint"),
    "household": ("form_repeat_nested", "household"),
    "images": ("form_appearance", "signature"),
    "legacy": ("workbook_type", "add note prompt"),
    "month_year": ("form_appearance", "month-year"),
    "media": ("workbook_column", "media::image", "media::audio"),
    "metadata": ("workbook_type_metadata", "start", "end", "today", "deviceid", "username", "phonenumber", "audit"),
    "notes_to_self": (
        "workbook_header_unknown",
        "remark to self",
        "bind::foo:bar",
        "body::accuracyThreshold",
        "public_key",
    ),
    "or_other": ("workbook_or_other", "or_other"),
    "places": ("workbook_type_elsewhere", "geopoint", "geotrace", "geoshape"),
    "pulldata": ("expression_function_refused", "pulldata()"),
    "recordings": ("workbook_type_elsewhere", "audio", "video", "file"),
    "search": ("form_appearance", "search('villages')"),
    "times": ("workbook_type_elsewhere", "time", "dateTime"),
    "trigger": ("workbook_column", "trigger", "dateTime", "now()", "last-saved#village"),
}
"""Workbook → a code of its refusal, and the words by which both sentences name what we do not have."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELATIONS = "application/vnd.openxmlformats-package.relationships+xml"


def rows_of(text: str) -> dict[str, list[list[str]]]:
    """Sheet → rows of cells, the header first."""
    sheets: dict[str, list[list[str]]] = {}
    for line in text.strip().splitlines():
        if line.startswith("# "):
            rows = sheets.setdefault(line[2:], [])
        else:
            rows.append([cell.strip() for cell in line.split("|")])
    return sheets


def as_xlsx(sheets: Mapping[str, list[list[str]]]) -> bytes:
    """The least that Excel opens; written by hand, because the fuzz makes a thousand."""
    file, names = BytesIO(), {title: f"sheet{number}.xml" for number, title in enumerate(sheets, start=1)}
    listed = "".join(
        f'<sheet name="{escape(title)}" sheetId="{n}" r:id="r{n}"/>' for n, title in enumerate(names, start=1)
    )
    joins = "".join(
        f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet" Target="worksheets/{part}"/>'
        for n, part in enumerate(names.values(), start=1)
    )
    types = "".join(
        f'<Override PartName="/xl/worksheets/{part}" ContentType="{_TYPE}.worksheet+xml"/>' for part in names.values()
    )
    with ZipFile(file, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="{_RELATIONS}"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{types}</Types>',
        )
        first = f'<Relationship Id="r0" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", f'<Relationships xmlns="{_PACKAGE}/relationships">{first}</Relationships>')
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}/relationships">{joins}</Relationships>'
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
        )
        for title, part in names.items():
            rows = "".join(_row(number, row) for number, row in enumerate(sheets[title], start=1))
            archive.writestr(
                f"xl/worksheets/{part}", f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
            )
    return file.getvalue()


def _row(number: int, cells: list[str]) -> str:
    written = (
        f'<c r="{_letters(place)}{number}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
        for place, cell in enumerate(cells)
        if cell
    )
    return f'<row r="{number}">{"".join(written)}</row>'


def _letters(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else _letters(place // 26 - 1) + _letters(place % 26)
