"""What was flagged in the field: on check-ins, photos and uploads; the flags stand in their own tables."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Row,
    Select,
    Subquery,
    Text,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from api.store.evaluations import unit
from api.store.flag_reviews import flag_review
from api.store.inspections import assignment, check_in, visit
from api.store.people import staff
from api.store.photos import photo
from api.store.sites import site
from api.store.uploads import upload
from survey_forms.inspection.mornings import CHINA

_reviewer = staff.alias("reviewer")


@dataclass(frozen=True, slots=True)
class Raised:
    """One flag, where it was raised, and what was made of it."""

    subject: str  # check_in, photo, upload
    subject_id: str
    flag: str
    at: datetime
    visit_id: UUID | None
    staff_id: int
    inspector: str
    site_zh: str | None
    site_en: str | None
    unit_zh: str | None
    unit_en: str | None
    verdict: str | None  # explained, doubtful
    note: str | None
    reviewer: str | None
    reviewed_at: datetime | None


def fixes_of_the_day(connection: Connection, staff_id: int, at: datetime) -> list[Row[Any]]:
    """(lat, lon, datum, accuracy_m, fix_at) of a person's check-ins and -outs on the day in China that `at` is in."""
    begins = at.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    query = (
        select(check_in.c.lat, check_in.c.lon, check_in.c.datum, check_in.c.accuracy_m, check_in.c.fix_at)
        .join(visit, visit.c.id == check_in.c.visit_id)
        .where(func.coalesce(check_in.c.staff_id, visit.c.inspector_id) == staff_id)
        .where(check_in.c.lat.is_not(None), check_in.c.lon.is_not(None), check_in.c.accuracy_m.is_not(None))
        .where(check_in.c.fix_at >= begins, check_in.c.fix_at < begins + timedelta(days=1))
        .order_by(check_in.c.fix_at)
    )
    return list(connection.execute(query))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which flags a reviewer looks for; an empty word asks for all."""

    state: str = "open"  # open, explained, doubtful or ""
    flag: str = ""
    inspector: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is to filter by."""

    counts: Mapping[str, int]  # flags by state
    flags: tuple[str, ...]
    people: tuple[tuple[int, str], ...]


def raised_in(
    connection: Connection, evaluation_id: int, wanted: Wanted, *, skip: int = 0, most: int | None = None
) -> tuple[list[Raised], int]:
    """The flags asked for, the newest first: those of `most` check-ins, photos and uploads after the first `skip`.

    A check-in outside its fence counts as flagged. An upload whose assignment is unknown belongs to every evaluation.

    Returns:
        The flags, and on how many check-ins, photos and uploads they stand in all.
    """
    told = _told(evaluation_id).subquery("told")
    place = func.dense_rank().over(order_by=(told.c.at.desc(), told.c.subject_id, told.c.subject)).label("place")
    query = select(told, place)
    if wanted.state:
        query = query.where(func.coalesce(told.c.verdict, "open") == wanted.state)
    if wanted.flag:
        query = query.where(told.c.flag == wanted.flag)
    if wanted.inspector:
        query = query.where(cast(told.c.staff_id, Text) == wanted.inspector)
    placed = query.subquery("placed")
    number: int = connection.execute(select(func.coalesce(func.max(placed.c.place), 0))).scalar_one()
    columns = [column for column in placed.c if column.name != "place"]
    page = select(*columns).where(placed.c.place > skip).order_by(placed.c.place, placed.c.flag)
    if most is not None:
        page = page.where(placed.c.place <= skip + most)
    return [Raised(*row) for row in connection.execute(page)], number


def overview_of(connection: Connection, evaluation_id: int) -> Overview:
    """How many flags an evaluation has by state, which, and whose."""
    told = _told(evaluation_id).subquery("told")
    state = func.coalesce(told.c.verdict, "open").label("state")
    query = select(state, told.c.flag, told.c.staff_id, told.c.inspector, func.count().label("number"))
    counts, flags, people = Counter[str](), set[str](), set[tuple[int, str]]()
    for row in connection.execute(query.group_by(state, told.c.flag, told.c.staff_id, told.c.inspector)):
        counts[row.state] += row.number
        flags.add(row.flag)
        people.add((row.staff_id, row.inspector))
    return Overview(counts, tuple(sorted(flags)), tuple(sorted(people)))


