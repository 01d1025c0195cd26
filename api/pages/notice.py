"""The privacy notice: a page for everybody at an address that names its content, and the office's page to write it."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import ndiff
from itertools import zip_longest
from typing import Any

from flask import Blueprint, redirect, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions import notices
from api.actions.notices import LONGEST, LONGEST_PART, PARTS
from api.auth import allow, allow_anyone, current_staff
from api.pages.desk import evaluation_in_view
from api.pages.languages import direction, own_name, reading_language, tag
from api.pages.render import language, page, t
from api.pages.respondent_frame import Foot, in_words, init_frame, languages_of_forms
from api.problems import LANGUAGES, say, status_of
from api.services import services, utc_now
from api.store import surveys
from api.store.evaluations import evaluation_numbered
from api.store.notices import KeptNotice, latest_notice, notice_called, notices_of
from api.store.windows import Window, window_of, windows_of
from survey_forms.refusal import Refused

pages = Blueprint("notice", __name__)
desk = Blueprint("notice_desk", __name__, url_prefix="/office/notice")
init_frame(pages)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a part: kept (` `), gone (`-`) or new (`+`) since the version before."""

    sign: str
    words: str


@dataclass(frozen=True, slots=True)
class Version:
    """A published version and what it changed: language and part → its lines."""

    notice: KeptNotice
    changes: Mapping[tuple[str, str], list[Line]]


@pages.get("/notice/<digest>")
@allow_anyone
def public(digest: str) -> Response:
    """A version of a notice; the address is the SHA-256 of the document behind `.json`."""
    with services().database.read() as connection:
        found = _called(connection, digest)
        window = window_of(connection, found.survey_id)
        assert window is not None  # noqa: S101 - a foreign key holds it
        evaluation = evaluation_numbered(connection, window.evaluation_id)
        latest = latest_notice(connection, found.survey_id)
    reading_language(_spoken_in(found))
    words = in_words(found.words)
    return page(
        "respondent/notice.html",
        notice=words,
        kept=found,
        evaluation=evaluation,
        secrecy=window.secrecy,
        newer=latest.digest if latest and latest.digest != digest else "",
        foot=Foot(words["help_line"], digest),
    )


@pages.get("/notice/<digest>.json")
@allow_anyone
def document(digest: str) -> Response:
    """The document that the digest was taken of, byte for byte."""
    with services().database.read() as connection:
        found = _called(connection, digest)
    response = Response(notices.document_of(found), mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _called(connection: Connection, digest: str) -> KeptNotice:
    found = notice_called(connection, digest)
    if found is None:
        raise Refused("not_found")
    return found


def _spoken_in(found: KeptNotice) -> tuple[str, ...]:
    """The languages of a notice, Chinese first: its wording counts."""
    return tuple(sorted(found.words, key=lambda code: (code != "zh", code)))


@desk.get("")
@allow("office")
def edit() -> Response:
    """The notice of each survey: the version in force, the form for a new one, the history."""
    return _desk_page()


@desk.post("/<int(max=2147483647):survey_id>")
@allow("office")
def publish(survey_id: int) -> Response:
    """Put a new version in force."""
    words: dict[str, dict[str, str]] = {}
    for name, value in request.form.items():
        code, _, part = name.partition(".")
        if part in PARTS:
            words.setdefault(code, {})[part] = value.replace("\r\n", "\n")
    try:
        with services().database.write() as connection:
            window = window_of(connection, survey_id)
            known = _languages(connection, window) if window else ()
            words = {code: parts for code, parts in words.items() if code in known}
            notices.publish_notice(connection, survey_id, words, current_staff().id, utc_now())
    except Refused as refused:
        if refused.code in {"not_found", "try_again"}:
            raise
        return _desk_page(refused, survey_id)
    return redirect(f"/office/notice#survey-{survey_id}", 303)


def _desk_page(refused: Refused | None = None, about: int | None = None) -> Response:
    with services().database.read() as connection:
        evaluation = evaluation_in_view(connection)
        shown = [
            _survey(connection, window, about if refused else None) for window in windows_of(connection, evaluation.id)
        ]
    faults = refused.faults if refused else ()
    return page(
        "office/notice.html",
        status_of(refused.code) if refused else 200,
        evaluation=evaluation,
        shown=shown,
        parts=parts_named(),
        short=frozenset(LONGEST),
        most={part: LONGEST.get(part, LONGEST_PART) for part in PARTS},
        faults=[(f"{about}.{fault.path}" if fault.path else "", say(fault, language())) for fault in faults],
        wrong={f"{about}.{fault.path}": say(fault, language()) for fault in faults},
        own_name=own_name,
        tag=tag,
        direction=direction,
    )


def _survey(connection: Connection, window: Window, about: int | None) -> dict[str, Any]:
    history = notices_of(connection, window.survey_id)
    words = history[0].words if history else notices.default_words(connection, window.survey_id)
    codes = _languages(connection, window)
    given = request.form if about == window.survey_id else {}
    return {
        "window": window,
        "languages": codes,
        "values": {
            code: {part: given.get(f"{code}.{part}", words.get(code, {}).get(part, "")) for part in PARTS}
            for code in codes
        },
        "versions": [
            Version(one, changes(before.words, one.words) if before else {})
            for one, before in zip_longest(history, history[1:])
        ],
    }


def _languages(connection: Connection, window: Window) -> tuple[str, ...]:
    """Chinese, English, and every other language that one of the survey's forms has."""
    versions = [form.version for form in surveys.forms_of(connection, window.survey_id)]
    found = languages_of_forms(connection, versions)
    return tuple(dict.fromkeys((*LANGUAGES, *found)))


def changes(
    before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]
) -> dict[tuple[str, str], list[Line]]:
    """What a version changed: (language, part) → lines kept, gone and new; parts that did not change are left out."""
    found = {}
    for code in dict.fromkeys([*before, *after]):
        for part in PARTS:
            old, new = before.get(code, {}).get(part, ""), after.get(code, {}).get(part, "")
            if old != new:
                lines = ndiff(old.splitlines(), new.splitlines())
                found[code, part] = [Line(line[0], line[2:]) for line in lines if line[0] in " +-"]
    return found


def parts_named() -> dict[str, str]:
    """The parts of a notice in the reader's language."""
    words = (
        t("谁在问", "Who asks"),
        t("为什么问", "What for"),
        t("收集什么", "What is kept"),
        t("保存多久", "For how long"),
        t("您的权利", "Your rights"),
        t("怎么联系", "Contact"),
        t("求助电话", "Help line"),
    )
    return dict(zip(PARTS, words, strict=True))
