"""What everybody may know of a draw: the record that repeats it, and why somebody was drawn or was not."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from api.store import draws, reserves
from api.store.draws import Committed, Drawn
from api.store.frames import Frame
from survey_forms.sampling.plan_reading import read_plan_file
from survey_forms.sampling.rotation import shifted
from survey_forms.sampling.tickets import ticket

FORMAT = "mingcha-draw-record/1"
LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Answer:
    """Why somebody was drawn or was not. `role` is main, reserve, none, unplanned (no draw of the stratum) or unknown.

    `ticket` is what sha256sum finds of the text `told`; where tickets decide, `seen` is the ticket as the wave counts.
    """

    member: str
    role: str
    stratum: str = ""
    told: str = ""
    ticket: str = ""
    seen: str = ""
    place: int | None = None
    released: bool = False


def was_drawn(connection: Connection, found: Drawn, member: str) -> Answer:
    """Whether somebody was drawn, and the arithmetic of it. It takes the same steps whoever is asked for."""
    stratum = draws.stratum_of_member(connection, found.frame_id, member) or ""
    case = draws.case_of_member(connection, found.id, stratum, member)
    line = found.record["strata"].get(stratum, {})
    told = f"{found.record['permanent'] or found.seed}|{stratum}|{member}"
    own = ticket(found.record["permanent"] or found.seed, stratum, member)
    seen = shifted(own, int(line.get("shift", "0"), 16))
    if not stratum:
        return Answer(member, "unknown")
    if not line:
        return Answer(member, "unplanned", stratum)
    role = case.kind if case else "none"
    place, released = (case.position, case.released_at is not None) if case else (None, False)
    return Answer(member, role, stratum, told, own, seen, place, released)


def public_record(connection: Connection, held: Frame, plans: list[Committed], found: Drawn | None) -> dict[str, Any]:
    """What everybody may have of a frame's draw: all that decides, and nobody's id.

    `permanent_draw` is the number of the first wave's draw, of whose seed a later wave makes its tickets.
    """
    last = plans[0]
    turn = read_plan_file(last.source).rotation
    record: dict[str, Any] = {
        "format": FORMAT,
        "frame_sha256": held.digest,
        "members": held.members,
        "plan_sha256": last.digest,
        "plan_text": last.text,
        "plan_source": last.source,
        "permanent_draw": draws.first_wave(connection, turn.permanent) if turn else None,
        "randomness_source": last.randomness_source,
        "randomness_form": last.randomness_form or None,
        "known_from": last.known_from.isoformat(),
        "committed_at": last.committed_at.isoformat(),
        "committed_by": last.role,
        "earlier_plans": [{"sha256": one.digest, "at": one.committed_at.isoformat()} for one in plans[1:]],
        "refused": [
            {"code": one.code, "randomness": one.randomness, "at": one.tried_at.isoformat()}
            for one in draws.refusals_of(connection, held.id)
        ],
    }
    if found is None:
        return record
    counted = reserves.reserves_of(connection, found.id)
    return record | {
        "randomness": found.randomness,
        "seed": found.seed,
        "drawn_at": found.drawn_at.isoformat(),
        "drawn_by": found.role,
        **found.record,
        "released": {stratum: released for stratum, (_, released) in counted.items()},
    }
