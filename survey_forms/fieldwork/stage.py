"""How a case moves: from its attempts and the plan to the mode that has it now and the time before which it rests.

The rule looks at the case's own attempts and at nothing else. In particular no stratum, area or quota cell decides who
is visited: visits to the refusals of one area only would make that area's answers another kind of answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from survey_forms.estimation.outcomes import class_of, final_of
from survey_forms.fieldwork.consequences import consequence_of
from survey_forms.fieldwork.plan import Plan

REFUSALS = 2
"""The second refusal is final."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to reach a case."""

    mode: str
    outcome: str
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case is: its stage (a mode, or done), its strongest outcome so far, and until when it rests."""

    stage: str
    outcome: str | None = None
    attempts: int = 0
    refusals: int = 0
    not_before: datetime | None = None


def standing(stage: str, attempts: Sequence[Attempt], plan: Plan) -> Standing:
    """Where a case is after its attempts.

    Args:
        stage: where it was before the last of them; a case is never sent back to an earlier mode.
        attempts: all of them, the oldest first.
        plan: how the survey is worked.
    """
    if not attempts or stage == "done":
        return Standing(stage, final_of([one.outcome for one in attempts]) if attempts else None, len(attempts))
    last = attempts[-1]
    refusals = sum(class_of(one.outcome) == "R" for one in attempts)
    follows = consequence_of(last.outcome)
    here = [one for one in attempts if one.mode == stage]
    if follows.kind == "final" or refusals >= REFUSALS:
        stage = "done"
    elif (follows.kind == "leave" and last.mode == stage) or len(here) >= _most(stage, plan):
        stage = plan.after(stage)
    if follows.kind == "refusal":
        rests = timedelta(days=plan.cooling_days)
    else:
        rests = timedelta(minutes=plan.spacing_minutes if follows.minutes is None else follows.minutes)
    return Standing(
        stage,
        final_of([one.outcome for one in attempts]),
        len(attempts),
        refusals,
        None if stage == "done" else last.ended_at + rests,
    )


def _most(stage: str, plan: Plan) -> float:
    """After how many attempts of a mode the next one has its turn; the web's invitations are never counted."""
    return {"phone": plan.most_calls, "visit": plan.most_visits}.get(stage, float("inf"))
