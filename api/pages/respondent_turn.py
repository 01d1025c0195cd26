"""Turning the pages of a questionnaire: take what a screen sent, keep it, show the screen that the button asked for.

Every button sends the whole form with `do`, and the answer is the next screen itself. In a repeat `add` and `drop`
change the number of entries, and a change that was asked for in a list leads back to it (`then`).
"""

from typing import Any

from flask import request
from werkzeug.wrappers import Response

from api.pages.languages import reading
from api.pages.render import language, page
from api.pages.respondent_frame import is_on
from api.pages.respondent_pictures import Picture, check_room, read_picture
from api.pages.respondent_sent import with_entry, without_entry
from api.pages.respondent_shown import Reader, screen, summary
from api.pages.respondent_visit import SUMMARY, Sheet, Visit, visit
from api.pages.respondent_way import Turn
from api.services import services, utc_now
from survey_forms.forms.answers import shown
from survey_forms.forms.model import wording
from survey_forms.refusal import Fault, Refused

THEN = frozenset({"summary", "list"})
"""Where a screen leads back to, when it was opened to change one thing."""


def turn(code: str) -> Response:
    """Take a screen's answers, keep them, and show the screen that the button asked for."""
    now, act = utc_now(), request.form.get("do", "next")
    pictures, spoilt = _pictures(code) if request.files else ({}, ())
    with services().database.write() as connection:
        found = visit(connection, code, now, hold=True)
        sheet = found.sheet(request.form.get("at", ""), request.form.get("upto", ""))
        if not found.way.turns:  # a form that asks nothing of anybody
            return show(found, None)
        found = found.answering(sheet, request.form.to_dict(flat=False), pictures)
        if act in {"add", "drop"}:
            found = _counted(found, sheet, act)
        shows = found.way.at(sheet.place) if spoilt else _next(found, sheet, act)
        found.keep(connection, shows.at if shows else SUMMARY, pictures)
    if act == "keep":
        return Response(status=204)
    told = act == "next" and shows is not None and sheet.place <= shows.place < sheet.end
    return show(found, shows, told=told, also=spoilt)


def show(
    found: Visit, turn: Turn | None, *, told: bool = False, resumed: bool = False, also: tuple[Fault, ...] = ()
) -> Response:
    """A screen of the form, or (None) the summary; `told` shows what is wrong on it, `also` besides."""
    way, reader = found.way, Reader(reading(), language())
    facts: dict[str, Any] = {
        "booth": found.opened.booth,
        "evaluation": found.evaluation,
        "form_title": wording(found.form.title, reader.questions, found.form.default_language),
        "resumed": resumed,
        "lost": found.lost,
    }
    if turn is None:
        facts["sections"], facts["last"] = summary(way, reader), way.turns[-1].at if way.turns else SUMMARY
        return page("respondent/summary.html", receipt=found.draft.receipt if found.draft else "", **facts)
    faults = (*(way.faults(turn) if told else ()), *also)
    wishes = {key.removesuffix(":find"): value for key, value in request.form.items() if key.endswith(":find")}
    then = request.values.get("then", "")
    response = page(
        "respondent/page.html",
        422 if faults else 200,
        screen=screen(way, turn, reader, faults, wishes),
        then=then if then in THEN else "",
        **facts,
    )
    if request.method == "POST" and not request.form.get("js"):
        # Without script the browser's own history must bring the page back.
        response.headers["Cache-Control"] = "private, no-cache"
    return response


def _next(found: Visit, sheet: Sheet, act: str) -> Turn | None:
    """The screen to show after this one was sent; None is the summary."""
    way = found.way
    if act == "back":
        return way.before(sheet.place)
    if act == "add":
        return _newest(found, sheet)
    if act == "drop":
        return way.list_of(sheet.stop) or way.at(sheet.place)
    here = way.within(sheet.place, sheet.upto)
    if act != "next":
        return _stay(found, here, sheet)
    return next((turn for turn in here if way.faults(turn)), None) or _onward(found, sheet)


def _onward(found: Visit, sheet: Sheet) -> Turn | None:
    """What follows a screen on which all is well."""
    way, then = found.way, request.form.get("then")
    after = way.after(sheet.end)
    if then == "summary":
        return way.first_open()
    if then == "list" and (after is None or after.stop.entry != sheet.stop.entry):
        return way.list_of(sheet.stop) or after
    return after or way.first_open()


def _newest(found: Visit, sheet: Sheet) -> Turn:
    """The first screen of the last entry."""
    entries = [turn for turn in found.way.turns if turn.stop.page.repeat == sheet.stop.page.repeat and turn.stop.entry]
    last = max((turn.stop.entry or 0 for turn in entries), default=0)
    return next((turn for turn in entries if turn.stop.entry == last), found.way.at(sheet.place))


def _stay(found: Visit, here: list[Turn], sheet: Sheet) -> Turn:
    """The same questions again; when large type now puts them on several screens, the first that is not answered."""
    raw = found.way.raw
    waiting = (turn for turn in here if not all(raw.get(key) for key in turn.keys)) if is_on("large") else iter(())
    return next(waiting, here[0] if here else found.way.at(sheet.place))


def _counted(found: Visit, sheet: Sheet, act: str) -> Visit:
    """The visit with one entry more, or with one taken away."""
    repeat = found.form.repeats.get(sheet.stop.page.repeat or "")
    if repeat is None or repeat.fixed_count:
        raise Refused("unreadable_request")
    raw = found.way.raw
    entries = shown(found.form, sheet.stop, raw, found.today, found.form.default_language).entries
    if act == "add":
        return found.holding(with_entry(raw, repeat, entries))
    wish = request.args.get("entry", "")
    entry = int(wish) if wish.isascii() and wish.isdecimal() and len(wish) < 5 else 0
    return found.holding(without_entry(raw, repeat, entries, entry))


def _pictures(code: str) -> tuple[dict[str, Picture], tuple[Fault, ...]]:
    """The pictures that came with a screen, made anew, and what is wrong with those that are none.

    They are opened before the draft is held: that takes a moment. Only a code that opens something gets so far.
    """
    with services().database.read() as connection:
        found = visit(connection, code, utc_now())
    sheet = found.sheet(request.form.get("at", ""), request.form.get("upto", ""))
    asked = [sheet.stop.key(question.name) for question in sheet.questions if question.type == "image"]
    pictures: dict[str, Picture] = {}
    spoilt: list[Fault] = []
    for key in asked:
        file = request.files.get(key)
        if file is None or not file.filename:
            continue
        try:
            check_room(found.form, found.way.raw, pictures)
            pictures[key] = read_picture(file.stream)
        except Refused as refused:
            spoilt += [Fault(fault.code, key, fault.facts) for fault in refused.faults]
    return pictures, tuple(spoilt)
