"""What the answers bench works on: a survey open for answers, codes, prepared requests, and answers stored before."""

import os
import random
import secrets
from datetime import UTC, datetime, timedelta

import orjson
from sqlalchemy import Connection, Engine, insert, text

from api.actions.responses import CODE_NAMESPACE
from api.demonstration.answers import Person, answer
from api.store import boxes, evaluations, roll, surveys
from survey_forms.ballot.seal import public_key_of
from survey_forms.forms.compile import compile_form
from survey_forms.forms.workbook import convert_workbook
from survey_forms.sampling.codes import code_mac, new_code
from survey_forms.scheme.load import DOCUMENTS
from tests.bench.load import request

PEPPER = "a bench's pepper, at least thirty-two bytes"
STRATUM = "siming"
SECRECIES = ("open", "sealed")
VARIANTS = 200  # of answers, so that no submission is the one before

# Keys come in the order of their index: a heap and an index as large as if they had grown, made in a tenth of the time.
_FILL = (
    """
    INSERT INTO ballot.response (id, survey_id, stratum, wcell, form_version, answers, mode, day)
    SELECT id, :survey, 'siming', 'siming', :version, jsonb_build_object('a', repeat('x', 100)), 'filled', current_date
    FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, :n) ORDER BY 1) AS keys
    """,
    """
    INSERT INTO ballot.receipt
    SELECT sha256(('r' || i)::bytea) FROM generate_series(1, :n) AS i ORDER BY 1
    """,
    """
    INSERT INTO ballot.box (receipt_hash, survey_id, stratum, sealed)
    SELECT sha256(('b' || i)::bytea), :survey, 'siming', decode(repeat('00', 64), 'hex')
    FROM generate_series(1, :n) AS i ORDER BY 1
    """,
    """
    INSERT INTO roll.access_code (mac, survey_id, stratum, spent)
    SELECT sha256(('c' || i)::bytea), :survey, 'siming', true FROM generate_series(1, :n) AS i ORDER BY 1
    """,
)

_WARM = """
SELECT sum(pg_prewarm(pg_class.oid::regclass, 'read'))
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname IN ('ballot', 'roll') AND relkind = 'i'
"""


def prepare(engine: Engine, number: int) -> dict[str, list[bytes]]:
    """An open and a sealed survey with the residents' form; so many submissions for each, with codes of their own."""
    form_bytes = (DOCUMENTS / "xiamen-wf-2015" / "forms" / "residents.xlsx").read_bytes()
    converted = convert_workbook(form_bytes)
    form = compile_form(converted.xform)
    now = datetime.now(UTC)
    chance = random.Random(1)
    stored = [answer(form, Person(STRATUM, 0.0), {}, now.date(), chance) for _ in range(VARIANTS)]
    answers = [{name: v if isinstance(v, list) else str(v) for name, v in one.items()} for one in stored]
    bodies: dict[str, list[bytes]] = {}
    with engine.begin() as connection:
        connection.execute(
            insert(surveys.form_version).values(
                version=form.version, name="residents", workbook=form_bytes, xform=converted.xform
            )
        )
        for secrecy in SECRECIES:
            survey_id = _survey(connection, secrecy, form.version, now)
            codes = [new_code(secrets.randbelow) for _ in range(number)]
            rows = [
                {"mac": code_mac(PEPPER.encode(), CODE_NAMESPACE, code), "survey_id": survey_id, "stratum": STRATUM}
                for code in codes
            ]
            for start in range(0, len(rows), 5000):
                connection.execute(insert(roll.access_code), rows[start : start + 5000])
            bodies[secrecy] = [_submission(code, answers[at % VARIANTS]) for at, code in enumerate(codes)]
    return bodies


def _submission(code: str, answers: dict[str, object]) -> bytes:
    body = orjson.dumps({"code": code, "answers": answers, "receipt": secrets.token_urlsafe(16)})
    return request("/api/v1/responses", body, "127.0.0.1")


def _survey(connection: Connection, secrecy: str, version: str, now: datetime) -> int:
    """An evaluation with one open survey, one group and one stratum; a sealed one has a rehearsed key."""
    digest = ("0" if secrecy == "open" else "1") * 64
    connection.execute(insert(evaluations.scheme_version).values(digest=digest, scheme="xiamen-wf-2015", source=""))
    evaluation = connection.execute(
        insert(evaluations.evaluation)
        .values(code=f"bench-{secrecy}", year=2015, name_zh="测", name_en="b", scheme_digest=digest, supplied={})
        .returning(evaluations.evaluation.c.id)
    ).scalar_one()
    window = {"opens_at": now - timedelta(days=1), "closes_at": now + timedelta(days=1)}
    round_id = connection.execute(
        insert(evaluations.round_)
        .values(evaluation_id=evaluation, name_zh="测", name_en="b", status="open", **window)
        .returning(evaluations.round_.c.id)
    ).scalar_one()
    survey_id: int = connection.execute(
        insert(surveys.survey).values(round_id=round_id, secrecy=secrecy, **window).returning(surveys.survey.c.id)
    ).scalar_one()
    connection.execute(
        insert(surveys.respondent_group).values(
            survey_id=survey_id,
            code="residents",
            component="public_review.residents",
            name_zh="居民",
            name_en="Residents",
            form_version=version,
        )
    )
    connection.execute(
        insert(surveys.stratum).values(
            survey_id=survey_id, code=STRATUM, group_code="residents", name_zh="思明", name_en="S", population=10**8
        )
    )
    if secrecy == "sealed":
        connection.execute(
            insert(boxes.campaign_key).values(
                survey_id=survey_id,
                public_key=public_key_of(secrets.token_bytes(32)),
                custodians=[],
                tests=[],
                rehearsed_at=now,
            )
        )
    return survey_id


def fill(engine: Engine, stored: int) -> None:
    """So many answers, receipts, boxes and spent codes of an earlier survey."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL work_mem = '512MB'"))
        facts = {"n": stored, "survey": connection.execute(text("SELECT min(id) FROM office.survey")).scalar_one()}
        facts["version"] = connection.execute(text("SELECT min(version) FROM office.form_version")).scalar_one()
        for statement in _FILL:
            connection.execute(text(statement), facts)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))
        # A server that has been answering has its indexes in memory, and no fill is being written behind its back
        connection.execute(text("CREATE EXTENSION pg_prewarm"))
        connection.execute(text(_WARM))
    os.sync()
