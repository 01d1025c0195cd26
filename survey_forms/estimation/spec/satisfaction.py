"""A satisfaction survey's files: drawn persons (cases), their ratings of units, population margins.

The PSU of a rating is its person, n_h the responding persons of the stratum; a respondent who rated nobody keeps the
place in n_h. Base weight N_h/n_h, corrected for unknown eligibility and for nonresponse inside weighting classes.
"""

import re
from collections.abc import Callable
from functools import cached_property

import numpy as np

from survey_forms.estimation.design import Floats, Ints, Mask, SurveyDesign, grouped
from survey_forms.estimation.spec.data import MISSING, Table
from survey_forms.estimation.stages import Columns, build
from survey_forms.refusal import Refused

RESPONDENTS = ("I", "P")
UNKNOWN = ("UH", "UO")
INELIGIBLE = ("NE",)
CELLS = ("stratum", "age")
ITEM = re.compile(r"q[0-9]+")


class Satisfaction:
    """The survey's tables and what follows from them; `margins` may be missing until it is asked for."""

    def __init__(self, cases: Table, ratings: Table, margins: Callable[[], Table] | None) -> None:
        self.cases = cases
        self._ratings = ratings
        self._margins = margins

    @property
    def margins(self) -> Table:
        """Population totals: `variable`, `level`, `population`.

        Raises:
            Refused: no file of margins was named or it is not there.
        """
        if self._margins is None:
            raise Refused("estimate_no_margins")
        return self._margins()

    @cached_property
    def classes(self) -> list[str]:
        """The AAPOR class of each case, in file order."""
        return self.cases.texts("aapor_class", "cases")

    @cached_property
    def base(self) -> Floats:
        """N_h/n_h of each case."""
        return self.cases.numbers("N_h", "cases") / self.cases.numbers("n_h", "cases")

    @cached_property
    def respondents(self) -> Ints:
        """Rows of `cases` that answered, in file order."""
        return np.flatnonzero(np.isin(self.classes, RESPONDENTS))

    @cached_property
    def nonresponse_weights(self) -> Floats:
        """The weight "wnr" of each respondent, in the classes of stratum x age."""
        return self.weights_in(CELLS)[self.respondents]

    def weights_in(self, cells: tuple[str, ...]) -> Floats:
        """Two-step weighting-class weights of all cases (0 for who did not answer), in cells of these columns."""
        cell, _ = self.cells(cells)
        classes = np.asarray(self.classes)
        responded, unknown = np.isin(classes, RESPONDENTS), np.isin(classes, UNKNOWN)
        known = np.where(unknown, 0.0, self.base * _ratio(cell, self.base, ~unknown))
        eligible = ~unknown & ~np.isin(classes, INELIGIBLE)
        return np.where(responded, known * _ratio(cell, np.where(eligible, known, 0.0), responded), 0.0)

    def cells(self, columns: tuple[str, ...]) -> tuple[Ints, tuple[str, ...]]:
        """The cell of each case and the cells' names, `level|level` in byte order."""
        texts = [self.cases.texts(column, "cases") for column in columns]
        names, cell = np.unique(["|".join(row) for row in zip(*texts, strict=True)], return_inverse=True)
        return cell.astype(np.int64), tuple(names.tolist())

    @cached_property
    def _joined(self) -> tuple[Table, Ints, Mask]:
        """Ratings of respondents with their persons' columns; the respondent of each row; which rows are ratings."""
        case_ids = self.cases.texts("case_id", "cases")
        row_of = {case: row for row, case in enumerate(case_ids)}
        if len(row_of) < len(case_ids):
            raise Refused("estimate_case_twice", case=next(case for case in case_ids if case_ids.count(case) > 1))
        persons = self._ratings.texts("case_id", "ratings")
        stray = next((person for person in persons if person not in row_of), None)
        if stray is not None:
            raise Refused("estimate_rating_stray", case=stray)
        place = np.full(len(case_ids), MISSING, dtype=np.int64)
        place[self.respondents] = np.arange(len(self.respondents))
        case = np.asarray([row_of[person] for person in persons], dtype=np.int64)
        rows = np.flatnonzero(place[case] >= 0) if len(case) else case
        unit = self._ratings.labels("dept", "ratings").codes
        rows = rows[np.lexsort((unit[rows], case[rows]))]
        silent = np.setdiff1d(self.respondents, case[rows])
        if (np.diff(unit[rows]) == 0)[np.diff(case[rows]) == 0].any():
            raise Refused("estimate_rating_twice")
        table = self._ratings.take(rows)
        owner = np.concatenate([case[rows], silent])
        rated = np.arange(len(owner)) < len(rows)
        table = table.padded(len(silent)).beside(self.cases, owner)
        person = place[owner]
        table.put("wnr", self.nonresponse_weights[person])
        table.put("score", self._scores(table))
        return table, person, rated

    @property
    def ratings(self) -> Table:
        """A row a rating of a respondent, by case and unit, with the person's columns, `wnr` and `score`."""
        return self._joined[0]

    @property
    def person(self) -> Ints:
        """The respondent (index into `respondents`) of each row of `ratings`."""
        return self._joined[1]

    @property
    def rated(self) -> Mask:
        """Rows of `ratings` that are ratings; the others stand for respondents without one."""
        return self._joined[2]

    @property
    def items(self) -> tuple[str, ...]:
        """The columns of items: q1, q2 and so on."""
        return tuple(column for column in self._ratings.columns if ITEM.fullmatch(column))

    def _scores(self, table: Table) -> Floats:
        """The mean of a rating's answered items, NaN if none is."""
        values = np.column_stack([table.numbers(item, "ratings") for item in self.items] or [np.zeros(0)])
        answered = (~np.isnan(values)).sum(axis=1)
        total = np.nansum(values, axis=1)
        scores: Floats = np.divide(total, answered, out=np.full(len(total), np.nan), where=answered > 0)
        return scores

    def design(self, lonely: str = "fail", weights: Floats | None = None) -> SurveyDesign:
        """The design of `ratings`: strata, persons as PSUs, N_h; `weights` by respondent, "wnr" by default."""
        by_person = self.nonresponse_weights if weights is None else weights
        person = self.person
        stratum = self.cases.labels("stratum", "cases")
        of_row = self.respondents[person]
        columns = Columns(
            rows=len(person),
            ids=(person,),
            strata=(stratum.codes[of_row],),
            sizes=(self.cases.numbers("N_h", "cases")[of_row],),
            weights=by_person[person],
        )
        return build(columns, lonely, stratum.levels)

    def person_design(self, lonely: str = "fail", weights: Floats | None = None) -> SurveyDesign:
        """The same, one row a respondent in file order."""
        stratum = self.cases.labels("stratum", "cases")
        columns = Columns(
            rows=len(self.respondents),
            strata=(stratum.codes[self.respondents],),
            sizes=(self.cases.numbers("N_h", "cases")[self.respondents],),
            weights=self.nonresponse_weights if weights is None else weights,
        )
        return build(columns, lonely, stratum.levels)


def _ratio(cell: Ints, weights: Floats, receivers: Mask) -> Floats:
    """By case: the weight of its cell over that of the cell's receivers; 0 where there is none."""
    cells = int(cell.max()) + 1 if len(cell) else 0
    sums = grouped(cell, np.column_stack([weights, np.where(receivers, weights, 0.0)]), cells)
    ratio = np.divide(sums[:, 0], sums[:, 1], out=np.zeros(cells), where=sums[:, 1] > 0)
    return ratio[cell]
