"""Builders for the desk: an evaluation under the Xiamen scheme, its people, its survey, and what was computed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, insert, update
from werkzeug.security import generate_password_hash

from api.actions import indicators, ledger, results
from api.actions.indicators import File
from api.store import evaluations, people, roll, surveys, tallies
from api.store.evaluations import Evaluation
from survey_forms.estimation.overall import OVERALL
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
    people_of = dict.fromkeys(("office", "office2", "office3"), "office")
    people_of |= {"bureau": "bureau", "inspector": "inspector", "unit": "unit"}
    staff = {
        username: a_person(connection, username, role, units["education"] if role == "unit" else None)
        for username, role in people_of.items()
    }
    survey_id = _a_survey(connection, evaluation_id)
    return Desk(evaluations.evaluation_numbered(connection, evaluation_id), units, staff, survey_id)


def a_second_evaluation(connection: Connection, desk: Desk) -> None:
    """A newer evaluation under the same scheme, with nothing in it."""
    connection.execute(
        insert(evaluations.evaluation).values(
            code="second",
            year=2016,
            name_zh="第二次考评",
            name_en="A second evaluation",
            scheme_digest=desk.evaluation.scheme_digest,
            supplied={},
        )
    )


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


def a_scored_desk(connection: Connection, *, few: int = 9, **how: Any) -> Desk:
    """A desk with everything computed: confirmed scores, a deduction, a reversed one, answers of two groups.

    Args:
        connection: in a transaction.
        few: party delegates who answered; below 10 their figures are hidden outside the office.
        how: see `a_desk`.
    """
    desk = a_desk(connection, **how)
    imported = [group for group in GROUPS if group not in {"residents", "party_delegates"}]
    lines = [f"{unit},indicator.differential,{points},,联合考核组评分" for unit, points in DIFFERENTIAL.items()] + [
        f"{unit},public_review.{group},880,,第三方评议" for unit in DIFFERENTIAL for group in imported
    ]
    sheet = "单位,指标,得分,扣分,依据\n" + "\n".join([*lines, "sports,indicator.common,,30,公文超期"])
    batch = indicators.file_batch(
        connection, desk.evaluation, File("得分.csv", sheet.encode()), desk.staff["office"], NOW
    )
    indicators.confirm_batch(connection, batch, desk.staff["office2"], NOW)
    entries = [a_deduction(connection, desk, "education", points) for points in ("4", "2.5")]
    request = ledger.ask_reversal(connection, entries[1], desk.staff["office"], "核查有误", NOW)
    ledger.decide_reversal(connection, request, desk.staff["office2"], True, "", NOW)
    _answers(connection, desk.survey_id, {"residents": 120, "party_delegates": few})
    results.compose(connection, desk.evaluation.id, NOW)
    return desk


def a_deduction(connection: Connection, desk: Desk, unit: str, points: str) -> int:
    """An inspection's deduction in the ledger; returns its number."""
    return ledger.enter(
        connection,
        evaluation_id=desk.evaluation.id,
        unit_id=desk.units[unit],
        component="inspection",
        aspect=None,
        rule="window_unattended",
        points=Decimal(points),
        basis=f"窗口无人在岗 {points}",
        filed_by=desk.staff["inspector"],
        decided_by=desk.staff["office"],
        now=NOW,
    )


def publish(connection: Connection, desk: Desk) -> None:
    """Let the evaluation's only round be published."""
    connection.execute(
        update(evaluations.round_)
        .where(evaluations.round_.c.evaluation_id == desk.evaluation.id)
        .values(status="published")
    )


def _answers(connection: Connection, survey_id: int, persons: dict[str, int]) -> None:
    """Cells of so many persons of each group, whose points spread evenly around 80, less a little for each unit."""
    cells = []
    for group, n in persons.items():
        for place, (unit, _, _) in enumerate(UNITS):
            points = [100 * (90 - 3 * place - person % 21) for person in range(n)]
            s1, s2 = sum(points), sum(point * point for point in points)
            cells.append((group, group, unit, OVERALL, n, s1, s2))
    tallies.add_to_cells(connection, survey_id, cells, [(group, group, n) for group, n in persons.items()])
