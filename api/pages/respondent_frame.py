"""What stands around every respondent's page: languages, type and contrast, the help line, the notice, the report.

A page about one survey says so by `frame_survey`; from then on the footer names that survey's help line and notice.
The frame is the same in the same place on every page (WCAG 3.2.6), and none of it needs a script.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions.notice_words import HELP_LINE
from api.actions.notices import dialled, notice_in_force
from api.actions.tally import form_of_version
from api.pages.languages import direction, offers, page_language, reading, reading_language, spoken, tag
from api.pages.render import language, t
from api.pages.respondent_cookie import shown_pass
from api.store.notices import KeptNotice
from survey_forms.refusal import Refused

LARGE_COOKIE = "mc_large"
CONTRAST_COOKIE = "mc_contrast"
SWITCHES = {"large": LARGE_COOKIE, "contrast": CONTRAST_COOKIE}
A_YEAR = 31_536_000


@dataclass(frozen=True, slots=True)
class Tool:
    """One switch in the header: what it adds to the address, its words, and their language where it is another."""

    query: str
    words: str
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Foot:
    """The page's lower edge. `digest` names the notice in force, empty while the survey has none of its own."""

    help_line: str = HELP_LINE
    digest: str = ""

    @property
    def telephone(self) -> str:
        """What a phone dials."""
        return dialled(self.help_line)


def frame_survey(connection: Connection, survey_id: int, languages: Sequence[str]) -> None:
    """Set the frame to a survey: the reader's language among the form's, and the survey's notice and help line."""
    reading_language(languages)
    found = notice_in_force(connection, survey_id)
    g.notice = found
    if found is not None:
        g.foot = Foot(in_words(found.words)["help_line"], found.digest)


def languages_of_forms(connection: Connection, versions: Iterable[str]) -> tuple[str, ...]:
    """The languages of some forms, each once; a form that cannot be read any more has none, and stops no page."""
    found: dict[str, None] = {}
    for version in versions:
        with suppress(Refused):
            found |= dict.fromkeys(form_of_version(connection, version).languages)
    return tuple(found)


def notice_in_view() -> KeptNotice | None:
    """The notice of the survey that the page is about."""
    found: KeptNotice | None = g.get("notice")
    return found


def in_words(words: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """Of words in several languages those that the reader reads best: the questions' language, the page's, Chinese."""
    return next(words[one] for one in (reading(), page_language(reading()), "zh") if one in words)


def tools() -> list[Tool]:
    """The header's switches: the form's other languages by their own names, the type, the contrast."""
    return [
        *(Tool(f"lang={one.code}", one.name, one.tag) for one in offers() if not one.chosen),
        Tool("large=0", t("标准字", "Normal type")) if is_on("large") else Tool("large=1", t("大字版", "Large type")),
        Tool("contrast=0", t("标准色", "Normal colours"))
        if is_on("contrast")
        else Tool("contrast=1", t("高对比度", "High contrast")),
    ]


def is_on(switch: str) -> bool:
    """Whether the address, or the reader's earlier choice, asks for large type or high contrast."""
    return request.args.get(switch, request.cookies.get(SWITCHES[switch], "0")) == "1"


def init_frame(blueprint: Blueprint) -> None:
    """Give a blueprint's pages the frame."""
    blueprint.context_processor(_frame)
    blueprint.after_request(_remember)


def _frame() -> dict[str, Any]:
    held = shown_pass()
    facts: dict[str, Any | Callable[..., Any]] = {
        "page_tag": tag(language()),
        "page_direction": direction(language()),
        "shape": " ".join(switch for switch in SWITCHES if is_on(switch)),
        "large": is_on("large"),
        "tools": tools(),
        "foot": g.get("foot", Foot()),
        "may_report": bool(held.code or held.receipt),
        "in_form": spoken(reading()),
        "in_chinese": spoken("zh"),
    }
    return facts


def _remember(response: Response) -> Response:
    for switch, cookie in SWITCHES.items():
        wish = request.args.get(switch)
        if wish in {"0", "1"}:
            response.set_cookie(cookie, wish, max_age=A_YEAR, samesite="Lax", httponly=True)
    return response
