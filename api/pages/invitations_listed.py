"""Codes for listed cases at the office's desk: contacts, invitations, reminders, a new code for one of them."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import listed
from api.actions.listed import COLUMNS, Channel, Mailing, Office
from api.actions.sealed_words import Safe
from api.auth import allow, current_staff
from api.downloads import Sheet, csv_lines
from api.pages.inspector_forms import read_words
from api.pages.invitations_shown import survey_page
from api.services import services, utc_now
from api.store.listed import cases_of
from survey_forms.refusal import Refused
from survey_forms.sampling.contacts import LONGEST_TEMPLATE

pages = Blueprint(
    "invitations_listed", __name__, url_prefix="/office/surveys/<int(max=2147483647):survey_id>/invitations"
)

Act = Callable[[Connection, Office, int, datetime], object]


@pages.get("/contacts.csv")
@allow("office")
def blank_contacts(survey_id: int) -> Response:
    """A sheet for contacts, a row for each drawn member; what is kept of them already is not in it."""
    with services().database.read() as connection:
        members = [case.member for case in cases_of(connection, survey_id)]
    response = Response(csv_lines(Sheet("contacts", COLUMNS, [(member, "", "", "") for member in members])))
    response.mimetype = "text/csv"
    response.headers["Content-Disposition"] = f'attachment; filename="contacts-{survey_id}.csv"'
    return response


@pages.post("/contacts")
@allow("office")
def load_contacts(survey_id: int) -> Response:
    """Keep the contacts of a file, sealed."""
    sent = request.files.get("file")
    content = sent.read() if sent else b""

    def act(connection: Connection, office: Office, staff_id: int, now: datetime) -> object:
        return listed.load_contacts(connection, office, survey_id, content, staff_id, now)

    return _done(survey_id, act, "file")


@pages.post("/send")
@allow("office")
def send(survey_id: int) -> Response:
    """Invite those who have no code yet, or remind those who have not answered."""
    verb = listed.remind if request.form.get("kind") == "reminder" else listed.invite

    def act(connection: Connection, office: Office, staff_id: int, now: datetime) -> object:
        return verb(connection, office, survey_id, _mailing(), staff_id, now)

    return _done(survey_id, act, "template")


@pages.post("/cases/<int(max=2147483647):case_id>/reissue")
@allow("office")
def reissue(survey_id: int, case_id: int) -> Response:
    """Send somebody a new code; the older one is worth nothing from now on."""

    def act(connection: Connection, office: Office, staff_id: int, now: datetime) -> None:
        listed.reissue(connection, office, survey_id, case_id, _mailing(), staff_id, now)

    return _done(survey_id, act, f"case-{case_id}")


def _mailing() -> Mailing:
    """What the form wants to be sent."""
    channel: Channel = "mail" if request.form.get("channel") == "mail" else "sms"
    kind: listed.Kind = "reminder" if request.form.get("kind") == "reminder" else "invitation"
    return Mailing(kind, channel, read_words(request.form, "template", LONGEST_TEMPLATE))


def _done(survey_id: int, act: Act, at: str) -> Response:
    settings = services().settings
    office = Office(settings.pepper, Safe(settings.secret_key), settings.base_url)
    try:
        with services().database.write() as connection:
            act(connection, office, current_staff().id, utc_now())
    except Refused as refused:
        return survey_page(survey_id, refused, at=at)
    return redirect(f"/office/surveys/{survey_id}/invitations#listed", 303)
