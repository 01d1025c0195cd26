"""Who may answer: frame, draw, cases and access codes. Nothing here tells what anybody answered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    func,
    select,
)

from api.store.base import facts, metadata, moment, serial
from api.store.driver import rows_of
from api.store.people import staff
from api.store.surveys import stratum, survey

frame = Table(
    "frame",
    metadata,
    serial(),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    Column("digest", Text, nullable=False),  # SHA-256 of the canonical text (sampling/frame.py)
    Column("members", Integer, nullable=False),
    Column("file_name", Text),
    Column("loaded_by", ForeignKey(staff.c.id)),
    moment("loaded_at", now=True),
    schema="roll",
)

frame_member = Table(
    "frame_member",
    metadata,
    Column("frame_id", ForeignKey(frame.c.id), primary_key=True),
    Column("member", Text, primary_key=True),
    Column("stratum", Text, nullable=False),
    Column("row", Integer),  # from 1: the order of the frame's file, which its digest commits to
    Column("psu", Text),
    Column("size", Numeric),  # of a PSU, for selection with probability proportional to size
    Column("latitude", Numeric(9, 6)),
    Column("longitude", Numeric(9, 6)),
    Column("sort", Text),  # administrative code, for systematic selection along it
    facts("traits", null=True),  # what weights are made of: {"age": "18-34", "sex": "f"}
    Column("contact", LargeBinary),  # sealed
    schema="roll",
)

draw = Table(
    "draw",
    metadata,
    serial(),
    Column("frame_id", ForeignKey(frame.c.id), nullable=False, unique=True),  # no second draw of a frame
    Column("plan_digest", Text, nullable=False),
    facts("plan"),
    Column("randomness", Text, nullable=False),
    Column("seed", Text, nullable=False),
    facts("record", null=True),  # what is published: enough to repeat the draw
    Column("drawn_by", ForeignKey(staff.c.id)),
    moment("drawn_at", now=True),
    schema="roll",
)

case = Table(
    "case",
    metadata,
    serial(),
    Column("draw_id", ForeignKey(draw.c.id), nullable=False, index=True),
    Column("stratum", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("ticket", Text, nullable=False),
    Column("position", Integer, nullable=False),  # 1.. in ticket order; reserves follow the sample
    Column("kind", Text, nullable=False, server_default="main"),
    Column("inclusion", Float),  # probability of being drawn; None: n of N in its stratum
    Column("wcell", Text),  # weighting cell; None: its stratum
    Column("predecessor_id", Integer),  # whom a released reserve replaces
    moment("released_at", null=True),
    Column("released_by", ForeignKey(staff.c.id)),
    CheckConstraint("kind IN ('main','reserve','backcheck')", name="kind"),
    CheckConstraint("(kind = 'reserve' AND released_at IS NOT NULL) = (predecessor_id IS NOT NULL)", name="replaces"),
    ForeignKeyConstraint(["predecessor_id"], ["roll.case.id"]),
    UniqueConstraint("predecessor_id"),
    schema="roll",
)

IN_SAMPLE = (case.c.kind == "main") | ((case.c.kind == "reserve") & case.c.released_at.is_not(None))
"""The cases that somebody is to reach, and that rates are taken of: a reserve from its release on."""

# What was handed out in one go: a print run, or codes sent to listed cases. It tells how many, never which.
code_batch = Table(
    "code_batch",
    metadata,
    serial(),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    facts("strata"),  # stratum → number of codes
    Column("sheets", Integer, nullable=False),
    Column("made_by", ForeignKey(staff.c.id)),
    moment("made_at", now=True),
    moment("destroyed_at", null=True),  # the print file was handed over and kept nowhere
    moment("revoked_at", null=True),
    Column("revoked_by", ForeignKey(staff.c.id)),
    Column("reason", Text),
    CheckConstraint("kind IN ('printed','listed','interview')", name="kind"),
    CheckConstraint("(revoked_at IS NULL) = (reason IS NULL)", name="revoked_with_reason"),
    schema="roll",
)

# No column joins a code to a case: codes are handed out by stratum, in shuffled envelopes (but see case_code).
# The fill factor leaves room for `spent` to change in place, so that spending touches no index.
access_code = Table(
    "access_code",
    metadata,
    Column("mac", LargeBinary, primary_key=True),  # HMAC-SHA-256(pepper, code); the code is kept nowhere
    Column("survey_id", ForeignKey(survey.c.id), nullable=False),
    Column("stratum", Text, nullable=False),
    Column("spent", Boolean, nullable=False, server_default="false"),
    Column("revoked", Boolean, nullable=False, server_default="false"),
    Column("batch_id", ForeignKey(code_batch.c.id)),
    Column("block", Integer),  # of units that this code rates; None: all of them, or:
    Column("blocks", Integer),  # of a listed case: over how many blocks the code draws its own, which it alone tells
    Column("wcell", Text),  # weighting cell of its case; None: its stratum
    Column("mode", Text, nullable=False, server_default="web"),
    Column("interviewer", ForeignKey(staff.c.id)),
    CheckConstraint("mode IN ('web','phone','visit')", name="mode"),
    CheckConstraint("block IS NULL OR blocks IS NULL", name="one_way_to_a_block"),
    schema="roll",
    postgresql_with={"fillfactor": "80"},
)

_ISSUED = ~access_code.c.revoked
"""A revoked code was replaced or lost: nobody is expected to answer with it."""

# Listed cases only, and only in sealed surveys: there the code of a person leads to no answer.
case_code = Table(
    "case_code",
    metadata,
    Column("mac", ForeignKey(access_code.c.mac), primary_key=True),
    Column("case_id", ForeignKey(case.c.id), nullable=False, index=True),
    schema="roll",
)

contact = Table(
    "contact",
    metadata,
    Column("case_id", ForeignKey(case.c.id), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),  # telephone and mail, under the service's own key
    schema="roll",
)

message = Table(
    "message",
    metadata,
    serial(),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    Column("case_id", ForeignKey(case.c.id), nullable=False),
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("sealed", LargeBinary),  # address and words; wiped when sent
    moment("made_at", now=True),
    moment("sent_at", null=True),
    Column("provider_id", Text),
    Column("failed", Text),  # a code, never words
    CheckConstraint("kind IN ('invitation','reminder')", name="kind"),
    CheckConstraint("channel IN ('sms','mail')", name="channel"),
    schema="roll",
)


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw and what anybody needs to repeat it: the frame's and the plan's digests, the randomness, the seed."""

    frame_digest: str
    members: int
    plan_digest: str
    randomness: str
    seed: str
    drawn_at: datetime


