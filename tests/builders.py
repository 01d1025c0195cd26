"""Builders of stored things for tests: each test names only the facts that matter to it."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, insert, select

from api.actions.responses import CODE_NAMESPACE
from api.store import evaluations, roll, surveys
from survey_forms.forms.workbook import convert_workbook
from survey_forms.sampling.codes import code_mac, new_code, token_of
from tests.rules.books import BOOKS, a_book, a_row

DAY = timedelta(days=1)
SATISFACTION = (
    ("scale", "5", "很满意", 100),
    ("scale", "4", "满意", 75),
    ("scale", "3", "基本满意", 50),
    ("scale", "2", "不满意", 25),
    ("scale", "1", "很不满意", 0),
    ("scale", "dk", "不了解", None),
)


@dataclass(frozen=True, slots=True)
class StoredSurvey:
    """An open survey with one respondent group and one stratum."""

    id: int
    evaluation_id: int
    round_id: int
    stratum: str
    form_version: str


def the_book(name: str) -> bytes:
    """The workbook of one of the demonstration's questionnaires."""
    return (BOOKS / f"{name}.xlsx").read_bytes()


def a_short_book() -> bytes:
    """Two questions, one rated unit: the smallest questionnaire that has every part."""
    rated = a_row("select_one scale", "police", mc_unit="police", mc_item="overall", required="yes")
    return a_book(
        a_row("begin_group", "one", appearance="field-list"),
        rated,
        a_row("end_group"),
        a_row("begin_group", "two", appearance="field-list"),
        a_row("text", "words"),
        a_row("end_group"),
    )


def a_grid_book(units: int, per_page: int = 60) -> bytes:
    """A deputy's form: so many units on one item."""
    rows = []
    for first in range(0, units, per_page):
        rows.append(a_row("begin_group", f"page_{first}", label="请评价下列单位今年的工作", appearance="table-list"))
        rows += [
            {
                **a_row("select_one scale", f"unit_{at}", mc_unit=f"unit_{at}", mc_item="overall", required="yes"),
                "label": f"市第{at + 1}号局",
            }
            for at in range(first, min(first + per_page, units))
        ]
        rows.append(a_row("end_group"))
    return a_book(*rows, choices=SATISFACTION)


def a_survey(
    connection: Connection,
    book: bytes | None = None,
    *,
    code: str = "city-2015",
    status: str = "open",
    opens: timedelta = -DAY,
    closes: timedelta = DAY,
    simulated: bool = False,
) -> StoredSurvey:
    """An evaluation with one round, one survey, one respondent group and one stratum; `opens` and `closes` from now."""
    now = datetime.now(UTC)
    digest = sha256(code.encode()).hexdigest()
    connection.execute(insert(evaluations.scheme_version).values(digest=digest, scheme="a-scheme", source=""))
    evaluation_id = connection.execute(
        insert(evaluations.evaluation)
        .values(
            code=code,
            year=2015,
            name_zh="某市 2015 年度公众评议",
            name_en="A city's public review 2015",
            scheme_digest=digest,
            supplied={},
            simulated=simulated,
        )
        .returning(evaluations.evaluation.c.id)
    ).scalar_one()
    times = {"opens_at": now + opens, "closes_at": now + closes}
    round_id = connection.execute(
        insert(evaluations.round_)
        .values(evaluation_id=evaluation_id, name_zh="上半年", name_en="First half", status=status, **times)
        .returning(evaluations.round_.c.id)
    ).scalar_one()
    survey_id = connection.execute(
        insert(surveys.survey).values(round_id=round_id, **times).returning(surveys.survey.c.id)
    ).scalar_one()
    version = a_form_version(connection, book or a_short_book())
    connection.execute(
        insert(surveys.respondent_group).values(
            survey_id=survey_id,
            code="residents",
            component="public_review.residents",
            name_zh="城乡居民",
            name_en="Residents",
            form_version=version,
        )
    )
    connection.execute(
        insert(surveys.stratum).values(
            survey_id=survey_id,
            code="siming",
            group_code="residents",
            name_zh="思明区",
            name_en="Siming",
            population=1000,
        )
    )
    return StoredSurvey(survey_id, evaluation_id, round_id, "siming", version)


def a_form_version(connection: Connection, book: bytes) -> str:
    """A frozen questionnaire; the same workbook twice is the same version."""
    converted = convert_workbook(book)
    known = select(surveys.form_version.c.version).where(surveys.form_version.c.version == converted.version)
    if connection.execute(known).first() is None:
        connection.execute(
            insert(surveys.form_version).values(
                version=converted.version, name="a-form", workbook=book, xform=converted.xform
            )
        )
    return converted.version


def some_codes(
    connection: Connection, survey: StoredSurvey, number: int, pepper: bytes, *, tokens: bool = False
) -> list[str]:
    """Unspent access codes of the survey's stratum, as typed or as the tokens of their QR codes."""
    codes = [new_code(secrets.randbelow) for _ in range(number)]
    connection.execute(
        insert(roll.access_code),
        [
            {"mac": code_mac(pepper, CODE_NAMESPACE, code), "survey_id": survey.id, "stratum": survey.stratum}
            for code in codes
        ],
    )
    return [token_of(pepper, CODE_NAMESPACE, code) for code in codes] if tokens else codes
