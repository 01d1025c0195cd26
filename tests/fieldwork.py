"""Builders for fieldwork: a sealed survey with listed cases, a plan that lets them be called now, interviewers."""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, insert, update

from api.actions import fieldwork
from api.actions.invitations import mint
from api.actions.sealed_words import Safe
from api.store import invitations, listed, roll
from api.store.cases import File
from api.store.fieldwork import add_appointment
from survey_forms.fieldwork.plan import Plan
from survey_forms.sampling.contacts import Contact
from tests.ballots import SealedSurvey, a_sealed_survey
from tests.desk import a_person
from tests.invitations import some_cases

PEPPER = b"a test's pepper, thirty-two bytes at least"
SECRET = b"a test's key, thirty-two bytes at least"
PLAN = Plan(
    modes=("phone", "visit"),
    script_zh="您好，我是评议办的访问员。",
    script_en="Good day, I am calling for the evaluation office.",
    calls_from=0,
    calls_until=24 * 60,
)
"""Calls at any hour: the tests run at any hour."""


def now() -> datetime:
    """The builders' surveys are open around the real present."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Work:
    """A survey at work: its cases in the order of their tickets, the office and its interviewers."""

    sealed: SealedSurvey
    cases: tuple[int, ...]
    interviewers: tuple[int, ...]

    @property
    def survey_id(self) -> int:
        return self.sealed.id

    @property
    def office(self) -> int:
        return self.sealed.staff[0]


def some_work(
    connection: Connection, number: int = 3, interviewers: int = 1, plan: Plan = PLAN, book: bytes | None = None
) -> Work:
    """So many cases to be reached by so many interviewers, each case with a telephone number."""
    sealed = a_sealed_survey(connection, book)
    found = some_cases(connection, sealed.survey, tuple(f"M{place:04}" for place in range(1, number + 1)))
    safe = Safe(SECRET)
    listed.put_contacts(connection, {one: safe.seal_contact(one, Contact(f"138{one:08}", "")) for one in found})
    people = tuple(a_person(connection, f"interviewer{place or ''}", "interviewer") for place in range(interviewers))
    fieldwork.set_plan(connection, sealed.id, plan, sealed.staff[0], now())
    return Work(sealed, found, people)


def a_web_code(connection: Connection, work: Work, case_id: int) -> str:
    """The code of an invitation that was sent to a case."""
    batch = invitations.add_batch(connection, work.survey_id, "listed", {}, work.office, now())
    (code,) = mint(connection, PEPPER, work.survey_id, batch, work.sealed.survey.stratum, [None])
    listed.link_codes(connection, [(code.mac, case_id)])
    return code.typed


def take(connection: Connection, work: Work, at: datetime | None = None, who: int = 0, stage: str = "phone") -> File:
    """The next case, which there must be."""
    found = fieldwork.take(connection, work.survey_id, stage, work.interviewers[who], at or now())
    assert found is not None
    return found


def a_key() -> str:
    return secrets.token_hex(16)


def sent(case_id: int, outcome: str = "3.13", **facts: object) -> fieldwork.Sent:
    return replace(fieldwork.Sent(a_key(), case_id, outcome), **facts)  # type: ignore[arg-type]  # any field of it


def an_appointment(connection: Connection, case_id: int, begins: datetime, **facts: object) -> None:
    values = {"begins_at": begins, "ends_at": begins + timedelta(hours=1), **facts}
    add_appointment(connection, {"case_id": case_id, **values})


def spend(connection: Connection, mac: bytes) -> None:
    connection.execute(update(roll.access_code).where(roll.access_code.c.mac == mac).values(spent=True))


def some_traits(connection: Connection, members: dict[str, dict[str, str]]) -> None:
    """What the frame tells of members."""
    frame_id = connection.execute(roll.frame.select()).first().id  # type: ignore[union-attr]  # there is one
    connection.execute(
        insert(roll.frame_member),
        [
            {"frame_id": frame_id, "member": name, "stratum": "siming", "traits": traits}
            for name, traits in members.items()
        ],
    )
