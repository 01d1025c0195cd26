"""Builders for inspections: one evaluation, two units, one site, the people, and photos as a phone takes them."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from PIL import Image
from sqlalchemy import Connection, insert
from werkzeug.security import generate_password_hash

from api.actions import inspections
from api.actions.inspections import CheckInSent, FindingSent
from api.actions.ledger import enter
from api.actions.photos import PhotoSent, add_photo
from api.evidence.intake import received
from api.objects import Objects
from api.store import evaluations, people
from api.store.findings import Finding
from api.store.inspections import CheckIn, assignment
from api.store.photos import Photo
from api.store.sites import site
from survey_forms.inspection.datum import Position
from survey_forms.inspection.presence import Fix

NOW = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)  # 10:30 in China
TODAY = date(2026, 11, 21)
HALL = (24.4798, 118.0894)  # Xiamen, WGS-84
PASSWORD = "a-long-enough-password"
REAL_PHOTOS = Path("../shared/photos")


@dataclass(frozen=True, slots=True)
class Town:
    """The keys of what `a_town` stored."""

    evaluation_id: int
    unit_id: int
    other_unit_id: int
    site_id: int
    inspector: int
    other_inspector: int
    office: int
    second_office: int


def a_town(connection: Connection) -> Town:
    """An evaluation under xiamen-wf-2015 with two units, a service hall, two inspectors and two at the office."""

    def put(table: Any, **values: Any) -> int:
        return int(connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one())

    connection.execute(insert(evaluations.scheme_version).values(digest="d", scheme="xiamen-wf-2015", source="-"))
    evaluation_id = put(
        evaluations.evaluation, code="city-2026", year=2026, name_zh="二〇二六年度考评", name_en="Evaluation 2026",
        scheme_digest="d", supplied={},
    )  # fmt: skip
    units = [
        put(evaluations.unit, evaluation_id=evaluation_id, code=code, name_zh=name, name_en=code)
        for code, name in (("civil", "市民政局"), ("transport", "市交通局"))
    ]
    hall = put(
        site, unit_id=units[0], name_zh="湖滨南路办事大厅", name_en="Hubin South Road service hall",
        address="湖滨南路 1 号", lat=HALL[0], lon=HALL[1], datum="WGS-84", radius_m=150,
    )  # fmt: skip
    secret = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000")
    staff = [
        put(people.staff, username=username, password_hash=secret, name=name, role=role)
        for username, name, role in (
            ("inspector", "林察", "inspector"),
            ("inspector2", "陈访", "inspector"),
            ("office", "王核", "office"),
            ("office2", "李定", "office"),
        )
    ]
    put(people.staff, username="unit", password_hash=secret, name="民政局", role="unit", unit_id=units[0])
    put(people.staff, username="unit2", password_hash=secret, name="交通局", role="unit", unit_id=units[1])
    put(people.staff, username="bureau", password_hash=secret, name="统计局", role="bureau")
    return Town(evaluation_id, units[0], units[1], hall, *staff)


def an_assignment(connection: Connection, town: Town, *, day: date = TODAY, inspector: int | None = None) -> UUID:
    key = uuid4()
    values = {
        "id": key, "evaluation_id": town.evaluation_id, "site_id": town.site_id,
        "inspector_id": inspector or town.inspector, "day": day,
    }  # fmt: skip
    connection.execute(insert(assignment).values(values))
    return key


def a_fix(*, north_m: float = 0, accuracy_m: float = 12, at: datetime = NOW) -> Fix:
    """A position so many metres north of the hall."""
    return Fix(Position(HALL[0] + north_m / 111_195, HALL[1]), accuracy_m, at)


def a_check_in(connection: Connection, town: Town, assignment_id: UUID | None = None, **facts: Any) -> CheckIn:
    """The inspector arrives at the hall; its visit begins."""
    given = {
        "id": uuid4(), "visit_id": uuid4(), "assignment_id": assignment_id or an_assignment(connection, town),
        "fixes": (a_fix(),), "claimed_at": NOW,
    } | facts  # fmt: skip
    return inspections.check_in(connection, CheckInSent(**given), town.inspector, NOW)


def a_jpeg(
    *, size: tuple[int, int] = (640, 480), color: str = "teal", exif: Image.Exif | None = None, quality: int = 80
) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, color).save(written, "JPEG", quality=quality, exif=exif or Image.Exif())
    return written.getvalue()


def phone_exif(*, taken: datetime = NOW, lat: float = HALL[0], lon: float = HALL[1]) -> Image.Exif:
    """What a phone in China writes into a photo: its local time and its position."""

    def degrees(value: float) -> tuple[float, float, float]:
        whole, rest = divmod(abs(value), 1)
        minutes, rest = divmod(rest * 60, 1)
        return whole, minutes, rest * 60

    exif = Image.Exif()
    exif[0x010F] = "Phone"
    exif[0x0112] = 1
    exif.get_ifd(0x8769)[0x9003] = (taken + timedelta(hours=8)).strftime("%Y:%m:%d %H:%M:%S")
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N" if lat >= 0 else "S", degrees(lat)
    gps[3], gps[4] = "E" if lon >= 0 else "W", degrees(lon)
    return exif


def a_photo(
    connection: Connection, objects: Objects, town: Town, visit_id: UUID, content: bytes | None = None, **sent: Any
) -> Photo:
    given = {"visit_id": visit_id, "staff_id": town.inspector, "original_name": "IMG_1.jpg", "claimed_at": NOW} | sent
    with an_upload(content or a_jpeg()) as file, received(file) as photo:
        return add_photo(connection, objects, photo, PhotoSent(**given), NOW)


@contextmanager
def an_upload(content: bytes) -> Iterator[BinaryIO]:
    """The bytes in a temporary file, as the web server hands an upload over."""
    with TemporaryFile() as file:
        file.write(content)
        yield file


def a_finding(connection: Connection, town: Town, visit_id: UUID, **facts: Any) -> Finding:
    given = {
        "id": uuid4(), "visit_id": visit_id, "rule": "unattended_window", "points": None,
        "description": "10:20 三号窗口无人值守", "photos": (),
    } | facts  # fmt: skip
    return inspections.file_finding(connection, FindingSent(**given), town.inspector, NOW)


def an_entry(connection: Connection, town: Town, *, points: str = "2", **facts: Any) -> int:
    """A deduction in the ledger that needs no visit."""
    given = {
        "evaluation_id": town.evaluation_id, "unit_id": town.unit_id, "component": "inspection", "aspect": "conduct",
        "rule": "late_or_early", "points": Decimal(points), "basis": "9:40 未到岗", "filed_by": town.inspector,
        "decided_by": town.office, "now": NOW,
    } | facts  # fmt: skip
    return enter(connection, **given)


def hashed(content: bytes) -> bytes:
    return sha256(content).digest()
