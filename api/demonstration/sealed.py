"""The demonstration's sealed survey: a small evaluation of its own, from the key to boxes that wait to be counted.

Every step is the product's own verb, done by two people as it must be. Only one thing differs from a real survey, and
the sheets say so: the custodians' shares lie in a folder of the demonstration instead of in three safes.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from uuid import UUID

from sqlalchemy import Connection, insert

from api.actions import keys
from api.actions.notice_words import default_notice
from api.actions.notices import publish_notice
from api.actions.opening import open_round
from api.actions.responses import CODE_NAMESPACE, Submission, accept
from api.actions.sealing import seal_answers
from api.actions.strata_sheet import COLUMNS
from api.actions.survey_setup import Plan, set_up
from api.actions.tally import form_of_version
from api.demonstration import town
from api.demonstration.answers import Person, answer, standing
from api.demonstration.roll import Strand, draw_cases
from api.store import roll, surveys
from api.store.evaluations import evaluation_numbered
from survey_forms.ballot import keys as campaign
from survey_forms.ballot import rehearsal
from survey_forms.ballot.envelope import About
from survey_forms.ballot.seal import KEY_LENGTH
from survey_forms.sampling.codes import code_mac, draft_id, new_code

CUSTODIANS = ("统计局", "人大常委会办公室", "审计局")
MEMBERS, DRAWN, ANSWERED = 360, 60, 40
GROUP = "peoples_congress_deputies"


@dataclass(frozen=True, slots=True)
class Sealed:
    """The survey, codes to try it with, and the files of the custodians by name."""

    survey_id: int
    codes: list[str]
    files: Mapping[str, bytes]


def load_sealed(  # noqa: PLR0913, PLR0917 - what the world gives a loader
    connection: Connection,
    evaluation_id: int,
    staff: Mapping[str, int],
    pepper: bytes,
    now: datetime,
    chance: Random,
) -> Sealed:
    """Set the survey up, rehearse its key, open it, and let some deputies answer.

    Args:
        connection: in a transaction that the caller commits.
        evaluation_id: an evaluation with units; the questionnaires are stored already.
        staff: keys of staff by user name.
        pepper: keys the access codes.
        now: the demonstration's present.
        chance: shapes the simulated answers.
    """
    first, second = staff["office"], staff["office2"]
    evaluation = evaluation_numbered(connection, evaluation_id)
    plan = Plan(
        name_zh=town.SEALED_ZH,
        name_en=town.SEALED_EN,
        opens_at=now - timedelta(days=5),
        closes_at=now + timedelta(days=20),
        secrecy="sealed",
        random_order=True,
        units_per_respondent=None,
        sheet=_sheet(),
    )
    round_id, survey_id = set_up(connection, evaluation, plan, first, now)
    key, files = key_ceremony(connection, survey_id, (first, second), now)
    notice = default_notice(evaluation.name_zh, evaluation.name_en, sealed=True)
    publish_notice(connection, survey_id, notice, first, now)
    group = _group()
    draw_cases(connection, survey_id, [Strand(GROUP, group, group.name_zh, group.name_en, MEMBERS, DRAWN)], now)
    codes = [new_code(secrets.randbelow) for _ in range(DRAWN)]
    macs = sorted(code_mac(pepper, CODE_NAMESPACE, code) for code in codes)
    connection.execute(
        insert(roll.access_code), [{"mac": mac, "survey_id": survey_id, "stratum": GROUP} for mac in macs]
    )
    open_round(connection, round_id, second, now)
    _answer(connection, survey_id, codes[:ANSWERED], key, pepper, now, chance)
    return Sealed(survey_id, codes[ANSWERED:], files)


def _group() -> town.Group:
    return next(one for one in town.GROUPS if one.code == GROUP)


def _sheet() -> bytes:
    group = _group()
    names = f"{group.name_zh},{group.name_en}"
    line = f"{GROUP},{names},public_review.{GROUP},{group.form},{GROUP},{names},{MEMBERS}"
    return f"{','.join(COLUMNS)}\r\n{line}\r\n".encode()


def key_ceremony(
    connection: Connection, survey_id: int, office: tuple[int, int], now: datetime
) -> tuple[bytes, Mapping[str, bytes]]:
    """What happens on a laptop without network, the upload, and the rehearsal by two of the three."""
    key, shares = campaign.new_key(secrets.token_bytes(KEY_LENGTH), CUSTODIANS)
    public = campaign.write_public(key)
    keys.add_key(connection, survey_id, public, office[0], now)
    tests = rehearsal.read_tests(keys.new_tests(connection, survey_id, office[0], now))
    words = rehearsal.open_tests(campaign.join_shares(shares[:2], key.public_key), tests)
    keys.rehearse(connection, survey_id, rehearsal.write_proof(survey_id, words), office[1], now)
    sheets = {f"share-{at}.txt": campaign.write_share(share).encode() for at, share in enumerate(shares, start=1)}
    return key.public_key, {"public.json": public, **sheets}


def _answer(  # noqa: PLR0913, PLR0917 - as above
    connection: Connection,
    survey_id: int,
    codes: list[str],
    public_key: bytes,
    pepper: bytes,
    now: datetime,
    chance: Random,
) -> None:
    """Simulated deputies hand in; what they said exists only inside the boxes."""
    booth = surveys.booths(connection)[survey_id, GROUP]
    form = form_of_version(connection, booth.form_version)
    level = standing(tuple(code for code, _, _ in town.UNITS), chance)
    submissions = []
    for code in codes:
        answers = answer(form, Person(GROUP, chance.gauss(0.0, 0.5)), level, now.date(), chance)
        submissions.append(
            Submission(
                mac=code_mac(pepper, CODE_NAMESPACE, code),
                receipt_hash=sha256(secrets.token_bytes(16)).digest(),
                draft_id=draft_id(pepper, CODE_NAMESPACE, code),
                response_id=UUID(bytes=secrets.token_bytes(16), version=4),
                survey_id=survey_id,
                stratum=GROUP,
                wcell=GROUP,
                form_version=form.version,
                answers={},
                mode="simulated",
                day=now.date(),
                sealed=seal_answers(public_key, booth, form, answers, About(GROUP, "simulated")),
            )
        )
    if set(accept(connection, submissions)) != {"accepted"}:
        raise RuntimeError("the demonstration's own sealed answers were not accepted")
