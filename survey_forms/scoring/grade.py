"""等次: decided on the published figure, so that a citizen can check a grade from the print."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from survey_forms.numbers import HUNDRED, ZERO, largest_remainder
from survey_forms.scheme.model import Binding, Scheme
from survey_forms.scoring.supplied import Shares, Supplied

Bands = Sequence[tuple[str, Decimal | None]]
"""Grades and the lowest score of each, best first; None where the band is open below."""


def bands_of(scheme: Scheme, supplied: Supplied) -> Bands | None:
    """The bands of the document, or those supplied; None where grades go by rank, or nobody stated any."""
    if scheme.left_out_of("grade_shares") or any(grade.share is not None for grade in scheme.grades):
        return None
    if scheme.grades:
        return [(grade.name, grade.at_least) for grade in scheme.grades]
    return supplied.bands


def missing_grades(scheme: Scheme) -> str:
    """The path of what the document leaves out about grades; "" where it leaves out nothing."""
    entry = scheme.left_out_of("grades") or scheme.left_out_of("grade_shares")
    return entry.path if entry else ""


def grade_by_band(published: Decimal, bands: Bands) -> str | None:
    """The best grade whose lowest score is reached; a lowest score of 0 is open below."""
    return next((name for name, lowest in bands if not lowest or published >= lowest), None)


def grades_by_share(scheme: Scheme, shares: Shares | None, ranks: Sequence[int]) -> list[str | None]:
    """A grade for each rank: shares of the ranked units from the top down, counts by largest remainder.

    Units of equal rank share the better grade.

    Args:
        scheme: its grades, best first; the one marked `rest` takes what the shares leave.
        shares: the supplied shares, per cent; None leaves every grade undecided, if the file states none.
        ranks: the units' ranks within their group.
    """
    stated = {grade.name: grade.share for grade in scheme.grades if grade.share is not None} | dict(shares or {})
    if not ranks or len(stated) < len(scheme.grades) - 1:
        return [None] * len(ranks)
    rest = HUNDRED - sum(stated.values(), ZERO)
    names = [grade.name for grade in scheme.grades]
    counts = largest_remainder(len(ranks), [stated.get(name, rest) for name in names])
    return list(by_rank(names, counts, ranks))


def by_rank(names: Sequence[str], counts: Sequence[int], ranks: Iterable[int]) -> Iterable[str]:
    """The name for each rank, when the first `counts[0]` places go to `names[0]` and so on."""
    limits: list[tuple[int, str]] = []
    filled = 0
    for name, count in zip(names, counts, strict=True):
        filled += count
        limits.append((filled, name))
    for rank in ranks:
        yield next(name for limit, name in limits if rank <= limit)


def limited(grade: str | None, names: Sequence[str], violated: Sequence[Binding]) -> str | None:
    """The grade after binding conditions: a barred grade gives way to the next, a lowered one sinks."""
    if grade is None:
        return None
    place = names.index(grade)
    barred = {binding.bars for binding in violated}
    while names[place] in barred:
        place += 1
    lowered = max((binding.lowers for binding in violated), default=0)
    return names[min(place + lowered, len(names) - 1)]
