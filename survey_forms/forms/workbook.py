"""An author's workbook → the XForm that is frozen as the questionnaire. For authors only: it needs pyxform.

The same workbook always gives the same bytes, and their SHA-256 is the questionnaire's version.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyxform.errors import PyXFormError
from pyxform.xls2xform import convert

from survey_forms.forms.cells import Sheet, read_sheets
from survey_forms.forms.compile import compile_form
from survey_forms.forms.headers import TRANSLATED, understood
from survey_forms.forms.languages import CHINESE, code_of, language_named
from survey_forms.forms.lint import lint
from survey_forms.forms.lint_logic import as_written, flat_fault
from survey_forms.forms.linted import Linted
from survey_forms.forms.tables import Reading, Table, read_table
from survey_forms.forms.xform import NAMESPACE
from survey_forms.refusal import Fault, Refused

_FORM_ID = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_ROW = re.compile(r"\[row : ([0-9]+)\]\s*")
_STAND_INS = {ord(quote): 0xF0000 + place for place, quote in enumerate("“”‘’")}  # a private-use plane
_QUOTES = {stand_in: quote for quote, stand_in in _STAND_INS.items()}


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
    sheets, faults, notes = read_sheets(data)
    reading = Reading(faults, notes)
    language = _default_language(sheets)
    header = _settings(read_table("settings", sheets["settings"], language, (), reading), language, reading)
    survey = read_table("survey", sheets["survey"], language, ("type", "name", "label"), reading)
    options = (
        read_table("choices", sheets["choices"], language, ("list_name", "name", "label"), reading)
        if "choices" in sheets
        else None
    )
    if any(fault.code == "workbook_header_missing" for fault in faults):
        raise Refused.of(faults)
    linted = lint(survey, options)
    linted.faults[:0] = faults
    xform = b"" if faults or linted.fatal else _converted(linted, header, survey)
    if linted.faults:
        raise Refused.of(_sorted([*linted.faults, *([] if xform else _logic_alone(linted))], survey))
    return Converted(xform, hashlib.sha256(xform).hexdigest(), tuple(_sorted([*notes, *linted.notes], survey)))


def _converted(linted: Linted, header: dict[str, str], survey: Table) -> bytes:
    """The XForm; what pyxform or our own compiler say against it joins the faults."""
    sheets = {"survey": linted.survey, "choices": linted.choices, "settings": [header]}
    rows = {key: [_kept(row) for row in rows] for key, rows in sheets.items()}
    # Left alone, pyxform takes the columns from the first hundred rows
    headers = {f"{key}_header": [dict.fromkeys(name for row in rows for name in row)] for key, rows in sheets.items()}
    try:
        converted = convert({**rows, **headers}, form_name="data")
        xform: bytes = converted.xform.translate(_QUOTES).encode()
        compile_form(xform)
    except PyXFormError as error:
        linted.faults.append(_said_by_pyxform(str(error), survey))
    except Refused as refused:
        linted.faults.extend(_in_workbook(fault, linted, survey) for fault in refused.faults)
    else:
        return xform
    return b""


def _logic_alone(linted: Linted) -> Iterator[Fault]:
    """Expressions of a form that could not be compiled whole; where a repeat decides what a name means, none."""
    if "begin_repeat" not in linted.names.types.values():
        for name, column, logic in linted.logic:
            wrong = flat_fault(name, column, logic, linted.names)
            if wrong and (name, column) in linted.where:
                table, number, spelled = linted.where[name, column]
                yield table.fault(wrong[0], number, spelled, **wrong[1])


def _kept(row: dict[str, str]) -> dict[str, str]:
    """The row with the quotation marks of its words out of pyxform's sight: it would make them straight."""
    return {
        name: text.translate(_STAND_INS) if name.partition("::")[0] in {*TRANSLATED, "attribute"} else text
        for name, text in row.items()
    }


def _default_language(sheets: dict[str, Sheet]) -> str:
    """What the settings say; else Chinese where the questions have it or name no language; else their first one."""
    settings, survey = sheets["settings"], sheets["survey"]
    spoken = next(
        (
            row.cells[letter]
            for letter, header in settings.headers.items()
            if understood("settings", header, CHINESE)[1] == "default_language"
            for row in settings.rows[:1]
            if letter in row.cells
        ),
        "",
    )
    if spoken:
        return language_named(spoken) or CHINESE
    named = (understood("survey", header, CHINESE)[1].partition("::") for header in survey.headers.values())
    labels = [language for name, _, language in named if name == "label"]
    return CHINESE if CHINESE in labels or not labels else labels[0]


def _settings(table: Table, language: str, reading: Reading) -> dict[str, str]:
    """The one row of settings as pyxform takes it; titles in other languages ride along as attributes."""
    cells = table.lines[0].cells if table.lines else {}
    number = table.lines[0].number if table.lines else 2
    reading.faults.extend(_wrong_settings(table, cells, number, language))
    titles = {name.partition("::")[2]: text for name, text in cells.items() if name.startswith("form_title::")}
    title = titles.pop(language, "") or next(iter(titles.values()), "")
    others = {f"attribute::mc:title_{code_of(spoken)}": text for spoken, text in titles.items()}
    version = {"version": cells["version"]} if "version" in cells else {}
    return {
        "form_id": cells.get("form_id", ""),
        "form_title": title,
        "default_language": language,
        "namespaces": f'mc="{NAMESPACE}"',
        **others,
        **version,
    }


def _wrong_settings(table: Table, cells: dict[str, str], number: int, language: str) -> Iterator[Fault]:
    if len(table.lines) != 1:
        yield table.fault("workbook_settings_row", number, "form_id", got=len(table.lines))
    if not _FORM_ID.fullmatch(cells.get("form_id", "")):
        yield table.fault("workbook_form_id", number, "form_id", given=cells.get("form_id", ""))
    spoken = cells.get("default_language", "")
    if spoken and language_named(spoken) is None:
        yield table.fault("workbook_language", number, "default_language")
    if not any(name.startswith("form_title") for name in cells):
        yield table.fault("workbook_title_missing", number, "form_title", language=language)


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
    return table.fault(fault.code, number, column, **as_written(fault.facts))


def _sorted(faults: list[Fault], survey: Table) -> list[Fault]:
    """In the order of the sheets, one fault a cell: the first found, which the others often follow from."""

    def place(fault: Fault) -> tuple[bool, int, int, str]:
        letter = str(fault.facts.get("column", ""))
        return fault.facts.get("sheet") != survey.sheet.title, int(str(fault.facts.get("row", 0))), len(letter), letter

    first = {fault.path: fault for fault in reversed(faults)}
    return sorted(first.values(), key=place)
