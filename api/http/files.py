"""Downloads for spreadsheets: results, estimates and ledger as CSV, and all of it as one XLSX file."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from urllib.parse import quote

from flask import Response

from api.actions.concealed import NOT_MEASURED
from api.actions.report import GroupResult, LedgerLine, Report, UnitResult, Withheld
from api.auth import allow, current_staff
from api.downloads import Sheet, Value, csv_lines, xlsx_bytes
from api.http.api import PREFIX, ApiBlueprint, never_kept, told
from api.http.results import EVALUATION, OFFICES, READERS, reading
from api.http.schemas import told_flag
from api.services import services, utc_now
from api.store import people
from survey_forms.numbers import plain

blp = ApiBlueprint("files", __name__, url_prefix=PREFIX, description="下载 / downloads")
blp.after_request(never_kept)

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HIDDEN, UNMEASURED = "隐去", "未测"
RECOMPUTE = "mingcha score --trace 输入.json(输入文件:/api/v1/evaluations/{code}/input)"


def results_sheet(report: Report) -> Sheet:
    """The composites, one unit a row; every row says what it was computed from, for rows get copied."""
    shown = report.parts if report.units or report.withheld else {}
    headings = [
        *(
            "单位代码",
            "单位",
            "名次区间最好",
            "名次区间最差",
            "同时区间最好",
            "同时区间最差",
            "综合得分",
            "标准误",
            "95%区间下限",
            "95%区间上限",
            "评价份数",
            "等次",
        ),
        "该等次的概率",
        *(f"{zh}(计入分数)" for zh, _ in shown.values()),
        *("扣满未扣分数", "提示", "数据性质", "计算时间", "方案SHA-256", "输入SHA-256", "复算办法"),
    ]
    rows = [_result_row(report, one) for one in report.units] + [_withheld_row(report, one) for one in report.withheld]
    return Sheet("综合得分", headings, rows, widths=(16, 28))


def estimates_sheet(report: Report) -> Sheet:
    """What each group says of each unit; a hidden cell says so and nothing else."""
    headings = (
        *(
            "评议主体代码",
            "评议主体",
            "单位代码",
            "单位",
            "得分(0-100)",
            "标准误",
            "自由度",
            "95%区间下限",
            "95%区间上限",
        ),
        *("评价份数", "是否隐去", "提示", "数据性质", "计算时间"),
    )
    return Sheet(
        "分组评价", headings, [_estimate_row(report, one) for one in report.estimates], widths=(22, 24, 16, 28)
    )


def ledger_sheet(report: Report) -> Sheet:
    """The deduction ledger."""
    headings = (
        *("序号", "单位代码", "单位", "计入项目", "方面", "规则", "分值", "冲销序号", "被冲销于", "依据", "记入时间"),
        *("叶散列(RFC 9162)", "数据性质"),
    )
    return Sheet("扣分台账", headings, [_ledger_row(report, one) for one in report.ledger], widths=(8, 16, 28))


def notes_sheet(report: Report) -> Sheet:
    """What a reader must know of the file."""
    composite = report.composite
    rows: list[Sequence[Value]] = [
        ("考评", report.evaluation.name_zh, report.evaluation.name_en),
        ("数据性质", *_nature(report)),
        ("考评方案", report.evaluation.scheme, composite.scheme_digest if composite else None),
        ("补充数值", report.evaluation.supplied_note, ""),
        ("计算时间", composite.computed_at if composite else None, ""),
        ("输入SHA-256", composite.inputs_digest if composite else None, ""),
        ("台账读至序号", composite.ledger_seq if composite else None, ""),
        ("复算办法", _recompute(report), "recompute"),
        (
            "隐去规则",
            "评价不足 10 份的单元,以及能由此推算的单元,在所有文件和接口中同样隐去。",
            "Cells with fewer than 10 ratings, and those that would give them away, are hidden in every file and view.",
        ),
        (
            "区间",
            "95% 区间只反映抽样误差;指标得分和扣分按实数计,不含抽样误差。",
            "The 95 % interval is sampling error alone; indicator scores and deductions are counts.",
        ),
    ]
    return Sheet("说明", ("项目", "内容", "Content"), rows, widths=(18, 70, 70))


SHEETS: dict[str, tuple[str, Callable[[Report], Sheet]]] = {
    "results": ("综合得分", results_sheet),
    "estimates": ("分组评价", estimates_sheet),
    "ledger": ("扣分台账", ledger_sheet),
}


@blp.route("/evaluations/<evaluation>/results.csv", parameters=[EVALUATION])
@allow(*READERS)
@told("综合得分(CSV)", "The composites as CSV: UTF-8 with a byte order mark, Chinese headings.")
@blp.response(200, {"type": "string"}, content_type=CSV)
def results_csv(evaluation: str) -> Response:
    """Download the composites."""
    return _csv(evaluation, "results")


@blp.route("/evaluations/<evaluation>/estimates.csv", parameters=[EVALUATION])
@allow(*READERS)
@told("分组评价(CSV)", "The groups' estimates as CSV; small cells are hidden.")
@blp.response(200, {"type": "string"}, content_type=CSV)
def estimates_csv(evaluation: str) -> Response:
    """Download the estimates."""
    return _csv(evaluation, "estimates")


@blp.route("/evaluations/<evaluation>/ledger.csv", parameters=[EVALUATION])
@allow(*OFFICES)
@told("扣分台账(CSV)", "The deduction ledger as CSV.")
@blp.response(200, {"type": "string"}, content_type=CSV)
def ledger_csv(evaluation: str) -> Response:
    """Download the ledger."""
    return _csv(evaluation, "ledger")


@blp.route("/evaluations/<evaluation>/results.xlsx", parameters=[EVALUATION])
@allow(*READERS)
@told("全部结果(XLSX)", "Composites, estimates, ledger and notes as one workbook.")
@blp.response(200, {"type": "string", "contentMediaType": XLSX}, content_type=XLSX)
def results_xlsx(evaluation: str) -> Response:
    """Download everything."""
    report = _report(evaluation, "results.xlsx")
    sheets = [results_sheet(report), estimates_sheet(report), ledger_sheet(report), notes_sheet(report)]
    return attachment(xlsx_bytes(sheets), XLSX, f"{report.evaluation.name_zh}.xlsx", "results.xlsx")


def _csv(code: str, kind: str) -> Response:
    report = _report(code, f"{kind}.csv")
    name, sheet = SHEETS[kind]
    lines: Iterator[bytes] = csv_lines(sheet(report))
    return attachment(lines, f"{CSV}; charset=utf-8", f"{report.evaluation.name_zh}-{name}.csv", f"{kind}.csv")


def _report(code: str, file: str) -> Report:
    """The caller's report, and a line in the audit: who took which file."""
    with reading(code) as look:
        report = look.report()
    with services().database.write() as connection:
        people.record_act(connection, "downloaded", utc_now(), current_staff().id, evaluation=code, file=file)
    return report


