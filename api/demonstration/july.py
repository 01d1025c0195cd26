"""The July round from an empty evaluation to ringing telephones: questionnaire, key, frame, committed plan, draw.

Two people of the office do it as they must, by the product's verbs, with the hours written down as they would be. The
round's time began some days ago, so that a newcomer finds the fieldwork half done.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from random import Random

import orjson
from sqlalchemy import Connection

from api.actions import draws, evaluation_setup, fieldwork, forms, frames, survey_setup
from api.actions.booths import Booths
from api.actions.frame_file import Reader
from api.actions.frames import Registry
from api.actions.notice_words import default_notice
from api.actions.notices import publish_notice
from api.actions.opening import open_round
from api.actions.strata_sheet import COLUMNS
from api.demonstration import july_town as town
from api.demonstration.july_calls import Crew, work_days
from api.demonstration.sealed import key_ceremony
from api.demonstration.town import DISTRICTS
from api.store import frames as imports
from api.store.evaluation_setup import mark_simulated
from api.store.evaluations import evaluation_numbered
from survey_forms.fieldwork.plan import Plan as FieldworkPlan
from survey_forms.forms.workbook import convert_workbook
from survey_forms.scheme.load import DOCUMENTS

FORM = "water-bureau-residents"
BEGAN, LASTS = timedelta(days=12), timedelta(days=30)
PLAN = f"""\
allocation = "proportional"
total = {town.SAMPLE}
minimum = 30
selection = "systematic"
order = "hilbert"
reserve = 10
"""
"""Balanced over the map: every district along a Hilbert curve of its homes, as the document asks (Part 3)."""


@dataclass(frozen=True, slots=True)
class July:
    """The survey, who works it, and the custodians' files by name."""

    survey_id: int
    crew: Crew
    files: Mapping[str, bytes]


def load_july(  # noqa: PLR0913, PLR0917 - what the world gives a loader
    connection: Connection, registry: Registry, staff: Mapping[str, int], pepper: bytes, now: datetime, days: int
) -> July:
    """Set the round up, draw its sample, and let the interviewers work so many days.

    Args:
        connection: in a transaction that the caller commits.
        registry: keeps the frame's file until it is read.
        staff: keys of staff by user name: office, office2, interviewer…, visitor….
        pepper: keys the access codes.
        now: the demonstration's present.
        days: of fieldwork done already.
    """
    first, second = staff["office"], staff["office2"]
    began = now - BEGAN
    survey_id, round_id = _survey(connection, first, began)
    _, files = key_ceremony(connection, survey_id, (first, second), began)
    notice = default_notice(town.NAME_ZH, town.NAME_EN, sealed=True)
    publish_notice(connection, survey_id, notice, first, began)
    people = town.residents()
    _draw(connection, registry, survey_id, town.frame_sheet(people), (first, second), began)
    plan = FieldworkPlan(
        modes=("phone", "visit"), script_zh=town.SCRIPT_ZH, script_en=town.SCRIPT_EN, most_calls=4, most_visits=2
    )
    fieldwork.set_plan(connection, survey_id, plan, first, began)
    open_round(connection, round_id, second, began)
    interviewers = {
        mode: tuple(key for name, key in sorted(staff.items()) if name.startswith(prefix))
        for mode, prefix in (("phone", "interviewer"), ("visit", "visitor"))
    }
    chance = Random(town.EVALUATION)  # noqa: S311 - shapes simulated people, protects nobody
    crew = Crew(survey_id, interviewers, {one.member: one for one in people}, Booths(pepper), chance)
    work_days(connection, crew, began + timedelta(days=1), days)
    return July(survey_id, crew, files)


def _survey(connection: Connection, staff_id: int, began: datetime) -> tuple[int, int]:
    """The evaluation, its questionnaire and its sealed survey; returns survey and round."""
    units = "".join(f"{code},{zh},{en},\r\n" for code, zh, en, _ in town.UNITS)
    plan = evaluation_setup.Plan(
        town.SCHEME,
        town.EVALUATION,
        town.YEAR,
        town.NAME_ZH,
        town.NAME_EN,
        orjson.dumps(town.SUPPLIED),
        f"{','.join(evaluation_setup.COLUMNS)}\r\n{units}".encode(),
    )
    evaluation_id = evaluation_setup.set_up(connection, plan, staff_id, began)
    mark_simulated(connection, evaluation_id)
    evaluation = evaluation_numbered(connection, evaluation_id)
    workbook = (DOCUMENTS / town.SCHEME / "forms" / "residents.xlsx").read_bytes()
    converted = convert_workbook(workbook)
    forms.keep(connection, workbook, converted, staff_id, began)
    group = f"{town.GROUP},{town.GROUP_ZH},{town.GROUP_EN},{town.COMPONENT},{FORM}"
    people = town.populations()
    strata = "".join(f"{group},{one.code},{one.name_zh},{one.name_en},{people[one.code]}\r\n" for one in DISTRICTS)
    wanted = survey_setup.Plan(
        name_zh=town.SURVEY_ZH,
        name_en=town.SURVEY_EN,
        opens_at=began,
        closes_at=began + LASTS,
        secrecy="sealed",
        random_order=True,
        units_per_respondent=None,
        sheet=f"{','.join(COLUMNS)}\r\n{strata}".encode(),
    )
    round_id, survey_id = survey_setup.set_up(connection, evaluation, wanted, staff_id, began)
    return survey_id, round_id


def _draw(  # noqa: PLR0913, PLR0917 - whose, of what, by whom, when
    connection: Connection,
    registry: Registry,
    survey_id: int,
    sheet: bytes,
    office: tuple[int, int],
    began: datetime,
) -> None:
    """Read the frame, commit the plan with a lottery of the next day, draw when its numbers are known."""
    sent = (f"{town.EVALUATION}.csv", BytesIO(sheet))
    import_id = frames.begin_import(connection, registry, survey_id, sent, office[0], began)
    held = _import(connection, import_id)
    frames.start_reading(connection, registry, import_id, held.columns, office[0], began)
    with registry.files.open(held.sha256) as file:
        reader = Reader(file, held.encoding)
        while not frames.read_piece(connection, registry, _import(connection, import_id), reader, began):
            pass
    ended = _import(connection, import_id)
    if ended.frame_id is None:
        raise RuntimeError(f"the demonstration's own frame was refused: {ended.faults}")
    registry.files.drop(held.sha256)
    known = began + timedelta(hours=20)
    said = draws.Commitment(PLAN, town.RANDOMNESS_SOURCE, known, town.RANDOMNESS_FORM)
    draws.commit_plan(connection, ended.frame_id, said, office[0], began)
    draws.draw_frame(connection, registry.safe, ended.frame_id, town.RANDOMNESS, office[1], known)


def _import(connection: Connection, import_id: int) -> imports.FrameImport:
    held = imports.hold_import(connection, import_id)
    if held is None:
        raise RuntimeError("the import is gone")
    return held
