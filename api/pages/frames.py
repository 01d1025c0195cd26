"""Frames at the office's desk: hand a file in, name its columns, watch it being read, look at the frame it became."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from io import BytesIO
from typing import IO

from flask import Blueprint, jsonify, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import frames
from api.actions.frame_file import LARGEST_FILE
from api.actions.frame_lines import FIELDS, NEEDED, TRAIT
from api.actions.frames import Registry, registry_of
from api.auth import allow, current_staff
from api.downloads import Sheet, csv_lines
from api.pages.desk import evaluation_in_view
from api.pages.frame_shown import frame_page
from api.pages.render import language, page, t
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import frames as stored
from api.store import people, roll
from api.store.evaluations import evaluation_numbered
from api.store.frames import FrameImport
from api.store.windows import Window, window_of, windows_of
from survey_forms.refusal import Fault, Refused

pages = Blueprint("frames", __name__, url_prefix="/office/frames")

NUMBER = "<int(max=2147483647):number>"
SHOWN_FAULTS = 100

WORDS: Mapping[str, tuple[str, str]] = {
    "member": ("成员编号", "member's id"),
    "stratum": ("层", "stratum"),
    "psu": ("村居（初级单元）", "cluster (PSU)"),
    "size": ("规模", "size"),
    "latitude": ("纬度", "latitude"),
    "longitude": ("经度", "longitude"),
    "sort": ("排序码", "sorting code"),
    "phone": ("手机", "telephone"),
    "mail": ("邮箱", "mail"),
    "place": ("住址", "home address"),
}


@pages.url_value_preprocessor
def _allow_a_large_file(endpoint: str | None, _: object) -> None:
    """Only here; the body is read when its sender is known to be of the office."""
    if endpoint == "frames.hand_in":
        request.max_content_length = LARGEST_FILE + 1024 * 1024


@pages.get("")
@allow("office")
def overview() -> Response:
    """The surveys with their frames, and the form to hand a file in."""
    return _overview()


@pages.post("")
@allow("office")
def hand_in() -> Response:
    """Keep a file until its columns are named."""
    sent = request.files.get("file")
    file: tuple[str, IO[bytes]] = (sent.filename or "", sent.stream) if sent else ("", BytesIO())
    try:
        with closing(file[1]), services().database.write() as connection:
            survey_id = _survey_asked(connection)
            import_id = frames.begin_import(connection, _registry(), survey_id, file, current_staff().id, utc_now())
    except Refused as refused:
        if refused.code in {"not_found", "try_again", "no_evaluation"}:
            raise
        return _overview(refused)
    return redirect(f"/office/frames/imports/{import_id}", 303)


@pages.get(f"/imports/{NUMBER}")
@allow("office")
def one_import(number: int) -> Response:
    """An import: its columns, how far it has been read, or how it ended."""
    return _import_page(number)


@pages.post(f"/imports/{NUMBER}/columns")
@allow("office")
def columns(number: int) -> Response:
    """Name the columns and let the worker read."""
    try:
        with services().database.write() as connection:
            frames.start_reading(connection, _registry(), number, _columns_given(), current_staff().id, utc_now())
    except Refused as refused:
        if refused.code in {"not_found", "try_again"}:
            raise
        return _import_page(number, refused)
    return redirect(f"/office/frames/imports/{number}", 303)


@pages.post(f"/imports/{NUMBER}/abandon")
@allow("office")
def abandon(number: int) -> Response:
    """Give an import up."""
    with services().database.write() as connection:
        frames.abandon(connection, number, current_staff().id, utc_now())
    return redirect("/office/frames", 303)


@pages.get(f"/imports/{NUMBER}/progress")
@allow("office")
def progress(number: int) -> Response:
    """How far the worker has come, for the page's script."""
    with services().database.read() as connection:
        held, _ = _import(connection, number)
    answer = jsonify({"status": held.status, "read": held.lines_read, "total": held.lines_total})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get(f"/imports/{NUMBER}/faults.csv")
@allow("office")
def faults_csv(number: int) -> Response:
    """The faults of a file, by row."""
    with services().database.read() as connection:
        held, _ = _import(connection, number)
    rows = [
        (str(fault.facts.get("row", "")), str(fault.facts.get("column", "")), say(fault, language()))
        for fault in _faults_of(held)
    ]
    sheet = Sheet("faults", (t("行", "row"), t("列", "column"), t("问题", "fault")), rows)
    return _download(Response(csv_lines(sheet)), f"faults-{number}.csv")


@pages.get(f"/{NUMBER}")
@allow("office")
def frame(number: int) -> Response:
    """A frame: its strata against the survey's, its plan, its draw."""
    return frame_page(number)


@pages.post(f"/{NUMBER}/populations")
@allow("office")
def populations(number: int) -> Response:
    """Let the survey's strata be as large as the frame says."""
    try:
        with services().database.write() as connection:
            frames.take_populations(connection, number, current_staff().id, utc_now())
    except Refused as refused:
        return frame_page(number, refused)
    return redirect(f"/office/frames/{number}#strata", 303)


