"""What a respondent group says of the units, before any composite: a round at half-time is a result too."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from sqlalchemy import Connection

from api.actions.covariances import covariances_in_use
from api.actions.report import GroupResult, Report
from api.pages.charts import Mark, interval_chart
from api.pages.charts_ranks import Places, rank_chart
from api.pages.render import named, t
from survey_forms.estimation.bands import error_bands
from survey_forms.estimation.ranks import RankInterval, rank_sets
from survey_forms.estimation.scores import MEASURED_FROM, SOUND_FROM, Estimate, Flag, error_to_compare
from survey_forms.refusal import Fault
from survey_forms.scheme.load import load_scheme

MISSING = "missing_value"
SCORES = ".scores."


@dataclass(frozen=True, slots=True)
class Judged:
    """One unit as a group judges it; without a place where it is hidden, not measured, or its error is unknown."""

    result: GroupResult
    place: RankInterval | None
    is_weak: bool


@dataclass(frozen=True, slots=True)
class Review:
    """A group's judgement of all units, pictures drawn; `together`: the places allow for shared respondents."""

    group: tuple[str, str]
    judged: Sequence[Judged]
    ranked: int
    together: bool
    scores: Markup
    places: Markup | None


def reviews(connection: Connection, report: Report) -> list[Review]:
    """Every group's review that shows a figure, in the order of the report."""
    found: dict[tuple[int, str], list[GroupResult]] = {}
    for one in report.estimates:
        found.setdefault((one.survey_id, one.group), []).append(one)
    return [
        _review(connection, survey_id, group, said)
        for (survey_id, group), said in found.items()
        if any(not one.hidden and one.value is not None for one in said)
    ]


def missing(report: Report) -> tuple[list[tuple[str, str, int]], list[Fault]]:
    """What a composite waits for: component in Chinese and English and how many units lack it; and all other faults."""
    names = load_scheme(report.evaluation.scheme).by_path
    lacking: Counter[str] = Counter()
    others = []
    for one in report.composite.problems if report.composite else []:
        path = one["path"].partition(SCORES)[2]
        if one["code"] == MISSING and path in names:
            lacking[path] += 1
        else:
            others.append(Fault(one["code"], one["path"], one["facts"]))
    return [(names[path].zh, names[path].en, n) for path, n in lacking.items()], others


def _review(connection: Connection, survey_id: int, group: str, said: Sequence[GroupResult]) -> Review:
    measured = [one for one in said if _is_measured(one)]
    places, together = _places(connection, survey_id, group, measured)
    bands = dict(zip(places, error_bands(list(places.values())), strict=True))
    last = len(said)
    judged = [
        Judged(one, places.get(one.unit.code), one.n is not None and one.n < SOUND_FROM)
        for one in sorted(said, key=lambda one: (bands.get(one.unit.code, last), named(one.unit)))
    ]
    zh, en = said[0].group_zh, said[0].group_en
    return Review((zh, en), judged, len(places), together, _scores(judged), _drawn(judged, len(places)))


def _is_measured(one: GroupResult) -> bool:
    """Whether the unit may be compared with others."""
    known = not one.hidden and one.value is not None and one.se is not None
    return known and (one.n or 0) >= MEASURED_FROM


def _places(
    connection: Connection, survey_id: int, group: str, measured: Sequence[GroupResult]
) -> tuple[dict[str, RankInterval], bool]:
    """Each unit's places, and whether they were worked out with the covariance of the units."""
    if len(measured) < 2:
        return {}, False
    codes = [one.unit.code for one in measured]
    alone = np.square([error_to_compare(_estimate(one)) or 0.0 for one in measured])
    spread = _covariance(connection, survey_id, group, codes)
    together = spread is not None
    if spread is None:
        spread = alone
    else:
        np.fill_diagonal(spread, np.maximum(alone, np.diag(spread)))
    found = rank_sets([one.value or 0.0 for one in measured], spread)
    return dict(zip(codes, found, strict=True)), together


def _estimate(one: GroupResult) -> Estimate:
    return Estimate(one.value, one.se, one.df, one.n or 0, one.low, one.high, tuple(map(Flag, one.flags)))


def _covariance(connection: Connection, survey_id: int, group: str, codes: Sequence[str]) -> NDArray[np.float64] | None:
    """The covariance of these units' scores; None unless it is known of all of them, from the answers counted now."""
    kept = covariances_in_use(connection, survey_id).get(group)
    if kept is None or not set(codes) <= set(kept.units):
        return None
    at = [kept.units.index(code) for code in codes]
    found = kept.matrix[np.ix_(at, at)]
    return found if np.isfinite(found).all() else None


def _scores(judged: Iterable[Judged]) -> Markup:
    marks = [
        Mark(
            named(one.result.unit),
            None if one.result.hidden else one.result.value,
            one.result.low,
            one.result.high,
            _note(one.result),
            one.is_weak,
        )
        for one in judged
    ]
    return interval_chart(
        marks,
        t("各单位得分与 95% 区间", "Scores with 95% intervals"),
        t(
            "每个单位一行：点是得分（0 至 100），条是抽样误差的 95% 区间。",
            "A line a unit: the dot is the score from 0 to 100, the bar its 95% interval (sampling error).",
        ),
    )


def _note(one: GroupResult) -> str:
    if one.hidden:
        return t("隐去", "hidden")
    return "—" if one.value is None else f"{one.value:.1f}"


def _drawn(judged: Iterable[Judged], ranked: int) -> Markup | None:
    places = [
        Places(named(one.result.unit), one.place.best, one.place.worst, ranked, f"{one.place.best}–{one.place.worst}")
        for one in judged
        if one.place is not None
    ]
    if not places:
        return None
    return rank_chart(
        places,
        t("各单位名次的 95% 区间", "95% intervals of the ranks"),
        t(
            "每个单位一行：横条从可能的最好名次到最差名次。横条重叠的单位分不出高低。",
            "A line a unit: from the best to the worst place it may have. Where bars overlap nobody is told apart.",
        ),
    )
