"""Handing out codes at the office's desk: print runs for envelopes, one sheet for another, batches revoked."""

from collections.abc import Mapping
from datetime import datetime

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import invitations
from api.actions.invitations import MOST_SHEETS, Code, PrintRun, Spelling, Wish
from api.auth import allow, current_staff
from api.documents_pdf.code_sheets import Letter, Printed, Stratum, code_sheets
from api.pages.inspector_forms import read_words
from api.pages.invitations_shown import survey_page
from api.pages.ui import day, when
from api.services import services, utc_now
from api.store import surveys
from api.store.evaluations import evaluation_numbered
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import read_code

pages = Blueprint("invitations", __name__, url_prefix="/office/surveys/<int(max=2147483647):survey_id>/invitations")

PDF = "application/pdf"
NUMBER = "n-"  # begins the name of a field that says how many sheets a stratum gets


@pages.get("")
@allow("office")
def state(survey_id: int) -> Response:
    """How many codes are out, spent and revoked in each stratum, the batches, and the forms to hand out more."""
    return survey_page(survey_id)


@pages.post("/print")
@allow("office")
def print_run(survey_id: int) -> Response:
    """Make codes and answer with their sheets as one PDF, which is kept nowhere."""
    try:
        wish = _wish(request.form)
        with services().database.write() as connection:
            run = invitations.make_print_run(
                connection, services().settings.pepper, survey_id, wish, current_staff().id, utc_now()
            )
            return _printed(connection, survey_id, run)
    except Refused as refused:
        return survey_page(survey_id, refused)


@pages.post("/reissue")
@allow("office")
def reissue(survey_id: int) -> Response:
    """Revoke the code of a sheet that came back, and answer with a new sheet."""
    typed = request.form.get("code", "")
    cap = None
    try:
        cap = services().answering.booths.caps.of(read_code(typed))
        if cap:
            cap.admit()
        with services().database.write() as connection:
            run = invitations.reissue_printed(
                connection, services().settings.pepper, survey_id, typed, current_staff().id, utc_now()
            )
            return _printed(connection, survey_id, run)
    except Refused as refused:
        if refused.code == "reissue_refused" and cap:
            cap.count()
        return survey_page(survey_id, refused, at="code")


@pages.post("/batches/<int(max=2147483647):batch_id>/revoke")
@allow("office")
def revoke(survey_id: int, batch_id: int) -> Response:
    """Revoke what is unspent of a batch."""
    try:
        reason = read_words(request.form, "reason", invitations.LONGEST_REASON)
        with services().database.write() as connection:
            invitations.revoke_batch(connection, survey_id, batch_id, reason, current_staff().id, utc_now())
    except Refused as refused:
        return survey_page(survey_id, refused, at=f"reason-{batch_id}")
    return redirect(f"/office/surveys/{survey_id}/invitations#batches", 303)


def _wish(form: Mapping[str, str]) -> Wish:
    """What the print form asks for; what is no number is none that can be printed."""
    numbers = {}
    for name, text in form.items():
        if name.startswith(NUMBER):
            plain = text.strip() or "0"
            fits = plain.isascii() and plain.isdecimal() and len(plain) < 6
            numbers[name.removeprefix(NUMBER)] = int(plain) if fits else MOST_SHEETS + 1
    spelling: Spelling = "digits" if form.get("spelling") == "digits" else "letters"
    seen = form.get("seen", "")
    return Wish(numbers, spelling, int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else 0)


def _printed(connection: Connection, survey_id: int, run: PrintRun) -> Response:
    """The sheets of a run, set before its codes are committed: without a file there are no codes."""
    now = utc_now()
    letter = _letter(connection, survey_id, run, now)
    named = {one.code: one for one in surveys.strata_of(connection, survey_id)}
    strata = [
        Stratum(named[code].name_zh, named[code].name_en, [_sheet(one) for one in codes])
        for code, codes in run.codes.items()
    ]
    pdf = code_sheets(letter, strata)
    invitations.hand_over(connection, run, current_staff().id, now)
    response = Response(pdf, mimetype=PDF)
    response.headers["Content-Disposition"] = f'attachment; filename="mingcha-{survey_id}-{run.batch_id}.pdf"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _sheet(code: Code) -> Printed:
    return Printed(code.typed, code.token)


def _letter(connection: Connection, survey_id: int, run: PrintRun, now: datetime) -> Letter:
    window, notice = invitations.inviting(connection, survey_id, now)
    evaluation = evaluation_numbered(connection, window.evaluation_id)
    zh = notice.words["zh"]
    en = notice.words.get("en", zh)
    return Letter(
        title_zh=f"{evaluation.name_zh} · {window.name_zh}",
        title_en=f"{evaluation.name_en} · {window.name_en}",
        sponsor_zh=zh["sponsor"],
        sponsor_en=en.get("sponsor", zh["sponsor"]),
        base_url=services().settings.base_url,
        closes=when(window.closes_at),
        help_line=zh["help_line"],
        secrecy=window.secrecy,
        batch=f"第 {run.batch_id} 批 batch {run.batch_id} · {day(now)}",
    )
