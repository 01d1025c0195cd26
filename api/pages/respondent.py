"""The respondent's pages: a code opens the form, one page at a time, a summary, a receipt.

All of it lives under `/` and `/survey`; no address carries the code. Every POST answers with the next page itself,
which spares a weak network one round trip. The script inside the page (static/respondent.js) only helps: it reads
a code from the address's fragment, gives the shown page an address that can be reloaded and gone back to, keeps
the answers of an unfinished page on the server, counts taps, and swallows a second tap on a button.

Without script the browser's own history must bring a page back, so those pages may stay in its private cache for
this; with script nothing is stored.
"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from api.actions.drafts import find_pictures, forget_draft
from api.actions.windows import survey_of_code
from api.auth import allow_anyone
from api.pages.languages import direction, reading, spoken, tag
from api.pages.render import language, page
from api.pages.respondent_cookie import Pass, hand_pass, shown_pass, take_pass
from api.pages.respondent_frame import init_frame
from api.pages.respondent_pictures import thumbnail_of
from api.pages.respondent_shown import MOST_FOUND
from api.pages.respondent_turn import show, turn
from api.pages.respondent_visit import SUMMARY, visit, visit_of
from api.pages.respondent_welcome import WELCOME, closed, entry_facts, frame_of, welcome
from api.problems import say, status_of
from api.services import services, utc_now
from api.store.windows import window_of
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import display

pages = Blueprint("respondent", __name__)
init_frame(pages)

ABOUT_THE_CODE = frozenset({"code_refused", "code_needed", "code_wait", "code_mistyped", "survey_closed"})


@pages.get("/")
@allow_anyone
def entry() -> Response:
    """Who asks and why, and the field for the code. Opening the page spends nothing."""
    return _entry()


@pages.get("/survey")
@allow_anyone
def survey() -> Response:
    """The page asked for by number, as far as the answers have come; the summary; or the receipt."""
    held = shown_pass()
    if held.receipt or not held.code:
        return _receipt(held) if held.receipt else _entry()
    try:
        with services().database.read() as connection:
            found = visit(connection, held.code, utc_now())
    except Refused as refused:
        return _entry(_about_the_code(refused))
    wish = request.args.get("at", "")
    if wish == WELCOME or not (wish or found.draft):
        return welcome(found)
    return show(found, found.allowed(wish))


@pages.post("/survey")
@allow_anyone
def survey_submit() -> Response:
    """Enter with a code, or send a page; the answer is the next page itself."""
    act = _ACTS.get(request.form.get("do", "next"))
    if act is None:
        raise Refused("unreadable_request")
    try:
        return act(shown_pass())
    except Refused as refused:
        return _entry(_about_the_code(refused))


def _about_the_code(refused: Refused) -> Refused:
    """A refusal that the entry page tells; any other is a page of its own."""
    if refused.code not in ABOUT_THE_CODE:
        raise refused
    return refused


def _enter(_: Pass) -> Response:
    """Read the code; go on where its draft left off."""
    now, answering = utc_now(), services().answering
    with services().database.read() as connection:
        code, opened = answering.booths.enter(connection, request.form.get("code", ""), now)
        found = visit_of(connection, code, opened, now)
    response = show(found, found.allowed(""), resumed=True) if found.draft else welcome(found)
    hand_pass(response, Pass(code=code))
    return response


def _begin(held: Pass) -> Response:
    """From the notice to the first question."""
    with services().database.read() as connection:
        found = visit(connection, held.code, utc_now())
    return show(found, found.allowed(""))


def _turn(held: Pass) -> Response:
    """Take a page's answers, keep them, and show the page that the button asked for."""
    if held.receipt:
        return _receipt(held)
    return turn(held.code)


def _send(held: Pass) -> Response:
    """Hand the answers in; the same receipt again is the same acceptance, whoever lost the first reply."""
    now, answering, receipt = utc_now(), services().answering, request.form.get("receipt", "")
    if held.receipt:
        return _receipt(held)
    try:
        with services().database.read() as connection:
            found = visit(connection, held.code, now)
            pictures = found.pictures(connection)
        if found.draft is None or found.way.first_open():
            return show(found, found.allowed(SUMMARY), told=True)
        receipt = found.draft.receipt
        answering.hand_in(found.code, found.draft.raw, receipt, now, pictures)
    except Refused as refused:
        with services().database.read() as connection:
            if _about_the_code(refused) and not answering.accepted_before(connection, receipt):
                raise
    with services().database.read() as connection:
        done = Pass(receipt=receipt, survey_id=survey_of_code(connection, answering.booths.mac(held.code)))
    response = _receipt(done)
    hand_pass(response, done)
    return response


def _leave(_: Pass) -> Response:
    """Put the survey down on this phone; the draft stays."""
    response = _entry(left="kept")
    take_pass(response)
    return response


def _forget(held: Pass) -> Response:
    """Delete what was filled in, and put the survey down."""
    if held.code:
        with services().database.write() as connection:
            forget_draft(connection, visit(connection, held.code, utc_now(), hold=True).drawer)
    response = _entry(left="forgotten")
    take_pass(response)
    return response


_ACTS: dict[str, Callable[[Pass], Response]] = {
    "enter": _enter,
    "begin": _begin,
    "next": _turn,
    "back": _turn,
    "stay": _turn,
    "keep": _turn,
    "add": _turn,
    "drop": _turn,
    "send": _send,
    "leave": _leave,
    "forget": _forget,
}


def _entry(refused: Refused | None = None, left: str = "") -> Response:
    if refused is not None and refused.code == "survey_closed":
        return closed(shown_pass().code)
    with services().database.read() as connection:
        evaluations = entry_facts(connection, utc_now())
    mistyped = refused is not None and refused.code == "code_mistyped"
    response = page(
        "respondent/entry.html",
        status_of(refused.code) if refused else 200,
        evaluations=evaluations,
        fault=refused.faults[0] if refused else None,
        left=left,
        # What was mistyped is no code: it may be shown again to be put right.
        typed=request.form.get("code", "")[:40] if mistyped else "",
    )
    if refused and refused.code == "code_wait":
        response.headers["Retry-After"] = "3"
    return response


def _receipt(held: Pass) -> Response:
    with services().database.read() as connection:
        frame_of(connection, held.survey_id)
        window = window_of(connection, held.survey_id) if held.survey_id else None
    sealed = window.survey_id if window and window.secrecy == "sealed" else None
    return page("respondent/receipt.html", receipt=display(held.receipt), may_report=True, sealed=sealed)


@pages.get("/survey/picture")
@allow_anyone
def picture() -> Response:
    """The small copy of a picture that this code's draft holds."""
    with services().database.read() as connection:
        found = visit(connection, shown_pass().code, utc_now())
        name = thumbnail_of(str(found.way.raw.get(request.args.get("of", ""), "")))
        kept = find_pictures(connection, found.drawer, [name])
    if name not in kept:
        raise Refused("not_found")
    return Response(kept[name], mimetype="image/jpeg", headers={"Cache-Control": "no-store"})


@pages.context_processor
def _questions() -> dict[str, Any]:
    # The page's own words among questions in another language say which they are.
    own = Markup(' lang="{}" dir="{}"').format(tag(language()), direction(language())) if spoken(reading()) else ""
    return {"say": say, "most_found": MOST_FOUND, "in_page": own}
