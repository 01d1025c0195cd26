"""A double-random draw's verbs: commit, draw by another person, publish; and what may be changed in between.

Nobody chooses. Who commits the plan does not know the randomness and cannot draw; who draws does not know the secret
that the service made at the commitment and keeps sealed. Sites go from memory into sealed rows; what the office sees
at once is how many crews go out on which day, and the record's hash.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from api.actions.assignment_seals import Goal, open_secret, seal_goal, seal_secret
from api.actions.crew_changes import changes_of
from api.actions.draw_rules import check_spelling, unfit_names
from api.actions.inspection_plan import Said, faults_of, plan_document
from api.store import crews, people
from api.store import inspection_draws as stored
from api.store.inspection_draws import HeldDraw
from survey_forms.inspection.double_random_plan import hashes_of, out_of_reach, read_plan
from survey_forms.inspection.double_random_record import (
    SECRET_BYTES,
    Drawn,
    published,
    record_hash,
    record_of,
)
from survey_forms.inspection.mornings import CHINA, morning_of
from survey_forms.refusal import Refused

log = logging.getLogger(__name__)
LONGEST_RANDOMNESS = 200
REFUSALS = frozenset(
    {"inspection_drawn", "draw_too_early", "draw_same_person", "draw_randomness_unfit", "inspection_draw_late"}
)
"""Refused draws that are kept and told."""


def commit(connection: Connection, said: Said, secret_key: bytes, staff_id: int, now: datetime) -> int:
    """Commit a plan, and with it a secret that nobody is shown.

    An earlier plan for the same item and some of the same days is replaced as long as its randomness is not known;
    both stay public.

    Raises:
        Refused: what is wrong with the plan; `inspection_plan_ripe` when the randomness of an earlier plan is known;
            `inspection_drawn` when it was drawn.
    """
    faults = [*faults_of(said, now), *unfit_names(said.randomness_source, said.randomness_form)]
    if faults:
        raise Refused.of(faults)
    document = plan_document(connection, said)
    unreachable = out_of_reach(read_plan(document))
    _refuse_beside_others(connection, said, now)
    secret = secrets.token_bytes(SECRET_BYTES)
    commitment = sha256(secret).digest()
    hashes = hashes_of(document)
    draw_id = stored.add_draw(
        connection,
        {
            "evaluation_id": _evaluation(connection, said.item_id),
            "item_id": said.item_id,
            "title": said.title,
            "announced": said.announced,
            "first_day": said.first_day,
            "last_day": said.last_day,
            "plan": document,
            "plan_hash": bytes.fromhex(hashes.plan),
            "commitment": commitment,
            "sealed_secret": seal_secret(secret_key, commitment, secret),
            "randomness_source": said.randomness_source,
            "randomness_at": said.known_from,
            "committed_by": staff_id,
            "committed_at": now,
        },
    )
    people.record_act(
        connection,
        "inspection_plan_committed",
        now,
        staff_id,
        draw=draw_id,
        plan=hashes.plan,
        commitment=commitment.hex(),
        unreachable={why.value: sites for why, sites in unreachable.items()},
    )
    return draw_id


def draw_inspection(  # noqa: PLR0913, PLR0917 - which, by what, under which key, by whom and when make a draw
    connection: Connection, draw_id: int, randomness: str, secret_key: bytes, staff_id: int, now: datetime
) -> str:
    """Draw by the randomness that was named; assignments are made sealed. Returns the record's hash, hex.

    Raises:
        Refused: `not_found`, `inspection_drawn`, `inspection_replaced`, `draw_too_early`, `draw_same_person`,
            `inspection_draw_late` once the first morning has come, `draw_randomness_missing`, `draw_randomness_unfit`.
    """
    held = _may_draw(connection, draw_id, staff_id, now)
    randomness = randomness.strip()[:LONGEST_RANDOMNESS]
    check_spelling(held.plan["randomness"]["form"], randomness)
    record = _record(held, randomness, secret_key, staff_id, now)
    for one in record["assignments"]:
        key = uuid4()
        values = {
            "id": key,
            "evaluation_id": held.evaluation_id,
            "day": one["day"],
            "announced": held.announced,
            "kind": "random",
            "item_id": held.item_id,
            "draw_id": held.id,
            "sealed": seal_goal(secret_key, key, Goal(int(one["site"]))),
            "made_by": staff_id,
            "made_at": now,
        }
        crews.put_assignment(connection, values, [int(member) for member in one["crew"]], None)
    digest = record_hash(record)
    values = {"randomness": randomness, "drawn_by": staff_id, "drawn_at": now, "record_hash": bytes.fromhex(digest)}
    stored.set_draw(connection, held.id, values)
    unsent: dict[str, int] = {}
    for one in record["infeasible"]:
        unsent[one["reason"]] = unsent.get(one["reason"], 0) + 1
    people.record_act(connection, "inspection_drawn", now, staff_id, draw=held.id, record=digest, unsent=unsent)
    return digest


def note_refusal(  # noqa: PLR0913, PLR0917 - as draw_inspection
    connection: Connection, draw_id: int, code: str, randomness: str, staff_id: int, now: datetime
) -> None:
    """Keep that a draw was tried and refused, in a transaction of its own: the one that tried is undone."""
    said = randomness[:LONGEST_RANDOMNESS].replace("\x00", "\ufffd")
    people.record_act(connection, "inspection_draw_refused", now, staff_id, draw=draw_id, code=code, randomness=said)


def publish(connection: Connection, draw_id: int, secret_key: bytes, staff_id: int | None, now: datetime) -> None:
    """Publish a draw's record with its secret once its last day is over; doing it again changes nothing.

    Raises:
        Refused: `not_found`, `inspection_publish_early`, `inspection_record_otherwise` when what would be published
            is not what was drawn, `assignment_seal_broken`.
    """
    held = stored.draw_numbered(connection, draw_id, hold=True)
    if held is None or held.drawn_at is None or held.drawn_by is None or held.randomness is None:
        raise Refused("not_found")
    if held.published_at:
        return
    if now.astimezone(CHINA).date() <= held.last_day:
        raise Refused("inspection_publish_early", day=held.last_day.isoformat())
    record = _record(held, held.randomness, secret_key, held.drawn_by, held.drawn_at)
    if bytes.fromhex(record_hash(record)) != held.record_hash:
        raise Refused("inspection_record_otherwise")
    told = published(record, changes_of(connection, held.id, secret_key))
    stored.set_draw(connection, held.id, {"published_at": now, "record": told})
    people.record_act(connection, "inspection_draw_published", now, staff_id, draw=held.id)


def publish_due(connection: Connection, secret_key: bytes, now: datetime) -> int:
    """Publish every draw whose last day is over; how many. One that cannot be is logged, and the others go on."""
    count = 0
    for draw_id in stored.unpublished(connection, now.astimezone(CHINA).date()):
        try:
            publish(connection, draw_id, secret_key, None, now)
        except Refused as refused:
            log.error("ALERT the record of inspection draw %d is not published: %s", draw_id, refused.code)  # noqa: TRY400 - a refusal needs no traceback
        else:
            count += 1
    return count


def _refuse_beside_others(connection: Connection, said: Said, now: datetime) -> None:
    for other in stored.draws_across(connection, said.item_id, said.first_day, said.last_day):
        if other.drawn_at:
            raise Refused("inspection_drawn")
        if other.randomness_at <= now < morning_of(other.first_day):
            raise Refused("inspection_plan_ripe", draw=other.id)


def _may_draw(connection: Connection, draw_id: int, staff_id: int, now: datetime) -> HeldDraw:
    held = stored.draw_numbered(connection, draw_id, hold=True)
    if held is None:
        raise Refused("not_found")
    if held.drawn_at:
        raise Refused("inspection_drawn")
    across = stored.draws_across(connection, held.item_id, held.first_day, held.last_day)
    if is_replaced(held, across):
        raise Refused("inspection_replaced")
    if now < held.randomness_at:
        raise Refused("draw_too_early", known=held.randomness_at.astimezone(CHINA).isoformat(timespec="minutes"))
    if held.committed_by == staff_id:
        raise Refused("draw_same_person")
    if now >= morning_of(held.first_day):
        raise Refused("inspection_draw_late")
    return held


def is_replaced(held: HeldDraw, others: Sequence[HeldDraw]) -> bool:
    """Whether a later plan for the same item and some of the same days stands in a plan's place."""
    return any(
        one.id > held.id
        and one.item_id == held.item_id
        and one.first_day <= held.last_day
        and one.last_day >= held.first_day
        for one in others
    )


def _record(held: HeldDraw, randomness: str, secret_key: bytes, drawn_by: int, drawn_at: datetime) -> Mapping[str, Any]:
    """The record; people by their number, which never changes."""
    secret = open_secret(secret_key, held.commitment, held.sealed_secret)
    about = {
        "committed_at": held.committed_at.astimezone(CHINA).isoformat(),
        "committed_by": str(held.committed_by),
        "drawn_at": drawn_at.astimezone(CHINA).isoformat(),
        "drawn_by": str(drawn_by),
    }
    return record_of(held.plan, Drawn(secret, randomness, about))


def _evaluation(connection: Connection, item_id: int) -> int:
    item = stored.item_numbered(connection, item_id)
    if item is None:
        raise Refused("assignment_item_unknown", "item")
    return item.evaluation_id
