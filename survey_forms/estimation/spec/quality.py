"""Quality of answers: icc of interviewers, cronbach_alpha, split_half, straightlining."""

import numpy as np
from scipy.special import fdtrc

from survey_forms.estimation.design import Floats, Ints, grouped
from survey_forms.estimation.quality import variance
from survey_forms.estimation.reliability import cronbach_alpha, split_half
from survey_forms.estimation.spec.request import Request, Result, Statistic
from survey_forms.estimation.spec.results import plain


def icc(request: Request) -> Result:
    """How much answers of one interviewer (or of another `group`) are alike: one-way analysis of variance.

    Of a satisfaction survey each respondent's mean over the units rated; of a table, the rows of `variable`.
    """
    request.args.get("unit")
    column = request.text("group", "interviewer")
    labels = request.table.labels(column, request.place("group"))
    inside = request.inside & (labels.codes >= 0)
    if request.satisfaction is None:
        name = request.one_name("variable")
        values, codes = request.values("variable", (name,))[:, 0], labels.codes
        inside &= ~np.isnan(values)
        values, codes = values[inside], codes[inside]
    else:
        values, codes = _person_means(request, labels.codes)
    # summed about the whole mean, which keeps the digits that sums of squares would lose
    centred = values - values.mean() if len(values) else values
    sums = grouped(codes, np.column_stack([np.ones_like(centred), centred, np.square(centred)]), len(labels.levels))
    found = variance({place: (int(n), s, q) for place, (n, s, q) in enumerate(sums.tolist())})
    ratio = found.between / found.within if found.within > 0 else float("nan")
    chance = float(fdtrc(found.groups - 1, found.n - found.groups, ratio)) if found.icc is not None else float("nan")
    return {
        "msb": plain(found.between),
        "msw": plain(found.within),
        "n0": plain(found.n0),
        "icc": found.icc,
        "F": plain(ratio),
        "p": plain(chance),
        "deff_interviewer": found.deff,
    }


def _person_means(request: Request, codes: Ints) -> tuple[Floats, Ints]:
    """Each respondent's mean score (of those with one) and group."""
    survey = request.satisfaction
    name = request.text("variable", "score")
    values = request.table.numbers(name, request.place("variable"))
    rows = np.flatnonzero(request.inside & ~np.isnan(values) & (codes >= 0))
    person = rows if survey is None else survey.person[rows]
    persons = int(person.max()) + 1 if len(person) else 0
    sums = grouped(person, np.column_stack([np.ones(len(rows)), values[rows]]), persons)
    group = np.zeros(persons, dtype=np.int64)
    group[person] = codes[rows]
    some = sums[:, 0] > 0
    return sums[some, 1] / sums[some, 0], group[some]


def alpha(request: Request) -> Result:
    """Cronbach's alpha of the items, over the rows with every item answered."""
    request.args.get("rows")
    rows = _items(request)
    complete = rows[~np.isnan(rows).any(axis=1)]
    return {"n": len(complete), "alpha": plain(cronbach_alpha(complete))}


def halves(request: Request) -> Result:
    """Split-half reliability of units' scores: `splits` random halves of the respondents from `seed`."""
    survey = request.satisfaction
    units = request.table.labels(request.text("by", "dept" if survey is not None else None), request.place("by"))
    values = request.table.numbers(request.text("variable", "score"), request.place("variable"))
    rows = np.flatnonzero(request.inside & ~np.isnan(values) & (units.codes >= 0))
    if survey is None:
        person = request.table.labels(request.text("person"), request.place("person")).codes[rows]
    else:
        person = survey.person[rows]
    matrix = np.full((int(person.max()) + 1 if len(rows) else 0, len(units.levels)), np.nan)
    matrix[person, units.codes[rows]] = values[rows]
    splits, seed = int(request.number("splits", 100.0)), int(request.number("seed", 0.0))
    if not 1 <= splits <= 10_000 or seed < 0:
        raise request.wrong("splits", "1…10000")
    return {"reliability": plain(split_half(matrix, seed, splits)), "splits": splits}


def straightlining(request: Request) -> Result:
    """Ratings with at least `min_items` answers, all equal; and respondents of whom every rating is so."""
    least = int(request.number("min_items", 3.0))
    rows = _items(request)
    answered = (~np.isnan(rows)).sum(axis=1)
    known = np.where(answered[:, None] > 0, rows, 0.0)
    flat = (answered >= max(least, 1)) & (np.nanmax(known, axis=1) == np.nanmin(known, axis=1))
    result: Result = {"n_flagged": int(flat.sum()), "share": plain(float(flat.mean()) if len(flat) else np.nan)}
    survey = request.satisfaction
    if survey is None and "person" not in request.args:
        return result
    codes = request.table.labels(request.text("person"), "person").codes if survey is None else survey.person
    person = codes[request.inside]
    counts = grouped(person, np.column_stack([np.ones(len(flat)), flat]), int(person.max()) + 1 if len(flat) else 0)
    return result | {"respondents_all_flagged": int(((counts[:, 0] > 0) & (counts[:, 0] == counts[:, 1])).sum())}


def _items(request: Request) -> Floats:
    """The columns of items (rows inside, k): `variables`, or q1, q2, … of a satisfaction survey."""
    survey = request.satisfaction
    names = request.names("variables", survey.items if survey is not None else None)
    return request.values("variables", names)[request.inside]


STATISTICS: dict[str, Statistic] = {
    "icc": icc,
    "cronbach_alpha": alpha,
    "split_half": halves,
    "straightlining": straightlining,
}