def _told(evaluation_id: int) -> Select[Any]:
    """The columns of `Raised` for every flag of an evaluation."""
    raised = _raised().subquery("raised")
    reviewed = (
        (flag_review.c.subject == raised.c.subject)
        & (flag_review.c.subject_id == raised.c.subject_id)
        & (flag_review.c.flag == raised.c.flag)
    )
    return (
        select(
            raised.c.subject, raised.c.subject_id, raised.c.flag, raised.c.at, raised.c.visit_id, raised.c.staff_id,
            staff.c.name.label("inspector"), site.c.name_zh.label("site_zh"), site.c.name_en.label("site_en"),
            unit.c.name_zh.label("unit_zh"), unit.c.name_en.label("unit_en"), flag_review.c.verdict,
            flag_review.c.note, _reviewer.c.name.label("reviewer"), flag_review.c.reviewed_at,
        )
        .select_from(
            raised.join(staff, staff.c.id == raised.c.staff_id)
            .outerjoin(visit, visit.c.id == raised.c.visit_id)
            .outerjoin(assignment, assignment.c.id == visit.c.assignment_id)
            .outerjoin(site, site.c.id == assignment.c.site_id)
            .outerjoin(unit, unit.c.id == site.c.unit_id)
            .outerjoin(flag_review, reviewed)
            .outerjoin(_reviewer, _reviewer.c.id == flag_review.c.reviewed_by)
        )
        .where((assignment.c.evaluation_id == evaluation_id) | assignment.c.id.is_(None))
    )  # fmt: skip


def is_raised(connection: Connection, subject: str, subject_id: str, flag: str) -> bool:
    """Whether that flag stands on that check-in, photo or upload."""
    raised = _raised().subquery("raised")
    query = select(raised.c.flag).where(
        raised.c.subject == subject, raised.c.subject_id == subject_id, raised.c.flag == flag
    )
    return connection.execute(query.limit(1)).first() is not None


def put_review(connection: Connection, values: dict[str, Any]) -> None:
    """Write what a person made of a flag; a later word replaces it, and the audit has both."""
    statement = insert(flag_review).values(**values)
    later = {name: statement.excluded[name] for name in ("verdict", "note", "reviewed_by", "reviewed_at")}
    keys = [flag_review.c.subject, flag_review.c.subject_id, flag_review.c.flag]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=later))


def _raised() -> CompoundSelect[Any]:
    """(subject, subject_id, flag, at, visit_id, staff_id) of every flag there is."""
    whose = func.coalesce(check_in.c.staff_id, visit.c.inspector_id)
    arrived = select(check_in, whose.label("whose")).join(visit, visit.c.id == check_in.c.visit_id).subquery()
    taken_by = func.coalesce(upload.c.staff_id, visit.c.inspector_id)  # whose phone: the pair's two go into one visit
    shot = (
        select(photo, taken_by.label("whose"))
        .join(visit, visit.c.id == photo.c.visit_id)
        .outerjoin(upload, cast(upload.c.id, Text) == photo.c.capture["upload"].as_string())
        .subquery()
    )
    sent = select(upload, upload.c.staff_id.label("whose")).subquery()
    return union_all(
        _flags("check_in", cast(arrived.c.id, Text), func.unnest(arrived.c.flags), arrived),
        _flags("check_in", cast(arrived.c.id, Text), literal("outside"), arrived).where(
            arrived.c.presence == "outside"
        ),
        _flags("photo", func.encode(shot.c.sha256, "hex"), func.unnest(shot.c.flags), shot),
        _flags("upload", cast(sent.c.id, Text), func.unnest(sent.c.flags), sent),
    )


def _flags(subject: str, key: ColumnElement[str], flag: ColumnElement[str], rows: Subquery) -> Select[Any]:
    return select(
        literal(subject).label("subject"),
        key.label("subject_id"),
        flag.label("flag"),
        rows.c.received_at.label("at"),
        rows.c.visit_id,
        rows.c.whose.label("staff_id"),
    )
