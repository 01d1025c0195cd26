"""Sites, assignments, visits, check-ins, photos and findings.

Ids of visits, check-ins and findings are drawn by the phone (UUID), so that a retry is the same row.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY

from api.store.base import POINTS, metadata, moment, serial
from api.store.evaluations import evaluation, unit
from api.store.people import staff

site = Table(
    "site",
    metadata,
    serial(),
    Column("unit_id", ForeignKey(unit.c.id), nullable=False, index=True),
    Column("name_zh", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("lat", Float, nullable=False),  # degrees, in `datum`
    Column("lon", Float, nullable=False),
    Column("datum", Text, nullable=False),
    Column("radius_m", Integer, nullable=False),
    CheckConstraint("datum IN ('WGS-84','GCJ-02','BD-09')", name="datum"),
    CheckConstraint("lat BETWEEN -90 AND 90 AND lon BETWEEN -180 AND 180", name="position"),
    CheckConstraint("radius_m BETWEEN 10 AND 5000", name="radius"),
    schema="field",
)

assignment = Table(
    "assignment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("evaluation_id", ForeignKey(evaluation.c.id), nullable=False, index=True),
    Column("site_id", ForeignKey(site.c.id), nullable=False),
    Column("inspector_id", ForeignKey(staff.c.id), nullable=False, index=True),
    Column("day", Date, nullable=False),  # sealed until then
    Column("announced", Boolean, nullable=False, server_default="false"),
    schema="field",
)

visit = Table(
    "visit",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("assignment_id", ForeignKey(assignment.c.id), nullable=False, unique=True),
    Column("inspector_id", ForeignKey(staff.c.id), nullable=False),
    moment("claimed_at"),  # the phone's clock
    moment("received_at"),
    moment("closed_at", null=True),
    Column("note", Text, nullable=False, server_default=""),
    schema="field",
)

check_in = Table(
    "check_in",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("visit_id", ForeignKey(visit.c.id), nullable=False, index=True),
    Column("lat", Float),  # null when the phone gave no position
    Column("lon", Float),
    Column("accuracy_m", Float),  # radius of 95 % confidence (W3C)
    Column("datum", Text, nullable=False, server_default="WGS-84"),
    moment("fix_at", null=True),
    moment("claimed_at"),
    moment("received_at"),
    Column("presence", Text, nullable=False),
    Column("distance_m", Float),
    Column("flags", ARRAY(Text), nullable=False, server_default="{}"),
    Column("reason", Text, nullable=False, server_default=""),
    CheckConstraint("presence IN ('certain','likely','unclear','outside')", name="presence"),
    schema="field",
)

photo = Table(
    "photo",
    metadata,
    Column("visit_id", ForeignKey(visit.c.id), primary_key=True),
    Column("sha256", LargeBinary, primary_key=True),
    Column("size", Integer, nullable=False),  # bytes of the original
    Column("media_type", Text, nullable=False),
    Column("original_name", Text, nullable=False),
    moment("claimed_at"),
    moment("received_at"),
    Column("claimed_sha256", LargeBinary),  # what the phone computed, where it could
    Column("verdict", Text, nullable=False, server_default="pending"),
    Column("verdict_code", Text),
    Column("width", Integer),
    Column("height", Integer),
    Column("exif_lat", Float),
    Column("exif_lon", Float),
    Column("exif_taken", Text),  # as written by the camera: it has no zone
    Column("flags", ARRAY(Text), nullable=False, server_default="{}"),
    CheckConstraint("verdict IN ('pending','clean','refused')", name="verdict"),
    CheckConstraint("octet_length(sha256) = 32", name="sha256"),
    schema="field",
)

finding = Table(
    "finding",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("visit_id", ForeignKey(visit.c.id), nullable=False, index=True),
    Column("rule", Text, nullable=False),
    Column("aspect", Text, nullable=False),
    Column("points", POINTS, nullable=False),
    Column("description", Text, nullable=False),
    Column("filed_by", ForeignKey(staff.c.id), nullable=False),
    moment("filed_at"),
    Column("status", Text, nullable=False, server_default="filed"),
    Column("decided_by", ForeignKey(staff.c.id)),
    moment("decided_at", null=True),
    Column("decision_note", Text, nullable=False, server_default=""),
    CheckConstraint("status IN ('filed','confirmed','rejected')", name="status"),
    CheckConstraint("points > 0", name="points"),
    CheckConstraint("decided_by IS NULL OR decided_by <> filed_by", name="second_person"),
    CheckConstraint("(status = 'filed') = (decided_by IS NULL)", name="decided"),
    schema="field",
)
Index("ix_finding_filed", finding.c.filed_at, postgresql_where=finding.c.status == "filed")

finding_photo = Table(
    "finding_photo",
    metadata,
    Column("finding_id", ForeignKey(finding.c.id), primary_key=True),
    Column("sha256", LargeBinary, primary_key=True),
    schema="field",
)
