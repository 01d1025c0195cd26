"""Accepting answers: spend the code, keep the answer, owe its tally; many submissions in one transaction.

Exactly one submission a code: the UPDATE that only an unspent code survives decides, in the database. The same
receipt again is the same acceptance. The answer's row has no key to the code, and neither has the receipt's.

An answer of a sealed survey is a sealed box instead, which its receipt names. The box may be joined to the code by
whoever owns the database, for both are written at once; that tells them nothing, for they cannot open it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

import orjson
from psycopg import IntegrityError
from sqlalchemy.engine import Connection

from api.actions.pictures import Pictures
from api.store.ballots import keep_response_files, receipts_known
from api.store.driver import rows_of
from survey_forms.refusal import Refused

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
    sealed: bytes | None = None  # the box of a sealed survey; `answers` is empty then
    pictures: Pictures = ()


# Freezing a round takes the same lock exclusively: an answer is wholly before the freeze or refused by it.
_SHARE = "SELECT pg_advisory_xact_lock_shared(hashtext('round'), s) FROM unnest(%s::int[]) AS t(s)"

# The box with the same receipt is asked for one by one: NOT EXISTS would have PostgreSQL hash all boxes there are.
_ACCEPT = """
WITH given AS (
  SELECT decode(t.mac, 'hex') AS mac, decode(t.receipt_hash, 'hex') AS receipt_hash,
         decode(t.draft_id, 'hex') AS draft_id, response_id, survey_id, stratum, wcell, form_version, answers,
         mode, day, nullif(t.sealed, '') AS sealed
  FROM ROWS FROM (
    jsonb_to_recordset(%s::jsonb) AS (mac text, receipt_hash text, draft_id text, response_id uuid, survey_id integer,
                                      stratum text, wcell text, form_version text, answers jsonb, mode text, day date),
    unnest(%b::bytea[])
  ) AS t(mac, receipt_hash, draft_id, response_id, survey_id, stratum, wcell, form_version, answers, mode, day, sealed)
), spent AS (
  UPDATE roll.access_code AS code SET spent = true FROM given
  WHERE code.mac = given.mac AND NOT code.spent AND NOT code.revoked
    AND code.survey_id = given.survey_id AND code.stratum = given.stratum
    AND EXISTS (SELECT FROM office.survey JOIN office.round ON round.id = survey.round_id
                WHERE survey.id = code.survey_id AND round.status = 'open'
                  AND survey.closed_at IS NULL AND now() >= survey.opens_at AND now() < survey.closes_at
                  AND (survey.secrecy = 'sealed') = (given.sealed IS NOT NULL)
                  AND (given.sealed IS NULL OR NOT EXISTS (
                    SELECT FROM ballot.closing WHERE closing.survey_id = survey.id)))
    AND (given.sealed IS NULL OR (
      SELECT box.receipt_hash FROM ballot.box WHERE box.receipt_hash = given.receipt_hash) IS NULL)
  RETURNING given.*
), kept AS (
  INSERT INTO ballot.response (id, survey_id, stratum, wcell, form_version, answers, mode, day)
  SELECT response_id, survey_id, stratum, wcell, form_version, answers, mode, day FROM spent WHERE sealed IS NULL
), owed AS (
  INSERT INTO ballot.untallied (response_id) SELECT response_id FROM spent WHERE sealed IS NULL
), acknowledged AS (
  INSERT INTO ballot.receipt (receipt_hash) SELECT receipt_hash FROM spent WHERE sealed IS NULL
  ON CONFLICT DO NOTHING
), boxed AS (
  INSERT INTO ballot.box (receipt_hash, survey_id, stratum, sealed)
  SELECT receipt_hash, survey_id, stratum, sealed FROM spent WHERE sealed IS NOT NULL
), forgotten AS (
  DELETE FROM ballot.draft USING spent WHERE draft.draft_id = spent.draft_id
)
SELECT response_id FROM spent
"""


def accept(connection: Connection, submissions: Sequence[Submission], held: Collection[int] = ()) -> list[Outcome]:
    """Accept what can be accepted; one outcome a submission, in their order.

    Safe to repeat whole: a submission that was accepted answers `repeated` the next time.

    Args:
        connection: in a transaction.
        submissions: checked.
        held: the surveys whose round this transaction keeps from freezing already (`codes_held`).

    Raises:
        Refused: `try_again` where somebody used a box's receipt a second time this very moment.
    """
    if to_hold := {submission.survey_id for submission in submissions}.difference(held):
        rows_of(connection, _SHARE, [sorted(to_hold)])
    given = orjson.dumps([_given(submission) for submission in submissions]).decode()
    boxes = [submission.sealed or b"" for submission in submissions]
    try:
        accepted = {response_id for (response_id,) in rows_of(connection, _ACCEPT, [given, boxes])}
    except IntegrityError as error:
        raise Refused("try_again") from error
    pictures = [(s.response_id, *one) for s in submissions if s.response_id in accepted for one in s.pictures]
    if pictures:
        keep_response_files(connection, pictures)
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


def _given(one: Submission) -> dict[str, Any]:
    """A submission as a row of one JSON document: an array parameter a column costs the driver ten times as much."""
    return {
        "mac": one.mac.hex(),
        "receipt_hash": one.receipt_hash.hex(),
        "draft_id": one.draft_id.hex(),
        "response_id": one.response_id,
        "survey_id": one.survey_id,
        "stratum": one.stratum,
        "wcell": one.wcell,
        "form_version": one.form_version,
        "answers": one.answers,
        "mode": one.mode,
        "day": one.day,
    }
