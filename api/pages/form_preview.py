"""A questionnaire as its respondents will see it: every screen, in every language, drawn by their own templates.

Nothing can be answered here, and nothing is kept. Screens that only some answers lead to are shown too.
"""

from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from api.auth import allow
from api.pages.desk import number_in_address
from api.pages.forms import compiled
from api.pages.languages import direction, reading_language, spoken, tag
from api.pages.render import language, page
from api.pages.respondent_frame import init_frame, is_on
from api.pages.respondent_screens import Screen
from api.pages.respondent_shown import MOST_FOUND, Reader, screen
from api.pages.respondent_way import Layout, Plan, Way
from api.problems import say
from api.services import services, utc_now
from api.store import forms as stored
from survey_forms.forms.model import Form, Raw, Stop, wording
from survey_forms.refusal import Refused

pages = Blueprint("form_preview", __name__, url_prefix="/office/forms")
init_frame(pages)


@pages.get("/<version>/preview")
@allow("office")
def preview(version: str) -> Response:
    """One screen of a version: `page` counts all of them, `lang`, `large` and `contrast` are the respondent's."""
    with services().database.read() as connection:
        found = stored.version_called(connection, version)
    if found is None:
        raise Refused("not_found")
    form = compiled(found[1].xform)
    questions = reading_language(form.languages)
    way = every_screen(form, large=is_on("large"))
    number = min(number_in_address("page"), len(way.turns))
    drawn = screen(way, way.turns[number - 1], Reader(questions, language()))
    address = f"/office/forms/{version}/preview?"
    return page(
        "office/form_preview.html",
        evaluation=None,
        screen=unanswered(drawn),
        form_title=wording(form.title, questions, form.default_language),
        number=number,
        last=len(way.turns),
        back=f"/office/forms/{version}",
        to=address + _kept("page="),
        here=address + _kept(f"page={number}&"),
        as_buttons=False,
        say=say,
        most_found=MOST_FOUND,
        in_page=Markup(' lang="{}" dir="{}"').format(tag(language()), direction(language()))
        if spoken(questions)
        else "",
    )


def every_screen(form: Form, *, large: bool) -> Way:
    """The way past all screens of a form, whatever was answered; of a repeat, one entry."""
    plan = Plan(form, Layout(large=large))
    stops = (Stop(one, 1 if one.repeat and one.kind != "repeat" else None) for one in form.pages)
    turns = sorted((turn for stop in stops for turn in plan.turns(stop)), key=lambda turn: turn.place)
    return Way(plan, _first_answers(form), utc_now().date(), tuple(turns), ())


def _first_answers(form: Form) -> Raw:
    """The first choice of every list, so that lists which depend on it, and words that quote it, have something."""
    raw: dict[str, str | list[str]] = dict.fromkeys(form.repeats, "1")
    for one in form.pages:
        stop = Stop(one, 1 if one.repeat else None)
        for question in one.questions:
            if question.type == "select_one" and question.choices and question.item is None:
                raw[stop.key(question.name)] = question.choices[0].name
    return raw


def unanswered(drawn: Screen) -> Screen:
    """The screen with nothing chosen yet."""
    fields = tuple(
        replace(field, text="", options=tuple(replace(option, chosen=False, mark="") for option in field.options))
        for field in drawn.fields
    )
    return replace(drawn, fields=fields, rated=0)


def _kept(last: str) -> str:
    """The switches of this address, and what comes after them."""
    kept = {name: request.args[name] for name in ("lang", "large", "contrast") if name in request.args}
    return f"{urlencode(kept)}&{last}" if kept else last
