"""An author's workbook → the XForm that is frozen as the questionnaire. For authors only: it needs pyxform.

The same workbook always gives the same bytes, and their SHA-256 is the questionnaire's version.
"""

import hashlib
import re
from dataclasses import dataclass

from pyxform.errors import PyXFormError
from pyxform.xls2xform import convert

from survey_forms.forms.cells import read_sheets
from survey_forms.forms.compile import compile_form
from survey_forms.forms.headers import CHINESE, LANGUAGES, plain
from survey_forms.forms.lint import Linted, lint
from survey_forms.forms.tables import Table, read_table
from survey_forms.forms.xform import NAMESPACE
from survey_forms.refusal import Fault, Refused

_FORM_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_ROW = re.compile(r"\[row : ([0-9]+)\]\s*")
_TITLE_LANGUAGE = re.compile(r".*\(([^()]+)\)")


@dataclass(frozen=True, slots=True)
class Converted:
    """A frozen questionnaire: the XForm's bytes, their SHA-256 (hex), and what was put right on the way."""

    xform: bytes
    version: str
    notes: tuple[Fault, ...]


def convert_workbook(data: bytes) -> Converted:
    """Convert an .xlsx questionnaire, and make sure that what comes out compiles.

    Raises:
        Refused: With every fault found, each with its sheet, row and column.
    """
    sheets, faults = read_sheets(data)
    settings = read_table("settings", sheets["settings"], CHINESE, ("form_id", "form_title"), faults)
    header = _settings(settings, faults)
    language = header["default_language"]
    survey = read_table("survey", sheets["survey"], language, ("type", "name", "label"), faults)
    options = (
        read_table("choices", sheets["choices"], language, ("list_name", "name", "label"), faults)
        if "choices" in sheets
        else None
    )
    if any(fault.code == "workbook_header_missing" for fault in faults):
        raise Refused.of(faults)
    linted = lint(survey, options)
    linted.faults[:0] = faults
    if faults or linted.fatal:
        raise Refused.of(_sorted(linted.faults, survey))
    try:
        converted = convert(
            {"survey": linted.survey, "choices": linted.choices, "settings": [header]}, form_name="data"
        )
        xform = converted.xform.encode()
        compile_form(xform)
    except PyXFormError as error:
        linted.faults.append(_said_by_pyxform(str(error), survey))
    except Refused as refused:
        linted.faults.extend(_in_workbook(fault, linted, survey) for fault in refused.faults)
    if linted.faults:
        raise Refused.of(_sorted(linted.faults, survey))
    return Converted(xform, hashlib.sha256(xform).hexdigest(), tuple(linted.notes))


def _settings(table: Table, faults: list[Fault]) -> dict[str, str]:
    """The one row of settings as pyxform takes it; titles in other languages ride along as attributes."""
    cells = table.lines[0].cells if table.lines else {}
    number = table.lines[0].number if table.lines else 2
    if len(table.lines) != 1:
        faults.append(table.fault("workbook_settings_row", number, "form_id", got=len(table.lines)))
    form_id, spoken = cells.get("form_id", ""), cells.get("default_language", "")
    language = LANGUAGES.get(plain(spoken), spoken) or CHINESE
    if not _FORM_ID.fullmatch(form_id):
        faults.append(table.fault("workbook_form_id", number, "form_id", given=form_id))
    if not _TITLE_LANGUAGE.fullmatch(language):
        faults.append(table.fault("workbook_language", number, "default_language"))
        language = CHINESE
    titles = {name.partition("::")[2]: text for name, text in cells.items() if name.startswith("form_title::")}
    title = titles.pop(language, "") or next(iter(titles.values()), "")
    if not title:
        faults.append(table.fault("workbook_title_missing", number, "form_title"))
    others = {
        f"attribute::mc:title_{match[1]}": text
        for name, text in titles.items()
        if (match := _TITLE_LANGUAGE.fullmatch(name))
    }
    version = {"version": cells["version"]} if "version" in cells else {}
    return {
        "form_id": form_id,
        "form_title": title,
        "default_language": language,
        "namespaces": f'mc="{NAMESPACE}"',
        **others,
        **version,
    }


def _said_by_pyxform(message: str, survey: Table) -> Fault:
    """Pyxform's own complaint, which is English and names a row at best."""
    row = _ROW.search(message)
    words = " ".join(_ROW.sub("", message).split())
    return survey.fault("workbook_pyxform", int(row[1]) if row else 1, "type", message=words)


def _in_workbook(fault: Fault, linted: Linted, survey: Table) -> Fault:
    """A fault of the compiled form, moved to the cell where the author can mend it."""
    name, aspect = str(fault.facts.get("question", "")), str(fault.facts.get("aspect", ""))
    spot = linted.where.get((name, aspect)) or linted.where.get((name, "type"))
    table, number, column = spot or (survey, 1, "type")
    return table.fault(fault.code, number, column, **fault.facts)


def _sorted(faults: list[Fault], survey: Table) -> list[Fault]:
    """In the order of the sheets, one fault a cell: the first found, which the others often follow from."""

    def place(fault: Fault) -> tuple[bool, int, int, str]:
        letter = str(fault.facts["column"])
        return fault.facts["sheet"] != survey.sheet.title, int(str(fault.facts["row"])), len(letter), letter

    first = {fault.path: fault for fault in reversed(faults)}
    return sorted(first.values(), key=place)
