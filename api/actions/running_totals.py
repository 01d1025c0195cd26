"""What stands against each unit now, ledger by ledger, and what the scheme's caps cut off: before any composite is."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from api.store.evaluations import Evaluation
from api.store.ledger import Entry
from survey_forms.numbers import EXACT, ZERO
from survey_forms.scheme.components import Component
from survey_forms.scheme.load import load_scheme
from survey_forms.scoring import ledger as reckoned
from survey_forms.scoring.ledger import Cut


@dataclass(frozen=True, slots=True)
class RunningTotal:
    """One unit's standing deductions from one component.

    `entered` is their sum, `counts` what the caps let through, and `cuts` the difference, cap by cap. `words` is the
    arithmetic written out. `below` is what the component's floor will not let through, were nothing added to it.
    """

    unit_id: int
    component: Component
    entries: int
    entered: Decimal
    counts: Decimal
    cuts: tuple[Cut, ...]
    words: str
    below: Decimal


def running_totals(evaluation: Evaluation, entries: Sequence[Entry]) -> list[RunningTotal]:
    """The totals of an evaluation's entries, by unit and then in the scheme's order of components.

    Args:
        evaluation: whose scheme sets the caps.
        entries: all of its entries, or all of some units'; reversed ones and their reversals count for nothing.
    """
    scheme = load_scheme(evaluation.scheme)
    place = {path: number for number, path in enumerate(scheme.by_path)}
    ledgers: defaultdict[tuple[int, str], list[reckoned.Entry]] = defaultdict(list)
    ruled = {one.id for one in scheme.rules}
    gone = {entry.reverses for entry in entries}
    for entry in entries:
        if entry.reverses is None and entry.seq not in gone and entry.component in place:
            ledgers[entry.unit_id, entry.component].append(_line(entry, ruled))
    with localcontext(EXACT):
        return [
            _total(unit_id, scheme.by_path[path], lines, reckoned.caps_of_ledger(scheme, path))
            for (unit_id, path), lines in sorted(ledgers.items(), key=lambda item: (item[0][0], place[item[0][1]]))
        ]


def _line(entry: Entry, ruled: set[str]) -> reckoned.Entry:
    """An entry as it is scored: only rules that the scheme knows are told apart."""
    rule = entry.rule if entry.rule in ruled else ""
    return reckoned.Entry(f"L{entry.seq}", entry.component, entry.points, entry.aspect or "", rule)


def _total(unit_id: int, component: Component, lines: list[reckoned.Entry], caps: reckoned.Caps) -> RunningTotal:
    entered = sum((line.points for line in lines), ZERO)
    counts = reckoned.deducted(lines, caps)
    room = None if component.start is None or component.floor is None else component.start - component.floor
    return RunningTotal(
        unit_id,
        component,
        len(lines),
        entered,
        counts,
        reckoned.cuts(lines, caps, component.article),
        reckoned.sum_in_words(lines, caps),
        ZERO if room is None else max(counts - room, ZERO),
    )
