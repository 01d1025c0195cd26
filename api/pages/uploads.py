"""What phones handed in and the office must look at: kept as sent, told in words, tried again, or dealt with."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions.queue_files import LARGEST_FILE
from api.actions.settling import settle
from api.actions.shortfalls import take_short, waiting_for
from api.actions.uploads import blobs_of, come_since, read_visit, resolve, still_waits
from api.auth import allow, current_staff
from api.pages import inspection_words
from api.pages.desk import number_in_address
from api.pages.evidence import HEADERS
from api.pages.inspector_forms import read_words
from api.pages.queue_files import Brought, bring_in
from api.pages.render import language, page, t
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import people
from api.store.inspections import visit_numbered
from api.store.uploads import Upload, numbers_of, upload_numbered, uploads_of, uploads_resolved
from survey_forms.inspection.chain import Break, chain_breaks
from survey_forms.inspection.visit_events import read_events
from survey_forms.refusal import Fault, Refused

pages = Blueprint("uploads", __name__, url_prefix="/office/uploads")
inspection_words.init_pages(pages)

LONGEST_NOTE = 1000
SHOWN = 20  # records of a kind a page


@dataclass(frozen=True, slots=True)
class Told:
    """A record with its problems in words, and those of its files that are here."""

    upload: Upload
    problems: Sequence[str]
    here: frozenset[bytes]

    @property
    def has_come_since(self) -> bool:
        """Whether a file that it was taken in without lies here, and nobody has taken it in yet."""
        return bool(come_since(self.upload, self.here))


@pages.url_value_preprocessor
def _allow_a_large_file(endpoint: str | None, _: object) -> None:
    """Only here; the body is read when its sender is known to be of the office."""
    if endpoint == "uploads.bring":
        request.max_content_length = LARGEST_FILE + 1024 * 1024


@pages.get("")
@allow("office")
def held() -> Response:
    """Show the uploads that do not fit, those that wait and for what, and those that were dealt with."""
    return _page()


@pages.get("/<uuid:upload_id>/body")
@allow("office")
def body(upload_id: UUID) -> Response:
    """Give an upload's bytes, exactly as the phone sent them."""
    with services().database.read() as connection:
        upload = upload_numbered(connection, upload_id)
    if upload is None:
        raise Refused("not_found")
    named = {"Content-Disposition": f'attachment; filename="{upload.id}.json"', "Cache-Control": "no-store"}
    return Response(upload.body, mimetype="application/json", headers=named)


@pages.get("/<uuid:upload_id>/files/<name>")
@allow("office")
def file(upload_id: UUID, name: str) -> Response:
    """Download a photo or signature of an upload as it came, taken in or not; who did so is recorded."""
    with services().database.write() as connection:
        upload = upload_numbered(connection, upload_id)
        here = {digest.hex(): digest for digest in blobs_of(connection, upload)} if upload else {}
        return _original(connection, here.get(name))


@pages.get("/signatures/<uuid:visit_id>")
@allow("office")
def signature(visit_id: UUID) -> Response:
    """Download the signature of a visit as it came; who did so is recorded."""
    with services().database.write() as connection:
        visit = visit_numbered(connection, visit_id)
        return _original(connection, visit.signature if visit else None)


@pages.post("/queue")
@allow("office")
def bring() -> Response:
    """Take in the queue that a phone saved as a file, and tell of each visit in it what became of it."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _page(422, (Fault("queue_file_missing", "file"),))
    try:
        with closing(file.stream) as stream:
            brought, faults = bring_in(stream, current_staff())
    except Refused as refused:
        return _page(status_of(refused.code), refused.faults)
    return _page(200, faults, brought)


@pages.post("/<uuid:upload_id>")
@allow("office")
def decide(upload_id: UUID) -> Response:
    """Try an upload again, take it in without what is missing, or note that it has been dealt with."""
    try:
        note = read_words(request.form, "note", LONGEST_NOTE)
        with services().database.write() as connection:
            _deal_with(connection, upload_id, request.form.get("do", ""), note)
    except Refused as refused:
        if status_of(refused.code) == 404:
            raise
        return _page(status_of(refused.code), refused.faults)
    return redirect(url_for("uploads.held"), 303)


def _deal_with(connection: Connection, upload_id: UUID, do: str, note: str) -> None:
    objects, secret_key, now = services().objects, services().settings.secret_key, utc_now()
    if do == "short":
        take_short(connection, objects, secret_key, upload_id, current_staff(), note, now)
    elif do == "again":
        tried = settle(connection, objects, secret_key, upload_id, now, again=True)
        if tried.status == "waiting":
            raise still_waits(connection, tried)
    else:
        resolve(connection, upload_id, current_staff(), note, now)


def breaks_of(upload: Upload) -> tuple[Break, ...]:
    """Where an upload's chain does not hold, by event."""
    sent = read_visit(upload.body)
    return chain_breaks(sent.events, read_events(sent.events).parsed, sent.head)


def _original(connection: Connection, digest: bytes | None) -> Response:
    """The bytes as a download that no browser runs or shows."""
    content = services().objects.get("originals", digest) if digest else None
    if digest is None or content is None:
        raise Refused("not_found")
    people.record_act(connection, "original_read", utc_now(), current_staff().id, sha256=digest.hex())
    named = {"Content-Disposition": f'attachment; filename="{digest.hex()}"'}
    return Response(content, mimetype="application/octet-stream", headers=HEADERS | named)


def _page(status: int = 200, faults: tuple[Fault, ...] = (), brought: Sequence[Brought] = ()) -> Response:
    places = {name: number_in_address(name) for name in ("held", "waiting", "resolved")}
    skip = {name: (place - 1) * SHOWN for name, place in places.items()}
    now, objects = utc_now(), services().objects
    with services().database.read() as connection:
        numbers = numbers_of(connection)
        held = uploads_of(connection, status="held", most=SHOWN, skip=skip["held"])
        waiting = uploads_of(connection, status="waiting", most=SHOWN, skip=skip["waiting"])
        resolved = uploads_resolved(connection, SHOWN, skip["resolved"])
        lists = {
            "held": [_told(connection, one) for one in held],
            "waiting": [waiting_for(connection, objects, one, now) for one in waiting],
            "resolved": [_told(connection, one) for one in resolved],
        }
    return page(
        "office/uploads.html",
        status,
        faults=inspection_words.told(faults),
        brought=[(one, [say(fault, language()) for fault in one.faults]) for one in brought],
        numbers=numbers,
        places=places,
        last={name: max(1, -(-number // SHOWN)) for name, number in numbers.items()},
        age=lambda moment: _span(now - moment),
        given=request.form,
        **lists,
    )


def _span(span: timedelta) -> str:
    """How long, in words."""
    hours = int(span.total_seconds() // 3600)
    return t(f"{hours // 24} 天", f"{hours // 24} days") if hours >= 48 else t(f"{hours} 小时", f"{hours} hours")


def _told(connection: Connection, upload: Upload) -> Told:
    """Its problems in the reader's language, each break of its chain among them."""
    faults = [Fault(one["code"], one["path"], one["facts"]) for one in upload.problems]
    faults += [Fault(one.breach.value, "", {"n": (one.event or 0) + 1}) for one in breaks_of(upload)]
    return Told(upload, [say(one, language()) for one in faults], frozenset(blobs_of(connection, upload)))
