"""Lists of choices as expressions see them: rows of columns, rows that fit a predicate, names of what was chosen."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from survey_forms.forms.operations import Compiled
from survey_forms.forms.scalars import Scalar, State, Tree, Words, to_number, to_string, truth

Rows = Callable[[State], Sequence[int]]
"""The rows of a list that fit now, by their number, in order."""

_MODULUS, _MULTIPLIER = 2_147_483_647, 16_807


@dataclass(frozen=True, slots=True)
class Listing:
    """A list in the form: its columns, and in each row the text of each column (empty where there is none)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Lists:
    """What expressions may look up: lists by their id, and for each select's path the wording of each choice."""

    listings: Mapping[str, Listing] = field(default_factory=dict)
    wordings: Mapping[str, Mapping[str, Words]] = field(default_factory=dict)
    version: str = ""


def fitting(listing: Listing, predicates: Sequence[Compiled]) -> Rows:
    """The rows for which all predicates hold; an equation of a column is looked up, not searched."""
    conditions, key = _parted(listing, predicates)
    if key is None:
        whole = range(len(listing.rows))
        return _searched(listing, conditions, lambda _: whole) if conditions else lambda _: whole
    return _searched(listing, conditions, _looked_up(listing, *key))


def fits_by_row(listing: Listing, predicates: Sequence[Compiled]) -> tuple[Tree, ...]:
    """As `fitting`, said for each row with that row's own columns in it; `is` looks up as the equation does here."""
    conditions, key = _parted(listing, predicates)
    trees = [one.tree for one in conditions]
    if key is not None:
        trees.insert(0, ("is", ("column", key[0]), key[1].tree))
    whole = trees[0] if trees else True
    for tree in trees[1:]:
        whole = ("and", whole, tree)
    return tuple(_with_columns(whole, row) for row in listing.rows)


def _with_columns(tree: Tree, row: Sequence[str]) -> Tree:
    if not isinstance(tree, tuple):
        return tree
    if tree[0] == "column" and isinstance(tree[1], int):
        return row[tree[1]]
    return tuple(_with_columns(one, row) for one in tree)


def _parted(listing: Listing, predicates: Sequence[Compiled]) -> tuple[list[Compiled], tuple[int, Compiled] | None]:
    """The conditions to try row by row, and the one that is looked up, if any: a column and what it should be."""
    conditions = [part for one in predicates for part in (one.parts or (one,))]
    keyed = [(place, *found) for place, one in enumerate(conditions) if (found := _key(one))]
    if not keyed:
        return conditions, None
    place, column, wanted = max(keyed, key=lambda one: len({row[one[1]] for row in listing.rows}))
    return [*conditions[:place], *conditions[place + 1 :]], (column, wanted)


def _key(condition: Compiled) -> tuple[int, Compiled] | None:
    """Of `column = something that is the same for all rows`: the column, and what it should be."""
    for one, other in (condition.sides, condition.sides[::-1]) if condition.sides else ():
        if one.column is not None and not other.by_row:
            return one.column, other
    return None


def _looked_up(listing: Listing, column: int, wanted: Compiled) -> Rows:
    by_text: defaultdict[str, list[int]] = defaultdict(list)
    by_number: defaultdict[float, list[int]] = defaultdict(list)
    for number, row in enumerate(listing.rows):
        by_text[row[column]].append(number)
        if not math.isnan(worth := to_number(row[column])):
            by_number[worth].append(number)
    run = wanted.run

    def rows(state: State) -> Sequence[int]:
        value = run(state)
        if isinstance(value, float):
            return by_number.get(value, ())
        return by_text.get(to_string(value), ())

    return rows


def _searched(listing: Listing, conditions: Sequence[Compiled], among: Rows) -> Rows:
    if not conditions:
        return among
    tests = [one.run for one in conditions]

    def rows(state: State) -> Sequence[int]:
        around, found = state.row, []
        for number in among(state):
            state.row = listing.rows[number]
            if all(truth(test(state)) for test in tests):
                found.append(number)
        state.row = around
        return found

    return rows


def named(wordings: Mapping[str, Words], chosen: Compiled) -> Compiled:
    """jr:choice-name(): the wording of a choice in the reader's language; the empty text when it is none."""
    run = chosen.run

    def words(state: State) -> Scalar:
        found = wordings.get(to_string(run(state)))
        return "" if found is None else state.say(state, found)

    return Compiled(words, "string", ("jr:choice-name", chosen.tree), chosen.slots, by_row=chosen.by_row)


def shuffled(rows: Sequence[int], seed: float) -> list[int]:
    """The rows in JavaRosa's order for this seed: Park and Miller's generator, a shuffle from the inside out."""
    state = math.fmod(0 if math.isnan(seed) else math.trunc(seed), _MODULUS)
    state = state if state > 0 else state + _MODULUS - 1
    order: list[int] = []
    for place, row in enumerate(rows):
        state = math.fmod(state * _MULTIPLIER, _MODULUS)
        other = int((state - 1) / (_MODULUS - 1) * (place + 1))
        order.append(row)
        order[place], order[other] = order[other], row
    return order
