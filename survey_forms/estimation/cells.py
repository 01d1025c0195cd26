"""Integer cells: all that an estimate needs of the answers, and nothing of a person.

How many, their sum, the sum of their squares, as whole numbers. Cells add up, in any order and from any number of
machines, to the same integers, so a recount from the answers is bit-identical. Survey weights enter when an
estimate is read (`scores.py`), never when an answer is counted.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

CellKey = tuple[str, str, str, str, str]
"""survey, stratum, weighting cell, unit, item"""


@dataclass(frozen=True, slots=True)
class Cell:
    """Answered scores of one survey × stratum × weighting cell × unit × item: n, their sum and sum of squares."""

    survey: str
    stratum: str
    wcell: str
    unit: str
    item: str
    n: int
    s1: int
    s2: int

    @property
    def key(self) -> CellKey:
        """What the cell counts."""
        return (self.survey, self.stratum, self.wcell, self.unit, self.item)


def count_answers(answers: Iterable[tuple[CellKey, int]]) -> list[Cell]:
    """The cells of answered scores, in the order of their keys."""
    return merge_cells(Cell(*key, n=1, s1=score, s2=score * score) for key, score in answers)


def merge_cells(*parts: Iterable[Cell]) -> list[Cell]:
    """The sum of cells with the same key, in the order of keys."""
    sums: defaultdict[CellKey, list[int]] = defaultdict(lambda: [0, 0, 0])
    for part in parts:
        for cell in part:
            total = sums[cell.key]
            total[0] += cell.n
            total[1] += cell.s1
            total[2] += cell.s2
    return [Cell(*key, n=n, s1=s1, s2=s2) for key, (n, s1, s2) in sorted(sums.items())]
