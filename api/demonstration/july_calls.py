"""The July round's fieldwork: interviewers take cases from the desk, call or visit, and hand in what people say.

Everything is the desk's own verbs at simulated hours. A person's answers go the way every answer goes: by the code of
an interview, through the form's checks, into a sealed box.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random

from sqlalchemy import Connection

from api.actions import fieldwork, interviews
from api.actions.attempts import Sent
from api.actions.booths import CHINA, Booths, Try
from api.actions.responses import CODE_NAMESPACE
from api.demonstration.answers import Person, fill_in
from api.demonstration.july_town import UNITS, Resident
from api.store import cases
from api.store.cases import File
from survey_forms.sampling.codes import canonical, draft_id, order_key

A_CALL = timedelta(minutes=6)
SHIFTS = {"phone": (9, 20), "visit": (10, 18)}
"""Hours of a working day in China, from and until."""

_NO_ANSWER = {"phone": ("3.13", "3.12", "2.221"), "visit": ("2.24", "2.23")}
_NEVER = {"phone": ("4.33", "4.51", "3.15"), "visit": ("4.60", "3.18")}
_REFUSES = {"phone": ("2.112", "2.111"), "visit": ("2.112",)}


@dataclass(slots=True)
class Crew:
    """Interviewers by mode, and the people whom they may meet, by member."""

    survey_id: int
    interviewers: Mapping[str, Sequence[int]]
    people: Mapping[str, Resident]
    booths: Booths
    chance: Random
    done: dict[str, int] = field(default_factory=dict)  # attempts by outcome


def work_days(connection: Connection, crew: Crew, first: datetime, days: int) -> None:
    """Work so many days from the day of `first`; nobody works on without a case to take."""
    for day in range(days):
        midnight = (first + timedelta(days=day)).astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
        for mode, (start, end) in SHIFTS.items():
            for staff_id in crew.interviewers[mode]:
                _shift(connection, crew, mode, staff_id, midnight + timedelta(hours=start), end - start)


def _shift(  # noqa: PLR0913, PLR0917 - whose shift, and when
    connection: Connection, crew: Crew, mode: str, staff_id: int, at: datetime, hours: int
) -> None:
    """One interviewer's day: the next case, until there is none or the day is over."""
    end = at + timedelta(hours=hours) - 2 * A_CALL
    while at < end:
        at += timedelta(minutes=crew.chance.randint(2, 9))
        file = fieldwork.take(connection, crew.survey_id, mode, staff_id, at)
        if file is None:
            return
        at = _attempt(connection, crew, file, staff_id, at)


def _attempt(connection: Connection, crew: Crew, file: File, staff_id: int, at: datetime) -> datetime:
    """Try to reach the person; returns when it was over."""
    chance = crew.chance
    person = crew.people[file.member]
    if Random(f"never:{person.member}").random() < 0.05:  # noqa: S311 - a number that is dead stays dead
        outcome = chance.choice(_NEVER[file.stage])
    elif chance.random() > person.reachable:
        outcome = chance.choice(_NO_ANSWER[file.stage])
    elif chance.random() > person.willing:
        outcome = chance.choice(_REFUSES[file.stage])
    else:
        return _interview(connection, crew, file, staff_id, at)
    ended = at + timedelta(minutes=1)
    fieldwork.record(connection, Sent(secrets.token_hex(16), file.case_id, outcome), staff_id, ended)
    crew.done[outcome] = crew.done.get(outcome, 0) + 1
    return ended


def _interview(connection: Connection, crew: Crew, file: File, staff_id: int, at: datetime) -> datetime:
    code = interviews.begin(connection, crew.booths.pepper, file.case_id, {}, staff_id, at)
    if isinstance(code, str):
        return at
    read = canonical(crew.booths.pepper, CODE_NAMESPACE, code.typed)
    opened = crew.booths.open(connection, read, at)
    person = crew.people[file.member]
    level = {unit: standing for unit, _, _, standing in UNITS}
    raw = fill_in(opened.form, Person(person.district, person.lenient), level, at.date(), crew.chance)
    receipt = sha256(secrets.token_bytes(16)).digest()
    (outcome,) = crew.booths.settle(
        connection,
        [
            Try(
                code.mac,
                draft_id(crew.booths.pepper, CODE_NAMESPACE, read),
                receipt,
                raw,
                at,
                order_key(crew.booths.pepper, CODE_NAMESPACE, read),
            )
        ],
    )
    if outcome != "accepted":
        raise RuntimeError(f"the demonstration's own interview was not accepted: {outcome}")
    ended = at + A_CALL
    held = cases.hold_file(connection, file.case_id)
    if held is None or not interviews.settle(connection, held, ended):
        raise RuntimeError("an interview that was handed in did not close its case")
    crew.done["1.1"] = crew.done.get("1.1", 0) + 1
    return ended
