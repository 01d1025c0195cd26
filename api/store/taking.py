"""Taking the next case: chosen, locked and held in one statement, so that no two interviewers ever get the same."""

from datetime import datetime

from sqlalchemy import Connection, text

# The order of survey_forms/fieldwork/order.py, word for word; tests/store/test_taking.py holds them together.
_PART = """CASE WHEN date_part('isodow', {at}) > 5 THEN 4 WHEN date_part('hour', {at}) < 12 THEN 1
           WHEN date_part('hour', {at}) < 18 THEN 2 ELSE 3 END"""
_BEGAN, _NOW = "began_at AT TIME ZONE 'Asia/Shanghai'", "CAST(:now AS timestamptz) AT TIME ZONE 'Asia/Shanghai'"
# Appointments and attempts are gathered once and joined: asked for case by case they cost ten times as much.
_TAKE = text(f"""
WITH appointed AS MATERIALIZED (
  SELECT case_id, min(ends_at) FILTER (WHERE begins_at <= :now AND coalesce(for_staff, :staff) = :staff) AS live_until
  FROM roll.appointment WHERE done_at IS NULL AND ends_at > :now GROUP BY case_id
), tried AS MATERIALIZED (
  SELECT case_id, count(*) AS times FROM roll.contact_attempt JOIN roll.case_file USING (case_id)
  WHERE survey_id = :survey AND stage = :stage AND {_PART.format(at=_BEGAN)} = {_PART.format(at=_NOW)}
  GROUP BY case_id
), chosen AS (
  SELECT file.case_id
  FROM roll.case_file AS file
  JOIN roll."case" AS drawn ON drawn.id = file.case_id
  LEFT JOIN appointed ON appointed.case_id = file.case_id
  LEFT JOIN tried ON tried.case_id = file.case_id
  WHERE file.survey_id = :survey AND file.stage = :stage AND (file.held_until IS NULL OR file.held_until <= :now)
    AND (appointed.live_until IS NOT NULL
         OR (:calling AND appointed.case_id IS NULL AND (file.not_before IS NULL OR file.not_before <= :now)))
    AND NOT EXISTS (SELECT FROM roll.case_code AS own JOIN roll.access_code AS code ON code.mac = own.mac
                    WHERE own.case_id = file.case_id AND code.spent)
    AND NOT EXISTS (SELECT FROM roll.backcheck AS check_ WHERE check_.case_id = file.case_id
                    AND check_.interviewer = :staff)
    AND (NOT :only_checks OR drawn.kind = 'backcheck')
  ORDER BY appointed.live_until NULLS LAST, file.priority DESC, coalesce(tried.times, 0),
    drawn.ticket COLLATE "C", file.case_id
  LIMIT 1
  FOR UPDATE OF file SKIP LOCKED
)
UPDATE roll.case_file AS file SET held_by = :staff, held_at = :now, held_until = :until
FROM chosen WHERE file.case_id = chosen.case_id
RETURNING file.case_id
""")  # noqa: S608 - the blanks are filled from the constants above


def take_next(  # noqa: PLR0913 - what the statement is asked
    connection: Connection,
    survey_id: int,
    stage: str,
    staff_id: int,
    *,
    calling: bool,
    now: datetime,
    until: datetime,
    only_checks: bool = False,
) -> int | None:
    """Take the case that comes next: in one statement chosen, locked and held. None where none may be tried now.

    Args:
        connection: in a transaction.
        survey_id: of which survey.
        stage: phone or visit.
        staff_id: who asks.
        calling: whether people without an appointment may be troubled at this hour.
        now: the present.
        until: when the hold ends by itself.
        only_checks: whether nothing but back-checks may be taken any more.
    """
    values = {"survey": survey_id, "stage": stage, "staff": staff_id, "calling": calling, "now": now, "until": until}
    values["only_checks"] = only_checks
    found: int | None = connection.execute(_TAKE, values).scalar()
    return found


_ONE_HAND = text("SELECT pg_advisory_xact_lock(hashtext('interviewer'), :staff)")


def one_hand(connection: Connection, staff_id: int) -> None:
    """Let one request of an interviewer at a time take a case: a second press finds what the first one took."""
    connection.execute(_ONE_HAND, {"staff": staff_id})
