"""Disclosure control: what is hidden, and that nobody can work it out again."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from survey_forms.disclosure import Hidden, hidden_figures

NOTHING = Hidden(frozenset(), frozenset(), frozenset(), total=False)

Table = dict[tuple[str, str], int]
tables = st.integers(1, 5).flatmap(
    lambda rows: st.integers(1, 5).flatmap(
        lambda columns: st.lists(
            st.integers(0, 30) | st.integers(0, 12), min_size=rows * columns, max_size=rows * columns
        ).map(lambda numbers: dict(zip(product("abcde"[:rows], "vwxyz"[:columns]), numbers, strict=True)))
    )
)


def attacked(persons: Table, hidden: Hidden) -> dict[tuple[str, str], tuple[float, float]]:
    """The least and most that each hidden cell can be for a reader of the published table (linear programs)."""
    cells = sorted(hidden.cells)
    rows, columns = ({cell[side] for cell in persons} for side in (0, 1))
    equations, sums = [], []
    for lines, side, secret in ((rows, 0, hidden.rows), (columns, 1, hidden.columns)):
        for line in sorted(lines - secret):
            equations.append([float(cell[side] == line) for cell in cells])
            sums.append(sum(persons[cell] for cell in cells if cell[side] == line))
    if not hidden.total:
        equations.append([1.0] * len(cells))
        sums.append(sum(persons[cell] for cell in cells))
    ranges = {}
    for place, cell in enumerate(cells):
        goal = np.eye(len(cells))[place]
        ends = []
        for sign in (1, -1):
            solved = linprog(sign * goal, A_eq=equations or None, b_eq=sums or None, bounds=(1, 10_000), method="highs")
            assert solved.status == 0
            ends.append(sign * solved.fun)
        ranges[cell] = (ends[0], ends[1])
    return ranges


def test_a_table_of_large_cells_is_shown_whole() -> None:
    assert hidden_figures(dict.fromkeys(product("abc", "xy"), 10)) == NOTHING


def test_none_is_not_a_secret() -> None:
    assert hidden_figures({("a", "x"): 0, ("a", "y"): 20, ("b", "x"): 30, ("b", "y"): 0}) == NOTHING


def test_one_small_cell_takes_three_others_with_it() -> None:
    persons = {("a", "x"): 4, ("a", "y"): 20, ("a", "z"): 90, ("b", "x"): 30, ("b", "y"): 25, ("b", "z"): 80}
    hidden = hidden_figures(persons)
    assert hidden == Hidden(frozenset(product("ab", "xy")), frozenset(), frozenset(), total=False)
    assert attacked(persons, hidden)["a", "x"] == (1, 23)


def test_hidden_cells_that_leave_no_room_are_not_enough() -> None:
    # ten cells of 1 add up to 10, and each must be 1: the row needs another
    persons = {("a", str(number)): 1 for number in range(10)} | {("a", "z"): 40}
    assert hidden_figures(persons).cells == persons.keys()


def test_a_small_total_is_hidden_with_another() -> None:
    persons = {("a", "x"): 5, ("b", "x"): 50, ("b", "y"): 60, ("c", "x"): 70, ("c", "y"): 80}
    hidden = hidden_figures(persons)
    assert hidden.rows == {"a", "b"}
    assert hidden.cells == {("a", "x"), ("b", "x")}
    assert not hidden.total


def test_cells_hidden_for_another_reason_are_protected_as_well() -> None:
    persons = dict.fromkeys(product("abc", "xyz"), 40)
    hidden = hidden_figures(persons, also=[("a", "x")])
    assert hidden.cells == frozenset(product("ab", "xy"))


def test_two_circles_joined_by_one_cell_do_not_give_the_cell_away() -> None:
    # every line has two hidden cells, and yet (c, x) is fixed: it is the only way between the two squares
    persons = dict.fromkeys(product("abcd", "vwxy"), 1000)
    square = [*product("ab", "vw"), *product("cd", "xy"), ("a", "x")]
    hidden = hidden_figures(persons, also=square)
    assert set(square) < hidden.cells
    low, high = attacked(persons, hidden)["a", "x"]
    assert high - low > 10


@settings(deadline=None)  # two linear programs a hidden cell
@given(tables)
def test_no_small_cell_is_shown_and_no_hidden_cell_can_be_worked_out(persons: Table) -> None:
    hidden = hidden_figures(persons)
    assert hidden.cells >= {cell for cell, n in persons.items() if 0 < n < 10}
    assert all(persons[cell] for cell in hidden.cells)
    for cell, (low, high) in attacked(persons, hidden).items():
        assert low <= persons[cell] <= high
        assert high - low >= 1, cell


@given(tables, st.randoms(use_true_random=False))
def test_one_table_has_one_pattern_whatever_the_order_of_its_rows(persons: Table, chance: object) -> None:
    cells = list(persons.items())
    chance.shuffle(cells)  # type: ignore[attr-defined]  # hypothesis' Random
    assert hidden_figures(dict(cells)) == hidden_figures(persons)


@pytest.mark.parametrize("persons", [{}, {("a", "x"): 0}, {("a", "x"): 3}])
def test_tables_of_nothing_and_of_one_cell(persons: Table) -> None:
    hidden = hidden_figures(persons)
    assert hidden.total == any(persons.values())
    assert hidden.cells == {cell for cell, n in persons.items() if n}
