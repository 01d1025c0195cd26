"""From a frame to its sample: a plan is committed with a randomness that nobody knows yet, then somebody else draws.

Whoever commits cannot draw, nobody draws before the named moment, and once that moment has passed no other plan can be
committed for the frame: a result that displeases cannot be exchanged (draw_rules.py has what else nobody may choose).
What was refused is kept and shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import sqrt
from typing import Any

from sqlalchemy import Connection

from api.actions.draw_rules import check_permanent, check_rotation, check_spelling, check_strata, unfit_names
from api.actions.frames import OPEN_ROUNDS
from api.actions.sealed_words import Safe
from api.store import draws, evaluations, frames, listed, people, survey_setup
from api.store.draws import Committed
from api.store.frames import Frame
from api.store.windows import hold_window, window_of
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.drawing import Draw, StratumDraw, draw_plan, tickets_of
from survey_forms.sampling.frame import Frame as Members
from survey_forms.sampling.frame import frame_of
from survey_forms.sampling.plan import Plan, PlanLine
from survey_forms.sampling.plan_file import resolve
from survey_forms.sampling.plan_reading import read_plan_file
from survey_forms.sampling.shares import variance_of_mean
from survey_forms.sampling.traits import wcell_of

LONGEST_RANDOMNESS = 500
Z95 = 1.959963984540054
SPREAD = Fraction(15)
"""S where a plan tells none: the standard deviation of answers on a scale of 100 points (statistics.md section 4)."""
REFUSALS = frozenset(
    {
        *("draw_twice", "draw_strata_drawn", "draw_too_early", "draw_same_person", "draw_plan_uncommitted"),
        *("draw_randomness_unfit", "plan_ripe", "plan_strata_elsewhere"),
    }
)
"""Refused draws and plans that everybody is told of."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """What is committed: the plan as written, which randomness will decide, when that is known and how it is spelt."""

    source: str
    randomness_source: str
    known_from: datetime
    randomness_form: str


@dataclass(frozen=True, slots=True)
class Share:
    """A stratum of a plan: N, n, and half the width of the 95 % interval that n answers give, in points of 100."""

    stratum: str
    size: int
    n: int
    reserve: int
    half: float | None


@dataclass(frozen=True, slots=True)
class Looked:
    """A plan as it would be committed, stratum by stratum; `half` is of the mean over all strata."""

    shares: tuple[Share, ...]
    total: int
    half: float | None


def look_at_plan(connection: Connection, frame_id: int, source: str) -> Looked:
    """What a plan gives with this frame, before anything is committed.

    Raises:
        Refused: `not_found`; as `read_plan_file` and `resolve`.
    """
    if frames.frame_numbered(connection, frame_id) is None:
        raise Refused("not_found")
    told = read_plan_file(source)
    sizes = frames.sizes_of(connection, frame_id)
    plan = resolve(told, sizes)
    spreads = {one.code: one.spread or SPREAD for one in told.strata}
    given = {line.stratum: line.n for line in plan.lines}
    spread_of = {code: spreads.get(code, SPREAD) for code in given}
    shares = tuple(_share(line, sizes[line.stratum], spread_of[line.stratum]) for line in plan.lines)
    asked = {code: sizes[code] for code in given}
    half = Z95 * sqrt(variance_of_mean(asked, spread_of, given)) if all(given.values()) else None
    return Looked(shares, sum(given.values()), half)


def commit_plan(connection: Connection, frame_id: int, said: Commitment, staff_id: int, now: datetime) -> int:
    """Commit a plan for a frame; from then on it is public. Returns its key.

    Raises:
        Refused: `not_found`, `frame_round_over`, `draw_twice`; `plan_ripe` when the randomness of the plan before may
            be known already; the faults of the plan and of what was said, all at once; `plan_strata_elsewhere`.
    """
    held = _held(connection, frame_id)
    if draws.draw_of(connection, frame_id):
        raise Refused("draw_twice")
    known = draws.plans_of(connection, frame_id)
    if known and known[0].known_from <= now:
        raise Refused("plan_ripe", known=known[0].known_from.isoformat(timespec="minutes"))
    faults = list(_wrong(said, now))
    try:
        plan, _ = _resolved(connection, held, said.source)
        check_rotation(connection, held.survey_id, read_plan_file(said.source))
        _carry_units(connection, held.survey_id, read_plan_file(said.source).units_per_respondent)
    except Refused as refused:
        raise Refused.of([*refused.faults, *faults]) from refused
    if faults:
        raise Refused.of(faults)
    check_strata(connection, held.survey_id, frame_id, plan.text)
    plan_id = draws.add_plan(
        connection,
        {
            "frame_id": frame_id,
            "text": plan.text,
            "digest": plan.sha256,
            "source": said.source,
            "randomness_source": f"{said.randomness_source.strip()}\n{said.randomness_form.strip()}",
            "known_from": said.known_from,
            "committed_by": staff_id,
            "committed_at": now,
        },
    )
    people.record_act(connection, "plan_committed", now, staff_id, frame=frame_id, plan=plan_id, digest=plan.sha256)
    return plan_id


def draw_frame(  # noqa: PLR0913, PLR0917 - whose contacts, which frame, by what, who, when
    connection: Connection, safe: Safe, frame_id: int, randomness: str, staff_id: int, now: datetime
) -> int:
    """Draw by the last committed plan; write the cases, their contacts and the record. Returns the draw.

    Raises:
        Refused: one of `REFUSALS`, `not_found`, `frame_round_over`, `draw_randomness_missing`, `draw_frame_changed`.
    """
    held = _held(connection, frame_id)
    committed = _may_draw(connection, held, staff_id, now)
    if len(randomness) > LONGEST_RANDOMNESS:
        raise Refused("text_too_long", "randomness", most=LONGEST_RANDOMNESS)
    check_spelling(committed.randomness_form, randomness.strip())
    plan, members = _resolved(connection, held, committed.source)
    if members.sha256 != held.digest or plan.text != committed.text:
        raise Refused("draw_frame_changed")
    drawn = draws.drawn_strata(connection, held.survey_id)
    if twice := sorted(drawn & {line.stratum for line in plan.lines if line.n}):
        raise Refused("draw_strata_drawn", strata="、".join(twice[:12]))
    drawing = draw_plan(members, plan, randomness.strip())
    draw_id = draws.add_draw(
        connection,
        {
            "frame_id": frame_id,
            "plan_digest": drawing.plan_sha256,
            "plan": {one.stratum: one.n for one in drawing.strata},
            "randomness": drawing.randomness,
            "seed": drawing.seed,
            "record": {
                "facts_sha256": drawing.facts_sha256,
                "permanent": drawing.permanent,
                "strata": {one.stratum: _published(one) for one in drawing.strata},
            },
            "drawn_by": staff_id,
            "drawn_at": now,
        },
    )
    _add_cases(connection, safe, held, draw_id, drawing)
    people.record_act(connection, "frame_drawn", now, staff_id, frame=frame_id, draw=draw_id, seed=drawing.seed)
    return draw_id


def note_refusal(  # noqa: PLR0913, PLR0917 - as draw_frame
    connection: Connection, frame_id: int, code: str, randomness: str, staff_id: int, now: datetime
) -> None:
    """Keep that a draw or plan was tried and refused, in a transaction of its own: the one that tried is undone."""
    kept = randomness[:LONGEST_RANDOMNESS].replace("\x00", "\ufffd")
    values = {"frame_id": frame_id, "code": code, "randomness": kept, "tried_by": staff_id, "tried_at": now}
    draws.add_refusal(connection, values)
    people.record_act(connection, "draw_refused", now, staff_id, frame=frame_id, code=code)


def _held(connection: Connection, frame_id: int) -> Frame:
    """A frame whose survey is held, as long as the round still is to be or runs: one line of plans, one at a time."""
    found = frames.frame_numbered(connection, frame_id)
    window = hold_window(connection, found.survey_id) if found else None
    if found is None or window is None:
        raise Refused("not_found")
    if window.round_status not in OPEN_ROUNDS:
        raise Refused("frame_round_over")
    return found


def _may_draw(connection: Connection, held: Frame, staff_id: int, now: datetime) -> Committed:
    """The plan to draw by, if this person may draw now."""
    if draws.draw_of(connection, held.id):
        raise Refused("draw_twice")
    plans = draws.plans_of(connection, held.id)
    if not plans:
        raise Refused("draw_plan_uncommitted")
    last = plans[0]
    if now < last.known_from:
        raise Refused("draw_too_early", known=last.known_from.isoformat(timespec="minutes"))
    if last.committed_by == staff_id:
        raise Refused("draw_same_person")
    return last


def _wrong(said: Commitment, now: datetime) -> Iterator[Fault]:
    yield from unfit_names(said.randomness_source.strip(), said.randomness_form.strip())
    if said.known_from <= now:
        yield Fault("plan_known_too_early", "known_from")


def _carry_units(connection: Connection, survey_id: int, wished: int | None) -> None:
    """Let each respondent rate as many units as the plan says; an open survey keeps what it began with."""
    window = window_of(connection, survey_id)
    if wished is None or window is None:
        return
    units = len(evaluations.units_of(connection, window.evaluation_id))
    if not 0 < wished < max(units, 1):
        raise Refused("survey_units_unfit", "plan.toml:units_per_respondent", units=units)
    if not survey_setup.set_units_per_respondent(connection, survey_id, wished, draft=window.round_status == "draft"):
        raise Refused("plan_units_fixed", "plan.toml:units_per_respondent", wished=wished)


def _resolved(connection: Connection, held: Frame, source: str) -> tuple[Plan, Members]:
    """A plan for a frame, and the frame with the columns that the plan reads."""
    told = read_plan_file(source)
    check_permanent(connection, told)
    columns = told.columns
    rows = frames.members_by_stratum(connection, held.id, columns)
    members = frame_of((("", *row) for row in rows), columns)
    return resolve(told, members.sizes, members.facts_sha256), members


def _share(line: PlanLine, size: int, spread: Fraction) -> Share:
    """A line of a plan with what it promises; a whole stratum leaves no reserve."""
    one = line.stratum
    half = Z95 * sqrt(variance_of_mean({one: size}, {one: spread}, {one: line.n})) if line.n else None
    return Share(one, size, line.n, min(line.reserve, size - line.n), half)


def _published(one: StratumDraw) -> dict[str, Any]:
    return {
        "N": one.size,
        "n": one.n,
        "reserve": len(one.reserve),
        "selection": one.selection,
        "order": one.order,
        "shift": f"{one.shift:064x}",
        "threshold": one.threshold,
    }


def _add_cases(connection: Connection, safe: Safe, held: Frame, draw_id: int, drawing: Draw) -> None:
    """Write sample and reserves with their weighting cells, and their contacts, sealed anew for each case."""
    for one in drawing.strata:
        ids = [*one.sample, *one.reserve]
        about = draws.facts_of_members(connection, held.id, ids)
        tickets = dict(tickets_of(drawing, one))
        case_ids = draws.add_cases(
            connection,
            (
                {
                    "draw_id": draw_id,
                    "stratum": one.stratum,
                    "member": member,
                    "ticket": tickets[member],
                    "position": place + 1,
                    "kind": "main" if place < one.n else "reserve",
                    "inclusion": float(one.inclusion(place)),
                    "wcell": wcell_of(about[member][0], one.stratum),
                }
                for place, member in enumerate(ids)
            ),
        )
        _keep_contacts(connection, safe, held, {case_ids[member]: (member, about[member][1]) for member in ids})


def _keep_contacts(
    connection: Connection, safe: Safe, held: Frame, sealed: Mapping[int, tuple[str, bytes | None]]
) -> None:
    import_id = frames.import_of_frame(connection, held.id)
    if import_id is None:
        return  # a frame that was not read from a file has no contacts
    contacts = {
        case_id: safe.seal_contact(case_id, safe.open_member(import_id, member, contact))
        for case_id, (member, contact) in sealed.items()
        if contact
    }
    listed.put_contacts(connection, contacts)
