"""What the pages show of a composite: figures with their errors, grades with their probabilities, ranks as intervals.

Nothing is computed here that the composite does not hold, but the rank intervals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from markupsafe import Markup

from api.pages.charts import Band, Mark, interval_chart
from api.pages.render import named, t
from api.store.evaluations import Unit
from api.store.results import Composite
from survey_forms.estimation.ranks import RankInterval, rank_intervals
from survey_forms.scheme.model import Scheme
from survey_forms.scoring.grade import bands_of
from survey_forms.scoring.rank import groups_of
from survey_forms.scoring.supplied import Supplied

SURE = 0.9
"""Below this probability of its grade a unit is said to be borderline (statistics.md, section 6)."""
UNKNOWN_VARIANCE = 1e12
"""Of a score whose error cannot be known: it is then clearly above or below nobody."""

FLAGS: dict[str, tuple[str, str]] = {
    "not_measured": ("有效评价不足 10 份，视为未测", "fewer than 10 ratings: not measured"),
    "few_raters": ("有效评价 10 至 29 份，只作参考", "10 to 29 ratings: for orientation only"),
    "se_not_measurable": ("只有一份评价，误差无法估计", "one rating: the error cannot be estimated"),
    "lonely_stratum": ("有一层只有一人作答，误差无法估计", "one person of a stratum: no error can be estimated"),
    "stratum_silent": ("有一层无人作答，得分不代表该层", "a stratum without answers is not spoken for"),
    "all_answers_equal": ("评价完全一致，区间按人数精确计算", "all answers equal: exact interval by their number"),
    "census": ("名单上的人全部作答，没有抽样误差", "everybody on the list answered: no sampling error"),
    "group_below_ten": ("有群体的有效评价不足 10 份", "a group has fewer than 10 ratings"),
    "group_not_measured": ("有群体没有任何有效评价", "a group has no rating at all"),
    "shares_renormalised": ("缺席群体的权重分给了其余群体", "absent groups' shares were spread over the rest"),
}
WEAK = frozenset({"not_measured", "few_raters", "se_not_measurable", "lonely_stratum", "group_below_ten"})


@dataclass(frozen=True, slots=True)
class Standing:
    """One unit's result as it may be shown."""

    unit: Unit
    composite: str
    grade: str | None
    grade_missing: str
    probabilities: tuple[tuple[str, float], ...]
    se: float | None
    low: float | None
    high: float | None
    n: int
    flags: tuple[str, ...]
    parts: tuple[tuple[str, str], ...]  # top component → contribution, in the document's order
    cut_by_cap: str
    rank: RankInterval
    ranked: int  # units that it is ranked among
    prize: str
    consequences: Mapping[str, Any]
    trace: Sequence[Mapping[str, Any]]

    @property
    def sureness(self) -> float | None:
        """The probability of the grade given; None where it is not known."""
        return dict(self.probabilities).get(self.grade or "")

    @property
    def is_borderline(self) -> bool:
        """Whether the grade may well be another one."""
        return self.sureness is not None and self.sureness < SURE

    @property
    def is_weak(self) -> bool:
        """Whether the figure rests on too few answers to be more than an orientation."""
        return bool(WEAK & set(self.flags))


def standings(scheme: Scheme, units: Sequence[Unit], composite: Composite) -> list[Standing]:
    """Every unit's result, highest composite first; empty while something is missing."""
    if composite.output is None:
        return []
    by_code = {unit.code: unit for unit in units}
    rows = [row for row in composite.output["units"] if row["id"] in by_code]
    places = _places(scheme, rows, composite.errors)
    top = [component.key for component in scheme.children()]
    found = []
    for row in rows:
        error = composite.errors.get(row["id"], {})
        rank, ranked = places[row["id"]]
        found.append(
            Standing(
                unit=by_code[row["id"]],
                composite=row["composite"],
                grade=row["grade"],
                grade_missing=row.get("grade_missing", ""),
                probabilities=tuple((name, float(share)) for name, share in error.get("grades", ())),
                se=error.get("se"),
                low=error.get("low"),
                high=error.get("high"),
                n=error.get("n", 0),
                flags=tuple(error.get("flags", ())),
                parts=tuple((key, row["parts"][key]) for key in top if key in row["parts"]),
                cut_by_cap=row["cut_by_cap"],
                rank=rank,
                ranked=ranked,
                prize=row.get("prize", ""),
                consequences=row["consequences"],
                trace=row.get("trace", ()),
            )
        )
    return sorted(found, key=lambda one: (-float(one.composite), one.unit.code))


def flag_words(flag: str) -> str:
    """A flag as a sentence in the reader's language."""
    return t(*FLAGS[flag]) if flag in FLAGS else flag


def _places(
    scheme: Scheme, rows: Sequence[Mapping[str, Any]], errors: Mapping[str, Any]
) -> dict[str, tuple[RankInterval, int]]:
    """Unit → its rank interval and how many it is ranked among: its class's group, else all."""
    found: dict[str, tuple[RankInterval, int]] = {}
    for members in groups_of(scheme, [row.get("class", "") for row in rows]).values():
        listed = [rows[place] for place in members]
        variances = np.array([_variance(errors.get(row["id"])) for row in listed])
        ranks = rank_intervals([float(row["composite"]) for row in listed], variances)
        found |= {row["id"]: (rank, len(listed)) for row, rank in zip(listed, ranks, strict=True)}
    return found


def _variance(error: Mapping[str, Any] | None) -> float:
    """Of a composite: 0 where nothing in it was surveyed, and huge where its error is not known."""
    if error is None:
        return 0.0
    return UNKNOWN_VARIANCE if error["se"] is None else float(error["se"]) ** 2


def score_chart(scheme: Scheme, supplied: Mapping[str, Any], ranked: Sequence[Standing]) -> Markup:
    """The units' scores with their intervals over the grades."""
    marks = [
        Mark(
            named(one.unit),
            float(one.composite),
            one.low,
            one.high,
            f"{one.composite} {grade_words(scheme, one.grade)}",
            one.is_weak,
        )
        for one in ranked
    ]
    return interval_chart(
        marks,
        t("各单位综合得分与 95% 区间", "Composite scores with 95% intervals"),
        t(
            "每个单位一行：点是综合得分，条是抽样误差的 95% 区间，底色是等次区间。",
            "A line a unit: the dot is the composite, the bar its 95% interval (sampling error), the ground the grade.",
        ),
        _bands(scheme, supplied),
    )


def grade_words(scheme: Scheme, grade: str | None) -> str:
    """A grade in the reader's language; a dash where it is not known."""
    if grade is None:
        return "—"
    return next((t(one.name, one.en) for one in scheme.grades if one.name == grade), grade)


def _bands(scheme: Scheme, supplied: Mapping[str, Any]) -> list[Band]:
    """The grades as stretches of the axis; none where grades go by rank."""
    given = tuple((name, Decimal(lowest)) for name, lowest in supplied.get("grades", ()))
    cuts = bands_of(scheme, Supplied(bands=given or None)) or ()
    top = float(scheme.composite.scale) if scheme.composite else 100.0
    bands = []
    for name, lowest in cuts:
        low = float(lowest or 0)
        bands.append(Band(grade_words(scheme, name), low, top))
        top = low
    return bands
