"""A plan as an office writes it: a small TOML of strata, an allocation rule and ways of selection.

    allocation = "neyman"      # or every stratum's own n; see RULES
    total = 600
    minimum = 30               # also: cap, power, importance, budget
    selection = "systematic"   # also for one stratum alone; so order and reserve
    order = "hilbert"
    reserve = 100
    units_per_respondent = 20

    [rotation]                 # from the second wave on
    permanent = "the seed of the first wave's public draw"
    wave = 2
    overlap = 0.5

    [[stratum]]
    code = "resident-d1"
    spread = 9.1               # S_h; also: n, cost, mean, group

    [[group]]                  # for the rule "grouped"
    code = "residents"
    share = 0.5                # L_g; also: spread

`plan_reading.read_plan_file` reads it. `resolve` makes of it, for the sizes of a frame, the `Plan` that is committed
and drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.allocate import Number, by_weights, grouped, neyman, within_budget
from survey_forms.sampling.frame import FAULTS_SHOWN
from survey_forms.sampling.plan import Plan, PlanLine, needs, plan_with
from survey_forms.sampling.rotation import shift_of
from survey_forms.sampling.shares import cost_weights, kish_weights, power_weights

RULES: Mapping[str, tuple[str, ...]] = {
    "proportional": (),
    "equal": (),
    "neyman": ("spread",),
    "cost": ("spread", "cost"),
    "power": ("spread", "mean"),
    "kish": (),
    "grouped": ("group",),
}
"""The rules of allocation, and the facts of a stratum that each needs."""


@dataclass(frozen=True, slots=True)
class StratumPlan:
    """What the plan says of a stratum; facts that it does not give are None."""

    code: str
    place: str
    selection: str
    order: str
    reserve: int
    n: int | None = None
    spread: Fraction | None = None
    cost: Fraction | None = None
    mean: Fraction | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Rotation:
    """Which wave this is, of what permanent text, and the share of a wave that the next one keeps."""

    permanent: str
    wave: int
    overlap: Fraction


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan as written, without fault in itself. Without strata it is one for every stratum of the frame."""

    name: str
    strata: tuple[StratumPlan, ...]
    every: StratumPlan
    allocation: str | None
    total: int | None
    budget: Fraction | None
    minimum: int
    cap: int | None
    power: Fraction
    importance: Fraction
    groups: Mapping[str, Fraction]
    rotation: Rotation | None
    units_per_respondent: int | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the frame that the draw will read, in byte order."""
        asked = self.strata or (self.every,)
        return tuple(sorted({column for one in asked for column in needs(one.selection, one.order)}))


def resolve(plan: PlanFile, sizes: Mapping[str, int], facts_sha256: str = "") -> Plan:
    """The plan for a frame.

    Args:
        plan: as read.
        sizes: N_h of every stratum of the frame.
        facts_sha256: the frame's, read with `plan.columns`; may be left out to see the numbers alone.

    Raises:
        Refused: strata that the frame lacks, more units than it has, a total or budget that cannot be allocated.
    """
    strata = plan.strata or tuple(_named(plan.every, code) for code in sorted(sizes))
    faults = [
        Fault("draw_stratum_unknown", one.place, {"stratum": one.code}) for one in strata if one.code not in sizes
    ]
    faults += [
        Fault("draw_size_too_large", one.place, {"stratum": one.code, "n": one.n, "N": sizes[one.code]})
        for one in strata
        if one.n is not None and one.n > sizes.get(one.code, one.n)
    ]
    if faults:
        raise Refused.of(faults[:FAULTS_SHOWN])
    if not strata:
        raise Refused("draw_plan_empty", plan.name)
    try:
        given = _allocated(plan, strata, {one.code: sizes[one.code] for one in strata})
    except Refused as refused:
        raise Refused(refused.code, f"{plan.name}:{refused.faults[0].path}", **refused.faults[0].facts) from refused
    turn = plan.rotation
    lines = tuple(
        PlanLine(
            one.code,
            given[one.code],
            one.place,
            one.selection,
            one.order,
            one.reserve,
            shift_of(turn.wave, turn.overlap, given[one.code], sizes[one.code]) if turn else 0,
        )
        for one in strata
    )
    return plan_with(lines, facts_sha256, turn.permanent if turn else None)


def _named(every: StratumPlan, code: str) -> StratumPlan:
    return StratumPlan(code, every.place, every.selection, every.order, every.reserve)


def _allocated(plan: PlanFile, strata: tuple[StratumPlan, ...], sizes: Mapping[str, int]) -> dict[str, int]:
    """n_h by the plan's rule, or as each stratum says."""
    if plan.allocation is None:
        return {one.code: one.n or 0 for one in strata}
    spreads = {one.code: one.spread or Fraction(0) for one in strata}
    costs = {one.code: one.cost or Fraction(1) for one in strata}
    low, high = plan.minimum, plan.cap
    if plan.budget is not None:
        return within_budget(sizes, spreads, costs, plan.budget, low, high)
    total = plan.total or 0
    weights: Mapping[str, Number] = sizes
    match plan.allocation:
        case "neyman":
            return neyman(sizes, spreads, total, low, high)
        case "grouped":
            group_of = {one.code: one.group or "" for one in strata}
            weights = {group: plan.groups[group] for group in dict.fromkeys(group_of.values())}
            return grouped(weights, group_of, sizes, total, low, high)
        case "equal":
            weights = dict.fromkeys(sizes, 1)
        case "cost":
            weights = cost_weights(sizes, spreads, costs)
        case "power":
            weights = power_weights(sizes, spreads, {one.code: one.mean or Fraction(1) for one in strata}, plan.power)
        case "kish":
            weights = kish_weights(sizes, plan.importance)
    return by_weights(weights, sizes, total, low, high)
