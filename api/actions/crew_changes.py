"""What may still be changed after a draw: an inspector who cannot go, and a visit that cannot be made.

Whoever comes instead is the next in the line of tickets; the office gives the reason and nothing else. As long as the
seal is closed the line is that of the plan: recusals declared after the draw would otherwise ask the seal which unit
it hides. Each change is kept as it happened, what would tell the site under a seal, and published with the record;
tries that were refused are kept too. Once the morning has come somebody may know where, and two people withdraw.
"""

from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import Connection

from api.actions.assignment_seals import open_goal, open_secret, open_words, seal_words
from api.store import acts_about, crews, people
from api.store import inspection_draws as stored
from api.store.crews import Row
from survey_forms.inspection.double_random import Plan, draw, stand_in
from survey_forms.inspection.double_random_plan import read_plan
from survey_forms.inspection.double_random_record import REPLACED, WITHDRAWN, Change, seed_for, standing_after
from survey_forms.inspection.mornings import CHINA, morning_of
from survey_forms.refusal import Refused

LONGEST_REASON = 200
_ACTS = {"inspector_replaced": REPLACED, "assignment_withdrawn": WITHDRAWN}


def replace_inspector(  # noqa: PLR0913, PLR0917 - which place, why, under which key, by whom and when
    connection: Connection,
    assignment_id: UUID,
    leaver: int,
    reason: str,
    secret_key: bytes,
    staff_id: int,
    now: datetime,
) -> int:
    """Let the next in line stand in for an inspector of a drawn crew; who that is.

    Raises:
        Refused: `not_found`, `assignment_begun`, `assignment_withdrawn_already`, `assignment_reason`,
            `stand_in_not_there`, `stand_in_nobody`, `assignment_not_drawn` for work made by hand.
    """
    row = _changeable(connection, assignment_id, reason)
    if row.draw_id is None:
        raise Refused("assignment_not_drawn")
    held = stored.draw_numbered(connection, row.draw_id, hold=True)
    if held is None or held.randomness is None:
        raise Refused("not_found")
    plan, site = read_plan(held.plan), _site(row, secret_key)
    seed = seed_for(held.plan, held.randomness, open_secret(secret_key, held.commitment, held.sealed_secret))
    changes = changes_of(connection, held.id, secret_key)
    standing = standing_after(plan, seed, draw(plan, seed).sent, changes)
    barred = [] if row.site_id is None else _barred(connection, plan, site)
    left = {one.leaves for one in changes if one.site == site and one.kind == REPLACED} | {str(leaver)}
    after = stand_in(plan, seed, standing.values(), site, str(leaver), frozenset({*barred, *left}))
    joiner = next(one for one in after.crew if one not in standing[site].crew)
    crews.leave_crew(connection, assignment_id, leaver, reason, now)
    member = {"assignment_id": assignment_id, "staff_id": int(joiner), "position": after.crew.index(joiner)}
    crews.join_crew(connection, {**member, "placed_by": staff_id, "placed_at": now})
    people.record_act(
        connection,
        "inspector_replaced",
        now,
        staff_id,
        draw=held.id,
        assignment=str(assignment_id),
        leaves=leaver,
        joins=int(joiner),
        reason=reason,
        barred=seal_words(secret_key, assignment_id, _json(barred), len(_json([hand.id for hand in plan.hands]))),
    )
    return int(joiner)


def note_refusal(  # noqa: PLR0913, PLR0917 - as replace_inspector, and why not
    connection: Connection, assignment_id: UUID, leaver: int, code: str, staff_id: int, now: datetime
) -> None:
    """Keep that a replacement was tried and refused, in a transaction of its own: the one that tried is undone."""
    about = {"assignment": str(assignment_id), "leaves": leaver, "code": code}
    people.record_act(connection, "inspector_replacement_refused", now, staff_id, **about)


def withdraw_assignment(connection: Connection, assignment_id: UUID, reason: str, staff_id: int, now: datetime) -> bool:
    """Withdraw an assignment whose visit has not begun; its seal stays closed until publication.

    From six in the morning of its day on the first person only asks, and another one withdraws: by then somebody may
    know where, and inspectors may be there without a network.

    Returns:
        Whether it is withdrawn; else it was asked for.

    Raises:
        Refused: `not_found`, `assignment_begun`, `assignment_withdrawn_already`, `assignment_reason`,
            `withdrawal_same_person` for whoever asked before.
    """
    row = _changeable(connection, assignment_id, reason)
    asked = acts_about.withdrawals_asked(connection, [row.id]).get(row.id)
    if now >= morning_of(row.day):
        if asked is None:
            ask: dict[str, object] = {"assignment": str(row.id), "reason": reason}
            people.record_act(connection, "assignment_withdrawal_asked", now, staff_id, **ask)
            return False
        if asked.staff_id == staff_id:
            raise Refused("withdrawal_same_person")
    if row.draw_id is not None:
        stored.draw_numbered(connection, row.draw_id, hold=True)  # changes of one draw come one after another
    crews.withdraw(connection, row.id, reason, now)
    about: dict[str, object] = {"draw": row.draw_id, "assignment": str(row.id), "reason": reason}
    if asked is not None:
        about["asked_by"] = asked.staff_id
    people.record_act(connection, "assignment_withdrawn", now, staff_id, **about)
    return True


def changes_of(connection: Connection, draw_id: int, secret_key: bytes) -> list[Change]:
    """What was changed after a draw, in the order of time.

    Raises:
        Refused: `assignment_seal_broken`.
    """
    rows = {str(row.id): row for row in crews.rows_of_draw(connection, draw_id)}
    changes = []
    for act in acts_about.of_draw(connection, draw_id, tuple(_ACTS)):
        row, about = rows[act.about["assignment"]], act.about
        barred = orjson.loads(open_words(secret_key, row.id, about["barred"])) if "barred" in about else []
        changes.append(
            Change(
                _ACTS[act.act],
                _site(row, secret_key),
                act.at.astimezone(CHINA).isoformat(),
                str(act.staff_id),
                about["reason"],
                str(about.get("leaves", "")),
                str(about.get("joins", "")),
                tuple(barred),
            )
        )
    return changes


def _barred(connection: Connection, plan: Plan, site: str) -> list[str]:
    """Inspectors of a plan who may not come to a site by now: gone from the directory, or recused from its unit."""
    owner = crews.owner_of(connection, int(site), withdrawn=True)
    known = crews.people_of(connection, [int(hand.id) for hand in plan.hands])
    gone = {str(one.staff_id) for one in known.values() if one.gone}
    recused = crews.recused_among(connection, known, owner[0]) if owner else {}
    return sorted(gone | {str(one) for one in recused})


def _json(names: list[str]) -> str:
    return orjson.dumps(names).decode()


def _changeable(connection: Connection, assignment_id: UUID, reason: str) -> Row:
    """An assignment that stands and whose visit has not begun, held by this transaction; the reason is one line."""
    if not 0 < len(reason) <= LONGEST_REASON or not reason.isprintable():
        raise Refused("assignment_reason", "reason", most=LONGEST_REASON)
    row = crews.row_numbered(connection, assignment_id, hold=True)
    if row is None:
        raise Refused("not_found")
    if row.withdrawn_at:
        raise Refused("assignment_withdrawn_already")
    if row.begun:
        raise Refused("assignment_begun")
    return row


def _site(row: Row, secret_key: bytes) -> str:
    """Where a drawn assignment leads, opened or not; in memory alone."""
    if row.site_id is not None:
        return str(row.site_id)
    return str(open_goal(secret_key, row.id, row.sealed or b"").site_id)
