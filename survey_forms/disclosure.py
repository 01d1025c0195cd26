"""Which figures of a two-way table stay hidden, so that nobody learns what few persons answered.

Primary: a cell with 1 to 9 persons is hidden, with its mean, SE and interval; 0 is shown as "none". Complementary:
totals are published, so a hidden cell could be worked out by subtraction; further cells are hidden, the smallest
first, until no line gives one away. The rule counts persons, unweighted. It is deterministic: one table has one
pattern, and the same pattern goes into every file and page of a publication. No hidden figure can be worked out
exactly, and each has room within its own line; several lines together may still narrow it, which only the audit by
linear programs before a publication can tell.

Source: Hundepool et al. 2012. A two-way table with margins is a bipartite graph (rows, columns, and a node each for
the totals) whose hidden figures are edges. What is published fixes a hidden figure exactly when its edge lies on no
circle of hidden edges (Gusfield 1988).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

THRESHOLD = 10

_Entry = tuple[str | None, str | None]
"""row and column; None is the total"""

_Node = tuple[int, bool, str]
"""0 for a row and 1 for a column, whether it is the total, its name: sorts rows first and totals last"""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What may not be shown: cells, totals of rows, totals of columns, and the total of all."""

    cells: frozenset[tuple[str, str]]
    rows: frozenset[str]
    columns: frozenset[str]
    total: bool


def hidden_figures(
    persons: Mapping[tuple[str, str], int], also: Collection[tuple[str, str]] = (), threshold: int = THRESHOLD
) -> Hidden:
    """The figures of a table that stay hidden when it is published with its totals.

    Args:
        persons: (row, column) → unweighted persons; an absent cell has none.
        also: cells to hide for another reason, such as a named group whose members all answered alike.
        threshold: a cell or total with fewer persons is hidden.
    """
    counts = _with_totals(persons)
    neighbours = _neighbours(counts)
    hidden: set[_Entry] = set()
    fresh = {entry for entry, n in counts.items() if n < threshold or entry in set(also)}
    while fresh:
        hidden |= fresh
        for entry in sorted(fresh, key=_order(counts)):  # who lies on a circle stays on it, so once is enough
            hidden |= _way_round(entry, neighbours, counts, hidden)
        fresh = _too_narrow(counts, hidden, threshold)
    return Hidden(
        frozenset((row, column) for row, column in hidden if row is not None and column is not None),
        frozenset(row for row, column in hidden if row is not None and column is None),
        frozenset(column for row, column in hidden if column is not None and row is None),
        total=(None, None) in hidden,
    )


def _with_totals(persons: Mapping[tuple[str, str], int]) -> dict[_Entry, int]:
    """Every figure that is not zero. Zeros are shown, hence known, and can hide nothing."""
    counts: dict[_Entry, int] = defaultdict(int)
    for (row, column), n in persons.items():
        for entry in ((row, column), (row, None), (None, column), (None, None)):
            counts[entry] += n
    return {entry: n for entry, n in counts.items() if n}


def _neighbours(counts: Mapping[_Entry, int]) -> Mapping[_Node, Sequence[_Node]]:
    neighbours: defaultdict[_Node, list[_Node]] = defaultdict(list)
    for row, column in map(_nodes, counts):
        neighbours[row].append(column)
        neighbours[column].append(row)
    return neighbours


def _too_narrow(counts: Mapping[_Entry, int], hidden: set[_Entry], threshold: int) -> set[_Entry]:
    """The smallest figure of a line that leaves its hidden cells too little room; nothing if no line does.

    Of k hidden cells with a known sum each is at least 1, so each lies in a range as wide as the sum less k.
    """
    lines: defaultdict[_Node, list[_Entry]] = defaultdict(list)
    for entry in counts:
        for node in _nodes(entry):
            lines[node].append(entry)
    for node in sorted(lines):
        total = _total_of(node)
        cells = [entry for entry in lines[node] if entry in hidden and entry != total]
        if cells and total not in hidden and sum(counts[entry] - 1 for entry in cells) < threshold:
            return {min((entry for entry in lines[node] if entry not in hidden), key=_order(counts))}
    return set()


def _way_round(
    entry: _Entry, neighbours: Mapping[_Node, Sequence[_Node]], counts: Mapping[_Entry, int], hidden: set[_Entry]
) -> set[_Entry]:
    """What closes a circle with a hidden figure: the cheapest other way from its row to its column (Dijkstra 1959).

    Hidden figures cost nothing, shown ones their persons, and totals are the last resort. Empty if there is no way:
    then the figure's line shows nothing either.
    """
    start, end = _nodes(entry)
    last_resort = 1 + 4 * counts[None, None]  # dearer than all cells together
    came_from: dict[_Node, _Node] = {}
    queue: list[tuple[int, _Node, _Node]] = [(0, start, start)]
    while queue and end not in came_from:
        cost, node, before = heappop(queue)
        if node in came_from:
            continue
        came_from[node] = before
        for other in neighbours[node]:
            step = _between(node, other)
            if other not in came_from and step != entry:
                price = 0 if step in hidden else counts[step] + last_resort * step.count(None)
                heappush(queue, (cost + price, other, node))
    way = set()
    node = end
    while node != start and node in came_from:
        way.add(_between(node, came_from[node]))
        node = came_from[node]
    return way


def _nodes(entry: _Entry) -> tuple[_Node, _Node]:
    return (0, entry[0] is None, entry[0] or ""), (1, entry[1] is None, entry[1] or "")


def _between(one: _Node, other: _Node) -> _Entry:
    row, column = sorted((one, other))
    return _name(row), _name(column)


def _name(node: _Node) -> str | None:
    return None if node[1] else node[2]


def _total_of(node: _Node) -> _Entry:
    return (_name(node), None) if node[0] == 0 else (None, _name(node))


def _order(counts: Mapping[_Entry, int]) -> Callable[[_Entry], tuple[int, int, str, str]]:
    """Cells before totals, the smallest first, then by name: one table, one pattern."""
    return lambda entry: (entry.count(None), counts[entry], entry[0] or "", entry[1] or "")
