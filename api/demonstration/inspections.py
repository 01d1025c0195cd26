"""The demonstration's inspections, all through the verbs that the pages use.

Twenty visits of the last days, five findings of which three entered the ledger and one was reversed, and what is
assigned for today and the days after.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from tempfile import TemporaryFile
from typing import BinaryIO
from uuid import UUID, uuid4

from sqlalchemy import Connection, insert

from api.actions import inspections
from api.actions.inspections import CHINA, CheckInSent, FindingSent
from api.actions.ledger import ask_reversal, decide_reversal
from api.actions.photos import PhotoSent, add_photo, render
from api.demonstration import town
from api.demonstration.scenes import service_hall
from api.evidence.decoder import Decoder
from api.evidence.intake import Received, received
from api.objects import Objects
from api.store import evaluations
from api.store.inspections import assignment
from api.store.sites import site
from survey_forms.inspection.datum import Position
from survey_forms.inspection.presence import Fix

SEED = 20
VISITS = 20
METRES_A_DEGREE = 111_000.0


@dataclass(frozen=True, slots=True)
class _Told:
    """A finding of the demonstration: in which visit, under which rule, and what became of it."""

    visit: int
    rule: str
    points: Decimal | None
    description: str
    fate: str  # confirmed, reversed, waiting


FINDINGS = (
    _Told(2, "unattended_window", None, "2 号窗口无人值守约 15 分钟，没有暂停服务的提示。", "confirmed"),
    _Told(6, "late_or_early", None, "应到 5 人，实到 3 人，没有外出登记。", "confirmed"),
    _Told(9, "no_duty_roster", None, "大厅未见值班安排公示。", "reversed"),
    _Told(13, "unattended_window", None, "1 号、3 号窗口无人值守，等候群众 8 人。", "waiting"),
    _Told(17, "late_or_early", None, "两名工作人员迟到，没有请假记录。", "waiting"),
)
REVERSAL = "复核照片与现场记录：值班安排公示在大厅东侧立牌上，原认定不成立。"


@dataclass(frozen=True, slots=True)
class _Team:
    connection: Connection
    objects: Objects
    decoder: Decoder
    staff: dict[str, int]
    chance: Random
    pictures: Iterator[bytes]  # the user's own, each taken once


def load_inspections(  # noqa: PLR0913, PLR0917 - the world that the visits happen in
    connection: Connection,
    objects: Objects,
    evaluation_id: int,
    staff: dict[str, int],
    now: datetime,
    photos: Sequence[bytes] = (),
) -> None:
    """Write sites, assignments, visits and findings.

    Args:
        connection: in the loader's transaction.
        objects: where the photos go.
        evaluation_id: whose units are visited.
        staff: keys by user name.
        now: the visits lie in the ten days before it.
        photos: files of the user's, taken before drawn scenes.
    """
    sites = _load_sites(connection, evaluation_id)
    with Decoder() as decoder:
        team = _Team(
            connection,
            objects,
            decoder,
            staff,
            Random(SEED),  # noqa: S311 - shapes a demonstration
            iter(dict.fromkeys(photos)),
        )
        told = {finding.visit: finding for finding in FINDINGS}
        days = _weekdays_before(now, VISITS // 2)
        for number in range(VISITS):
            place, site_id = sites[(number * 5) % len(sites)]
            at = _office_hour(now, days[number // 2], number)
            visit_id, photo, inspector = _visit(team, evaluation_id, site_id, place, at, number)
            if number in told:
                _finding(team, told[number], visit_id, photo, inspector, at)
    today = now.astimezone(CHINA).date()
    for number, (who, ahead) in enumerate(
        [("inspector", 0), ("inspector", 0), ("inspector", 0), ("inspector2", 0), ("inspector", 1), ("inspector2", 2)]
    ):
        _, site_id = sites[(number * 3 + 1) % len(sites)]
        _assign(connection, evaluation_id, site_id, staff[who], today + timedelta(days=ahead))


def _weekdays_before(now: datetime, count: int) -> list[date]:
    """The last so many weekdays before today in China, the earliest first."""
    today = now.astimezone(CHINA).date()
    past = (today - timedelta(days=days) for days in range(1, 2 * count + 5))
    return sorted(day for day in past if day.weekday() < 5)[-count:]


def _office_hour(now: datetime, day: date, number: int) -> datetime:
    """Some minute of that day's office hours."""
    hour, minute = (9, 10, 14, 15)[number % 4], 7 * (number % 8)
    return datetime.combine(day, time(hour, minute), CHINA).astimezone(now.tzinfo)


