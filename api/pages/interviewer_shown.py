"""What the interviewer's pages show: outcomes by their keys, the day's own numbers, the survey in hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from flask import g, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions.attempts import LONGEST_NOTE
from api.actions.fieldwork import reveal
from api.actions.interviews import ELSE, quota_questions
from api.actions.sealed_words import Safe
from api.pages.local_time import write_local
from api.pages.render import language, t
from api.pages.ui import CHINA
from api.problems import say
from api.services import services
from api.store import fieldwork
from api.store.backchecks import check_of
from api.store.cases import File
from api.store.evaluations import Evaluation, evaluation_numbered
from api.store.windows import Window, window_of
from survey_forms.estimation.outcomes import CODES, class_of
from survey_forms.fieldwork.consequences import BREAK_OFF, KEYS, consequence_of
from survey_forms.refusal import Fault

SURVEY_COOKIE = "mc_fieldwork"
MOST_APPOINTMENTS = 8

SECTIONS = (
    ("again", "没联系上，再试", "Not reached, try again"),
    ("refusal", "拒访", "Refused"),
    ("leave", "这个方式联系不到", "Not to be reached this way"),
    ("final", "不再联系", "Nothing more"),
)
"""The outcomes by what follows from them (`survey_forms/fieldwork/consequences.py`)."""

TRAITS: Mapping[str, tuple[str, str]] = {"age": ("年龄", "Age"), "sex": ("性别", "Sex"), "district": ("区", "District")}


@dataclass(frozen=True, slots=True)
class Choice:
    """An outcome that one key gives."""

    key: str
    code: str
    name: str


def survey_in_hand(connection: Connection, held: Sequence[File], now: datetime) -> tuple[Window | None, list[Window]]:
    """The survey that the page is about, and all that may be worked now.

    That of the case in hand, else the one asked for, else the one asked for before, else the newest.
    """
    windows = [window_of(connection, one) for one in fieldwork.planned_surveys(connection)]
    open_now = [one for one in windows if one is not None and one.is_open(now)]
    wish = request.values.get("survey") or request.cookies.get(SURVEY_COOKIE, "")
    chosen = str(held[0].survey_id) if held else wish
    found = next((one for one in open_now if str(one.survey_id) == chosen), open_now[0] if open_now else None)
    if found is not None:
        g.fieldwork_survey = str(found.survey_id)
    return found, open_now


def evaluation_of(connection: Connection, window: Window | None) -> Evaluation | None:
    """The evaluation of the survey in hand: pages name it, and say where its data are simulated."""
    return evaluation_numbered(connection, window.evaluation_id) if window else None


def remember_survey(response: Response) -> Response:
    """Let the choice of a survey outlast the page on which it was made."""
    if "fieldwork_survey" in g:
        response.set_cookie(SURVEY_COOKIE, g.fieldwork_survey, httponly=True, samesite="Lax")
    return response


def sections(mode: str) -> list[tuple[str, list[Choice]]]:
    """A mode's outcomes with their keys, by what follows from them; the break-off stands with the interview."""
    found = []
    for kind, zh, en in SECTIONS:
        listed = [Choice(key, code, name_of(code)) for key, code in KEYS[mode].items() if code != BREAK_OFF]
        here = [one for one in listed if consequence_of(one.code).kind == kind]
        if here:
            found.append((t(zh, en), here))
    return found


def key_of(mode: str, code: str) -> str:
    """The key of an outcome."""
    return next((key for key, one in KEYS[mode].items() if one == code), "")


def name_of(code: str) -> str:
    """An outcome in the reader's language."""
    known = CODES.get(code)
    return t(known.zh, known.en) if known else code


def trait_name(name: str) -> str:
    """A quota question in the reader's language; a trait of the frame's own keeps its name."""
    return t(*TRAITS.get(name, (name, name)))


def numbers_of_today(connection: Connection, staff_id: int, now: datetime) -> Mapping[str, int]:
    """What somebody did since midnight in China: attempts, people reached, interviews, refusals."""
    midnight = now.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    by_class: dict[str, int] = {}
    for code, number in fieldwork.outcomes_by(connection, staff_id, midnight).items():
        by_class[class_of(code)] = by_class.get(class_of(code), 0) + number
    return {
        "attempts": sum(by_class.values()),
        "reached": sum(by_class.get(one, 0) for one in ("I", "P", "R", "O")),
        "interviews": by_class.get("I", 0),
        "refusals": by_class.get("R", 0),
    }


def case_facts(connection: Connection, file: File, staff_id: int, now: datetime) -> dict[str, Any]:
    """Everything that the page of a case in hand shows; the audit says who saw the number."""
    plan = fieldwork.plan_of(connection, file.survey_id)
    booked = fieldwork.bookings_of(connection, file.case_id)
    return {
        "file": file,
        "contact": reveal(connection, Safe(services().settings.secret_key), file, staff_id, now),
        "history": fieldwork.history_of(connection, file.case_id),
        "bookings": [one for one in booked if one.ends_at > now],
        "questions": quota_questions(connection, file),
        "is_check": check_of(connection, file.case_id) is not None,
        "plan": plan,
        "sections": sections(file.stage),
        "break_off": Choice(key_of(file.stage, BREAK_OFF), BREAK_OFF, name_of(BREAK_OFF)),
        "key": uuid4().hex,
        "longest_note": LONGEST_NOTE,
        "else_": ELSE,
        "local": write_local,
    }


def told(faults: Sequence[Fault]) -> list[tuple[str, str]]:
    """The faults as the page tells them: the field's id, the sentence."""
    fields = {"note": "note", "begins_at": "begins_at"}
    return [
        (
            fields.get(one.path, f"ask-{one.path}" if one.code == "quota_answer_unfit" else ""),
            say(_named(one), language()),
        )
        for one in faults
    ]


def _named(fault: Fault) -> Fault:
    if fault.code != "quota_answer_unfit":
        return fault
    return Fault(fault.code, fault.path, {"trait": trait_name(fault.path)})
