"""The living directories at the office's desk: sites and their file, inspectors and recusals."""

import re
from collections.abc import Mapping
from io import BytesIO

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import directories as verbs
from api.actions.directories import InspectorSaid
from api.actions.sealed_files import SealedFiles, digest_of
from api.actions.site_file import COLUMNS, LARGEST_FILE, SiteRow, read_datum, read_sites
from api.auth import allow, current_staff
from api.downloads import Sheet, csv_lines
from api.pages.desk import evaluation_in_view
from api.pages.field_forms import read_line, read_whole
from api.pages.render import language, page, t
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import directories as stored
from api.store import evaluations, site_directory
from api.store.evaluations import Evaluation
from survey_forms.inspection.datum import Position
from survey_forms.numbers import plain_decimal
from survey_forms.refusal import Fault, Refused

pages = Blueprint("directories", __name__, url_prefix="/office/directories")

NUMBER = "<int(max=2147483647):number>"
SHOWN_FAULTS = 100
SHOWN_CHANGES = 200
_SPELT = len("0" * 64)


@pages.get("")
@allow("office")
def sites() -> Response:
    """The sites, and the form to hand a file in."""
    return _sites()


@pages.get("/sites.csv")
@allow("office")
def sites_file() -> Response:
    """The sites in use as a file that comes back unchanged; an empty directory gives the headings."""
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        rows = [one for one in site_directory.entries(connection, evaluation.id) if not one.withdrawn]
    lines = [
        (
            *(
                one.unit_code,
                one.called,
                one.name_zh,
                one.name_en,
                one.address,
                one.lat,
                one.lon,
                one.datum,
                one.radius_m,
            ),
            ";".join(f"{lat!r} {lon!r}" for lat, lon in one.fence or ()),
            one.risk,
        )
        for one in rows
    ]
    response = Response(csv_lines(Sheet("sites", COLUMNS, lines)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{evaluation.code}-sites.csv"'
    return response


@pages.post("/sites/file")
@allow("office")
def hand_in() -> Response:
    """Take a file and show what it would change; its faults are shown by row and nothing is kept."""
    sent = request.files.get("file")
    content = sent.stream.read(LARGEST_FILE + 1) if sent else b""
    try:
        with services().database.read() as connection:
            evaluation = evaluation_in_view(connection)
            rows = _rows(connection, evaluation, content)
            found = verbs.look_at_import(connection, evaluation.id, rows)
    except Refused as refused:
        return _sites(refused.faults, status_of(refused.code))
    name = digest_of(BytesIO(content))
    _files().keep(name, BytesIO(content))
    return page(
        "inspections/site_import.html",
        evaluation=evaluation,
        here="/office/inspections",
        found=found,
        name=name,
        shown=SHOWN_CHANGES,
    )


@pages.post("/sites/import")
@allow("office")
def take_in() -> Response:
    """Import the file that was looked at; it is read anew, for the directory may have changed."""
    name = request.form.get("file", "")
    if len(name) != _SPELT or any(letter not in "0123456789abcdef" for letter in name):
        raise Refused("invalid_fields", "file")
    try:
        with _files().open(name) as file, services().database.write() as connection:
            evaluation = evaluation_in_view(connection)
            rows = _rows(connection, evaluation, file.read())
            verbs.import_sites(connection, evaluation.id, rows, current_staff().id, utc_now())
    except Refused as refused:
        return _sites(refused.faults, status_of(refused.code))
    _files().drop(name)
    return redirect("/office/directories", 303)


@pages.post(f"/sites/{NUMBER}")
@allow("office")
def change_site(number: int) -> Response:
    """Put a site into another risk class, or withdraw it."""
    try:
        with services().database.write() as connection:
            if request.form.get("do") == "withdraw":
                reason = read_line(request.form, "reason", verbs.LONGEST_REASON)
                verbs.withdraw_site(connection, number, reason, current_staff().id, utc_now())
            else:
                verbs.set_risk(connection, number, request.form.get("risk", ""), current_staff().id, utc_now())
    except Refused as refused:
        return _sites(refused.faults, status_of(refused.code))
    return redirect(f"/office/directories#s-{number}", 303)


@pages.get("/inspectors")
@allow("office")
def inspectors() -> Response:
    """The inspectors with their recusals, and the forms to change them."""
    return _inspectors()


@pages.post("/inspectors")
@allow("office")
def enter_inspector() -> Response:
    """Enter an inspector into the directory, change the entry, or withdraw it."""
    staff_id, now = current_staff().id, utc_now()
    try:
        number = read_whole(request.form, "staff")
        with services().database.write() as connection:
            if request.form.get("do") == "withdraw":
                verbs.withdraw_inspector(connection, number, staff_id, now)
            else:
                verbs.enter_inspector(connection, _inspector_said(number, request.form), staff_id, now)
    except Refused as refused:
        return _inspectors(request.form, refused)
    return redirect(f"/office/directories/inspectors#i-{number}", 303)


@pages.post("/recusals")
@allow("office")
def recuse() -> Response:
    """Declare a recusal, or end one."""
    form, staff_id, now = request.form, current_staff().id, utc_now()
    try:
        with services().database.write() as connection:
            if form.get("do") == "withdraw":
                verbs.withdraw_recusal(connection, read_whole(form, "recusal"), staff_id, now)
            else:
                who, unit = read_whole(form, "staff"), read_whole(form, "unit")
                reason = read_line(form, "reason", verbs.LONGEST_REASON)
                verbs.declare_recusal(connection, who, unit, reason, staff_id, now)
    except Refused as refused:
        return _inspectors(form, refused)
    return redirect("/office/directories/inspectors#recusals", 303)


def _files() -> SealedFiles:
    """Files that were looked at and not imported yet."""
    settings = services().settings
    return SealedFiles(settings.objects / "imports", settings.secret_key)


def _rows(connection: Connection, evaluation: Evaluation, content: bytes) -> list[SiteRow]:
    return read_sites(BytesIO(content), evaluations.units_of(connection, evaluation.id))


def _inspector_said(number: int, form: Mapping[str, str]) -> InspectorSaid:
    skills = re.split(r"[,，、;；]", read_line(form, "skills", 900))
    return InspectorSaid(
        number,
        read_line(form, "organisation"),
        tuple(one.strip() for one in skills if one.strip()),
        _base(form),
        read_whole(form, "most_km") if form.get("most_km", "").strip() else None,
    )


def _base(form: Mapping[str, str]) -> Position | None:
    """Where somebody sets out from; latitude, longitude and datum, or none of them."""
    lat, lon = form.get("lat", "").strip(), form.get("lon", "").strip()
    if not lat and not lon:
        return None
    datum, read = read_datum(form.get("datum", "")), [plain_decimal(one.removeprefix("-")) for one in (lat, lon)]
    if datum is None or None in read:
        raise Refused("directory_base", "lat")
    return Position(float(lat), float(lon), datum)


def told(faults: tuple[Fault, ...]) -> list[tuple[str, str]]:
    """Faults with the fields they belong to; a fault of a cell whose sentence names no row gets it in front."""
    told = []
    for fault in faults[:SHOWN_FAULTS]:
        words = say(fault, language())
        if fault.code.startswith(("fence_", "position_")) and "row" in fault.facts:
            words = t("第 %s 行“%s”：", "Row %s, “%s”: ") % (fault.facts["row"], fault.facts["column"]) + words
        told.append(("" if "row" in fault.facts else fault.path, words))
    return told


def _sites(faults: tuple[Fault, ...] = (), status: int = 200) -> Response:
    if status not in {200, 409, 413, 422}:
        raise Refused.of(faults)
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        entries = site_directory.entries(connection, evaluation.id)
    return page(
        "inspections/sites.html",
        status,
        evaluation=evaluation,
        here="/office/inspections",
        entries=entries,
        most=LARGEST_FILE // 1024 // 1024,
        faults=told(faults),
        more=max(len(faults) - SHOWN_FAULTS, 0),
    )


def _inspectors(given: Mapping[str, str] | None = None, refused: Refused | None = None) -> Response:
    status = status_of(refused.code) if refused else 200
    if refused and status not in {409, 422}:
        raise refused
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        people = stored.inspectors(connection)
        recusals = stored.recusals(connection)
        units = evaluations.units_of(connection, evaluation.id)
    asked = request.args.get("change", "")
    chosen = next((one for one in people if str(one.staff_id) == asked), None)
    return page(
        "inspections/inspectors.html",
        status,
        evaluation=evaluation,
        here="/office/inspections",
        people=people,
        recusals=recusals,
        units=units,
        names={one.staff_id: one.name for one in people},
        chosen=chosen,
        given=given or {},
        faults=told(refused.faults) if refused else [],
    )
