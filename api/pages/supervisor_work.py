"""The supervisor's work: interviewers beside each other, back-checks with their verdicts, flags with judgements."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, request
from markupsafe import Markup
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import backchecks, quality
from api.actions.sealed_words import Safe
from api.actions.supervision import Interviewer, fieldwork_now
from api.auth import allow, current_staff
from api.pages.charts import Mark, interval_chart
from api.pages.quality_words import FLAG_NAMES, fact_words, verdict_name, z_words
from api.pages.render import language, named, page, t
from api.pages.survey_in_view import survey_in_view
from api.pages.ui import percent, points, signed
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import flags, owed, paradata
from api.store.backchecks import checks_of
from api.store.evaluations import units_of
from survey_forms.estimation.quality import Outlier
from survey_forms.refusal import Refused

pages = Blueprint("supervisor_work", __name__, url_prefix="/supervisor")

Act = Callable[[Connection, datetime], object]


@pages.get("/<int(max=2147483647):survey_id>/interviewers")
@allow("supervisor", "office")
def interviewers(survey_id: int) -> Response:
    """What each interviewer did, beside the others."""
    with services().database.read() as connection:
        evaluation, survey = survey_in_view(connection, survey_id)
        found = fieldwork_now(connection, survey_id).interviewers
        compared = quality.measures(paradata.attempts_in(connection, survey_id))
        results = backchecks.results_of(checks_of(connection, survey_id))
    beside = {kind: {one.key: one for one in rows} for kind, rows in compared.items()}
    return page(
        "supervisor/interviewers.html",
        evaluation=evaluation,
        survey=survey,
        found=found,
        beside=beside,
        verdicts=_verdicts(results),
        z_words=z_words,
        chart=_cooperation_chart(found, beside["cooperation"]),
    )


@pages.get("/<int(max=2147483647):survey_id>/backchecks")
@allow("supervisor", "office")
def checks(survey_id: int) -> Response:
    """The back-checks, what was said, and the verdicts."""
    return _checks_page(survey_id)


@pages.post("/<int(max=2147483647):survey_id>/backchecks")
@allow("supervisor", "office")
def choose(survey_id: int) -> Response:
    """Choose back-checks: by chance, and of everything that is flagged by now."""
    staff, safe = current_staff().id, Safe(services().settings.secret_key)

    def act(connection: Connection, now: datetime) -> None:
        quality.raise_field_flags(connection, survey_id, now)
        backchecks.choose_checks(connection, safe, survey_id, staff, now)

    return _do(survey_id, "backchecks", act, _checks_page)


@pages.post("/<int(max=2147483647):survey_id>/backchecks/<int(max=2147483647):case_id>")
@allow("supervisor", "office")
def judge(survey_id: int, case_id: int) -> Response:
    """Write the verdict on a back-check."""
    verdict, staff = request.form.get("verdict", ""), current_staff().id
    return _do(
        survey_id,
        "backchecks",
        lambda c, now: backchecks.judge(c, survey_id, case_id, verdict, staff, now),
        _checks_page,
        case_id,
    )


@pages.get("/<int(max=2147483647):survey_id>/flags")
@allow("supervisor", "office")
def marks(survey_id: int) -> Response:
    """Every flag with its figures, and what somebody made of it."""
    return _flags_page(survey_id)


@pages.post("/<int(max=2147483647):survey_id>/flags")
@allow("supervisor", "office")
def look(survey_id: int) -> Response:
    """Look at all attempts now, and let the worker look at the answers once they are counted."""

    def act(connection: Connection, now: datetime) -> None:
        quality.raise_field_flags(connection, survey_id, now)
        owed.emit(connection, "quality", f"{survey_id}:asked", int(now.timestamp()))

    return _do(survey_id, "flags", act, _flags_page)


@pages.post("/<int(max=2147483647):survey_id>/flags/<int(max=2147483647):flag_id>")
@allow("supervisor", "office")
def judge_flag(survey_id: int, flag_id: int) -> Response:
    """Write a judgement beside a flag."""
    words, staff = request.form.get("judgement", ""), current_staff().id
    return _do(
        survey_id,
        "flags",
        lambda c, now: quality.judge_flag(c, survey_id, flag_id, words, staff, now),
        _flags_page,
        flag_id,
    )


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What was refused, and about which line of the page."""

    refused: Refused
    about: int | None


