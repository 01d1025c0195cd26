"""What the page of a survey's invitations shows: strata, batches, and how far listed cases have come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from flask import request
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from api.actions.invitations import MOST_SHEETS
from api.actions.sealed_words import Safe
from api.pages.desk import number_in_address
from api.pages.render import language, page
from api.problems import say, status_of
from api.services import services, utc_now
from api.store import invitations, listed, surveys
from api.store.evaluations import evaluation_numbered
from api.store.invitations import Handed
from api.store.listed import Standing
from api.store.notices import latest_notice
from api.store.roll import Fieldwork, fieldwork_of
from api.store.surveys import Stratum
from api.store.windows import Window, window_of
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.contacts import BLANKS, DEFAULTS, Contact, masked

CASES_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A stratum: persons drawn, and its codes. `wanted` is how many drawn persons have no code yet."""

    stratum: Stratum
    drawn: int
    codes: Handed

    @property
    def wanted(self) -> int:
        """The number that the print form proposes."""
        return min(max(self.drawn - self.codes.out, 0), MOST_SHEETS)


@dataclass(frozen=True, slots=True)
class Person:
    """A listed case as it is shown: the contact is masked, and nothing tells whether they answered."""

    standing: Standing
    contact: str


def survey_page(survey_id: int, refused: Refused | None = None, at: str = "") -> Response:
    """The page, with what was refused on it; `at` is the field that a fault without a field of its own is about.

    Raises:
        Refused: `not_found`, and `refused` itself where it is no matter of the form.
    """
    if refused is not None and refused.code in {"not_found", "try_again"}:
        raise refused
    with services().database.read() as connection:
        window = window_of(connection, survey_id)
        if window is None:
            raise Refused("not_found")
        lines = _lines(connection, survey_id)
        faults = _told(refused, lines, at) if refused else []
        return page(
            "office/invitations.html",
            status_of(refused.code) if refused else 200,
            evaluation=evaluation_numbered(connection, window.evaluation_id),
            window=window,
            is_over=window.is_over(utc_now()),
            notice=latest_notice(connection, survey_id),
            lines=lines,
            names={line.stratum.code: line.stratum for line in lines},
            batches=invitations.batches_of(connection, survey_id),
            newest=invitations.newest_batch(connection, survey_id),
            most=MOST_SHEETS,
            faults=faults,
            wrong=dict(reversed(faults)),
            given=request.form,
            templates=DEFAULTS,
            blanks=BLANKS,
            here="/office/survey",
            **_listed(connection, window),
        )


def _lines(connection: Connection, survey_id: int) -> list[Line]:
    work, codes = fieldwork_of(connection, survey_id), invitations.handed_out(connection, survey_id)
    return [
        Line(one, work.get(one.code, Fieldwork()).drawn, codes.get(one.code, Handed()))
        for one in surveys.strata_of(connection, survey_id)
    ]


def _told(refused: Refused, lines: Sequence[Line], at: str) -> list[tuple[str, str]]:
    """(field, sentence) of every fault; a stratum's fault names it as people do."""
    names: Mapping[str, Stratum] = {line.stratum.code: line.stratum for line in lines}
    told = []
    for fault in refused.faults:
        stratum = names.get(fault.path)
        if stratum:
            named = Fault(fault.code, stratum.name_en if language() == "en" else stratum.name_zh, fault.facts)
            told.append((f"n-{stratum.code}", say(named, language())))
        else:
            told.append((at or {"template": "template", "file": "file"}.get(fault.path, ""), say(fault, language())))
    return told


def _listed(connection: Connection, window: Window) -> dict[str, Any]:
    """The listed cases of a sealed survey, a page of them."""
    if window.secrecy != "sealed":
        return {"people": [], "cases": 0, "number": 1, "last": 1}
    cases, number = listed.number_of_cases(connection, window.survey_id), number_in_address("page")
    last = max(ceil(cases / CASES_A_PAGE), 1)
    if number > last:
        raise Refused("not_found", "page")
    safe = Safe(services().settings.secret_key)
    found = listed.standings(connection, window.survey_id, CASES_A_PAGE, CASES_A_PAGE * (number - 1))
    return {
        "people": [Person(one, masked(_contact(safe, one))) for one in found],
        "cases": cases,
        "number": number,
        "last": last,
    }


def _contact(safe: Safe, one: Standing) -> Contact:
    """The contact; one that can no longer be opened counts as none, for the page must say so and not fail."""
    try:
        return safe.open_contact(one.id, one.contact) if one.contact else Contact()
    except Refused:
        return Contact()
