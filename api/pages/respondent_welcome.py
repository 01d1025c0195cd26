"""Before the first question and after the end: who asks and what is kept; a survey that closed in between."""

from datetime import datetime
from math import ceil

from flask import g
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions.notices import default_words
from api.actions.windows import survey_of_code
from api.pages.languages import reading, reading_language
from api.pages.render import page
from api.pages.respondent_frame import frame_survey, in_words, languages_of_forms, notice_in_view
from api.pages.respondent_visit import Visit
from api.problems import LANGUAGES
from api.services import services
from api.store.evaluations import Evaluation
from survey_forms.forms.model import Form, wording

WELCOME = "start"
"""The page before the first, as an address names it."""

TAP_SECONDS, WRITING_SECONDS = 5, 25
"""What a question takes that is answered by a tap, and one that is answered in words (mobile.md: 4 s a tap, and one to
read on)."""


def welcome(found: Visit) -> Response:
    """Who asks, how long it takes, what is kept and what is promised; nothing is asked yet."""
    notice = notice_in_view()
    if notice is None:
        with services().database.read() as connection:
            words = default_words(connection, found.opened.booth.survey_id)
    return page(
        "respondent/welcome.html",
        booth=found.opened.booth,
        evaluation=found.evaluation,
        form_title=wording(found.form.title, reading(), found.form.default_language),
        notice=in_words(notice.words if notice else words),
        digest=notice.digest if notice else "",
        minutes=minutes(found.form),
        lost=found.lost,
        may_report=True,  # the pass may go out with this very page
    )


def minutes(form: Form) -> int:
    """About how many minutes the whole form takes, rounded up."""
    questions = [question for one in form.pages for question in one.questions if question.type != "note"]
    seconds = sum(WRITING_SECONDS if question.type == "text" else TAP_SECONDS for question in questions)
    return max(1, ceil(seconds / 60))


def entry_facts(connection: Connection, now: datetime) -> list[Evaluation]:
    """The evaluations that take answers now; the page speaks the languages of their forms."""
    known = services().answering.booths.known(connection)
    open_now = [booth for booth in known.booths.values() if booth.is_open(now)]
    found = languages_of_forms(connection, {booth.form_version: None for booth in open_now})
    reading_language(tuple(dict.fromkeys((*LANGUAGES, *found))))
    running = {booth.evaluation_id for booth in open_now}
    evaluations = [one for number, one in known.evaluations.items() if number in running]
    surveys = {booth.survey_id for booth in open_now}
    if len(surveys) == 1:
        frame_survey(connection, surveys.pop(), g.offered)
    return evaluations


def frame_of(connection: Connection, survey_id: int | None) -> None:
    """Frame a page about a survey and none of its forms: the receipt, a report; without one, as the first page."""
    known = services().answering.booths.known(connection)
    mine = [booth for booth in known.booths.values() if booth.survey_id == survey_id]
    found = languages_of_forms(connection, {booth.form_version: None for booth in mine})
    if survey_id is None:
        reading_language(LANGUAGES)
    else:
        frame_survey(connection, survey_id, found or LANGUAGES)


def closed(code: str) -> Response:
    """The survey ended while somebody was answering: nothing was handed in, and what was filled in is gone."""
    with services().database.read() as connection:
        frame_of(connection, survey_of_code(connection, services().answering.booths.mac(code)))
    return page("respondent/closed.html", 410)