def attachment(content: bytes | Iterator[bytes], kind: str, name: str, plain_name: str) -> Response:
    """A file to be kept, under a Chinese name where the browser knows RFC 6266, else a plain one."""
    response = Response(content, content_type=kind)
    safe = "".join(char if char.isprintable() and char not in '/\\:*?"<>|' else "_" for char in name)
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{quote(safe)}"
    return response


def _result_row(report: Report, one: UnitResult) -> Sequence[Value]:
    composite = report.composite
    return [
        *(one.unit.code, one.unit.name_zh, one.place.best, one.place.worst, one.jointly.best, one.jointly.worst),
        *(one.composite, one.se, one.low, one.high),
        HIDDEN if one.n is None else one.n,
        *(one.grade or f"未定(缺 {one.grade_missing})", one.grade_probability),
        *(one.parts.get(key) for key in report.parts),
        *(one.cut_by_cap, _flags(one.flags), _nature(report)[0]),
        *((composite.computed_at, composite.scheme_digest, composite.inputs_digest) if composite else (None,) * 3),
        _recompute(report),
    ]


def _withheld_row(report: Report, one: Withheld) -> Sequence[Value]:
    """A unit without its composite: the reason and no figure."""
    composite = report.composite
    state = (composite.computed_at, composite.scheme_digest, composite.inputs_digest) if composite else (None,) * 3
    word = UNMEASURED if one.why == NOT_MEASURED else HIDDEN
    return [
        *(one.unit.code, one.unit.name_zh, *(None,) * 4, word, *(None,) * 3, HIDDEN, word, None),
        *(None for _ in report.parts),
        *(None, _flags((one.why,)), _nature(report)[0], *state, _recompute(report)),
    ]


def _estimate_row(report: Report, one: GroupResult) -> Sequence[Value]:
    return [
        *(
            one.group,
            one.group_zh,
            one.unit.code,
            one.unit.name_zh,
            one.value,
            one.se,
            one.df,
            one.low,
            one.high,
            one.n,
        ),
        *(HIDDEN if one.hidden else "否", _flags(one.flags), _nature(report)[0]),
        report.composite.computed_at if report.composite else None,
    ]


def _ledger_row(report: Report, one: LedgerLine) -> Sequence[Value]:
    return [
        *(one.seq, one.unit.code, one.unit.name_zh, one.component, one.aspect, one.rule, Decimal(plain(one.points))),
        *(one.reverses, one.reversed_by, one.basis, one.entered_at, one.leaf_hash, _nature(report)[0]),
    ]


def _flags(flags: Sequence[str]) -> str:
    return " ".join(told_flag(flag)["zh"] for flag in flags)


def _nature(report: Report) -> tuple[str, str]:
    if report.evaluation.simulated:
        return "模拟数据(演示用,不是真实评议结果)", "Simulated data, for demonstration; not the result of a real review"
    return "真实数据", "Real data"


def _recompute(report: Report) -> str:
    return RECOMPUTE.format(code=report.evaluation.code)
