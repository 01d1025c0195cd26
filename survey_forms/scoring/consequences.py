"""结果运用: what follows from a unit's grade, rank, violated conditions and records."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from survey_forms.numbers import ZERO, plain
from survey_forms.scheme.outcome import Consequence, Each, Measure, Repeated, Value, When
from survey_forms.scoring.unit import Record, UnitFacts


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a unit stands: its grade (None: undecided), and its rank among `units` in all.

    `percents` are supplied percentages by path; `this_year` the year after the latest that any record names.
    """

    unit: UnitFacts
    grade: str | None
    rank: int
    units: int
    percents: Mapping[str, Decimal]
    this_year: int


def consequences(listed: Iterable[Consequence], at: Standing) -> dict[str, Any]:
    """Consequence id → true, false, a decimal string, a list of records, or None while the grade is undecided."""
    found: dict[str, Any] = {}
    for entry in listed:
        if entry.each is None:
            found[entry.id] = _shown(entry, at)
        else:
            found[entry.id] = [_kept(entry.each, record) for record in at.unit.records.get(entry.each.facts, ())]
    return found


def value_of(value: Value, percents: Mapping[str, Decimal]) -> Decimal:
    """The number that a value states: base, plus, minus, within its limits."""
    base = percents[value.base] if isinstance(value.base, str) else value.base
    result = base + value.plus - value.minus
    if value.at_most is not None:
        result = min(result, value.at_most)
    return result if value.at_least is None else max(result, value.at_least)


def value_in_words(value: Value, percents: Mapping[str, Decimal]) -> str:
    """The same arithmetic as `value_of`, written out: "min(17 + 5, 20)"."""
    text = plain(percents[value.base] if isinstance(value.base, str) else value.base)
    text += f" + {plain(value.plus)}" if value.plus else ""
    text += f" − {plain(value.minus)}" if value.minus else ""
    text = f"min({text}, {plain(value.at_most)})" if value.at_most is not None else text
    return f"max({text}, {plain(value.at_least)})" if value.at_least is not None else text


def numbers_among(listed: Iterable[Consequence], at: Standing) -> dict[str, Value]:
    """Consequence id → the value that applies, of those that are numbers."""
    found = {entry.id: decided(entry, at) for entry in listed if entry.each is None}
    return {key: value for key, value in found.items() if value is not None and value.flag is None}


def decided(entry: Consequence, at: Standing) -> Value | None:
    """The value that applies: of the first `when` that holds, else the consequence's own."""
    for when in entry.when:
        if not _facts_hold(when, at):
            continue
        if when.grade and at.grade is None:
            return None
        if not when.grade or at.grade in when.grade:
            return when.value
    return entry.value


def _shown(entry: Consequence, at: Standing) -> bool | str | None:
    value = decided(entry, at)
    if value is None or value.flag is not None:
        return value.flag if value else None
    return plain(value_of(value, at.percents))


def _facts_hold(when: When, at: Standing) -> bool:
    """Whether every condition of `when` but the grade holds."""
    violated = at.unit.violated
    return (
        (not when.binding or any(one in violated or (one == "*" and violated) for one in when.binding))
        and (when.last is None or at.rank > at.units - when.last)
        and (when.total is None or sum(_measured(when.total, at), ZERO) > when.total.over)
        and (when.longest is None or max(_measured(when.longest, at), default=ZERO) > when.longest.over)
        and (when.repeated is None or _held_each_year(when.repeated, at))
    )


def _measured(measure: Measure, at: Standing) -> Iterable[Decimal]:
    for record in at.unit.records.get(measure.facts, ()):
        if all(record.get(name) in wanted for name, wanted in measure.match.items()):
            yield record.get(measure.of, ZERO)


def _held_each_year(repeated: Repeated, at: Standing) -> bool:
    """Whether the field was true in each of the years just before this one."""
    held = {record[repeated.year] for record in at.unit.records.get(repeated.facts, ()) if record[repeated.of]}
    return all(at.this_year - back in held for back in range(1, repeated.years + 1))


def _kept(each: Each, record: Record) -> dict[str, str]:
    """What one record keeps of a whole: {"id": "p1", "award_fraction": "2/3"}."""
    choice = record.get(each.by)
    kept = Fraction(1) - each.loses.get(choice, Fraction(0)) if choice else Fraction(1)
    return {**({"id": record["id"]} if "id" in record else {}), each.gives: str(kept)}
