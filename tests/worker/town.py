"""A small town under the Bailian scheme: two units, four respondent groups, everything an answer or an entry needs."""

import io
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from uuid import UUID, uuid4

from openpyxl import Workbook
from sqlalchemy import Connection, insert, text
from werkzeug.security import generate_password_hash

from api.actions.responses import Outcome, Submission, accept
from api.store import evaluations, indicators, ledger, people, roll, surveys
from survey_forms.forms.workbook import Converted, convert_workbook
from survey_forms.scheme.load import DOCUMENTS, load_scheme

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
UNITS = ("harbour", "library")
GROUPS = {"deputies": 60, "enterprises": 500, "urban_residents": 90_000, "rural_residents": 40_000}
SHARES = {"deputies": "40", "enterprises": "20", "urban_residents": "30", "rural_residents": "10"}
SCALE = {"v5": 100, "v4": 80, "v3": 60, "v2": 30, "v1": 0, "dk": None}


@dataclass(frozen=True, slots=True)
class Town:
    """Keys of what was built."""

    evaluation_id: int
    survey_id: int
    unit_ids: dict[str, int]
    staff_ids: dict[str, int]
    form: Converted


@cache
def a_form(units: tuple[str, ...] = UNITS, items: tuple[str, ...] = ("service", "honesty")) -> Converted:
    """Every unit rated on every item; `q_<unit>_<item>` is the question."""
    book = Workbook()
    sheet = book.active
    sheet.title = "survey"
    sheet.append(["type", "name", "label::中文 (zh)", "label::English (en)", "bind::mc:unit", "bind::mc:item"])
    for unit in units:
        for item in items:
            sheet.append(["select_one scale", f"q_{unit}_{item}", f"{unit} {item}", f"{unit} {item}", unit, item])
    choices = book.create_sheet("choices")
    choices.append(["list_name", "name", "label::中文 (zh)", "label::English (en)", "points"])
    for name, points in SCALE.items():
        choices.append(["scale", name, name, name, points])
    settings = book.create_sheet("settings")
    settings.append(["form_id", "form_title::中文 (zh)", "form_title::English (en)", "default_language"])
    settings.append(["town", "小镇", "Town", "中文 (zh)"])
    data = io.BytesIO()
    book.save(data)
    return convert_workbook(data.getvalue())


def a_town(connection: Connection, code: str = "town-2026", *, simulated: bool = True) -> Town:
    """The evaluation with an open survey, staff of every role, and nothing answered yet."""
    source = (DOCUMENTS / "bailian" / "scheme.toml").read_bytes()
    digest = load_scheme("bailian").digest
    if connection.execute(text("SELECT count(*) FROM office.scheme_version")).scalar() == 0:
        connection.execute(
            insert(evaluations.scheme_version).values(digest=digest, scheme="bailian", source=source.decode())
        )
    evaluation_id = connection.execute(
        insert(evaluations.evaluation)
        .values(
            code=code,
            year=2026,
            name_zh="小镇考评",
            name_en="Town evaluation",
            scheme_digest=digest,
            supplied={"public_review.shares": SHARES},
            simulated=simulated,
        )
        .returning(evaluations.evaluation.c.id)
    ).scalar_one()
    unit_ids = {
        unit: connection.execute(
            insert(evaluations.unit)
            .values(evaluation_id=evaluation_id, code=unit, name_zh=f"{unit}局", name_en=unit.title())
            .returning(evaluations.unit.c.id)
        ).scalar_one()
        for unit in UNITS
    }
    staff_ids = _staff(connection, code, unit_ids[UNITS[0]])
    return Town(evaluation_id, _survey(connection, evaluation_id), unit_ids, staff_ids, a_form())


def _staff(connection: Connection, code: str, unit_id: int) -> dict[str, int]:
    people_ = {"office": None, "office2": None, "office3": None, "bureau": None, "inspector": None, "unit": unit_id}
    return {
        name: connection.execute(
            insert(people.staff)
            .values(
                username=f"{name}@{code}",
                password_hash=generate_password_hash(name, "pbkdf2:sha256:1"),
                name=name,
                role=name.rstrip("23"),
                unit_id=unit,
            )
            .returning(people.staff.c.id)
        ).scalar_one()
        for name, unit in people_.items()
    }


