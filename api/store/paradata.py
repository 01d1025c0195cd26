"""What fieldwork leaves behind: attempts, who made them, how long they took. No person, no answer."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from api.store.fieldwork import case_file, contact_attempt, fieldwork_plan
from api.store.people import audit, staff
from api.store.roll import IN_SAMPLE, case, draw, frame, frame_member


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt on a case of the sample; the case by its number, whom nothing here names."""

    id: int
    case_id: int
    stratum: str
    mode: str
    staff_id: int | None
    began_at: datetime
    ended_at: datetime
    outcome: str
    latitude: float | None
    longitude: float | None
    accuracy: float | None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended_at - self.began_at).total_seconds()


def attempts_in(connection: Connection, survey_id: int) -> list[Tried]:
    """The attempts on the cases of a survey's sample, in the order in which they ended; no back-checks."""
    columns = (contact_attempt.c[name] for name in ("mode", "staff_id", "began_at", "ended_at", "outcome"))
    place = (contact_attempt.c[name] for name in ("latitude", "longitude", "accuracy"))
    rows = connection.execute(
        select(contact_attempt.c.id, case.c.id, case.c.stratum, *columns, *place)
        .join(case, case.c.id == contact_attempt.c.case_id)
        .join(draw, draw.c.id == case.c.draw_id)
        .join(frame, frame.c.id == draw.c.frame_id)
        .where(frame.c.survey_id == survey_id, IN_SAMPLE)
        .order_by(contact_attempt.c.ended_at, contact_attempt.c.id)
    )
    return [Tried(*row) for row in rows]


def hands_of(connection: Connection, survey_id: int) -> dict[int, str]:
    """Those who tried or hold a case of a survey, by number: their names."""
    tried = select(contact_attempt.c.staff_id).join(case_file, case_file.c.case_id == contact_attempt.c.case_id)
    holding = select(case_file.c.held_by).where(case_file.c.survey_id == survey_id)
    wanted = staff.c.id.in_(tried.where(case_file.c.survey_id == survey_id)) | staff.c.id.in_(holding)
    rows = connection.execute(select(staff.c.id, staff.c.name).where(wanted).order_by(staff.c.id))
    return {row.id: row.name for row in rows}


def holds_of(connection: Connection, survey_id: int) -> dict[int, int]:
    """Interviewer → cases of a survey that they took and neither worked nor gave back: those that they let lapse.

    Counted from the audit, less what they hold now; an attempt on a case ends its hold.
    """
    about = audit.c.about["survey"].as_integer() == survey_id
    acts = connection.execute(
        select(
            audit.c.staff_id,
            func.count().filter(audit.c.act == "case_taken") - func.count().filter(audit.c.act == "case_given_back"),
        )
        .where(audit.c.act.in_(("case_taken", "case_given_back")), about)
        .group_by(audit.c.staff_id)
    )
    ended = connection.execute(
        select(contact_attempt.c.staff_id, func.count())
        .join(case_file, case_file.c.case_id == contact_attempt.c.case_id)
        .where(case_file.c.survey_id == survey_id)
        .group_by(contact_attempt.c.staff_id)
    )
    held = connection.execute(
        select(case_file.c.held_by, func.count())
        .where(case_file.c.survey_id == survey_id, case_file.c.held_by.is_not(None))
        .group_by(case_file.c.held_by)
    )
    lapsed = Counter({staff_id: number for staff_id, number in acts})  # noqa: C416 - a row is no pair to mypy
    for rows in (ended, held):
        for staff_id, number in rows:
            lapsed[staff_id] -= number
    return {staff_id: number for staff_id, number in lapsed.items() if staff_id is not None and number > 0}


def worked_surveys(connection: Connection) -> list[int]:
    """The surveys with a plan of fieldwork: that with the latest attempt first, those without one last."""
    latest = (
        select(case_file.c.survey_id, func.max(contact_attempt.c.ended_at).label("at"))
        .join(contact_attempt, contact_attempt.c.case_id == case_file.c.case_id)
        .group_by(case_file.c.survey_id)
        .subquery()
    )
    rows = connection.execute(
        select(fieldwork_plan.c.survey_id)
        .outerjoin(latest, latest.c.survey_id == fieldwork_plan.c.survey_id)
        .order_by(latest.c.at.desc().nulls_last(), fieldwork_plan.c.survey_id.desc())
    )
    return list(rows.scalars())


def stages_of(connection: Connection, survey_id: int) -> dict[int, str]:
    """Case → the mode that has its file now, or done."""
    rows = connection.execute(select(case_file.c.case_id, case_file.c.stage).where(case_file.c.survey_id == survey_id))
    return {row.case_id: row.stage for row in rows}


def homes_of(connection: Connection, survey_id: int) -> dict[int, tuple[float, float]]:
    """Case → where the frame has the person (latitude, longitude, WGS-84); cases without stay out."""
    rows = connection.execute(
        select(case.c.id, frame_member.c.latitude, frame_member.c.longitude)
        .join(draw, draw.c.id == case.c.draw_id)
        .join(frame, frame.c.id == draw.c.frame_id)
        .join(frame_member, (frame_member.c.frame_id == frame.c.id) & (frame_member.c.member == case.c.member))
        .where(frame.c.survey_id == survey_id, IN_SAMPLE)
        .where(frame_member.c.latitude.is_not(None), frame_member.c.longitude.is_not(None))
    )
    return {row.id: (float(row.latitude), float(row.longitude)) for row in rows}
