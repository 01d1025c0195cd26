"""The office keeps a questionnaire, and gives it to a respondent group while nobody can have answered yet."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from api.store import evaluations, forms, people, rounds
from survey_forms.forms.compile import compile_form
from survey_forms.forms.model import Form
from survey_forms.forms.places import Bilingual
from survey_forms.forms.workbook import Converted
from survey_forms.refusal import Fault, Refused

MOST_TOLD = 8


def keep(connection: Connection, workbook: bytes, converted: Converted, staff_id: int, now: datetime) -> bool:
    """Keep a workbook and the XForm made from it; False when this very version is kept already.

    A version is the XForm's SHA-256, so the first workbook that gave it stays the one that is handed out.
    """
    form = compile_form(converted.xform)
    is_new = forms.add_version(
        connection,
        {
            "version": converted.version,
            "name": form.id,
            "workbook": workbook,
            "xform": converted.xform,
            "uploaded_by": staff_id,
            "uploaded_at": now,
        },
    )
    if is_new:
        people.record_act(connection, "form_kept", now, staff_id, form=form.id, version=converted.version)
    return is_new


def choose(connection: Connection, target: tuple[int, str], version: str, staff_id: int, now: datetime) -> None:
    """Let a respondent group (its survey, its code) answer this version; choosing what is chosen changes nothing.

    Raises:
        Refused: `not_found`; `form_in_use` once the round is no draft any more; `form_unit_unknown` for every unit
            that the form rates and the evaluation does not have.
    """
    survey_id, group = target
    found, round_id = forms.version_called(connection, version), forms.round_of_survey(connection, survey_id)
    held = rounds.hold_round(connection, round_id) if round_id is not None else None
    present = next((use for use in forms.uses(connection) if (use.survey_id, use.group) == target), None)
    if found is None or held is None or present is None:
        raise Refused("not_found")
    if present.version == version:
        return
    if held.status != "draft":
        raise Refused("form_in_use", "group", group=Bilingual(present.group_zh, present.group_en))
    kept, files = found
    units = {unit.code for unit in evaluations.units_of(connection, held.evaluation_id)}
    if faults := list(_unknown_units(compile_form(files.xform), units)):
        raise Refused.of(faults)
    forms.choose(connection, survey_id, group, version)
    about = {"survey": survey_id, "group": group, "form": kept.name, "version": version, "before": present.version}
    people.record_act(connection, "form_chosen", now, staff_id, **about)


def rated_units(form: Form) -> set[str]:
    """The units that a form's ratings are about, also those that a respondent chooses from a list."""
    questions = {question.name: question for page in form.pages for question in page.questions}
    named = {question.unit for question in questions.values() if question.unit}
    lists = {question.unit_from for question in questions.values() if question.unit_from}
    return named | {choice.name for name in lists if name in questions for choice in questions[name].choices}


def _unknown_units(form: Form, units: set[str]) -> Iterator[Fault]:
    unknown = sorted(rated_units(form) - units)
    if unknown:
        listed = ", ".join(unknown[:MOST_TOLD]) + (" …" if len(unknown) > MOST_TOLD else "")
        yield Fault("form_unit_unknown", "version", {"units": listed, "count": len(unknown)})
