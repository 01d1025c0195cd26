"""How the life of a deduction is told on pages: states with their tone, terms as days, and a unit's own matters."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, request
from sqlalchemy import Connection
from werkzeug.datastructures import FileStorage

from api.actions.due import day_of, is_over, terms_of
from api.actions.escalation import ESCALATES_AT
from api.actions.objections import owed_too_late
from api.actions.papers import FIELD, LARGEST, MOST, PaperSent, read_papers
from api.auth import current_staff
from api.pages import entry_words, inspection_words
from api.pages.render import t
from api.services import utc_now
from api.store import evaluations
from api.store.evaluations import Evaluation, Unit
from api.store.objections import objections_in, undecided_in
from api.store.rectifications import rectifications_in
from survey_forms.refusal import Fault, Refused

LONGEST_TEXT = 4000
OBJECTIONS = {
    "filed": ("info", "待说明", "To be explained"),
    "explained": ("info", "待决定", "To be decided"),
    "upheld": ("good", "成立，扣分已冲销", "Upheld, reversed"),
    "reduced": ("warn", "部分成立，改扣", "Upheld in part, reduced"),
    "dismissed": ("", "不成立，维持扣分", "Dismissed, stands"),
}
RECTIFICATIONS = {
    "ordered": ("info", "整改中", "Under way"),
    "proven": ("info", "待审核", "To be looked at"),
    "returned": ("warn", "已退回，待重报", "Returned"),
    "closed": ("good", "已销号", "Closed"),
}


@dataclass(frozen=True, slots=True)
class Matters:
    """What follows deductions and waits for the office, by number."""

    objections: int
    proven: int  # rectifications to look at
    overdue: int
    escalated: int  # of those overdue, urged twice or more
    objections_late: int  # of the objections, those whose explanation or decision the office owes and is late with

    @property
    def total(self) -> int:
        """All that waits."""
        return self.objections + self.proven + self.overdue


def matters_in(connection: Connection, evaluation_id: int, now: datetime) -> Matters:
    """What waits in an evaluation."""
    today = day_of(now)
    ordered = rectifications_in(connection, evaluation_id)
    late_ones = [one for one in ordered if one.is_overdue(today)]
    return Matters(
        undecided_in(connection, evaluation_id),
        sum(one.status == "proven" for one in ordered),
        len(late_ones),
        sum(one.escalated >= ESCALATES_AT for one in late_ones),
        len(late_objections(connection, evaluation_id, now)),
    )


def late_objections(connection: Connection, evaluation_id: int, now: datetime) -> dict[int, str]:
    """Objections that the office is late with → what it owes."""
    terms = terms_of(evaluations.evaluation_numbered(connection, evaluation_id).scheme)
    owed = {one.id: owed_too_late(one, terms, now) for one in objections_in(connection, evaluation_id)}
    return {key: what for key, what in owed.items() if what}


def state_words(table: str, status: str) -> tuple[str, str]:
    """A state's name and its tone."""
    tone, zh, en = (OBJECTIONS if table == "objection" else RECTIFICATIONS)[status]
    return t(zh, en), tone


def own_unit(connection: Connection) -> tuple[Evaluation, Unit]:
    """The caller's unit and the evaluation that it takes part in. Raises Refused `not_found` where there is none."""
    unit_id = current_staff().unit_id
    for evaluation in evaluations.evaluations(connection):
        for unit in evaluations.units_of(connection, evaluation.id):
            if unit.id == unit_id:
                return evaluation, unit
    raise Refused("not_found", "unit")


def papers_sent() -> tuple[PaperSent, ...]:
    """The files of this request's form; a field left empty sends one without a name.

    Raises:
        Refused: as `read_papers`.
    """
    files = [one for one in request.files.getlist(FIELD) if one.filename]
    return read_papers([(one.filename or "", _content(one)) for one in files])


def _content(file: FileStorage) -> bytes:
    return file.stream.read(LARGEST + 1)


def errors_by_field(faults: tuple[Fault, ...]) -> dict[str, str]:
    """The first sentence for each field, as the design system's parts take them."""
    errors: dict[str, str] = {}
    for path, sentence in inspection_words.told(faults):
        errors.setdefault(path, sentence)
    return errors


def late(due: datetime) -> bool:
    """Whether a term has passed by now."""
    return is_over(due, utc_now())


def init_pages(pages: Blueprint) -> None:
    """Give a blueprint's templates these words."""
    inspection_words.init_pages(pages)
    entry_words.init_pages(pages)

    @pages.context_processor
    def words() -> dict[str, Any]:
        return {"state_words": state_words, "late": late, "MOST_PAPERS": MOST, "ESCALATES_AT": ESCALATES_AT}
