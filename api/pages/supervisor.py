"""The supervisor's pages: how fieldwork stands, as pictures first, tables second; and what can be taken home as CSV."""

from collections.abc import Callable, Iterable, Sequence

from flask import Blueprint, redirect
from markupsafe import Markup
from werkzeug.wrappers import Response

from api.actions.supervision import Fieldwork, Progress, fieldwork_now
from api.auth import allow, current_staff
from api.downloads import Sheet, Value, csv_lines
from api.pages.charts import Share, share_chart
from api.pages.charts_hours import hours_chart
from api.pages.charts_ranks import Strip, strip_chart
from api.pages.render import named, page, t
from api.pages.survey_in_view import survey_in_view
from api.pages.ui import percent
from api.services import services, utc_now
from api.store import paradata, surveys
from api.store.people import record_act
from survey_forms.estimation.outcomes import CLASSES, class_of
from survey_forms.refusal import Refused

pages = Blueprint("supervisor", __name__, url_prefix="/supervisor")

CLASS_NAMES = {
    "I": ("完成", "Complete"),
    "P": ("部分完成", "Partial"),
    "R": ("拒访", "Refusal"),
    "NC": ("未联系上", "Non-contact"),
    "O": ("其他未访", "Other"),
    "UH": ("未知（住户）", "Unknown household"),
    "UO": ("未知（其他）", "Unknown other"),
    "NE": ("不合格", "Not eligible"),
}
MODE_NAMES = {
    "none": ("未开始", "Not begun"),
    "web": ("网络", "Web"),
    "phone": ("电话", "Telephone"),
    "visit": ("入户", "Visit"),
}
HEADLINE = ("RR1", "RR3", "COOP1", "REF1", "CON1")
DAYS = (
    ("周一", "Mon"),
    ("周二", "Tue"),
    ("周三", "Wed"),
    ("周四", "Thu"),
    ("周五", "Fri"),
    ("周六", "Sat"),
    ("周日", "Sun"),
)


@pages.get("")
@allow("supervisor", "office")
def newest() -> Response:
    """The survey that was worked last."""
    with services().database.read() as connection:
        known = paradata.worked_surveys(connection)
    if not known:
        return page("supervisor/none.html")
    response: Response = redirect(f"/supervisor/{known[0]}")
    return response


@pages.get("/<int(max=2147483647):survey_id>")
@allow("supervisor", "office")
def progress(survey_id: int) -> Response:
    """Outcomes and rates by stratum and mode, and when people were tried."""
    with services().database.read() as connection:
        evaluation, survey = survey_in_view(connection, survey_id)
        others = [survey_in_view(connection, one)[1] for one in paradata.worked_surveys(connection)]
        found = fieldwork_now(connection, survey_id)
        names = _stratum_names(surveys.strata_of(connection, survey_id))
    return page(
        "supervisor/progress.html",
        evaluation=evaluation,
        survey=survey,
        others=[one for one in others if one.survey_id != survey_id],
        found=found,
        lines=_lines(found, names),
        classes=CLASSES,
        days=[t(*day) for day in DAYS],
        class_heads=[(t(*CLASS_NAMES[cls]), "num") for cls in CLASSES],
        headline=HEADLINE,
        rate_heads=[(rate, "num") for rate in (*HEADLINE, "RR5")],
        outcome_chart=_outcome_chart(_lines(found, names)),
        rate_chart=_rate_chart(_lines(found, names)),
        hour_chart=_hour_chart(found),
        now=utc_now(),
    )


