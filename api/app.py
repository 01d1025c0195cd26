"""`create_app`: the only place where the parts meet."""

import gc
import os

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from api import auth
from api.actions.answering import Answering
from api.actions.booths import Booths
from api.actions.failure_cap import Caps
from api.config import Settings
from api.http import lane, mount
from api.intake import Intake
from api.object_store import open_objects
from api.pages import (
    api_docs,
    assignments,
    backchecks,
    ballots,
    ballots_public,
    blurring,
    bureau,
    checkpoints,
    coercion,
    compress,
    design,
    desk,
    directories,
    draws,
    draws_public,
    evaluation_setup,
    evidence,
    field_flags,
    form_preview,
    forms,
    frames,
    indicators,
    inspection_calendar,
    inspection_draws,
    inspection_draws_public,
    inspection_items,
    inspection_map,
    inspector,
    interviewer,
    interviewer_plan,
    invitations,
    invitations_listed,
    ledger,
    ledger_entry,
    margins,
    notice,
    objections,
    office,
    papers,
    phone,
    phones,
    quotas,
    rectifications,
    render,
    respondent,
    rounds,
    slips,
    staff,
    supervisor,
    supervisor_work,
    survey_setup,
    ui,
    unit,
    uploads,
    weights,
    windows,
)
from api.services import KEY, Services
from api.store.base import make_engine
from api.transaction import Database
from survey_forms.refusal import Refused

PAGES = (
    respondent.pages,
    staff.pages,
    design.pages,
    api_docs.pages,
    office.pages,
    bureau.pages,
    unit.pages,
    uploads.pages,
    indicators.pages,
    inspector.pages,
    phone.pages,
    phones.pages,
    interviewer.pages,
    interviewer_plan.pages,
    evidence.pages,
    blurring.pages,
    field_flags.pages,
    assignments.pages,
    directories.pages,
    inspection_draws.pages,
    inspection_draws_public.pages,
    inspection_items.pages,
    ledger.pages,
    checkpoints.pages,
    ledger_entry.pages,
    inspection_map.pages,
    inspection_calendar.pages,
    rounds.pages,
    invitations.pages,
    invitations_listed.pages,
    notice.pages,
    notice.desk,
    coercion.pages,
    coercion.desk,
    windows.pages,
    survey_setup.pages,
    ballots.pages,
    ballots_public.pages,
    evaluation_setup.pages,
    forms.pages,
    frames.pages,
    draws.pages,
    draws_public.index,
    draws_public.pages,
    form_preview.pages,
    quotas.pages,
    supervisor.pages,
    supervisor_work.pages,
    backchecks.pages,
    margins.pages,
    weights.pages,
    papers.pages,
    slips.pages,
    objections.pages,
    rectifications.pages,
)
LARGEST_BODY = 26 * 1024 * 1024  # one photo of 25 MB and its form fields
LARGEST_FORM = 512 * 1024


def create_app(settings: Settings) -> Flask:
    """The web application over these settings; opens no connection until the first request."""
    app = Flask("api.pages", static_folder="static", template_folder="templates")
    # No SECRET_KEY: Flask's own session is not used, and without a key it costs nothing
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        MAX_FORM_PARTS=2000,
        JSON_SORT_KEYS=False,
    )
    database = Database(make_engine(settings.database_url, settings.pool_size, settings.pool_overflow))
    booths = Booths(settings.pepper, Caps(database))
    intake = Intake(database, booths.settle)
    answering = Answering(database, booths, intake.submit)
    app.extensions[KEY] = Services(settings, database, open_objects(settings), intake, answering)
    auth.init_app(app)
    app.before_request(_refuse_nul)  # after auth: nobody's form is read before it is known whether they may send one
    render.init_app(app)
    ui.init_app(app)
    desk.init_app(app)
    compress.init_app(app)
    for pages in PAGES:
        app.register_blueprint(pages)
    mount.init_app(app)
    if settings.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask documents replacing it
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies
        )
    lane.init_app(app)
    return app


OWN_READERS = frozenset({"ballots_public", "coercion", "respondent"})


def _refuse_nul() -> None:
    """PostgreSQL holds no NUL character, and nobody types one: refused here once, not in every view.

    JSON has its own reader (`http/body.py`), and what it reads its schemas (`http/schemas.py`). So have the pages of
    `OWN_READERS`: respondents are helped on, whatever their phone sends.
    """
    if request.blueprint in OWN_READERS:
        return
    if b"%00" in request.query_string or "\0" in request.path:
        raise Refused("unreadable_request")
    texts = [text for name, values in request.form.lists() for text in (name or "", *values)]
    texts += [text for name, file in request.files.items(multi=True) for text in (name or "", file.filename or "")]
    if any("\0" in text for text in texts):
        raise Refused("unreadable_request")


def from_environment() -> Flask:
    """The factory that the web server calls in each worker process."""
    app = create_app(Settings.from_env(os.environ))
    # What is there now stays: looking through its 160,000 objects again and again stops all requests for 0.1 s.
    gc.collect()
    gc.freeze()
    return app
