"""Load the demonstration: one transaction, so that it is there whole or not at all.

Everything goes through the product's own rules and verbs: the draw is the draw, the answers are checked by their
forms and spend their codes, findings are confirmed by a second person and enter the ledger. Chance that shapes
figures is seeded; codes and passwords are not, for a default password is nobody's friend.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from random import Random
from uuid import UUID

from sqlalchemy import Connection, insert
from werkzeug.security import generate_password_hash

from api.actions.frames import Registry
from api.actions.notice_words import default_notice
from api.actions.notices import publish_notice
from api.actions.responses import CODE_NAMESPACE, Submission, accept
from api.demonstration import town
from api.demonstration.answers import Person, answer, standing
from api.demonstration.indicators import load_indicators
from api.demonstration.inspections import Ground, load_inspections
from api.demonstration.july import July, load_july
from api.demonstration.roll import load_roll, strands
from api.demonstration.sealed import Sealed, load_sealed
from api.objects import Objects
from api.store import evaluation_setup, evaluations, people, surveys
from survey_forms.forms.compile import compile_form
from survey_forms.forms.model import Form
from survey_forms.forms.workbook import convert_workbook
from survey_forms.sampling.codes import code_mac, draft_id
from survey_forms.scheme.load import DOCUMENTS, load_scheme

SEED = 2015
JULY_DAYS = 1  # of fieldwork: enough for an interviewer to find cases with a history
SHOWN_CODES = 20  # unused codes a group that the newcomer is handed


@dataclass(frozen=True, slots=True)
class Loaded:
    """What only this run knows in clear: unused codes by respondent group, passwords by user name, the key's shares."""

    codes: dict[str, list[str]]
    passwords: dict[str, str]
    sealed: Sealed
    july: July


@dataclass(frozen=True, slots=True)
class Service:
    """What loading takes of the service: where photos go, the registry of frames, and its keys."""

    objects: Objects
    registry: Registry
    pepper: bytes = field(repr=False)
    secret_key: bytes = field(repr=False)


def is_loaded(connection: Connection) -> bool:
    """Whether the demonstration is in this database."""
    return evaluations.evaluation_called(connection, town.EVALUATION) is not None


def load(connection: Connection, service: Service, now: datetime, photos: Sequence[bytes] = ()) -> Loaded:
    """Write the whole demonstration.

    Args:
        connection: in a transaction that the caller commits.
        service: what it takes of the service.
        now: the demonstration's present; visits lie before it, the survey is open around it.
        photos: files of the user's for the inspections; drawn scenes do where there are fewer than visits.

    Raises:
        Refused: a photo of the user's is not one that inspectors could send.
    """
    chance = Random(SEED)  # noqa: S311 - shapes simulated people, protects nobody
    passwords = {username: secrets.token_urlsafe(9) for username, _, _ in town.STAFF}
    staff = _load_staff(connection, passwords)
    # The desk opens on the newest evaluation, which shall be the full one.
    july = load_july(connection, service.registry, staff, service.pepper, now, JULY_DAYS)
    sealed_id = _load_evaluation(connection, town.SEALED_EVALUATION, town.SEALED_NAME_ZH, town.SEALED_NAME_EN)
    evaluation_id = _load_evaluation(connection, town.EVALUATION, town.NAME_ZH, town.NAME_EN)
    staff |= _load_staff(connection, passwords, evaluations.units_of(connection, evaluation_id)[0].id)
    survey_id, forms = _load_survey(connection, evaluation_id, now)
    publish_notice(
        connection, survey_id, default_notice(town.NAME_ZH, town.NAME_EN, sealed=False), staff["office"], now
    )
    codes = load_roll(connection, survey_id, service.pepper, now)
    used = _load_answers(connection, _Survey(survey_id, forms, codes, service.pepper, now.date()), chance)
    ground = Ground(connection, service.objects, service.secret_key)
    load_inspections(ground, evaluation_id, staff, now, photos)
    load_indicators(connection, evaluation_id, staff, now)
    unused: dict[str, list[str]] = {}
    for one in strands():
        left = [code for code in codes[one.code] if code not in used]
        unused.setdefault(one.group.code, []).extend(left[: SHOWN_CODES if one.group.code != "residents" else 4])
    sealed = load_sealed(connection, sealed_id, staff, service.pepper, now, chance)
    return Loaded(unused, passwords, sealed, july)


