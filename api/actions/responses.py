"""Accepting answers: spend the code, keep the answer, owe its tally; many submissions in one transaction.

Exactly one submission a code: the UPDATE that only an unspent code survives decides, in the database. The same
receipt again is the same acceptance. The answer's row has no key to the code, and neither has the receipt's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ARRAY, Date, Integer, LargeBinary, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection

from api.store.ballots import receipts_known

CODE_NAMESPACE = "mingcha"
"""Access codes live in one space: the code alone says which survey it opens."""

Outcome = Literal["accepted", "repeated", "refused"]
"""`repeated`: this receipt was accepted before. `refused`: the code is unknown, spent, or its survey is closed."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A checked answer on its way into the store."""

    mac: bytes  # of the access code
    receipt_hash: bytes  # SHA-256 of the receipt that the client drew before its first try
    draft_id: bytes  # the draft to forget
    response_id: UUID  # random
    survey_id: int
    stratum: str
    wcell: str
    form_version: str
    answers: dict[str, Any]
    mode: str
    day: date


_COLUMNS: dict[str, Any] = {
    "mac": LargeBinary,
    "receipt_hash": LargeBinary,
    "draft_id": LargeBinary,
    "response_id": Uuid,
    "survey_id": Integer,
    "stratum": Text,
    "wcell": Text,
    "form_version": Text,
    "answers": JSONB,
    "mode": Text,
    "day": Date,
}

# Freezing a round takes the same lock exclusively: an answer is wholly before the freeze or refused by it.
_SHARE = text("SELECT pg_advisory_xact_lock_shared(hashtext('round'), s) FROM unnest(:surveys) AS t(s)").bindparams(
    bindparam("surveys", type_=ARRAY(Integer))
)

_ACCEPT = text(
    """
    WITH given AS (
      SELECT * FROM unnest(:mac, :receipt_hash, :draft_id, :response_id, :survey_id, :stratum, :wcell,
                           :form_version, :answers, :mode, :day)
        AS t(mac, receipt_hash, draft_id, response_id, survey_id, stratum, wcell, form_version, answers, mode, day)
    ), spent AS (
      UPDATE roll.access_code AS code SET spent = true FROM given
      WHERE code.mac = given.mac AND NOT code.spent
        AND code.survey_id = given.survey_id AND code.stratum = given.stratum
        AND EXISTS (SELECT FROM office.survey JOIN office.round ON round.id = survey.round_id
                    WHERE survey.id = code.survey_id AND round.status = 'open'
                      AND now() >= survey.opens_at AND now() < survey.closes_at)
      RETURNING given.*
    ), kept AS (
      INSERT INTO ballot.response (id, survey_id, stratum, wcell, form_version, answers, mode, day)
      SELECT response_id, survey_id, stratum, wcell, form_version, answers, mode, day FROM spent
    ), owed AS (
      INSERT INTO ballot.untallied (response_id) SELECT response_id FROM spent
    ), acknowledged AS (
      INSERT INTO ballot.receipt (receipt_hash) SELECT receipt_hash FROM spent ON CONFLICT DO NOTHING
    ), forgotten AS (
      DELETE FROM ballot.draft USING spent WHERE draft.draft_id = spent.draft_id
    )
    SELECT response_id FROM spent
    """
).bindparams(*(bindparam(name, type_=ARRAY(kind)) for name, kind in _COLUMNS.items()))


def accept(connection: Connection, submissions: Sequence[Submission]) -> list[Outcome]:
    """Accept what can be accepted; one outcome a submission, in their order.

    Safe to repeat whole: a submission that was accepted answers `repeated` the next time.
    """
    connection.execute(_SHARE, {"surveys": sorted({submission.survey_id for submission in submissions})})
    arrays = {name: [getattr(submission, name) for submission in submissions] for name in _COLUMNS}
    accepted = {row.response_id for row in connection.execute(_ACCEPT, arrays)}
    others = [s.receipt_hash for s in submissions if s.response_id not in accepted]
    known = receipts_known(connection, others) if others else frozenset()
    return [
        "accepted"
        if submission.response_id in accepted
        else "repeated"
        if submission.receipt_hash in known
        else "refused"
        for submission in submissions
    ]
