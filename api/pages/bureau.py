"""The statistics bureau's desk: aggregates with their errors, response rates, downloads, and the interface."""

from dataclasses import dataclass

from flask import Blueprint
from werkzeug.wrappers import Response

from api.actions.report import GroupResult, Report
from api.auth import allow
from api.pages.desk import evaluation_in_view
from api.pages.progress import document_order, progress_of, response_chart, sealed_in
from api.pages.render import page
from api.pages.result_facts import result_facts
from api.services import services
from api.store import surveys
from api.store.evaluations import Unit
from survey_forms.estimation.scores import SOUND_FROM
from survey_forms.scheme.load import load_scheme

pages = Blueprint("bureau", __name__, url_prefix="/bureau")

# What can be downloaded: path after /api/v1/evaluations/<code>, Chinese, English. In JSON outcomes come with weights.
FILES = (
    ("results", "综合得分、误差、等次概率", "composites, errors, grade probabilities"),
    ("estimates", "各群体对各单位的评价、标准误、区间、份数", "estimates by group and unit with SE, interval, n"),
    ("ledger", "扣分台账", "the deduction ledger"),
    ("rates", "应答率（AAPOR）、deff_w、有效 n", "response rates (AAPOR), deff_w, n_eff"),
    ("weights", "各加权单元每一步的权数", "weights of each cell, step by step"),
    ("outcomes", "各加权单元的访问结果", "outcomes of each cell"),
    ("covariances", "单位之间的协方差", "covariance between units"),
    ("claims", "不能据此说什么", "what may not be claimed"),
)


@dataclass(frozen=True, slots=True)
class Cross:
    """Groups by units: what each group says of each unit, hidden cells without figures."""

    units: list[Unit]
    lines: list[tuple[str, str, dict[str, GroupResult]]]  # group in Chinese and English, unit code → result


@pages.get("")
@allow("bureau")
def overview() -> Response:
    """Aggregates under the rule of disclosure, and where to download them."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        facts = result_facts(connection, evaluation)
        groups = progress_of(connection, evaluation)
        sealed = sealed_in(connection, evaluation.id)
        forms = [
            form for one in surveys.surveys_of(connection, evaluation.id) for form in surveys.forms_of(connection, one)
        ]
    return page(
        "bureau/overview.html",
        evaluation=evaluation,
        **facts.for_page(),
        groups=groups,
        sealed=sealed,
        chart=response_chart(groups),
        cross=_cross(facts.report),
        forms=forms,
        files=FILES,
        sound_from=SOUND_FROM,
    )


def _cross(report: Report) -> Cross:
    units = {one.unit.code: one.unit for one in report.estimates}
    lines: dict[str, tuple[str, str, dict[str, GroupResult]]] = {}
    for one in report.estimates:
        lines.setdefault(one.component, (one.group_zh, one.group_en, {}))[2][one.unit.code] = one
    place = document_order(load_scheme(report.evaluation.scheme))
    return Cross(list(units.values()), [lines[path] for path in sorted(lines, key=place)])
