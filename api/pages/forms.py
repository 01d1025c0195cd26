"""Questionnaires at the office's desk: hand a workbook in, look at it, compare versions, give one to a group."""

from functools import lru_cache

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import forms
from api.auth import allow, current_staff
from api.pages.desk import evaluation_in_view
from api.pages.form_shown import fault_rows, grouped, outline, title_of
from api.pages.languages import own_name
from api.pages.render import page
from api.pages.ui import when
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import forms as stored
from api.store.evaluations import Evaluation
from api.store.forms import Files, Kept
from survey_forms.forms.compile import compile_form
from survey_forms.forms.difference import Change, difference
from survey_forms.forms.model import Form
from survey_forms.forms.template import template_workbook
from survey_forms.forms.workbook import convert_workbook
from survey_forms.refusal import Fault, Refused

pages = Blueprint("forms", __name__, url_prefix="/office/forms")

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pages.get("")
@allow("office")
def versions() -> Response:
    """Every questionnaire with its versions, and the form to hand in another."""
    return _list(())


@pages.post("")
@allow("office")
def hand_in() -> Response:
    """Take a workbook: all its faults in a table and nothing kept, or the kept version."""
    try:
        content = _sent_workbook()
        converted = convert_workbook(content)  # seconds for thousands of choices: before any transaction
    except Refused as refused:
        return _list(refused.faults, status_of(refused.code))
    with services().database.write() as connection:
        is_new = forms.keep(connection, content, converted, current_staff().id, utc_now())
    return redirect(f"/office/forms/{converted.version}?kept={'new' if is_new else 'again'}", 303)


@pages.get("/template.xlsx")
@allow("office")
def template() -> Response:
    """The workbook to begin from."""
    return _file(template_workbook(), WORKBOOK, "mingcha-questionnaire-template.xlsx")


@pages.get("/difference")
@allow("office")
def compared() -> Response:
    """What changed between two versions."""
    with services().database.read() as connection:
        (old, old_files), (new, new_files) = (_found(connection, request.args.get(one, "")) for one in ("old", "new"))
        evaluation = _evaluation(connection)
    changes = _difference(old_files.xform, new_files.xform)
    return page(
        "office/form_difference.html",
        evaluation=evaluation,
        old=old,
        new=new,
        changes=changes,
        breaking=sum(change.breaks for change in changes),
        say=say,
    )


@pages.get("/<version>")
@allow("office")
def version(version: str) -> Response:
    """One version: what it asks, who uses it, what to do with it."""
    return _version(version, ())


@pages.get("/<version>/workbook")
@allow("office", "bureau")
def workbook(version: str) -> Response:
    """The workbook as it was handed in."""
    with services().database.read() as connection:
        kept, content = _found(connection, version)
    return _file(content.workbook, WORKBOOK, f"{kept.name}-{version[:12]}.xlsx")


@pages.get("/<version>/xform")
@allow("office")
def xform(version: str) -> Response:
    """The frozen XForm, whose SHA-256 is the version."""
    with services().database.read() as connection:
        kept, content = _found(connection, version)
    return _file(content.xform, "application/xml", f"{kept.name}-{version[:12]}.xml")


@pages.post("/<version>/use")
@allow("office")
def use(version: str) -> Response:
    """Give the version to a respondent group of a survey whose round is a draft."""
    survey, _, group = request.form.get("group", "").partition(":")
    if not (survey.isascii() and survey.isdecimal() and len(survey) < 10):
        raise Refused("invalid_fields", "group")
    try:
        with services().database.write() as connection:
            forms.choose(connection, (int(survey), group), version, current_staff().id, utc_now())
    except Refused as refused:
        if not refused.code.startswith("form_"):
            raise
        return _version(version, refused.faults, status_of(refused.code))
    return redirect(f"/office/forms/{version}?kept=used", 303)


def _sent_workbook() -> bytes:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Refused("form_file_missing", "file")
    with sent.stream as stream:  # larger ones wait in a file of their own
        content: bytes = stream.read()
    return content


def _list(faults: tuple[Fault, ...], status: int = 200) -> Response:
    with services().database.read() as connection:
        kept, used = stored.versions(connection), stored.uses(connection)
        evaluation = _evaluation(connection)
        groups = grouped(kept, used)
        newest = {name: _found(connection, versions[0].kept.version)[1].xform for name, versions in groups}
    return page(
        "office/forms.html",
        status,
        evaluation=evaluation,
        groups=groups,
        titles={name: _title(xform, name) for name, xform in newest.items()},
        rows=fault_rows(faults),
    )


def _version(version: str, faults: tuple[Fault, ...], status: int = 200) -> Response:
    with services().database.read() as connection:
        kept, content = _found(connection, version)
        others = [one for one in stored.versions(connection) if one.name == kept.name and one.version != version]
        used = stored.uses(connection)
        evaluation = _evaluation(connection)
    form = compiled(content.xform)
    drafts = [one for one in used if one.status == "draft" and one.version != version]
    return page(
        "office/form.html",
        status,
        evaluation=evaluation,
        kept=kept,
        form=form,
        title=title_of(form, kept.name),
        outline=outline(form),
        languages=[own_name(one) for one in form.languages],
        others=others,
        compare_with=[(one.version, f"{one.version[:12]} · {when(one.uploaded_at)}") for one in others],
        uses=[one for one in used if one.version == version],
        drafts=drafts,
        notes=fault_rows(_notes(content.workbook)),
        faults=[("group" if drafts else "", row.words) for row in fault_rows(faults)],
        told=request.args.get("kept", ""),
    )


def _found(connection: Connection, version: str) -> tuple[Kept, Files]:
    found = stored.version_called(connection, version)
    if found is None:
        raise Refused("not_found")
    return found


def _evaluation(connection: Connection) -> Evaluation | None:
    """For the header; questionnaires may be written before there is any evaluation."""
    try:
        return evaluation_in_view(connection)
    except Refused as refused:
        if refused.code != "no_evaluation":
            raise
        return None


def _file(content: bytes, mimetype: str, name: str) -> Response:
    response = Response(content, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@lru_cache(maxsize=16)
def compiled(xform: bytes) -> Form:
    """The form of a version; a version never changes."""
    return compile_form(xform)


def _title(xform: bytes, name: str) -> str:
    """The title of a version; the form's id for one that today's rules would refuse."""
    try:
        return title_of(compiled(xform), name)
    except Refused:
        return name


@lru_cache(maxsize=16)
def _difference(old: bytes, new: bytes) -> tuple[Change, ...]:
    return difference(old, new)


@lru_cache(maxsize=16)
def _notes(workbook: bytes) -> tuple[Fault, ...]:
    """What the author was told when the version was made; nothing for a workbook that today's rules would refuse."""
    try:
        return convert_workbook(workbook).notes
    except Refused:
        return ()
