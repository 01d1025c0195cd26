"""Which reserve may be let out: the next in line of the same stratum, and only when its predecessor is out for good.

A released reserve is a case of its own: predecessor and replacement both stand in every rate, each once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from survey_forms.refusal import Refused


@dataclass(frozen=True, slots=True)
class LineCase:
    """A case of one stratum as the rule sees it.

    `position` is its place in the draw's line, reserves after the sample. `kind` is `main` or `reserve`; `final` tells
    that it has a final outcome and no more attempts follow, `answered` that this is an interview; `released` matters of
    reserves alone, `replaces` is the unit in whose stead it was let out.
    """

    unit_id: str
    stratum: str
    position: int
    kind: str
    final: bool = False
    answered: bool = False
    released: bool = False
    replaces: str | None = None


def next_reserve(cases: Sequence[LineCase], predecessor: str) -> LineCase:
    """The reserve to let out for a case that is lost.

    Args:
        cases: all of the predecessor's stratum at least, in any order.
        predecessor: the unit that is lost.

    Raises:
        Refused: `reserve_unknown`, `reserve_not_released`, `reserve_predecessor_open`, `reserve_predecessor_answered`,
            `reserve_replaced_already`, `reserve_none_left`; the path is the predecessor.
    """
    lost = next((case for case in cases if case.unit_id == predecessor), None)
    if lost is None or lost.kind not in {"main", "reserve"}:
        raise Refused("reserve_unknown", predecessor)
    if lost.kind == "reserve" and not lost.released:
        raise Refused("reserve_not_released", predecessor)
    if not lost.final:
        raise Refused("reserve_predecessor_open", predecessor)
    if lost.answered:
        raise Refused("reserve_predecessor_answered", predecessor)
    if any(case.replaces == predecessor for case in cases):
        raise Refused("reserve_replaced_already", predecessor)
    waiting = [case for case in cases if case.kind == "reserve" and not case.released and case.stratum == lost.stratum]
    if not waiting:
        raise Refused("reserve_none_left", predecessor, stratum=lost.stratum)
    return min(waiting, key=lambda case: case.position)
