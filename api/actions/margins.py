"""Margins: how many persons of a group's population have each level of each trait; residents are raked to them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from api.actions.csv_sheet import cell_fault, letter, read_headings, read_lines, refuse, short
from api.store import people, surveys, weightings
from api.store.weightings import Margin
from survey_forms.numbers import plain_decimal
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.traits import traits_of, wcell_of

GROUP, TRAIT, LEVEL, TOTAL = COLUMNS = ("群体代码", "特征", "取值", "人数")
ENGLISH = dict(zip(("group", "trait", "level", "total"), COLUMNS, strict=True))
LARGEST_TOTAL = 2_000_000_000

Levels = Mapping[str, Mapping[str, Collection[str]]]
"""Group → trait → the levels that its sample has."""


@dataclass(frozen=True, slots=True)
class Line:
    """A margin and the row of the sheet that it stands on."""

    number: int  # as Excel counts
    margin: Margin


def set_margins(connection: Connection, survey_id: int, content: bytes, staff_id: int, now: datetime) -> int:
    """Put a sheet's margins in the place of all that a survey has; returns how many.

    Raises:
        Refused: `not_found`; every fault of the sheet at once.
    """
    populations = populations_of(connection, survey_id)
    if not populations:
        raise Refused("not_found", "survey")
    found = read_margins(content, populations, levels_of(connection, survey_id))
    weightings.put_margins(connection, survey_id, found)
    people.record_act(connection, "margins_set", now, staff_id, survey=survey_id, margins=len(found))
    return len(found)


def read_margins(content: bytes, populations: Mapping[str, int], levels: Levels) -> list[Margin]:
    """The margins of a sheet.

    Args:
        content: the file's bytes.
        populations: group → persons in all its strata.
        levels: of the groups that were drawn with traits; others cannot be compared yet.

    Raises:
        Refused: every fault, with row and column: of cells, of levels that the sample does not have or that are
            left out, and of traits whose totals differ from the population.
    """
    numbered = read_lines(content)
    heads = read_headings(numbered[0][1], COLUMNS, ENGLISH, {one: [one] for one in COLUMNS}) if numbered else []
    faults: list[Fault] = []
    lines = []
    for number, cells in numbered[1:]:
        found, wrong = _line(number, heads, cells, populations)
        faults += wrong
        lines += [found] if found else []
    if not lines and not faults:
        raise Refused("csv_empty")
    refuse([*faults, *_at_odds(lines, populations, levels)])
    return [line.margin for line in lines]


def populations_of(connection: Connection, survey_id: int) -> dict[str, int]:
    """Group → persons in its strata."""
    found: defaultdict[str, int] = defaultdict(int)
    for one in surveys.strata_of(connection, survey_id):
        found[one.group] += one.population
    return dict(found)


def levels_of(connection: Connection, survey_id: int) -> Levels:
    """The levels that the drawn cases of each group have."""
    group_of = {one.code: one.group for one in surveys.strata_of(connection, survey_id)}
    found: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for stratum, wcell in weightings.cells_drawn(connection, survey_id):
        for trait, level in traits_of(wcell).items():
            found[group_of[stratum]][trait].add(level)
    return found


def _line(
    number: int, heads: Collection[str], cells: Collection[str], populations: Mapping[str, int]
) -> tuple[Line | None, list[Fault]]:
    """The line, or its faults."""
    faults = []
    if any(cell.strip() for cell in list(cells)[len(heads) :]):
        faults.append(cell_fault("csv_cells_left_over", number, letter(len(heads))))
    named = dict.fromkeys(COLUMNS, "") | {head: cell.strip() for head, cell in zip(heads, cells, strict=False)}
    faults += [cell_fault("csv_cell_missing", number, column) for column, text in named.items() if not text]
    if named[GROUP] and named[GROUP] not in populations:
        known = "、".join(sorted(populations))
        faults.append(cell_fault("margin_group_unknown", number, GROUP, value=short(named[GROUP]), known=known))
    if named[TRAIT] and named[LEVEL]:
        try:
            wcell_of({named[TRAIT]: named[LEVEL]}, "")
        except Refused as refused:
            faults += [
                cell_fault("margin_trait_unfit", number, TRAIT, value=short(named[TRAIT])) for _ in refused.faults
            ]
    total = plain_decimal(named[TOTAL])
    is_whole = total is not None and total == int(total) and 0 < total <= LARGEST_TOTAL
    if named[TOTAL] and not is_whole:
        faults.append(cell_fault("csv_population_unfit", number, TOTAL, value=short(named[TOTAL])))
    if faults or total is None:
        return None, faults
    return Line(number, Margin(named[GROUP], named[TRAIT], named[LEVEL], int(total))), []


def _at_odds(lines: Iterable[Line], populations: Mapping[str, int], levels: Levels) -> Iterator[Fault]:
    """What no single line can tell: doubles, sums that differ, levels that the sample has not or has beside."""
    first: dict[tuple[str, str, str], int] = {}
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    given: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for line in lines:
        one = line.margin
        if first.setdefault((one.group, one.trait, one.level), line.number) != line.number:
            facts = {"first": first[one.group, one.trait, one.level], "value": short(one.level)}
            yield cell_fault("margin_level_twice", line.number, LEVEL, **facts)
        sums[one.group, one.trait] += one.total
        given[one.group, one.trait][one.level] = line.number
    for (group, trait), total in sorted(sums.items()):
        row = min(given[group, trait].values())
        if total != populations[group]:
            facts = {"trait": trait, "group": group, "total": total, "population": populations[group]}
            yield cell_fault("margin_sum_differs", row, TOTAL, **facts)
        if group not in levels:
            continue
        known = levels[group].get(trait)
        if known is None:
            facts = {"group": group, "trait": trait, "known": "、".join(sorted(levels[group])) or "—"}
            yield cell_fault("margin_trait_unknown", row, TRAIT, **facts)
            continue
        for level in sorted(given[group, trait].keys() - set(known)):
            facts = {"group": group, "trait": trait, "value": short(level), "known": "、".join(sorted(known))}
            yield cell_fault("margin_level_unknown", given[group, trait][level], LEVEL, **facts)
        for level in sorted(set(known) - given[group, trait].keys()):
            yield cell_fault("margin_level_missing", row, LEVEL, group=group, trait=trait, value=short(level))
