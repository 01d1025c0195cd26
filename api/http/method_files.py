"""How the figures came about, for spreadsheets: rates, outcomes, weights, covariances, claims, and all with notes."""

from collections.abc import Callable, Iterable

from flask import Response
from sqlalchemy import Connection

from api.actions import methods
from api.actions.claims import claims_of
from api.actions.report import Report
from api.auth import allow, current_staff
from api.downloads import Sheet, Value, csv_lines, xlsx_bytes
from api.http.api import PREFIX, ApiBlueprint, never_kept, told
from api.http.files import CSV, XLSX, attachment
from api.http.results import EVALUATION, OFFICES, reading
from api.services import services, utc_now
from api.store import people, surveys, weightings
from survey_forms.estimation.outcomes import CLASSES

blp = ApiBlueprint("method_files", __name__, url_prefix=PREFIX, description="方法下载 / downloads on methods")
blp.after_request(never_kept)

RATES = (
    "e",
    *(f"{name}{n}" for name, last in (("RR", 6), ("COOP", 4), ("REF", 3), ("CON", 3)) for n in range(1, last + 1)),
)
NOTES: tuple[tuple[str, str, str], ...] = (
    (
        "估计",
        "各层加权均值；每位答卷人对一个单位的得分是其各项的平均。",
        "Stratified weighted means; a person's score of a unit is the mean of its items.",
    ),
    (
        "权数",
        "抽样概率的倒数，资格不明，无应答（组内），校准，截尾；每一步都在“权数”表里。",
        "Base, eligibility, nonresponse inside classes, raking, trimming; each step is in the sheet of weights.",
    ),
    (
        "标准误",
        "泰勒线性化，抽样单位是答卷人，含有限总体修正；校准群体用对总体构成的回归残差。",
        "Taylor linearisation, respondents as sampling units, finite population correction; raked groups by residuals.",
    ),
    ("区间", "logit 变换的 t 区间，Satterthwaite 自由度。", "Logit-transformed t, Satterthwaite's degrees of freedom."),
    (
        "名次区间",
        "Mogstad 等(2023)的 max-T 名次集，用单位间协方差，抽取 10,000 次，种子取自输入摘要。",
        "Max-T rank sets (Mogstad et al. 2023) with covariances, 10,000 draws seeded by the digest of the inputs.",
    ),
    (
        "应答率",
        "AAPOR 标准定义第 9 版；e = 已知合格 ÷ 已知资格。",
        "AAPOR Standard Definitions, 9th ed.; e = known eligible of known.",
    ),
    (
        "隐去规则",
        "协方差表不含任何已隐去的得分所属的单位与群体。",
        "The covariances leave out every unit and group whose score is hidden.",
    ),
)


def rates_sheet(connection: Connection, report: Report) -> Sheet:
    """The response rates by group and stratum."""
    rows: list[tuple[Value, ...]] = [
        (
            *(one.survey_id, one.group, one.group_zh, one.stratum, one.cases, one.n),
            *(one.counts.get(cls, 0) for cls in CLASSES),
            *(one.rates.named()[name] for name in RATES),
            *(one.weighted.named()[name] for name in ("RR1", "RR3")),
            *((one.spread.deff_w, one.spread.n_eff) if one.spread else (None, None)),
        )
        for one in methods.rates_of(connection, report.evaluation.id)
    ]
    headings = (
        "评议",
        "群体代码",
        "群体",
        "层",
        "样本",
        "完成n",
        *CLASSES,
        *RATES,
        "RR1加权",
        "RR3加权",
        "deff_w",
        "有效n",
    )
    return Sheet("应答率", headings, rows, widths=(8, 22, 24, 20))


def outcomes_sheet(connection: Connection, report: Report) -> Sheet:
    """What the cases of each weighting cell came to."""
    rows: list[tuple[Value, ...]] = [
        (one.survey_id, one.group, one.stratum, one.wcell, *(one.outcomes.get(cls, 0) for cls in CLASSES))
        for one in methods.weights_of(connection, report.evaluation.id)
    ]
    return Sheet("访问结果", ("评议", "群体代码", "层", "加权单元", *CLASSES), rows, widths=(8, 22, 20, 30))


def weights_sheet(connection: Connection, report: Report) -> Sheet:
    """The weight of a respondent of each cell after each step."""
    rows: list[tuple[Value, ...]] = [
        (
            *(one.survey_id, one.group, one.stratum, one.wcell, one.merged_into),
            *(one.base, one.eligibility, one.nonresponse, one.raked, one.final),
        )
        for one in methods.weights_of(connection, report.evaluation.id)
    ]
    steps = ("基础", "资格调整后", "无应答调整后", "校准后", "最终")
    headings = ("评议", "群体代码", "层", "加权单元", "并入", *steps)
    return Sheet("权数", headings, rows, widths=(8, 22, 20, 30, 20))


