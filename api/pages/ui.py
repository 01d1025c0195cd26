"""What every template may use: addresses of static files, numbers and times as people read them, who is signed in.

Static files carry the first bytes of their SHA-256 in the address and are cached for a year: a new file is a new
address, so nothing is ever stale and nothing is fetched twice.
"""

from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from flask import Flask, request, url_for
from werkzeug.wrappers import Response

from api.auth import caller
from api.pages.render import named, t
from survey_forms.numbers import published

CHINA = timezone(timedelta(hours=8))
"""One zone for the whole country, without summer time since 1991."""
A_YEAR = "public, max-age=31536000, immutable"
MISSING = "—"

ROLE_NAMES = {
    "office": ("效能办", "Evaluation office"),
    "inspector": ("察访员", "Inspector"),
    "supervisor": ("督导", "Supervisor"),
    "interviewer": ("访问员", "Interviewer"),
    "bureau": ("统计局", "Statistics bureau"),
    "unit": ("被考核单位", "Assessed unit"),
}

# Address, Chinese, English: what each role finds at the top of its pages.
NAVIGATION: dict[str, tuple[tuple[str, str, str], ...]] = {
    "office": (
        ("/office", "概览", "Overview"),
        ("/office/round", "轮次", "Round"),
        ("/office/results", "结果", "Results"),
        ("/office/indicators", "指标", "Indicators"),
        ("/office/frames", "抽样", "Sampling"),
        ("/office/survey", "评议", "Public review"),
        ("/supervisor", "访问督导", "Fieldwork"),
        ("/office/inspections", "双随机", "Double random"),
        ("/office/findings", "察访问题", "Findings"),
        ("/office/ledger", "扣分台账", "Ledger"),
        ("/field-flags", "察访标记", "Field flags"),
        ("/office/uploads", "手机上传", "Uploads"),
        ("/office/objections", "异议", "Objections"),
        ("/office/rectifications", "整改", "Rectification"),
        ("/office/slips", "文书", "Slips"),
        ("/office/audit", "操作记录", "Audit"),
    ),
    "bureau": (("/bureau", "汇总与下载", "Aggregates and downloads"),),
    "unit": (
        ("/unit", "本单位", "Our unit"),
        ("/unit/entries", "扣分", "Deductions"),
        ("/unit/objections", "异议", "Objections"),
        ("/unit/rectifications", "整改", "Rectification"),
        ("/unit/slips", "文书", "Slips"),
    ),
    "supervisor": (("/supervisor", "访问督导", "Fieldwork"), ("/field-flags", "察访标记", "Field flags")),
    "interviewer": (("/interviewer", "访问台", "Desk"), ("/interviewer/visits", "入户访问", "Visits")),
    "inspector": (("/inspector", "今日察访", "Today's visits"),),
}


def init_app(app: Flask) -> None:
    """Give the templates their helpers, and static files their long life."""
    app.jinja_env.globals.update(
        asset=asset,
        signed_in=caller,
        language_link=language_link,
        role_name=role_name,
        interval=interval,
        desk_navigation=NAVIGATION,
    )
    app.jinja_env.filters.update(
        points=points,
        when=when,
        day=day,
        percent=percent,
        whole=whole,
        trim_zeros=trim_zeros,
        signed=signed,
        named=named,
    )
    app.after_request(_cache_named_content)


@cache
def _fingerprint(name: str) -> str:
    return sha256(files("api.pages").joinpath("static", name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a static file, naming its content."""
    return url_for("static", filename=name, v=_fingerprint(name))


def _cache_named_content(response: Response) -> Response:
    named = request.endpoint == "static" and response.status_code in {200, 206, 304} and "v" in request.args
    if named and request.args["v"] == _fingerprint(str((request.view_args or {})["filename"])):
        response.headers["Cache-Control"] = A_YEAR
    return response


def language_link(code: str) -> str:
    """The page that is being shown, in another language."""
    return f"{request.path}?{urlencode([*_kept_arguments(), ('lang', code)])}"


def _kept_arguments() -> list[tuple[str, str]]:
    return [(key, value) for key, value in request.args.items(multi=True) if key != "lang"]


def role_name(role: str) -> str:
    """A staff role in the reader's language."""
    return t(*ROLE_NAMES[role])


def points(value: Any, places: int = 2) -> str:
    """Points for reading: rounded half up to `places`, with a true minus sign; a dash for nothing."""
    if value is None:
        return MISSING
    try:
        number = Decimal(str(value))
        return f"{published(number, places):f}".replace("-", "−") if number.is_finite() else MISSING
    except InvalidOperation:
        return str(value)


def signed(value: Any) -> str:
    """A difference for reading, its sign always shown."""
    return f"+{points(value)}" if value > 0 else points(value)


def trim_zeros(figure: str) -> str:
    """A figure without the zeros at its end: 564.2100 → 564.21."""
    return figure.rstrip("0").rstrip(".") if "." in figure else figure


def interval(low: Any, high: Any, places: int = 1) -> str:
    """An interval for reading: both ends, or a dash when either is unknown."""
    if low is None or high is None:
        return MISSING
    return f"{points(low, places)} – {points(high, places)}"


def percent(share: float | None, places: int = 0) -> str:
    """A share of 0..1 as per cent; a dash for nothing."""
    return MISSING if share is None else f"{points(100 * share, places)}%"


def whole(number: int) -> str:
    """A count with its thousands apart: 20,000."""
    return f"{number:,}"


def when(moment: datetime | str | None) -> str:
    """A moment by the clock in China: 2025-06-03 14:05."""
    return _local(moment, "%Y-%m-%d %H:%M")


def day(moment: datetime | str | None) -> str:
    """The day of a moment in China."""
    return _local(moment, "%Y-%m-%d")


def _local(moment: datetime | str | None, form: str) -> str:
    if moment is None:
        return MISSING
    known = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return known.astimezone(CHINA).strftime(form)
