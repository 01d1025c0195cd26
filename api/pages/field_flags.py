"""What was odd in the field, in numbers and without a map, and what supervisors and the office made of it."""

from urllib.parse import quote, urlencode

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from api.actions.field_flags import LONGEST_NOTE, VERDICTS, explained, review, subjects_of
from api.auth import allow, current_staff
from api.pages import inspection_words
from api.pages.desk import evaluation_in_view, number_in_address
from api.pages.inspection_words import said
from api.pages.inspector_forms import read_words
from api.pages.render import page, t
from api.problems import sentences, status_of
from api.services import services, utc_now
from api.store.field_flags import Wanted, overview_of, raised_in
from survey_forms.inspection.explained import EXPLANATIONS
from survey_forms.refusal import Fault, Refused

pages = Blueprint("field_flags", __name__, url_prefix="/field-flags")
inspection_words.init_pages(pages)

CARDS = 20  # check-ins, photos or uploads a page
FILTERS = (("state", "open"), ("flag", ""), ("inspector", ""))
OF_UPLOADS = {"flag_photo_missing": "explained_photo_missing"}
"""Flags of uploads that take numbers to explain; the others are told by their own sentences."""
STATES = ("open", *VERDICTS, "")


@pages.get("")
@allow("supervisor", "office")
def show() -> Response:
    """Show the flags asked for, by what they stand on."""
    return _page()


@pages.post("/<subject>/<subject_id>/<flag>")
@allow("supervisor", "office")
def decide(subject: str, subject_id: str, flag: str) -> Response:
    """Note what a person made of a flag."""
    try:
        note = read_words(request.form, "note", LONGEST_NOTE)
        verdict = request.form.get("verdict", "")
        with services().database.write() as connection:
            review(connection, subject, subject_id, flag, verdict, note, current_staff().id, utc_now())
    except Refused as refused:
        return _page(status_of(refused.code), refused.faults, f"{subject}-{subject_id}-{flag}")
    wanted = {name: request.args.get(name, default) for name, default in FILTERS}
    return redirect(f"{url_for('field_flags.show')}?{urlencode(wanted)}#{quote(subject)}-{quote(subject_id)}", 303)


def flag_name(flag: str) -> str:
    """A flag in a sentence, without numbers."""
    if flag == "outside":
        return t("上报位置在检查点范围外。", "The reported position is outside the site.")
    return said(flag) if flag in sentences() else flag


def explanation(flag: str, facts: dict[str, object]) -> str:
    """What the flag saw and what it does not prove; "" where its own sentence says all."""
    code = EXPLANATIONS.get(flag) or OF_UPLOADS.get(flag)
    return said(code, **facts) if code and facts else ""


def _page(status: int = 200, faults: tuple[Fault, ...] = (), about: str = "") -> Response:
    wanted = Wanted(*(request.args.get(name, default) for name, default in FILTERS))
    if wanted.state not in STATES:
        raise Refused("not_found", "state")
    number = number_in_address("page")
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        known = overview_of(connection, evaluation.id)
        raised, found = raised_in(connection, evaluation.id, wanted, skip=(number - 1) * CARDS, most=CARDS)
        shown = [explained(connection, one) for one in subjects_of(raised)]
    return page(
        "supervisor/field_flags.html",
        status,
        evaluation=evaluation,
        cards=shown,
        found=found,
        counts=known.counts,
        flags=known.flags,
        people=list(known.people),
        wanted=wanted,
        number=number,
        last=max(1, -(-found // CARDS)),
        flag_name=flag_name,
        explanation=explanation,
        faults=[(f"{fault.path}-{about}" if fault.path else "", said(fault.code)) for fault in faults],
        about=about,
        given=request.form,
        query=urlencode({name: getattr(wanted, name) for name, _ in FILTERS}),
    )
