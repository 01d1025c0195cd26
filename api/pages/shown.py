"""What pages show of a composite: figures with errors, grades with probabilities, ranks as intervals."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from api.actions.claims import SURE, Claim
from api.actions.report import Report, UnitResult
from api.pages.charts import Band, Mark, interval_chart
from api.pages.charts_ranks import Places, Strip, rank_chart, strip_chart
from api.pages.render import language, named, t
from api.pages.ui import percent
from survey_forms.scheme.load import load_scheme
from survey_forms.scheme.model import Scheme
from survey_forms.scoring.grade import bands_of
from survey_forms.scoring.supplied import Supplied

FLAGS: dict[str, tuple[str, str]] = {
    "not_measured": ("有效评价不足 10 份，视为未测", "fewer than 10 ratings: not measured"),
    "gives_away": (
        "不公布：由综合得分可推算出人数少的群体的评价",
        "not published: it would give away what a group of few persons said",
    ),
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
    """One unit's result, and how surely it may be told. `tied`: other units of its grade cannot be told from it."""

    result: UnitResult
    tied: bool = False

    @property
    def is_borderline(self) -> bool:
        """Whether the grade may well be another one."""
        return self.result.grade_probability is not None and self.result.grade_probability < SURE

    @property
    def is_weak(self) -> bool:
        """Whether the figure rests on too few answers to be more than an orientation."""
        return bool(WEAK & set(self.result.flags))


def standings(report: Report) -> list[Standing]:
    """Every unit's result, best grade first, by name where the answers tell no difference; empty while incomplete."""
    beside = Counter((one.ranking_group, one.grade, one.band) for one in report.units)
    return [Standing(one, beside[one.ranking_group, one.grade, one.band] > 1) for one in report.units]


def flag_words(flag: str) -> str:
    """A flag as a sentence in the reader's language."""
    return t(*FLAGS[flag]) if flag in FLAGS else flag


def score_chart(report: Report, ranked: Sequence[Standing]) -> Markup:
    """The units' scores with their intervals over the grades."""
    scheme = load_scheme(report.evaluation.scheme)
    marks = [
        Mark(
            named(one.result.unit),
            float(one.result.composite),
            one.result.low,
            one.result.high,
            f"{one.result.composite} {grade_words(scheme, one.result.grade)}",
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
        _bands(scheme, report.evaluation.supplied),
    )


def places_chart(ranked: Sequence[Standing]) -> Markup:
    """The places that each unit may really take."""
    places = [
        Places(
            named(one.result.unit), one.result.place.best, one.result.place.worst, one.result.ranked, place_words(one)
        )
        for one in ranked
    ]
    return rank_chart(
        places,
        t("各单位名次的 95% 区间", "95% intervals of the ranks"),
        t(
            "每个单位一行：横条从可能的最好名次到最差名次。横条重叠的单位分不出高低。",
            "A line a unit: from the best to the worst place it may have. Where bars overlap nobody is told apart.",
        ),
    )


def grades_chart(report: Report, ranked: Sequence[Standing]) -> Markup:
    """Each unit's grades by their probability; nothing where the document states none."""
    scheme = load_scheme(report.evaluation.scheme)
    strips = [
        Strip(
            named(one.result.unit),
            [(grade_words(scheme, name), share) for name, share in one.result.grades],
            f"{grade_words(scheme, one.result.grade)} {percent(one.result.grade_probability)}",
        )
        for one in ranked
        if one.result.grades
    ]
    if not strips:
        return Markup("")
    return strip_chart(
        strips,
        t("各单位等次的概率", "Probability of each grade"),
        t(
            "每个单位一行：各段长短是该等次的概率，合计为 1。",
            "A line a unit: stretches are the grades' probabilities.",
        ),
    )


def claim_words(code: str) -> str:
    """What may not be claimed, as a sentence in the reader's language."""
    return Claim(code).said(language())


def place_words(one: Standing) -> str:
    """A rank as the places that it may be; never a bare rank where they are several."""
    best, worst = one.result.place.best, one.result.place.worst
    return t(f"第 {best} 位", f"{best}") if best == worst else t(f"第 {best}–{worst} 位", f"{best}–{worst}")


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