@pages.get(f"/{NUMBER}/frame.csv")
@allow("office")
def canonical(number: int) -> Response:
    """The frame as its digest commits to it, for `mingcha draw`; without contacts. Who took it is recorded."""
    with services().database.write() as connection:
        if stored.frame_numbered(connection, number) is None:
            raise Refused("not_found")
        people.record_act(connection, "downloaded", utc_now(), current_staff().id, file=f"frame-{number}.csv")
    database = services().database

    def lines() -> Iterator[bytes]:
        with database.read() as connection:
            yield from frames.canonical_csv(connection, number)

    return _download(Response(lines()), f"frame-{number}.csv")


def _registry() -> Registry:
    settings = services().settings
    return registry_of(settings.objects, settings.secret_key)


def _survey_asked(connection: Connection) -> int:
    """The survey that the form names, if it is of the evaluation in view."""
    evaluation = evaluation_in_view(connection)
    text = request.form.get("survey", "")
    for window in windows_of(connection, evaluation.id):
        if str(window.survey_id) == text:
            return window.survey_id
    raise Refused("not_found")


def _columns_said() -> list[tuple[str, str, str]]:
    """(number of the column, heading, what it is to be read as) of the form; a trait as `trait:` and its name."""
    said = []
    for key, field in request.form.items():
        if key.startswith("column-") and field:
            at = key.removeprefix("column-")
            name = f"{TRAIT}{request.form.get(f'trait-{at}', '').strip()}" if field == "trait" else field
            said.append((at, request.form.get(f"heading-{at}", ""), name))
    return said


def _columns_given() -> dict[str, str]:
    """What is read → heading, as the form says it."""
    found: dict[str, str] = {}
    for at, heading, name in _columns_said():
        if name in found:
            raise Refused("frame_column_twice", f"column-{at}", field=_called(name))
        found[name] = heading
    return found


def _called(field: str) -> str:
    return t(*WORDS[field]) if field in WORDS else field.removeprefix(TRAIT)


def _import(connection: Connection, number: int) -> tuple[FrameImport, Window]:
    held = stored.import_numbered(connection, number)
    window = window_of(connection, held.survey_id) if held else None
    if held is None or window is None:
        raise Refused("not_found")
    return held, window


def _faults_of(held: FrameImport) -> list[Fault]:
    return [Fault(one["code"], one["path"], one["facts"]) for one in (held.faults or {}).get("shown", [])]


def _overview(refused: Refused | None = None) -> Response:
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        windows = windows_of(connection, evaluation.id)
        drawn = {one.survey_id: roll.draws_of(connection, one.survey_id) for one in windows}
        shown = [
            (window, stored.frames_of(connection, window.survey_id), stored.imports_of(connection, window.survey_id))
            for window in windows
        ]
    return page(
        "office/frames.html",
        status_of(refused.code) if refused else 200,
        evaluation=evaluation,
        shown=shown,
        drawn={digest.frame_digest for draws in drawn.values() for digest in draws},
        open_ones=[window for window in windows if window.round_status in frames.OPEN_ROUNDS],
        faults=[("file", say(fault, language())) for fault in refused.faults] if refused else [],
        given=request.form,
        most=LARGEST_FILE // 1024 // 1024,
    )


def _import_page(number: int, refused: Refused | None = None) -> Response:
    with services().database.read() as connection:
        held, window = _import(connection, number)
        evaluation = evaluation_numbered(connection, window.evaluation_id)
    head = frames.preview(_registry(), held) if held.status == "mapping" else None
    said = {heading: name for _, heading, name in _columns_said()} if refused else {}
    told = [(_field_of(fault), say(fault, language())) for fault in (refused.faults if refused else ())]
    return page(
        "office/frame_import.html",
        status_of(refused.code) if refused else 200,
        evaluation=evaluation,
        window=window,
        held=held,
        head=head,
        chosen=said or {heading: field for field, heading in held.columns.items()},
        words=WORDS,
        fields=FIELDS,
        needed=NEEDED,
        trait=TRAIT,
        found=[say(fault, language()) for fault in _faults_of(held)[:SHOWN_FAULTS]],
        faults=told,
        wrong=dict(reversed(told)),
        given=request.form,
        here="/office/frames",
    )


def _field_of(fault: Fault) -> str:
    """The field of the form that a fault is about."""
    if fault.path.startswith("column-"):
        return fault.path
    for at, _, name in _columns_said():
        if name.removeprefix(TRAIT) == fault.path.removeprefix(TRAIT):
            return f"trait-{at}" if name.startswith(TRAIT) else f"column-{at}"
    return "columns-caption"


def _download(response: Response, name: str) -> Response:
    response.mimetype = "text/csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
