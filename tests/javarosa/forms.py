"""The questionnaires that both engines are asked about."""

from collections.abc import Mapping
from pathlib import Path

from survey_forms.forms.workbook import convert_workbook
from tests.javarosa import books

PACKAGED = Path(__file__).parents[2] / "survey_forms/documents"
MADE = (books.inspection, books.household, books.cascade, books.functions, books.nested)


def workbooks() -> Mapping[str, bytes]:
    """Name → .xlsx: every questionnaire that is shipped, and those made for the comparison."""
    shipped = sorted(PACKAGED.glob("*/forms/*.xlsx"))
    return {f"{file.parents[1].name}.{file.stem}": file.read_bytes() for file in shipped} | {
        make.__name__: books.as_xlsx(make()) for make in MADE
    }


def xforms() -> Mapping[str, bytes]:
    return {name: convert_workbook(data).xform for name, data in workbooks().items()}
