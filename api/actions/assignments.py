"""Who goes where: seals open with their morning, and people make special, patrol, third-party and repeated visits.

Drawn (inspection_draws.py) or made by hand, an unannounced assignment lies sealed until six in the morning of its day:
no row of any table says where it leads, or which rectification it looks at again. Whoever made it by hand knows.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection

from api.actions.assignment_seals import Goal, open_goal, seal_goal
from api.store import crews, people
from api.store.inspection_draws import item_numbered
from api.store.rectifications import add_step, change_rectification, rectification_numbered
from survey_forms.inspection.mornings import CHINA, last_opened, morning_of
from survey_forms.inspection.mornings import OPENS_AT as OPENS_AT  # noqa: PLC0414 - others take it from here
from survey_forms.refusal import Fault, Refused

LEAST_CREW = {"special": 2, "third_party": 2, "patrol": 1, "revisit": 1}
"""Made by hand; whoever is drawn goes in twos at least (双随机)."""

MOST_CREW = 10
LONGEST_REASON = 500
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """A visit that somebody orders: where, who (the leader first), on what day, and of what kind."""

    site_id: int
    crew: tuple[int, ...]
    day: date
    kind: str  # one of LEAST_CREW
    announced: bool = False
    item_id: int | None = None
    id: UUID | None = None  # drawn by the form, so that sending it twice makes one assignment
    rectification_id: int | None = None  # that a re-inspection looks at; the caller holds it


def open_due(connection: Connection, secret_key: bytes, now: datetime) -> int:
    """Open every sealed assignment whose morning has come; how many. Doing it again changes nothing.

    A seal that does not open (the service's secret was changed) is left as it is, logged and shown to the office: the
    other crews must not wait for it.
    """
    count = 0
    for row in crews.unopened(connection, last_opened(now)):
        try:
            goal = open_goal(secret_key, row.id, row.sealed or b"")
        except Refused:
            log.exception("ALERT the seal of assignment %s does not open", row.id)
            continue
        crews.set_site(connection, row.id, goal.site_id)
        if goal.rectification_id is not None and row.made_by is not None:
            _tell_revisit(connection, goal.rectification_id, row.id, row.day, row.made_by, now)
        count += 1
    return count


def assign(connection: Connection, work: Work, secret_key: bytes, staff_id: int, now: datetime) -> UUID:
    """Make an assignment by hand; sent again under its id, the one that there is.

    Its row names the site at once when it is announced, or its morning has come.

    Raises:
        Refused: every fault: `assignment_site_unknown`, `assignment_kind_unknown`, `assignment_day_past`,
            `assignment_crew_small`, `assignment_crew_unfit`, `assignment_recused`, `assignment_item_unknown`,
            `assignment_skill_missing`, `assignment_not_third_party`; `assignment_made_otherwise` where its id
            is that of other work, `assignment_withdrawn_already` where that work was withdrawn.
    """
    evaluation_id = refuse_unfit(connection, work, now)
    key = work.id or uuid4()
    is_open = work.announced or morning_of(work.day) <= now
    goal = Goal(work.site_id, work.rectification_id)
    values = {
        "id": key,
        "evaluation_id": evaluation_id,
        **({"site_id": work.site_id} if is_open else {"sealed": seal_goal(secret_key, key, goal)}),
        "day": work.day,
        "announced": work.announced,
        "kind": work.kind,
        "item_id": work.item_id,
        "made_by": staff_id,
        "made_at": now,
    }
    if not crews.put_assignment(connection, values, work.crew, staff_id):
        _refuse_otherwise(connection, key, work, secret_key, staff_id)
        return key
    people.record_act(
        connection, "assignment_made", now, staff_id, assignment=str(key), kind=work.kind, crew=list(work.crew)
    )
    if is_open and work.rectification_id is not None:
        _tell_revisit(connection, work.rectification_id, key, work.day, staff_id, now)
    return key


def refuse_unfit(connection: Connection, work: Work, now: datetime) -> int:
    """The evaluation of work that may be made.

    Raises:
        Refused: every fault, as `assign`, whatever was made before.
    """
    owner = crews.owner_of(connection, work.site_id)
    if owner is None:
        raise Refused("assignment_site_unknown", "site")
    unit_id, evaluation_id = owner
    faults = [
        *_shape_faults(work, now),
        *_crew_faults(connection, work, unit_id),
        *_item_faults(connection, work, evaluation_id),
    ]
    if faults:
        raise Refused.of(faults)
    return evaluation_id


def _refuse_otherwise(connection: Connection, key: UUID, work: Work, secret_key: bytes, staff_id: int) -> None:
    """Refuse work whose id is that of other work, or of somebody else's: nobody may ask its seal by guessing."""
    row = crews.row_numbered(connection, key)
    if row is None or row.made_by != staff_id:
        raise Refused("assignment_made_otherwise")
    if row.withdrawn_at:
        raise Refused("assignment_withdrawn_already")
    site_id = row.site_id or open_goal(secret_key, key, row.sealed or b"").site_id
    crew = tuple(one.staff_id for one in crews.crews_of(connection, [key]).get(key, ()))
    made = Work(site_id, crew, row.day, row.kind, row.announced, row.item_id, key, work.rectification_id)
    if made != work:
        raise Refused("assignment_made_otherwise")


def _tell_revisit(  # noqa: PLR0913, PLR0917 - which of which, for what day, by whom and when
    connection: Connection, rectification_id: int, assignment_id: UUID, day: date, staff_id: int, now: datetime
) -> None:
    """Write into a rectification that it is looked at again, now that its unit may be named."""
    found = rectification_numbered(connection, rectification_id, lock=True)
    if found is None or found.status == "closed":
        return  # nothing is closed over a re-inspection, and nothing may keep other crews from their sites
    add_step(connection, rectification_id, "revisit", staff_id, now, day.isoformat())
    change_rectification(connection, rectification_id, {"assignment_id": assignment_id})
    about: dict[str, object] = {"rectification": rectification_id, "assignment": str(assignment_id)}
    people.record_act(connection, "rectification_revisit", now, staff_id, **about)


def _shape_faults(work: Work, now: datetime) -> Iterator[Fault]:
    if work.kind not in LEAST_CREW:
        yield Fault("assignment_kind_unknown", "kind", {"allowed": "、".join(LEAST_CREW)})
    if work.day < now.astimezone(CHINA).date():
        yield Fault("assignment_day_past", "day", {"day": work.day.isoformat()})
    least = LEAST_CREW.get(work.kind, 1)
    if not least <= len(set(work.crew)) <= MOST_CREW or len(set(work.crew)) < len(work.crew):
        yield Fault("assignment_crew_small", "crew", {"least": least, "most": MOST_CREW})


def _crew_faults(connection: Connection, work: Work, unit_id: int) -> Iterator[Fault]:
    known = crews.people_of(connection, work.crew)
    for one in dict.fromkeys(work.crew):
        person = known.get(one)
        if person is None or person.gone:
            yield Fault("assignment_crew_unfit", "crew", {"name": person.name if person else str(one)})
    for one, reason in crews.recused_among(connection, work.crew, unit_id).items():
        yield Fault("assignment_recused", "crew", {"name": known[one].name, "reason": reason})
    if work.kind == "third_party" and not any(person.organisation for person in known.values()):
        yield Fault("assignment_not_third_party", "crew")


def _item_faults(connection: Connection, work: Work, evaluation_id: int) -> Iterator[Fault]:
    if work.item_id is None:
        return
    item = item_numbered(connection, work.item_id)
    if item is None or item.withdrawn or item.evaluation_id != evaluation_id:
        yield Fault("assignment_item_unknown", "item")
    elif item.skill and not any(
        item.skill in person.skills for person in crews.people_of(connection, work.crew).values()
    ):
        yield Fault("assignment_skill_missing", "crew", {"skill": item.skill})
