"""A sealed survey for tests: key, shares, and its way to the count, all through the product's own verbs."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, text

from api.actions import ballots, count, keys
from api.store import people
from survey_forms.ballot import files
from survey_forms.ballot.counting import count_boxes
from survey_forms.ballot.keys import CampaignKey, Share, new_key, write_public
from survey_forms.ballot.rehearsal import open_tests, read_tests, write_proof
from tests.builders import StoredSurvey, a_survey

CUSTODIANS = ("评议办", "人大常委会", "审计局")


@dataclass(frozen=True, slots=True)
class SealedSurvey:
    """The survey, its key, and what only the custodians and this test know."""

    survey: StoredSurvey
    key: CampaignKey
    shares: tuple[Share, ...]
    private_key: bytes
    staff: tuple[int, int]

    @property
    def id(self) -> int:
        return self.survey.id


def now() -> datetime:
    return datetime.now(UTC)


def a_sealed_survey(connection: Connection, book: bytes | None = None, *, strata: int = 1, **facts) -> SealedSurvey:
    """An open sealed survey whose rehearsal is passed. Further strata are `stratum_1`, … of the same group."""
    survey = a_survey(connection, book, **facts)
    for at in range(1, strata):
        connection.execute(
            text(
                "INSERT INTO office.stratum (survey_id, code, group_code, name_zh, name_en, population)"
                " VALUES (:survey, :code, 'residents', :code, :code, 1000)"
            ),
            {"survey": survey.id, "code": f"stratum_{at}"},
        )
    connection.execute(text("UPDATE office.survey SET secrecy = 'sealed' WHERE id = :id"), {"id": survey.id})
    connection.execute(text("UPDATE office.round SET status = 'draft' WHERE id = :id"), {"id": survey.round_id})
    staff = tuple(a_member(connection, f"{name}-{survey.id}") for name in ("first", "second"))
    private_key = secrets.token_bytes(32)
    key, shares = new_key(private_key, CUSTODIANS)
    keys.add_key(connection, survey.id, write_public(key), staff[0], now())
    tests = read_tests(keys.new_tests(connection, survey.id, staff[0], now()))
    proof = write_proof(survey.id, open_tests(private_key, tests))
    keys.rehearse(connection, survey.id, proof, staff[1], now())
    connection.execute(
        text("UPDATE office.round SET status = :status WHERE id = :id"),
        {"id": survey.round_id, "status": facts.get("status", "open")},
    )
    return SealedSurvey(survey, key, shares, private_key, staff)


def a_member(connection: Connection, name: str, role: str = "office") -> int:
    found: int = connection.execute(
        insert(people.staff).values(username=name, password_hash="", name=name, role=role).returning(people.staff.c.id)
    ).scalar_one()
    return found


def end(connection: Connection, sealed: SealedSurvey) -> None:
    """The survey's time is over."""
    connection.execute(
        text("UPDATE office.survey SET closes_at = now() - interval '1 second' WHERE id = :id"), {"id": sealed.id}
    )


def close(connection: Connection, sealed: SealedSurvey) -> None:
    """The survey's time is over and its ballot closed."""
    end(connection, sealed)
    ballots.close_ballot(connection, sealed.id, sealed.staff[0], now())


def count_offline(connection: Connection, sealed: SealedSurvey) -> files.Result:
    """What the custodians bring back."""
    lines = list(ballots.export(connection, sealed.id))
    return count_boxes(files.read_boxes(lines), sealed.private_key, secrets.SystemRandom().randrange)


def load(connection: Connection, sealed: SealedSurvey, result: files.Result) -> bool:
    """The second person loads it."""
    return count.load(connection, sealed.id, result, result.digest, sealed.staff[1], now())
