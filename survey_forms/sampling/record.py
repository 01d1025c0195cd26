"""The record of a draw as it is published (JSON): all that anybody needs to draw again, and what came of it.

A plan of tickets alone with five reserves a stratum has the format `survey-draw/1`; any other has `survey-draw/2`,
whose strata name their method. docs/draw.md says how to repeat both.
"""

from typing import Any

from survey_forms.sampling.drawing import Draw, StratumDraw
from survey_forms.sampling.plan import RESERVE, Plan

PERMANENT = "the seed of the first wave's public draw: find it published there; this command cannot know"


def record_of(plan: Plan, drawing: Draw) -> dict[str, Any]:
    """The record; its values are numbers, texts, tuples and dicts alone."""
    common = {
        "randomness": drawing.randomness,
        "frame_sha256": drawing.frame_sha256,
        "plan_sha256": drawing.plan_sha256,
        "seed": drawing.seed,
    }
    if _is_plain(plan):
        return {
            "format": "survey-draw/1",
            **common,
            "strata": {drawn.stratum: _plain(drawn) for drawn in drawing.strata},
        }
    return {
        "format": "survey-draw/2",
        **common,
        "plan": plan.text,
        "columns": plan.columns,
        "facts_sha256": drawing.facts_sha256 or None,
        "permanent": drawing.permanent,
        **({"permanent_must_be": PERMANENT} if drawing.permanent is not None else {}),
        "strata": {drawn.stratum: _rich(drawn) for drawn in drawing.strata},
    }


def _is_plain(plan: Plan) -> bool:
    return plan.permanent is None and all(
        line.selection == "tickets" and line.reserve == RESERVE for line in plan.lines
    )


def _plain(drawn: StratumDraw) -> dict[str, Any]:
    return {
        "N": drawn.size,
        "n": drawn.n,
        "srs_sample": drawn.sample,
        "reserve_first5": drawn.reserve,
        "srs_threshold": drawn.threshold,
        "systematic_indices_0based": drawn.systematic,
    }


def _rich(drawn: StratumDraw) -> dict[str, Any]:
    """`inclusion` is one fraction for all, or one each of sample, then reserve; `places` are those of a walk."""
    walks = drawn.selection.startswith("systematic")
    each = tuple(f"{chance.numerator}/{chance.denominator}" for chance in drawn.chances)
    return {
        "N": drawn.size,
        "n": drawn.n,
        "selection": drawn.selection,
        "order": drawn.order if walks else "none",
        "shift": f"{drawn.shift:064x}",
        "inclusion": each or f"{drawn.n}/{drawn.size}",
        "sample": drawn.sample,
        "reserve": drawn.reserve,
        "threshold": drawn.threshold,
        "places": drawn.systematic if walks else None,
    }
