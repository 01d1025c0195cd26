"""Setting a survey up: its round in draft, its window, how secret it is, and who answers what (the strata's sheet)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from api.actions import strata_sheet
from api.actions.indicators import accepts_of
from api.actions.strata_sheet import Line
from api.actions.tally import form_of_version
from api.store import evaluations, people, survey_setup, surveys
from api.store.evaluations import Evaluation
from survey_forms.forms.places import question_fault
from survey_forms.refusal import Fault, Refused

LONGEST_NAME = 100
SECRECY = ("sealed", "open")
LONGEST_AGO = timedelta(days=365)  # a survey may be set up after the fact, but not for another year


@dataclass(frozen=True, slots=True)
class Plan:
    """What the office says of a new survey. `units_per_respondent` is None where everybody rates every unit."""

    name_zh: str
    name_en: str
    opens_at: datetime
    closes_at: datetime
    secrecy: str
    random_order: bool
    units_per_respondent: int | None
    sheet: bytes = field(repr=False)


def set_up(connection: Connection, evaluation: Evaluation, plan: Plan, staff_id: int, now: datetime) -> tuple[int, int]:
    """Make a round in draft with one survey; nobody can answer before it is opened. Returns round and survey.

    Raises:
        Refused: every fault of the plan and of its sheet at once.
    """
    faults = list(_wrong(plan, len(evaluations.units_of(connection, evaluation.id)), now))
    lines: list[Line] = []
    try:
        lines = strata_sheet.read_strata(
            plan.sheet, surveyable(connection, evaluation), survey_setup.newest_forms(connection)
        )
    except Refused as refused:
        faults += refused.faults
    if plan.secrecy == "sealed":
        faults += _pictures_asked(connection, {line.form for line in lines})
    if faults:
        raise Refused.of(faults)
    round_id = survey_setup.add_round(
        connection, evaluation.id, (plan.name_zh, plan.name_en), (plan.opens_at, plan.closes_at), staff_id
    )
    survey_id = survey_setup.add_survey(
        connection,
        {
            "round_id": round_id,
            "name_zh": plan.name_zh,
            "name_en": plan.name_en,
            "secrecy": plan.secrecy,
            "opens_at": plan.opens_at,
            "closes_at": plan.closes_at,
            "random_order": plan.random_order,
            "units_per_respondent": plan.units_per_respondent,
        },
    )
    survey_setup.add_groups(connection, survey_id, _groups(lines))
    survey_setup.add_strata(connection, survey_id, _strata(lines))
    people.record_act(
        connection, "survey_set_up", now, staff_id, round=round_id, survey=survey_id, secrecy=plan.secrecy
    )
    return round_id, survey_id


def surveyable(connection: Connection, evaluation: Evaluation) -> dict[str, tuple[str, str]]:
    """Components that a survey may feed, by path: handed-in ones, and those that a survey feeds already."""
    units = evaluations.units_of(connection, evaluation.id)
    found = {
        path: names
        for accepts in accepts_of(connection, evaluation, units).values()
        for path, names in accepts.scores.items()
    }
    for survey_id in surveys.surveys_of(connection, evaluation.id):
        for group in surveys.groups_of(connection, survey_id):
            found[group.component] = (group.name_zh, group.name_en)
    return found


def _wrong(plan: Plan, units: int, now: datetime) -> list[Fault]:
    faults = [
        Fault("survey_name_unfit", name, {"most": LONGEST_NAME})
        for name, words in (("name_zh", plan.name_zh), ("name_en", plan.name_en))
        if not 0 < len(words.strip()) <= LONGEST_NAME
    ]
    if plan.opens_at < now - LONGEST_AGO:
        faults.append(Fault("survey_beginning_unfit", "opens_at"))
    if plan.closes_at <= max(plan.opens_at, now):
        faults.append(Fault("survey_window_unfit", "closes_at"))
    if plan.secrecy not in SECRECY:
        faults.append(Fault("survey_secrecy_unfit", "secrecy"))
    if plan.units_per_respondent is not None and not 0 < plan.units_per_respondent < max(units, 1):
        faults.append(Fault("survey_units_unfit", "units_per_respondent", {"units": units}))
    return faults


def _pictures_asked(connection: Connection, versions: Collection[str]) -> list[Fault]:
    """Every question of the forms that asks for a picture, which no sealed ballot can carry."""
    forms = [form_of_version(connection, version) for version in sorted(versions)]
    pages = [page for form in forms for page in form.pages]
    return [
        question_fault("form_image_sealed", question.name)
        for page in pages
        for question in page.questions
        if question.type == "image"
    ]


def _groups(lines: list[Line]) -> list[Mapping[str, object]]:
    first: dict[str, Line] = {}
    for line in lines:
        first.setdefault(line.group, line)
    return [
        {
            "code": code,
            "component": line.component,
            "name_zh": line.group_zh,
            "name_en": line.group_en,
            "form_version": line.form,
        }
        for code, line in first.items()
    ]


def _strata(lines: list[Line]) -> list[Mapping[str, object]]:
    return [
        {
            "code": line.stratum,
            "group_code": line.group,
            "name_zh": line.stratum_zh,
            "name_en": line.stratum_en,
            "population": line.population,
        }
        for line in lines
    ]
