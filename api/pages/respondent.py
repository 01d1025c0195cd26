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
from werkzeug.wrappers import Response

from api.actions.drafts import forget_draft
from api.auth import allow_anyone
from api.pages.render import language, page
from api.pages.respondent_cookie import Pass, hand_pass, shown_pass, take_pass
from api.pages.respondent_shown import INPUT_MODES, MOST_BUTTONS
from api.pages.respondent_visit import SUMMARY, Visit, visit, visit_of
from api.problems import say, status_of
from api.services import services, utc_now
from survey_forms.forms.model import Page
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import display

pages = Blueprint("respondent", __name__)

LARGE_COOKIE = "mc_large"
ABOUT_THE_CODE = frozenset({"code_refused", "code_needed", "code_wait", "code_mistyped"})


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
        return _receipt(held.receipt) if held.receipt else _entry()
    try:
        with services().database.read() as connection:
            found = visit(connection, held.code, utc_now())
    except Refused as refused:
        return _entry(_about_the_code(refused))
    return _show(found, found.allowed(request.args.get("at", "")))


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
    response = _show(found, found.allowed(""), resumed=found.draft is not None)
    hand_pass(response, Pass(code=code))
    return response


def _turn(held: Pass) -> Response:
    """Take a page's answers, keep them, and show the page that the button asked for."""
    if held.receipt:
        return _receipt(held.receipt)
    with services().database.write() as connection:
        found = visit(connection, held.code, utc_now(), hold=True)
        number, sent = found.page(request.form.get("at", ""))
        found = found.answering(sent, request.form.to_dict(flat=False))
        turned = _turned(found, number, sent, request.form.get("do", "next"))
        found.keep(connection, turned)
    if request.form.get("do") == "keep":
        return Response(status=204)
    return _show(found, turned, told=turned == number and request.form.get("do", "next") == "next")


def _turned(found: Visit, number: int, sent: Page, act: str) -> int:
    """The page to show after this one was sent."""
    way = found.way
    if act == "back":
        return way.before(number)
    if act != "next" or way.faults(sent):
        return way.nearest(number)
    after = None if request.form.get("then") == "summary" else way.after(number)
    return after or way.first_open() or SUMMARY


def _send(held: Pass) -> Response:
    """Hand the answers in; the same receipt again is the same acceptance, whoever lost the first reply."""
    now, answering, receipt = utc_now(), services().answering, request.form.get("receipt", "")
    if held.receipt:
        return _receipt(held.receipt)
    try:
        with services().database.read() as connection:
            found = visit(connection, held.code, now)
        if found.draft is None or found.way.first_open():
            return _show(found, found.allowed(str(SUMMARY)), told=True)
        receipt = found.draft.receipt
        answering.hand_in(found.code, found.draft.raw, receipt, now)
    except Refused as refused:
        with services().database.read() as connection:
            if _about_the_code(refused) and not answering.accepted_before(connection, receipt):
                raise
    response = _receipt(receipt)
    hand_pass(response, Pass(receipt=receipt))
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
    "next": _turn,
    "back": _turn,
    "stay": _turn,
    "keep": _turn,
    "send": _send,
    "leave": _leave,
    "forget": _forget,
}


def _entry(refused: Refused | None = None, left: str = "") -> Response:
    with services().database.read() as connection:
        known = services().answering.booths.known(connection)
    now = utc_now()
    running = {booth.evaluation_id for booth in known.booths.values() if booth.is_open(now)}
    mistyped = refused is not None and refused.code == "code_mistyped"
    response = page(
        "respondent/entry.html",
        status_of(refused.code) if refused else 200,
        evaluations=[one for number, one in known.evaluations.items() if number in running],
        fault=refused.faults[0] if refused else None,
        left=left,
        # What was mistyped is no code: it may be shown again to be put right.
        typed=request.form.get("code", "")[:40] if mistyped else "",
    )
    if refused and refused.code == "code_wait":
        response.headers["Retry-After"] = "3"
    return response


def _show(found: Visit, number: int, *, told: bool = False, resumed: bool = False) -> Response:
    """A page of the form, or the summary; `told` shows what is wrong on it."""
    way, form = found.way, found.opened.form
    facts: dict[str, Any] = {
        "booth": found.opened.booth,
        "evaluation": found.evaluation,
        "form_title": way.words(form.title, language()),
        "resumed": resumed,
        "lost": found.lost,
    }
    if number == SUMMARY and found.draft is not None:
        screens = [way.screen(other, language()) for other, _ in way.pages]
        return page("respondent/summary.html", screens=screens, receipt=found.draft.receipt, **facts)
    faults = way.faults(form.pages[number - 1]) if told else ()
    response = page(
        "respondent/page.html",
        422 if faults else 200,
        screen=way.screen(number, language(), faults),
        then=request.values.get("then", ""),
        **facts,
    )
    if request.method == "POST" and not request.form.get("js"):
        response.headers["Cache-Control"] = "private, no-cache"
    return response


def _receipt(receipt: str) -> Response:
    return page("respondent/receipt.html", receipt=display(receipt))


@pages.context_processor
def _looks() -> dict[str, Any]:
    wish = request.args.get("large", request.cookies.get(LARGE_COOKIE, "0"))
    return {"large": wish == "1", "most_buttons": MOST_BUTTONS, "input_modes": INPUT_MODES, "say": say}


@pages.after_request
def _remember_large(response: Response) -> Response:
    wish = request.args.get("large")
    if wish in {"0", "1"}:
        response.set_cookie(LARGE_COOKIE, wish, max_age=31_536_000, samesite="Lax", httponly=True)
    return response