def covariances_sheet(connection: Connection, report: Report) -> Sheet:
    """The covariance of each pair of units by group."""
    found = methods.covariances_of(connection, report)
    rows = [(one.survey_id, one.group, one.one, one.other, one.covariance) for one in found]
    return Sheet("协方差", ("评议", "群体代码", "单位", "另一单位", "协方差(平方分)"), rows, widths=(8, 22, 20, 20))


def claims_sheet(connection: Connection, report: Report) -> Sheet:
    """What may not be claimed."""
    rates = methods.rates_of(connection, report.evaluation.id)
    rows = [(one.code, one.said("zh"), one.said("en")) for one in claims_of(connection, report, rates)]
    return Sheet("不能据此说什么", ("代码", "说明", "In English"), rows, widths=(24, 70, 70))


def notes_sheet(connection: Connection, report: Report) -> Sheet:
    """The methods in words, and the digest of what each survey's weights were made of."""
    rows: list[tuple[Value, ...]] = list(NOTES)
    for survey_id in surveys.surveys_of(connection, report.evaluation.id):
        newest = weightings.latest_weighting(connection, survey_id)
        if newest:
            rules = " ".join(f"{name}={value}" for name, value in sorted(newest.rules.items()))
            rows.append((f"评议 {survey_id} 的权数", f"{newest.digest} {rules}", newest.made_at))
    return Sheet("说明", ("项目", "内容", "Content"), rows, widths=(18, 80, 80))


SHEETS: dict[str, Callable[[Connection, Report], Sheet]] = {
    "rates": rates_sheet,
    "outcomes": outcomes_sheet,
    "weights": weights_sheet,
    "covariances": covariances_sheet,
    "claims": claims_sheet,
}


@blp.route("/evaluations/<evaluation>/rates.csv", parameters=[EVALUATION])
@allow(*OFFICES)
@told("应答率(CSV)", "AAPOR's rates as CSV.")
@blp.response(200, {"type": "string"}, content_type=CSV)
def rates_csv(evaluation: str) -> Response:
    """Download the rates."""
    return _csv(evaluation, "rates")


@blp.route("/evaluations/<evaluation>/outcomes.csv", parameters=[EVALUATION])
@allow(*OFFICES)
@told("访问结果(CSV)", "Outcomes of each weighting cell as CSV.")
@blp.response(200, {"type": "string"}, content_type=CSV)
def outcomes_csv(evaluation: str) -> Response:
    """Download the outcomes."""
    return _csv(evaluation, "outcomes")


@blp.route("/evaluations/<evaluation>/weights.csv", parameters=[EVALUATION])
@allow(*OFFICES)
@told("权数(CSV)", "Weights of each cell after each step as CSV.")
@blp.response(200, {"type": "string"}, content_type=CSV)
def weights_csv(evaluation: str) -> Response:
    """Download the weights."""
    return _csv(evaluation, "weights")


@blp.route("/evaluations/<evaluation>/covariances.csv", parameters=[EVALUATION])
@allow(*OFFICES)
@told("协方差(CSV)", "Covariances between units as CSV; nothing of a hidden figure.")
@blp.response(200, {"type": "string"}, content_type=CSV)
def covariances_csv(evaluation: str) -> Response:
    """Download the covariances."""
    return _csv(evaluation, "covariances")


@blp.route("/evaluations/<evaluation>/claims.csv", parameters=[EVALUATION])
@allow(*OFFICES)
@told("不能据此说什么(CSV)", "What may not be claimed as CSV.")
@blp.response(200, {"type": "string"}, content_type=CSV)
def claims_csv(evaluation: str) -> Response:
    """Download what may not be claimed."""
    return _csv(evaluation, "claims")


@blp.route("/evaluations/<evaluation>/methods.xlsx", parameters=[EVALUATION])
@allow(*OFFICES)
@told("方法(XLSX)", "Rates, outcomes, weights, covariances, claims and notes as one workbook.")
@blp.response(200, {"type": "string", "contentMediaType": XLSX}, content_type=XLSX)
def methods_xlsx(evaluation: str) -> Response:
    """Download everything on methods."""
    name, sheets = _sheets(evaluation, "methods.xlsx", [*SHEETS.values(), notes_sheet])
    return attachment(xlsx_bytes(sheets), XLSX, f"{name}-方法.xlsx", "methods.xlsx")


def _csv(code: str, kind: str) -> Response:
    name, [sheet] = _sheets(code, f"{kind}.csv", [SHEETS[kind]])
    return attachment(csv_lines(sheet), f"{CSV}; charset=utf-8", f"{name}-{sheet.name}.csv", f"{kind}.csv")


def _sheets(code: str, file: str, made: Iterable[Callable[[Connection, Report], Sheet]]) -> tuple[str, list[Sheet]]:
    """The evaluation's name and the sheets, and a line in the audit: who took which file."""
    with reading(code) as look:
        report = look.report()
        sheets = [make(look.connection, report) for make in made]
    with services().database.write() as connection:
        people.record_act(connection, "downloaded", utc_now(), current_staff().id, evaluation=code, file=file)
    return report.evaluation.name_zh, sheets
