"""Survey weights on the office's desk: by which rules, what they cost, every cell's steps; and weighing anew."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from flask import Blueprint, redirect, request
from markupsafe import Markup
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import response_rates, weighting
from api.actions.weights_in_use import weights_in_use
from api.auth import allow, current_staff
from api.pages.charts_ranks import histogram
from api.pages.margins import evaluation_of
from api.pages.render import language, page, t
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import surveys, weightings
from api.store.weightings import StoredWeight
from survey_forms.estimation.outcomes import CLASSES, RESPONDED
from survey_forms.estimation.weighting import Rules
from survey_forms.numbers import plain_decimal
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.traits import traits_of

pages = Blueprint("weights", __name__, url_prefix="/office/weights")

BINS = 12
TRIMS = ("median", "iqr", "nothing")

# What the form asks for: field, Chinese, English, least, most.
LIMITS: tuple[tuple[str, str, str, int, int], ...] = (
    ("fewest", "一个调整组最少几份答卷", "Fewest respondents of a class", 1, 1000),
    ("largest_factor", "无应答调整最多几倍", "Largest factor for nonresponse", 1, 100),
    ("trim_at", "截尾倍数", "Trim at this multiple", 1, 100),
)
CLASS_NAMES: dict[str, tuple[str, str]] = {
    "I": ("完成", "complete"),
    "P": ("部分完成", "partial"),
    "R": ("拒访", "refused"),
    "NC": ("未联系上", "not contacted"),
    "O": ("其他", "other"),
    "UH": ("资格不明（户）", "unknown household"),
    "UO": ("资格不明（人）", "unknown person"),
    "NE": ("不合格", "not eligible"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A weighting cell with the group that it belongs to."""

    group: str
    stratum: tuple[str, str]
    weight: StoredWeight
    trimmed: bool

    @property
    def cell(self) -> str:
        """The traits of the cell, as people read them."""
        return " · ".join(traits_of(self.weight.wcell).values())

    @property
    def host(self) -> str:
        """The cell that it was merged with for nonresponse."""
        return " · ".join(traits_of(self.weight.merged_into or "").values()) or (self.weight.merged_into or "")

    @property
    def respondents(self) -> int:
        """Cases that answered."""
        return sum(self.weight.outcomes.get(cls, 0) for cls in RESPONDED)


@pages.get("/<int(max=2147483647):survey_id>")
@allow("office")
def shown(survey_id: int) -> Response:
    """The newest weights and what they cost, and the form to weigh anew."""
    return _page(survey_id)


@pages.post("/<int(max=2147483647):survey_id>")
@allow("office")
def weigh(survey_id: int) -> Response:
    """Weigh the survey by its outcomes as they stand."""
    try:
        rules = _rules()
        with services().database.write() as connection:
            evaluation_of(connection, survey_id)
            weighting.weigh_survey(connection, survey_id, rules, current_staff().id, utc_now())
    except Refused as refused:
        if refused.code in {"not_found", "no_evaluation"}:
            raise
        return _page(survey_id, refused)
    return redirect(f"/office/weights/{survey_id}", 303)


def _rules() -> Rules:
    """The rules of the form.

    Raises:
        Refused: every number that is none, or out of its limits.
    """
    given, faults = {}, []
    for field, zh, en, least, most in LIMITS:
        value = plain_decimal(request.form.get(field, "").strip())
        if value is None or not least <= value <= most or (field == "fewest" and value != int(value)):
            faults.append(Fault("weights_rule_unfit", field, {"rule": t(zh, en), "least": least, "most": most}))
        else:
            given[field] = value
    by = request.form.get("trim_by", "")
    if by not in TRIMS:
        faults.append(Fault("not_found", "trim_by"))
    if faults:
        raise Refused.of(faults)
    return Rules(
        fewest=int(given["fewest"]),
        largest_factor=float(given["largest_factor"]),
        trim_by="median" if by == "median" else "iqr" if by == "iqr" else "nothing",
        trim_at=float(given["trim_at"]),
    )


def _page(survey_id: int, refused: Refused | None = None) -> Response:
    with services().database.read() as connection:
        evaluation = evaluation_of(connection, survey_id)
        facts = _facts(connection, survey_id)
    faults = (
        [(fault.path if fault.path in request.form else "", say(fault, language())) for fault in refused.faults]
        if refused
        else []
    )
    newest = facts["newest"]
    rules = newest.rules if newest else {"fewest": 20, "largest_factor": 3, "trim_by": "median", "trim_at": 4}
    return page(
        "office/weights.html",
        status_of(refused.code) if refused else 200,
        evaluation=evaluation,
        survey_id=survey_id,
        faults=faults,
        wrong=dict(reversed(faults)),
        given=request.form or rules,
        limits=LIMITS,
        classes=[(cls, t(*CLASS_NAMES[cls])) for cls in CLASSES],
        here="/office/survey",
        **facts,
    )


def _facts(connection: Connection, survey_id: int) -> dict[str, Any]:
    newest = weightings.latest_weighting(connection, survey_id)
    groups = {one.code: one for one in surveys.groups_of(connection, survey_id)}
    strata = {one.code: one for one in surveys.strata_of(connection, survey_id)}
    lines = []
    if newest:
        trimmed = {tuple(cell) for cell in newest.report["trimmed"]}
        lines = [
            Line(stratum.group, (stratum.name_zh, stratum.name_en), one, (one.stratum, one.wcell) in trimmed)
            for one in weightings.weights_of(connection, newest.id)
            if (stratum := strata.get(one.stratum))
        ]
    return {
        "newest": newest,
        "groups": groups,
        "lines": lines,
        "chart": weight_chart(lines),
        "rates": response_rates.read_rates(connection, survey_id),
        "outdated": weights_in_use(connection, survey_id).outdated,
        "margins": bool(weightings.margins_of(connection, survey_id)),
    }


def weight_chart(lines: list[Line]) -> Markup:
    """The final weights of the respondents as a histogram; nothing before anybody was weighed."""
    weights = np.repeat([one.weight.final for one in lines], [one.respondents for one in lines])
    if not weights.size:
        return Markup("")
    counts, edges = np.histogram(weights, bins=BINS if np.ptp(weights) > 1e-9 * weights.max() else 1)
    least, most = f"{weights.min():.4g}", f"{weights.max():.4g}"
    return histogram(
        counts.tolist(),
        edges.tolist(),
        t("最终权数的分布", "Distribution of the final weights"),
        t(
            f"{weights.size} 份答卷，权数从 {least} 到 {most}。横轴是权数，柱高是答卷份数。",
            f"{weights.size} respondents, weights from {least} to {most}; the height is their number.",
        ),
    )