def _load_evaluation(connection: Connection, code: str, name_zh: str, name_en: str) -> int:
    scheme = load_scheme(town.SCHEME)
    source = (DOCUMENTS / town.SCHEME / "scheme.toml").read_text("utf-8")
    evaluation_setup.keep_scheme(connection, scheme.digest, town.SCHEME, source)
    facts = {
        "code": code,
        "year": town.YEAR,
        "name_zh": name_zh,
        "name_en": name_en,
        "scheme_digest": scheme.digest,
        "supplied": town.SUPPLIED,
        "supplied_note": town.SUPPLIED_NOTE,
        "simulated": True,
    }
    evaluation_id = evaluation_setup.add_evaluation(connection, facts)
    units = [{"code": code, "name_zh": zh, "name_en": en} for code, zh, en in town.UNITS]
    evaluation_setup.add_units(connection, evaluation_id, units)
    return evaluation_id


def _load_staff(connection: Connection, passwords: Mapping[str, str], unit_id: int | None = None) -> dict[str, int]:
    """Staff, those of a unit or all others; returns their keys by user name."""
    return {
        username: connection.execute(
            insert(people.staff)
            .values(
                username=username,
                password_hash=generate_password_hash(passwords[username]),
                name=name,
                role=role,
                unit_id=unit_id,
            )
            .returning(people.staff.c.id)
        ).scalar_one()
        for username, role, name in town.STAFF
        if (role == "unit") == (unit_id is not None)
    }


def _load_survey(connection: Connection, evaluation_id: int, now: datetime) -> tuple[int, dict[str, Form]]:
    """The open round, its survey, the form versions and the ten groups; returns each group's compiled form."""
    round_id = connection.execute(
        insert(evaluations.round_)
        .values(
            evaluation_id=evaluation_id,
            name_zh=town.ROUND_ZH,
            name_en=town.ROUND_EN,
            opens_at=now - timedelta(days=10),
            closes_at=now + timedelta(days=20),
            status="open",
        )
        .returning(evaluations.round_.c.id)
    ).scalar_one()
    survey_id = connection.execute(
        insert(surveys.survey)
        .values(round_id=round_id, opens_at=now - timedelta(days=10), closes_at=now + timedelta(days=20))
        .returning(surveys.survey.c.id)
    ).scalar_one()
    compiled: dict[str, Form] = {}
    for name in sorted({group.form for group in town.GROUPS}):
        workbook = (DOCUMENTS / town.SCHEME / "forms" / f"{name}.xlsx").read_bytes()
        converted = convert_workbook(workbook)
        compiled[name] = compile_form(converted.xform)
        connection.execute(
            insert(surveys.form_version).values(
                version=converted.version, name=name, workbook=workbook, xform=converted.xform, uploaded_at=now
            )
        )
    connection.execute(
        insert(surveys.respondent_group),
        [
            {
                "survey_id": survey_id,
                "code": group.code,
                "component": f"public_review.{group.code}",
                "name_zh": group.name_zh,
                "name_en": group.name_en,
                "form_version": compiled[group.form].version,
            }
            for group in town.GROUPS
        ],
    )
    return survey_id, {group.code: compiled[group.form] for group in town.GROUPS}


@dataclass(frozen=True, slots=True)
class _Survey:
    id: int
    forms: dict[str, Form]  # by respondent group
    codes: dict[str, list[str]]  # by stratum
    pepper: bytes
    day: date


def _load_answers(connection: Connection, survey: _Survey, chance: Random) -> set[str]:
    """Let the simulated respondents answer; returns the codes they spent."""
    submissions, used = [], set()
    waiting = {stratum: iter(codes) for stratum, codes in survey.codes.items()}
    level = standing(tuple(code for code, _, _ in town.UNITS), chance)
    for stratum, group in _respondents(survey, chance):
        code = next(waiting[stratum])
        person = Person(stratum, chance.gauss(0.0, 0.5))
        form = survey.forms[group]
        used.add(code)
        submissions.append(
            Submission(
                mac=code_mac(survey.pepper, CODE_NAMESPACE, code),
                receipt_hash=sha256(secrets.token_bytes(16)).digest(),
                draft_id=draft_id(survey.pepper, CODE_NAMESPACE, code),
                response_id=UUID(bytes=secrets.token_bytes(16), version=4),
                survey_id=survey.id,
                stratum=stratum,
                wcell=stratum,
                form_version=form.version,
                answers=answer(form, person, level, survey.day, chance),
                mode="simulated",
                day=survey.day,
            )
        )
    outcomes = accept(connection, submissions)
    if set(outcomes) != {"accepted"}:
        raise RuntimeError("the demonstration's own answers were not accepted")
    return used


def _respondents(survey: _Survey, chance: Random) -> Iterator[tuple[str, str]]:
    """(stratum, group) of everyone who answers: each group's number, spread over its strata like its codes."""
    for group in town.GROUPS:
        places = [one.code for one in strands() if one.group.code == group.code for _ in survey.codes[one.code]]
        yield from ((stratum, group.code) for stratum in chance.sample(places, group.answered))