def _load_sites(connection: Connection, evaluation_id: int) -> list[tuple[town.Place, int]]:
    units = {unit.code: unit.id for unit in evaluations.units_of(connection, evaluation_id)}
    return [
        (
            place,
            connection.execute(
                insert(site)
                .values(
                    unit_id=units[place.unit],
                    name_zh=place.name_zh,
                    name_en=place.name_en,
                    address=place.address,
                    lat=place.lat,
                    lon=place.lon,
                    datum="WGS-84",
                    radius_m=place.radius_m,
                )
                .returning(site.c.id)
            ).scalar_one(),
        )
        for place in town.PLACES
    ]


def _assign(connection: Connection, evaluation_id: int, site_id: int, inspector: int, day: object) -> UUID:
    assignment_id = uuid4()
    connection.execute(
        insert(assignment).values(
            id=assignment_id, evaluation_id=evaluation_id, site_id=site_id, inspector_id=inspector, day=day
        )
    )
    return assignment_id


def _visit(  # noqa: PLR0913, PLR0917 - who, where and when make a visit
    team: _Team, evaluation_id: int, site_id: int, place: town.Place, at: datetime, number: int
) -> tuple[UUID, bytes, int]:
    """One whole visit: check-in, one photo, closed; returns its id, the photo's SHA-256 and the inspector."""
    inspector = team.staff["inspector" if number % 3 else "inspector2"]
    assignment_id = _assign(team.connection, evaluation_id, site_id, inspector, at.astimezone(CHINA).date())
    visit_id = uuid4()
    metres, accuracy, reason = _quality(number, place.radius_m)
    lat = place.lat + team.chance.choice((-1, 1)) * metres / METRES_A_DEGREE
    fix = Fix(Position(round(lat, 7), round(place.lon + team.chance.uniform(-1e-4, 1e-4), 7)), accuracy, at)
    inspections.check_in(
        team.connection,
        CheckInSent(uuid4(), visit_id, assignment_id, (fix,), at + timedelta(seconds=4), reason),
        inspector,
        at + timedelta(seconds=6),
    )
    taken = at + timedelta(minutes=3)
    sha256 = _photo(team, visit_id, inspector, fix.position, taken, number)
    if number not in {finding.visit for finding in FINDINGS}:
        inspections.close_visit(team.connection, visit_id, inspector, "未发现问题。", at + timedelta(minutes=20))
    return visit_id, sha256, inspector


def _quality(number: int, radius_m: int) -> tuple[float, float, str]:
    """How far from the site a check-in was, its accuracy, and the inspector's reason where one is asked for."""
    if number in {4, 11}:
        return radius_m * 0.4, 260.0, "大厅在地下一层，定位不准，已在门口重试两次。"
    if number == 15:
        return radius_m + 420.0, 18.0, "窗口临时搬到隔壁街道的便民中心，现场有搬迁公告。"
    return radius_m * 0.3, 12.0 + number, ""


def _photo(  # noqa: PLR0913, PLR0917 - whose, where, when
    team: _Team, visit_id: UUID, inspector: int, position: Position, taken: datetime, number: int
) -> bytes:
    local = taken.astimezone(CHINA)
    content = next(team.pictures, None) or service_hall(number, local, position.lat, position.lon)
    with TemporaryFile() as file, _uploaded(file, content) as upload:
        sent = PhotoSent(visit_id, inspector, f"IMG_{local:%Y%m%d_%H%M%S}.jpg", taken)
        photo = add_photo(team.connection, team.objects, upload, sent, taken + timedelta(seconds=20))
    render(team.connection, team.objects, team.decoder, photo.sha256, taken + timedelta(seconds=30))
    return photo.sha256


def _uploaded(file: BinaryIO, content: bytes) -> AbstractContextManager[Received]:
    file.write(content)
    file.seek(0)
    return received(file)


def _finding(  # noqa: PLR0913, PLR0917 - what was seen, where, by whom, when
    team: _Team, told: _Told, visit_id: UUID, photo: bytes, inspector: int, at: datetime
) -> None:
    filed, decided = at + timedelta(minutes=10), at + timedelta(hours=1)
    sent = FindingSent(uuid4(), visit_id, told.rule, told.points, told.description, (photo,))
    finding = inspections.file_finding(team.connection, sent, inspector, filed)
    inspections.close_visit(team.connection, visit_id, inspector, "有问题，见问题记录。", filed + timedelta(minutes=5))
    if told.fate == "waiting":
        return
    office, second = team.staff["office"], team.staff["office2"]
    seq = inspections.decide_finding(team.connection, finding.id, office, True, "照片清楚，认定成立。", decided)
    if told.fate == "reversed" and seq is not None:
        request = ask_reversal(team.connection, seq, second, REVERSAL, decided + timedelta(minutes=20))
        decide_reversal(team.connection, request, office, True, "同意冲销。", decided + timedelta(minutes=50))