@pages.get("/<int(max=2147483647):survey_id>/<kind>.csv")
@allow("supervisor", "office")
def download(survey_id: int, kind: str) -> Response:
    """Outcomes, rates or attempts as CSV; whom a case is about stands in none of them."""
    if kind not in {"outcomes", "rates", "attempts"}:
        raise Refused("not_found")
    with services().database.write() as connection:
        survey_in_view(connection, survey_id)
        if kind == "attempts":
            sheet = _attempts_sheet(paradata.attempts_in(connection, survey_id))
        else:
            names = _stratum_names(surveys.strata_of(connection, survey_id))
            lines = _lines(fieldwork_now(connection, survey_id), names)
            sheet = _outcomes_sheet(lines) if kind == "outcomes" else _rates_sheet(lines)
        record_act(connection, "downloaded", utc_now(), current_staff().id, survey=survey_id, file=f"{kind}.csv")
    response = Response(csv_lines(sheet), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{kind}-{survey_id}.csv"'
    return response


def _stratum_names(strata: Iterable[surveys.Stratum]) -> dict[str, str]:
    return {one.code: named(one) for one in strata}


Line = tuple[str, str, Progress]
"""What is told together (all, stratum, mode), the name of its part, and how it stands."""


def _lines(found: Fieldwork, names: dict[str, str]) -> list[Line]:
    strata = [("stratum", names.get(one.key, one.key), one) for one in found.strata]
    modes = [("mode", t(*MODE_NAMES[one.key]), one) for one in found.modes]
    return [("all", t("全部", "All"), found.total), *strata, *modes]


def _outcome_chart(lines: Sequence[Line]) -> Markup:
    strips = [
        Strip(
            name,
            [(f"{t(*CLASS_NAMES[cls])} {one.counts[cls]}", one.counts[cls] / one.cases) for cls in CLASSES],
            t("%d / %d 已做", "%d / %d worked") % (one.worked, one.cases),
        )
        for _, name, one in lines
        if one.cases
    ]
    told = "；".join(f"{strip.label} {strip.note}" for strip in strips)
    return strip_chart(strips, t("各层、各方式的结果", "Outcomes by stratum and mode"), told)


def _rate_chart(lines: Sequence[Line]) -> Markup:
    shares = [
        Share(name, round(1000 * (one.plain.rr3 or 0)), 1000, f"{percent(one.plain.rr3, 1)} · e {_e(one)}")
        for _, name, one in lines
        if one.plain.rr3 is not None
    ]
    told = "；".join(f"{share.label} {share.note}" for share in shares)
    return share_chart(shares, t("应答率 RR3", "Response rate RR3"), told)


def _e(one: Progress) -> str:
    return "—" if one.plain.e is None else f"{one.plain.e:.3f}"


def _hour_chart(found: Fieldwork) -> Markup:
    tried = {at: number for at, (number, _) in found.hours.items()}
    number = sum(tried.values())
    title = t("什么时候联系：星期 × 钟点的次数", "When people were tried: attempts by weekday and hour")
    return hours_chart(tried, [t(*day) for day in DAYS], title, t("共 %d 次", "%d attempts") % number)


def _outcomes_sheet(lines: Sequence[Line]) -> Sheet:
    rows: list[list[Value]] = [
        [kind, one.key, name, one.cases, one.worked, *(one.counts[cls] for cls in CLASSES)] for kind, name, one in lines
    ]
    return Sheet("outcomes", ("part", "code", "name", "cases", "worked", *CLASSES), rows)


def _rates_sheet(lines: Sequence[Line]) -> Sheet:
    """All rates, unweighted and by base weights; RR5 and RR6 only where no case's eligibility is unknown."""

    def told(one: Progress, pick: Callable[[Progress], dict[str, float | None]]) -> list[Value]:
        found = pick(one)
        return [value if one.all_known or name not in {"RR5", "RR6"} else None for name, value in found.items()]

    kinds: dict[str, Callable[[Progress], dict[str, float | None]]] = {
        "unweighted": lambda one: one.plain.named(),
        "base_weights": lambda one: one.weighted.named(),
    }
    names = list(lines[0][2].plain.named())
    rows = [
        [kind, one.key, name, weights, one.cases, *told(one, pick)]
        for kind, name, one in lines
        for weights, pick in kinds.items()
    ]
    return Sheet("rates", ("part", "code", "name", "weights", "cases", *names), rows)


def _attempts_sheet(tries: Sequence[paradata.Tried]) -> Sheet:
    heads = ("attempt", "case", "stratum", "mode", "interviewer", "began_at", "ended_at", "seconds", "outcome", "class")
    rows: list[list[Value]] = []
    for one in tries:
        who = (one.id, one.case_id, one.stratum, one.mode, one.staff_id)
        when = (one.began_at.isoformat(), one.ended_at.isoformat(), one.seconds)
        rows.append([*who, *when, one.outcome, class_of(one.outcome)])
    return Sheet("attempts", heads, rows)
