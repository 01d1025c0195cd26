"""Slips: a unit reads its own, and its first opening is the receipt; the office sees all, and who has read them."""

from flask import Blueprint, Response, current_app
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from api.actions.due import day_of
from api.actions.slips import open_slip
from api.auth import allow, current_staff
from api.documents_pdf.slip_words import TITLES, day_words, told
from api.documents_pdf.slips import Printed, slip_page
from api.pages import life_words
from api.pages.desk import evaluation_in_view
from api.pages.render import page
from api.services import services, utc_now
from api.store.slips import Slip, slip_numbered, slips_in, slips_of
from survey_forms.refusal import Refused

pages = Blueprint("slips", __name__)
life_words.init_pages(pages)
NUMBER = "<int(max=2147483647):slip_id>"


@pages.get("/unit/slips")
@allow("unit")
def own() -> Answer:
    """The unit's slips, unread ones marked."""
    with services().database.read() as connection:
        evaluation, unit = life_words.own_unit(connection)
        found = slips_of(connection, unit.id)
    return page("unit/slips.html", evaluation=evaluation, unit=unit, slips=found, titles=TITLES)


@pages.get(f"/unit/slips/{NUMBER}")
@allow("unit")
def read(slip_id: int) -> Answer:
    """Open a slip; the first opening is written down."""
    with services().database.write() as connection:
        evaluation, found = _opened(connection, slip_id)
    return page("unit/slip.html", evaluation=evaluation, slip=found, words=told(found.kind, found.about))


@pages.get(f"/unit/slips/{NUMBER}/pdf")
@allow("unit")
def own_pdf(slip_id: int) -> Response:
    """The slip on paper; this too is an opening."""
    with services().database.write() as connection:
        _, found = _opened(connection, slip_id)
    return _pdf(found)


@pages.get("/office/slips")
@allow("office")
def issued() -> Answer:
    """Every slip of the evaluation, and whether its unit has opened it."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        found = slips_in(connection, evaluation.id)
    return page("office/slips.html", evaluation=evaluation, slips=found, titles=TITLES)


@pages.get(f"/office/slips/{NUMBER}")
@allow("office")
def shown(slip_id: int) -> Answer:
    """A slip as its unit sees it; the office's looking is no receipt."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        found = _issued(connection, slip_id)
    return page("office/slip.html", evaluation=evaluation, slip=found, words=told(found.kind, found.about))


@pages.get(f"/office/slips/{NUMBER}/pdf")
@allow("office")
def pdf(slip_id: int) -> Response:
    """The slip on paper."""
    with services().database.read() as connection:
        found = _issued(connection, slip_id)
    return _pdf(found)


def _opened(connection: Connection, slip_id: int) -> tuple[object, Slip]:
    evaluation, unit = life_words.own_unit(connection)
    return evaluation, open_slip(connection, slip_id, unit.id, current_staff().id, utc_now())


def _issued(connection: Connection, slip_id: int) -> Slip:
    found = slip_numbered(connection, slip_id)
    if found is None:
        raise Refused("not_found")
    return found


def _pdf(slip: Slip) -> Response:
    on = day_words(day_of(slip.issued_at))[0]
    content = slip_page(Printed(slip.kind, slip.numbered, on, slip.about))
    response = current_app.response_class(content, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{slip.kind}-{slip.number}.pdf"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
