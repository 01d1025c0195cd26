"""How a survey is to be worked: which modes in which order, when, how often, and what is said first."""

from collections.abc import Sequence
from dataclasses import dataclass

from survey_forms.refusal import Fault, Refused

MODES = ("web", "phone", "visit")
"""In the order of their cost. A plan leaves some out; it never changes their order."""

DAY_MINUTES = 24 * 60
LONGEST_SCRIPT = 4000


@dataclass(frozen=True, slots=True)
class Plan:
    """How a survey is worked. Hours are minutes after midnight in China."""

    modes: tuple[str, ...] = MODES
    script_zh: str = ""
    script_en: str = ""
    calls_from: int = 9 * 60
    calls_until: int = 21 * 60
    spacing_minutes: int = 180  # between two attempts on a case
    cooling_days: int = 7  # after a first refusal
    most_calls: int = 6
    most_visits: int = 3
    hold_minutes: int = 15  # without a sign of life of the page that holds a case
    backcheck_percent: int = 10

    def after(self, mode: str) -> str:
        """The stage that follows a mode: the plan's next, or `done`."""
        return next((one for one in self.modes if MODES.index(one) > MODES.index(mode)), "done")


LIMITS: dict[str, tuple[int, int]] = {
    "calls_from": (0, DAY_MINUTES - 1),
    "calls_until": (1, DAY_MINUTES),
    "spacing_minutes": (0, 30 * DAY_MINUTES),
    "cooling_days": (0, 60),
    "most_calls": (1, 50),
    "most_visits": (1, 20),
    "hold_minutes": (2, 120),
    "backcheck_percent": (0, 100),
}
"""The least and the most of each number of a plan."""


def check_plan(plan: Plan) -> None:
    """Whether a survey can be worked like this.

    Raises:
        Refused: every fault at once: `fieldwork_modes_wrong`, `fieldwork_number_wrong` (path: which, facts: `least`,
            `most`), `fieldwork_hours_wrong`, `fieldwork_script_missing`, `fieldwork_script_long`.
    """
    faults: list[Fault] = []
    if not plan.modes or list(plan.modes) != [mode for mode in MODES if mode in plan.modes]:
        faults.append(Fault("fieldwork_modes_wrong", "modes"))
    wrong = [name for name, (least, most) in LIMITS.items() if not least <= getattr(plan, name) <= most]
    faults += [_out_of_limits(name) for name in wrong]
    if not {"calls_from", "calls_until"} & set(wrong) and plan.calls_until <= plan.calls_from:
        faults.append(Fault("fieldwork_hours_wrong", "calls_until"))
    speaks = {"phone", "visit"} & set(plan.modes)
    if speaks and not plan.script_zh.strip():
        faults.append(Fault("fieldwork_script_missing", "script_zh"))
    for name in ("script_zh", "script_en"):
        if len(getattr(plan, name)) > LONGEST_SCRIPT:
            faults.append(Fault("fieldwork_script_long", name, {"most": LONGEST_SCRIPT}))
    if faults:
        raise Refused.of(faults)


def modes_in_order(chosen: Sequence[str]) -> tuple[str, ...]:
    """The modes that were ticked, in their order; what is no mode stays out."""
    return tuple(mode for mode in MODES if mode in chosen)


def _out_of_limits(name: str) -> Fault:
    least, most = LIMITS[name]
    return Fault("fieldwork_number_wrong", name, {"least": least, "most": most})