def _do(
    survey_id: int, tab: str, act: Act, shown: Callable[[int, _Trouble], Response], about: int | None = None
) -> Response:
    try:
        with services().database.write() as connection:
            survey_in_view(connection, survey_id)
            act(connection, utc_now())
    except Refused as refused:
        if refused.code in {"not_found", "try_again"}:
            raise
        return shown(survey_id, _Trouble(refused, about))
    return redirect(f"/supervisor/{survey_id}/{tab}", 303)


def _checks_page(survey_id: int, trouble: _Trouble | None = None) -> Response:
    with services().database.read() as connection:
        evaluation, survey = survey_in_view(connection, survey_id)
        found = checks_of(connection, survey_id)
    names = {one.interviewer: one.interviewer_name for one in found}
    results = backchecks.results_of(found)
    return page(
        "supervisor/backchecks.html",
        evaluation=evaluation,
        survey=survey,
        found=found,
        names=names,
        results=results,
        verdicts=[(verdict, verdict_name(verdict)) for verdict in backchecks.VERDICTS],
        verdict_name=verdict_name,
        verdict_keys=[*backchecks.VERDICTS, "open"],
        verdict_heads=[(verdict_name(verdict), "num") for verdict in (*backchecks.VERDICTS, "open")],
        **_told(trouble, "verdict"),
    )


def _flags_page(survey_id: int, trouble: _Trouble | None = None) -> Response:
    with services().database.read() as connection:
        evaluation, survey = survey_in_view(connection, survey_id)
        found = flags.flags_of(connection, survey_id)
        names = paradata.hands_of(connection, survey_id)
        unit_names = {unit.code: named(unit) for unit in units_of(connection, evaluation.id)}
    shown = [one for one in found if one.subject != "all"]
    return page(
        "supervisor/flags.html",
        evaluation=evaluation,
        survey=survey,
        found=shown,
        effect=next((one.facts for one in found if one.kind == "interviewer_effect"), None),
        both=next((one.facts for one in found if one.kind == "both_results"), None),
        unit_names=unit_names,
        moved_chart=_moved_chart(found, unit_names),
        open=sum(one.judged_at is None for one in shown),
        answers=len({one.subject for one in shown if one.subject_kind == "response"}),
        flag_names={kind: t(*words) for kind, words in FLAG_NAMES.items()},
        facts=lambda flag: fact_words(flag.facts, names),
        subject=lambda flag: names.get(int(flag.subject), flag.subject) if flag.subject_kind == "interviewer" else "",
        **_told(trouble, "judgement"),
    )


def _told(trouble: _Trouble | None, field: str) -> Mapping[str, Any]:
    if trouble is None:
        return {"status": 200, "faults": [], "wrong": {}, "about": None, "given": {}}
    faults = [(f"{field}-{trouble.about}" if trouble.about else "", say(f, language())) for f in trouble.refused.faults]
    return {
        "status": status_of(trouble.refused.code),
        "faults": faults,
        "wrong": dict(faults),
        "about": trouble.about,
        "given": request.form,
    }


def _verdicts(results: Mapping[int, Mapping[str, int]]) -> dict[int, str]:
    """Interviewer → verdicts on their interviews in words."""
    return {
        who: " · ".join(f"{verdict_name(verdict)} {number}" for verdict, number in mine.items() if number)
        for who, mine in results.items()
    }


def _moved_chart(found: list[flags.StoredFlag], names: Mapping[str, str]) -> Markup | None:
    """How far each unit's mean moves without the marked answers; None where nothing may be told."""
    moved: Mapping[str, float] = next((one.facts["moved"] for one in found if one.kind == "both_results"), {})
    if not moved:
        return None
    marks = [Mark(names.get(unit, unit), by, note=signed(by)) for unit, by in moved.items()]
    most = max(abs(by) for by in moved.values())
    title = t("去掉有标记的答卷，平均分变动（分）", "How means move without the marked answers (points)")
    return interval_chart(marks, title, t("最多变动 %s 分", "by %s points at most") % points(most))


def _cooperation_chart(found: list[Interviewer], beside: Mapping[int, Outlier]) -> Markup:
    marks = [
        Mark(one.name, None if one.cooperation is None else 100 * one.cooperation, note=_z(one, beside.get(one.id)))
        for one in found
    ]
    title = t("各访问员的合作率（%）", "Cooperation of each interviewer (%)")
    told = "；".join(f"{one.name} {percent(one.cooperation)}" for one in found)
    return interval_chart(marks, title, told)


def _z(one: Interviewer, beside: Outlier | None) -> str:
    told = percent(one.cooperation)
    return told if beside is None else f"{told} · z {z_words(beside.z)}"
