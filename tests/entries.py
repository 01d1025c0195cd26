"""A builder for what an entry can be followed to: visit, photo, place, decisions, objection, rectification."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, insert, select, update
from werkzeug.security import generate_password_hash

from api.actions import objections, rectifications
from api.actions.inspections import close_visit, decide_finding
from api.actions.objections import DecisionSent, ObjectionSent
from api.actions.photos import render
from api.actions.rectifications import OrderSent
from api.actions.slips import tell_deduction
from api.evidence.decoder import Decoder
from api.objects import Objects
from api.store import people
from api.store.sites import site
from tests.inspections import (
    HALL,
    NOW,
    PASSWORD,
    Town,
    a_check_in,
    a_finding,
    a_fix,
    a_jpeg,
    a_photo,
    a_town,
    an_entry,
    phone_exif,
)

FENCE = [[HALL[0] + dy, HALL[1] + dx] for dy, dx in ((-8e-4, -1e-3), (-8e-4, 1e-3), (9e-4, 1e-3), (5e-4, -1e-3))]


@dataclass(frozen=True, slots=True)
class Life:
    """A town and the numbers of its entries."""

    town: Town
    visit_id: UUID
    stands: int  # objected to, rectification ordered
    reversed: int  # a reduced objection reversed it …
    reversal: int
    replacement: int  # … and put this in its place
    elsewhere: int  # another unit's


def a_life(connection: Connection, objects: Objects, town: Town | None = None) -> Life:
    """One visit with two findings that entered; an objection that waits, one that was reduced, one order."""
    town = town or a_town(connection)
    connection.execute(update(site).where(site.c.id == town.site_id).values(fence=FENCE))
    fixes = (a_fix(north_m=30), a_fix(north_m=70, accuracy_m=40))
    came = a_check_in(connection, town, fixes=fixes)
    photo = a_photo(connection, objects, town, came.visit_id, a_jpeg(exif=phone_exif()))
    with Decoder() as decoder:
        render(connection, objects, decoder, photo.sha256, NOW)
    seqs = []
    for rule, points, shown in (("unattended_window", None, (photo.sha256,)), ("overdue_matter", "2.5", ())):
        given = Decimal(points) if points else None
        finding = a_finding(connection, town, came.visit_id, rule=rule, points=given, photos=shown)
        seqs.append(decide_finding(connection, finding.id, town.office, True, "照片清楚。", NOW))
    close_visit(connection, came.visit_id, town.inspector, "两处问题。", NOW + timedelta(minutes=30))
    stands, reduced = seqs
    for seq in seqs:
        tell_deduction(connection, seq, NOW)
    unit = connection.execute(select(people.staff.c.id).where(people.staff.c.username == "unit")).scalar_one()
    for seq, grounds in ((stands, "当时窗口人员在引导群众。"), (reduced, "超期一天，应按最低分。")):
        objections.file_objection(connection, objects, ObjectionSent(seq, town.unit_id, unit, grounds), NOW)
    third = connection.execute(
        insert(people.staff)
        .values(
            username="office3", name="周裁", role="office",
            password_hash=generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000"),
        )
        .returning(people.staff.c.id)
    ).scalar_one()  # fmt: skip
    filed = objections.objection_of(connection, reduced)
    objections.explain(connection, filed.id, town.second_office, "按系统记录核算。", NOW)
    decision = DecisionSent(filed.id, third, "reduced", "超期天数核减。", Decimal(1))
    objections.decide(connection, decision, NOW + timedelta(days=1))
    decided = objections.objection_of(connection, reduced)
    order = OrderSent(seq=stands, demand="窗口不得空岗，设置 AB 岗。", staff_id=town.office)
    rectifications.order(connection, order, NOW + timedelta(days=1))

    elsewhere = an_entry(connection, town, unit_id=town.other_unit_id)
    return Life(town, came.visit_id, stands, reduced, decided.reversal_seq, decided.replacement_seq, elsewhere)