@dataclass(frozen=True, slots=True)
class Fieldwork:
    """How far a stratum has come: persons drawn, codes issued and not revoked, codes spent."""

    drawn: int = 0
    issued: int = 0
    spent: int = 0


def draws_of(connection: Connection, survey_id: int) -> list[Draw]:
    """The draws of a survey, oldest first."""
    rows = connection.execute(
        select(frame.c.digest, frame.c.members, draw.c.plan_digest, draw.c.randomness, draw.c.seed, draw.c.drawn_at)
        .join(draw, draw.c.frame_id == frame.c.id)
        .where(frame.c.survey_id == survey_id)
        .order_by(draw.c.id)
    )
    return [Draw(*row) for row in rows]


def fieldwork_of(connection: Connection, survey_id: int) -> dict[str, Fieldwork]:
    """How far each stratum of a survey has come."""
    drawn = connection.execute(
        select(case.c.stratum, func.count())
        .join(draw, draw.c.id == case.c.draw_id)
        .join(frame, frame.c.id == draw.c.frame_id)
        .where(frame.c.survey_id == survey_id, IN_SAMPLE)
        .group_by(case.c.stratum)
    )
    found = {code: Fieldwork(drawn=number) for code, number in drawn}
    codes = connection.execute(
        select(access_code.c.stratum, func.count().filter(_ISSUED), func.count().filter(access_code.c.spent))
        .where(access_code.c.survey_id == survey_id)
        .group_by(access_code.c.stratum)
    )
    for code, issued, spent in codes:
        found[code] = replace(found.get(code, Fieldwork()), issued=issued, spent=spent)
    return found


# The lock is that of api/actions/responses.py, taken in the order of the surveys, as everybody takes several.
_CODES = """
SELECT mac, survey_id, stratum, closed, block, wcell, mode, interviewer, blocks,
       pg_advisory_xact_lock_shared(hashtext('round'), survey_id)
FROM (SELECT mac, survey_id, stratum, spent OR revoked AS closed, block, wcell, mode, interviewer, blocks
      FROM roll.access_code WHERE mac = ANY(%b) ORDER BY survey_id) AS found
"""


class FoundCode(NamedTuple):
    """What the roll says of a code: survey and stratum, whether it is spent or revoked, and what weighing takes."""

    survey_id: int
    stratum: str
    closed: bool
    block: int | None = None
    wcell: str | None = None
    mode: str = "web"
    interviewer: int | None = None
    blocks: int | None = None


def codes_held(connection: Connection, macs: Sequence[bytes]) -> dict[bytes, FoundCode]:
    """Those of the codes that exist. The rounds of their surveys cannot freeze before the transaction ends."""
    return {mac: FoundCode(*said) for mac, *said, _ in rows_of(connection, _CODES, [macs])}


def stratum_of_code(connection: Connection, mac: bytes) -> FoundCode | None:
    """One code, if it exists."""
    closed = access_code.c.spent | access_code.c.revoked
    code = access_code.c
    wanted = (code.survey_id, code.stratum, closed, code.block, code.wcell, code.mode, code.interviewer, code.blocks)
    row = connection.execute(select(*wanted).where(code.mac == mac)).first()
    return FoundCode(*row) if row else None


def codes_by_group(connection: Connection, survey_id: int) -> dict[str, tuple[int, int]]:
    """Codes issued and codes spent, by respondent group."""
    rows = connection.execute(
        select(
            stratum.c.group_code,
            func.count().filter(_ISSUED),
            func.count().filter(access_code.c.spent),
        )
        .select_from(access_code)
        .join(
            stratum,
            (stratum.c.survey_id == access_code.c.survey_id) & (stratum.c.code == access_code.c.stratum),
        )
        .where(access_code.c.survey_id == survey_id)
        .group_by(stratum.c.group_code)
    )
    return {group: (issued, spent) for group, issued, spent in rows}
