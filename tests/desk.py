"""Builders for the desk: an evaluation under the Xiamen scheme, its people, its survey, and what was computed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, insert
from werkzeug.security import generate_password_hash

from api.store import evaluations, people, roll, surveys
from api.store.evaluations import Evaluation
from survey_forms.scheme.load import DOCUMENTS

NOW = datetime(2015, 12, 10, 9, 0, tzinfo=UTC)
SCHEME = "xiamen-wf-2015"
PASSWORD = "a-test-password"
UNITS = (
    ("education", "市教育局", "Education Bureau"),
    ("health", "市卫生和计划生育委员会", "Health and Family Planning Commission"),
    ("sports", "市体育局", "Sports Bureau"),
)
GROUPS = (
    "party_delegates",
    "peoples_congress_deputies",
    "cppcc_members",
    "residents",
    "enterprises",
    "supervisors",
    "conduct_review",
    "service_recipients",
    "city_district_mutual",
    "party_government_mutual",
)
SUPPLIED = {"public_review.shares": dict.fromkeys(GROUPS, "10"), "outstanding_base": "15"}
DIFFERENTIAL = {"education": "931.5", "health": "842.25", "sports": "701"}


@cache
def password_hash() -> str:
    return generate_password_hash(PASSWORD, method="pbkdf2:sha256:1000")


@dataclass(frozen=True, slots=True)
class Desk:
    """An evaluation and the keys of what is in it."""

    evaluation: Evaluation
    units: dict[str, int]
    staff: dict[str, int]
    survey_id: int


def a_desk(connection: Connection, *, simulated: bool = False, supplied: dict[str, Any] | None = None) -> Desk:
    """Three units, two people of the office and one of each other role, one open survey of two groups."""
    source = (DOCUMENTS / SCHEME / "scheme.toml").read_bytes()
    digest = sha256(source).hexdigest()
    connection.execute(insert(evaluations.scheme_version).values(digest=digest, scheme=SCHEME, source=source.decode()))
    evaluation_id = connection.execute(
        insert(evaluations.evaluation)
        .values(
            code="xiamen-2015",
            year=2015,
            name_zh="厦门市 2015 年度绩效考评",
            name_en="Xiamen performance evaluation 2015",
            scheme_digest=digest,
            supplied=SUPPLIED if supplied is None else supplied,
            simulated=simulated,
        )
        .returning(evaluations.evaluation.c.id)
    ).scalar_one()
    connection.execute(
        insert(evaluations.unit),
        [{"evaluation_id": evaluation_id, "code": code, "name_zh": zh, "name_en": en} for code, zh, en in UNITS],
    )
    units = {unit.code: unit.id for unit in evaluations.units_of(connection, evaluation_id)}
    people_of = {"office": "office", "office2": "office", "bureau": "bureau", "inspector": "inspector", "unit": "unit"}
    staff = {
        username: a_person(connection, username, role, units["education"] if role == "unit" else None)
        for username, role in people_of.items()
    }
    survey_id = _a_survey(connection, evaluation_id)
    return Desk(evaluations.evaluation_numbered(connection, evaluation_id), units, staff, survey_id)


def a_person(connection: Connection, username: str, role: str, unit_id: int | None = None) -> int:
    """Someone who can sign in with `PASSWORD`."""
    key: int = connection.execute(
        insert(people.staff)
        .values(username=username, password_hash=password_hash(), name=f"{username} 某", role=role, unit_id=unit_id)
        .returning(people.staff.c.id)
    ).scalar_one()
    return key


def _a_survey(connection: Connection, evaluation_id: int) -> int:
    times = {"opens_at": NOW - timedelta(days=9), "closes_at": NOW + timedelta(days=9)}
    round_id = connection.execute(
        insert(evaluations.round_)
        .values(evaluation_id=evaluation_id, name_zh="年度评议", name_en="Annual review", status="open", **times)
        .returning(evaluations.round_.c.id)
    ).scalar_one()
    survey_id: int = connection.execute(
        insert(surveys.survey).values(round_id=round_id, **times).returning(surveys.survey.c.id)
    ).scalar_one()
    version = sha256(b"a form").hexdigest()
    connection.execute(
        insert(surveys.form_version).values(version=version, name="residents", workbook=b"PK a book", xform=b"<x/>")
    )
    for code, zh, en, population in (
        ("residents", "城乡居民", "Residents", 20000),
        ("party_delegates", "党代表", "Party delegates", 320),
    ):
        connection.execute(
            insert(surveys.respondent_group).values(
                survey_id=survey_id,
                code=code,
                component=f"public_review.{code}",
                name_zh=zh,
                name_en=en,
                form_version=version,
            )
        )
        connection.execute(
            insert(surveys.stratum).values(
                survey_id=survey_id, code=code, group_code=code, name_zh=zh, name_en=en, population=population
            )
        )
    codes = [("residents", number < 12) for number in range(40)] + [
        ("party_delegates", number < 9) for number in range(10)
    ]
    connection.execute(
        insert(roll.access_code),
        [
            {
                "mac": sha256(f"{survey_id} {n}".encode()).digest(),
                "survey_id": survey_id,
                "stratum": group,
                "spent": spent,
            }
            for n, (group, spent) in enumerate(codes)
        ],
    )
    return survey_id


def an_input(deductions: dict[str, list[dict[str, str]]] | None = None) -> dict[str, Any]:
    """The exchange format for the three units: every group gives 800, less 20 a place."""
    return {
        "scheme": SCHEME,
        "supplied": SUPPLIED,
        "units": [
            {
                "id": code,
                "scores": {
                    "indicator": {"differential": DIFFERENTIAL[code]},
                    "public_review": dict.fromkeys(GROUPS, str(860 - 20 * place)),
                },
                "deductions": (deductions or {}).get(code, []),
            }
            for place, (code, _, _) in enumerate(UNITS)
        ],
    }
