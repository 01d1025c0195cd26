"""What an office may not choose, so that public randomness alone decides: a rotation's text, a frame, a spelling.

Tickets of a later wave are made of the first wave's seed, which a public draw gave; a survey's stratum has one frame;
and the text of the randomness has a form that was committed with the plan, so that one result makes one seed.
"""

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import Connection

from api.store import draws
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.plan import strata_of
from survey_forms.sampling.plan_file import PlanFile

LONGEST_SOURCE = 300
LONGEST_FORM = 120
LEAST_DIGITS = 6
"""Of a form: with fewer outcomes, whoever writes the frame could work the sample of each one out beforehand."""
DIGIT = "#"


def unfit_names(name: str, form: str) -> Iterator[Fault]:
    """What is wrong with how the randomness to come was described; both are one line."""
    if not 0 < len(name) <= LONGEST_SOURCE or not name.isprintable():
        yield Fault("plan_randomness_unnamed", "randomness_source", {"most": LONGEST_SOURCE})
    if len(form) > LONGEST_FORM or form.count(DIGIT) < LEAST_DIGITS or not form.isprintable():
        yield Fault("plan_form_unfit", "randomness_form", {"most": LONGEST_FORM, "least": LEAST_DIGITS})


def fits(form: str, text: str) -> bool:
    """Whether a text is of a form: each # is one digit 0 to 9, everything else stands as it is."""
    return len(form) == len(text) and all(
        letter in "0123456789" if mark == DIGIT else letter == mark for mark, letter in zip(form, text, strict=True)
    )


def check_spelling(form: str, randomness: str) -> None:
    """Refuse a randomness that is not spelt as was committed; plans of old told no form.

    Raises:
        Refused: `draw_randomness_missing`, `draw_randomness_unfit`.
    """
    if not randomness:
        raise Refused("draw_randomness_missing", "randomness")
    if form and not fits(form, randomness):
        raise Refused("draw_randomness_unfit", "randomness", form=form)


def check_permanent(connection: Connection, told: PlanFile) -> None:
    """Refuse tickets that are made of anything but the seed of a first wave that was drawn and published here.

    Raises:
        Refused: `plan_permanent_unknown`.
    """
    turn = told.rotation
    if turn and (turn.wave == 1 or draws.first_wave(connection, turn.permanent) is None):
        raise Refused("plan_permanent_unknown", f"{told.name}:rotation.permanent")


def check_rotation(connection: Connection, survey_id: int, told: PlanFile) -> None:
    """Refuse another start than the next wave's, at the overlap that wave 1's plan told before its seed existed.

    Raises:
        Refused: `plan_rotation_unlike`.
    """
    turn = told.rotation
    frame_id = draws.first_wave(connection, turn.permanent) if turn else None
    if turn is None or frame_id is None:
        return
    wave = 2 + draws.waves_since(connection, turn.permanent, survey_id)
    first = tomllib.loads(draws.plans_of(connection, frame_id)[0].source, parse_float=Decimal).get("rotation", {})
    overlap = first.get("overlap")
    if turn.wave != wave or overlap is None or turn.overlap != Fraction(overlap):
        raise Refused(
            "plan_rotation_unlike", f"{told.name}:rotation", wave=wave, overlap="—" if overlap is None else str(overlap)
        )


def check_strata(connection: Connection, survey_id: int, frame_id: int, text: str) -> None:
    """Refuse strata for which another frame of the survey has a plan or a draw, whatever became of it.

    Raises:
        Refused: `plan_strata_elsewhere`.
    """
    taken = draws.drawn_strata(connection, survey_id)
    for other in draws.texts_elsewhere(connection, survey_id, frame_id):
        taken |= strata_of(other)
    if twice := sorted(taken & strata_of(text)):
        raise Refused("plan_strata_elsewhere", strata="、".join(twice[:12]))
