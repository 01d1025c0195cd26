"""One entry of the ledger as the office follows it: from the points to the photo, the place, the people, and what came.

The page prints: nothing on it needs a click to be read.
"""

from flask import Blueprint
from werkzeug.wrappers import Response

from api.auth import allow
from api.pages import entry_words, inspection_words
from api.pages.desk import evaluation_in_view
from api.pages.entry_facts import trail_of
from api.pages.render import page
from api.services import services, utc_now
from survey_forms.scheme.load import load_scheme

pages = Blueprint("ledger_entry", __name__, url_prefix="/office/ledger")
inspection_words.init_pages(pages)
entry_words.init_pages(pages)


@pages.get("/<int(max=9007199254740991):seq>")
@allow("office")
def entry(seq: int) -> Response:
    """Show everything that leads to an entry and from it."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        trail = trail_of(connection, evaluation, seq, utc_now(), unit_id=None)
    name = load_scheme(evaluation.scheme).zh
    return page("office/entry.html", evaluation=evaluation, trail=trail, scheme_name=name, here="/office/ledger")