def _survey(connection: Connection, evaluation_id: int) -> int:
    form = a_form()
    connection.execute(
        text(
            "INSERT INTO office.form_version (version, name, workbook, xform) VALUES (:v, 'town', '', :x)"
            " ON CONFLICT DO NOTHING"
        ),
        {"v": form.version, "x": form.xform},
    )
    opens, closes = NOW - timedelta(days=9000), NOW + timedelta(days=9000)
    round_id = connection.execute(
        insert(evaluations.round_)
        .values(
            evaluation_id=evaluation_id, name_zh="轮", name_en="round", opens_at=opens, closes_at=closes, status="open"
        )
        .returning(evaluations.round_.c.id)
    ).scalar_one()
    survey_id: int = connection.execute(
        insert(surveys.survey)
        .values(round_id=round_id, opens_at=opens, closes_at=closes)
        .returning(surveys.survey.c.id)
    ).scalar_one()
    for group, population in GROUPS.items():
        named = {"name_zh": f"{group}组", "name_en": group}
        connection.execute(
            insert(surveys.respondent_group).values(
                survey_id=survey_id,
                code=group,
                component=f"public_review.{group}",
                form_version=form.version,
                **named,
            )
        )
        connection.execute(
            insert(surveys.stratum).values(
                survey_id=survey_id, code=f"{group}_1", group_code=group, population=population, **named
            )
        )
    return survey_id


def a_submission(town: Town, group: str, answers: dict[str, str]) -> Submission:
    """An answer of somebody of that group, with a code that `answer` issues."""
    return Submission(
        mac=secrets.token_bytes(32),
        receipt_hash=secrets.token_bytes(32),
        draft_id=secrets.token_bytes(32),
        response_id=uuid4(),
        survey_id=town.survey_id,
        stratum=f"{group}_1",
        wcell=f"{group}_1",
        form_version=town.form.version,
        answers=answers,
        mode="simulated",
        day=NOW.date(),
    )


def answer(connection: Connection, town: Town, *given: tuple[str, dict[str, str]]) -> list[Outcome]:
    """Accept answers as the web does: each with a code of its own. `given` is (group, question → choice) each."""
    submissions = [a_submission(town, group, answers) for group, answers in given]
    issue(connection, submissions)
    return accept(connection, submissions)


def issue(connection: Connection, submissions: list[Submission]) -> None:
    """Make their access codes exist."""
    connection.execute(
        insert(roll.access_code),
        [{"mac": one.mac, "survey_id": one.survey_id, "stratum": one.stratum} for one in submissions],
    )


def rate(service: str, honesty: str = "", unit: str = UNITS[0]) -> dict[str, str]:
    """The answers that rate one unit."""
    return {f"q_{unit}_service": service} | ({f"q_{unit}_honesty": honesty} if honesty else {})


def rate_all(choice: str) -> dict[str, str]:
    """Everything rated alike."""
    return {f"q_{unit}_{item}": choice for unit in UNITS for item in ("service", "honesty")}


def score_indicators(connection: Connection, town: Town, scores: dict[str, str]) -> None:
    """Confirmed indicator scores, unit → points."""
    batch_id = connection.execute(
        insert(indicators.batch)
        .values(
            evaluation_id=town.evaluation_id,
            file_name="x.csv",
            sha256=b"",
            content=b"",
            rows=len(scores),
            filed_by=town.staff_ids["office"],
            filed_at=NOW,
            status="confirmed",
            decided_by=town.staff_ids["office2"],
            decided_at=NOW,
        )
        .returning(indicators.batch.c.id)
    ).scalar_one()
    for unit, points in scores.items():
        connection.execute(
            insert(indicators.score).values(
                batch_id=batch_id, unit_id=town.unit_ids[unit], component="indicator", points=points, basis="test"
            )
        )


def enter(
    connection: Connection,
    town: Town,
    unit: str,
    points: str,
    *,
    reverses: int | None = None,
    aspect: str | None = None,
) -> int:
    """A ledger entry, or the reversal of one; its number."""
    seq = ledger.lock_ledger(connection)
    ledger.append_entry(
        connection,
        {
            "seq": seq,
            "evaluation_id": town.evaluation_id,
            "unit_id": town.unit_ids[unit],
            "component": "inspection",
            "aspect": aspect,
            "rule": "r",
            "points": points,
            "reverses": reverses,
            "basis": "=1+1",
            "filed_by": town.staff_ids["office"],
            "decided_by": town.staff_ids["office3" if reverses else "office2"],
            "entered_at": NOW,
            "body": {},
            "leaf_hash": sha256(f"{town.evaluation_id}/{seq}".encode()).digest(),
        },
    )
    return seq


def untallied(connection: Connection) -> dict[UUID, tuple[int, str | None]]:
    """Answers that wait to be counted: id → attempts, last error."""
    rows = connection.execute(text("SELECT response_id, attempts, last_error FROM ballot.untallied"))
    return {row.response_id: (row.attempts, row.last_error) for row in rows}
