"""The plan of a draw: how many units of each stratum, how they are chosen, and the hash that commits to it.

A plan that draws by tickets alone has the canonical text of a line `stratum,n` for each stratum, in byte order, so
its hash is that of `sort | sha256sum`. A plan that walks, weighs by size or carries tickets over from an earlier wave
has a longer text, which holds all that decides (`text_of`; the recipe is in docs/draw.md).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest

from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.frame import FAULTS_SHOWN, MISSING, Frame, acceptable, note, rows_of, shown

RESERVE = 5
RICH = "mingcha-plan/2"

SELECTIONS = ("tickets", "systematic", "pareto", "systematic_pps")
"""The smallest tickets; equal steps along the order; by size: Pareto's order sampling, equal steps along the sizes."""

ORDERS = ("none", "administrative", "serpentine", "hilbert")
"""As given; by the sorting code; by latitude bands, to and fro; along Hilbert's curve."""

_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class PlanLine:
    """How many units a stratum gives, and how; `place` is where the plan says so.

    `selection` is one of `SELECTIONS`, `order` of `ORDERS`; `reserve` is how many substitutes are named; `shift` is
    where on the circle of tickets, 2^256 long, this wave begins (0: at its start).
    """

    stratum: str
    n: int
    place: str
    selection: str = "tickets"
    order: str = "none"
    reserve: int = RESERVE
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The lines of a plan as given, the canonical text that decides, and its hash.

    `columns` are the frame's that the draw reads, in byte order; `permanent` is what tickets are made of instead of the
    draw's own seed, where the sample overlaps with an earlier wave's by choice.
    """

    lines: tuple[PlanLine, ...]
    text: str
    columns: tuple[str, ...] = ()
    permanent: str | None = None

    @property
    def sha256(self) -> str:
        """The hash that commits to the plan."""
        return sha256(self.text.encode()).hexdigest()


def read_plan(lines: Iterable[str], name: str = "plan") -> Plan:
    """A plan from the lines of a CSV with the columns `stratum` and `n`.

    Raises:
        Refused: every fault of the first twenty, each with `name:row`.
    """
    return plan_of(rows_of(lines, ("stratum", "n"), name))


def plan_of(rows: Iterable[tuple[str, str, str]]) -> Plan:
    """A plan from (place, stratum, n); n is a whole number in plain digits.

    Raises:
        Refused: as `read_plan`.
    """
    faults: list[Fault] = []
    lines: dict[str, PlanLine] = {}
    for place, stratum, n in rows:
        if not acceptable(stratum, "stratum", place, faults):
            continue
        if stratum in lines:
            note(faults, Fault("draw_stratum_twice", place, {"stratum": stratum}))
        elif not _WHOLE.fullmatch(n):
            note(faults, Fault("draw_size_not_whole", place, {"value": shown(n)}))
        else:
            lines[stratum] = PlanLine(stratum, int(n), place)
    if faults:
        raise Refused.of(faults)
    return plan_with(tuple(lines.values()))


def plan_with(lines: tuple[PlanLine, ...], facts_sha256: str = "", permanent: str | None = None) -> Plan:
    """A plan from its lines; no two of a stratum.

    Args:
        lines: in the order in which the record names them.
        facts_sha256: the frame's, where the draw reads further columns.
        permanent: see `Plan`.
    """
    columns = columns_of(lines)
    return Plan(lines, text_of(lines, columns, facts_sha256, permanent), columns, permanent)


def columns_of(lines: Iterable[PlanLine]) -> tuple[str, ...]:
    """The columns of the frame that a draw reads, in byte order."""
    return tuple(sorted({column for line in lines for column in needs(line.selection, line.order)}))


def needs(selection: str, order: str) -> tuple[str, ...]:
    """The columns that decide in a stratum: an order decides only where somebody walks along it."""
    size = ("size",) if selection in {"pareto", "systematic_pps"} else ()
    if selection not in {"systematic", "systematic_pps"}:
        return size
    return size + {"administrative": ("sort",), "none": ()}.get(order, ("latitude", "longitude"))


def text_of(lines: Iterable[PlanLine], columns: Sequence[str], facts_sha256: str, permanent: str | None) -> str:
    """The canonical text: `stratum,n` where tickets alone decide, else all that decides.

    The permanent text is in it by its hash, as the frame's facts are.
    """
    ordered = sorted(lines, key=lambda line: line.stratum)
    if permanent is None and all(line.selection == "tickets" for line in ordered):
        return "".join(f"{line.stratum},{line.n}\n" for line in ordered)
    facts = f"{'+'.join(columns)},{facts_sha256}" if columns else "-,-"
    secret = sha256(permanent.encode()).hexdigest() if permanent is not None else "-"
    head = f"{RICH}\nfacts,{facts}\npermanent,{secret}\n"
    return head + "".join(
        f"{line.stratum},{line.n},{line.selection},{line.order},{line.shift:064x}\n" for line in ordered
    )


def strata_of(text: str) -> set[str]:
    """The strata that a canonical text names."""
    lines = text.split("\n")
    return {line.partition(",")[0] for line in lines[3 if lines[0] == RICH else 0 :] if line}


def check_plan(frame: Frame, plan: Plan) -> None:
    """The plan asks only for what the frame has.

    Raises:
        Refused: every line that asks for an unknown stratum, for more units than there are, or for facts that some
            unit of the stratum lacks.
    """
    faults: list[Fault] = []
    for line in plan.lines:
        if line.stratum not in frame.members:
            faults.append(Fault("draw_stratum_unknown", line.place, {"stratum": line.stratum}))
            continue
        units = frame.members[line.stratum]
        if line.n > len(units):
            facts = {"stratum": line.stratum, "n": line.n, "N": len(units)}
            faults.append(Fault("draw_size_too_large", line.place, facts))
        faults += _lacking(frame, line)
    if faults:
        raise Refused.of(faults[:FAULTS_SHOWN])


def _lacking(frame: Frame, line: PlanLine) -> Iterator[Fault]:
    """The facts that decide in a stratum and that some unit lacks; sizes of 0, where too few are left to draw."""
    units = frame.members[line.stratum]
    for column in needs(line.selection, line.order):
        kept: Sequence[object] = frame.facts.get(column, {}).get(line.stratum, ())
        if len(kept) < len(units) or MISSING in kept or "" in kept:
            lacks = (unit for unit, one in zip_longest(units, kept) if one is None or one in {MISSING, ""})
            yield Fault(
                "draw_fact_missing", line.place, {"stratum": line.stratum, "column": column, "unit": next(lacks)}
            )
        elif column == "size" and line.n > (able := sum(map(bool, kept))):
            yield Fault("pps_too_few", line.place, {"n": line.n, "able": able})
