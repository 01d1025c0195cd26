"""The demonstration's frame, its stratified draw, and the access codes that the drawn persons would hold."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from api.actions.responses import CODE_NAMESPACE
from api.demonstration.town import DISTRICTS, GROUPS, RANDOMNESS, RESIDENTS, RESIDENTS_DRAWN, Group
from api.store import roll, surveys
from survey_forms.sampling.allocate import proportional
from survey_forms.sampling.codes import code_mac, new_code
from survey_forms.sampling.drawing import draw_plan
from survey_forms.sampling.frame import frame_of
from survey_forms.sampling.plan import plan_of
from survey_forms.sampling.tickets import ticket

BATCH = 5000


@dataclass(frozen=True, slots=True)
class Strand:
    """A stratum of the demonstration: N_h persons, n_h of them drawn."""

    code: str
    group: Group
    name_zh: str
    name_en: str
    population: int
    drawn: int


def strands() -> list[Strand]:
    """Six districts of residents in proportion to the 2020 census, and one stratum for every other group."""
    people = {district.code: district.population for district in DISTRICTS}
    frame = proportional(people, RESIDENTS)
    sample = proportional(frame, RESIDENTS_DRAWN)
    residents, *others = GROUPS
    return [
        Strand(one.code, residents, one.name_zh, one.name_en, frame[one.code], sample[one.code]) for one in DISTRICTS
    ] + [Strand(group.code, group, group.name_zh, group.name_en, group.members, group.drawn) for group in others]


def load_roll(connection: Connection, survey_id: int, pepper: bytes, now: datetime) -> dict[str, list[str]]:
    """Write frame, draw, cases and codes; return the codes by stratum, the only place where they exist in clear."""
    planned = strands()
    connection.execute(
        insert(surveys.stratum),
        [
            {
                "survey_id": survey_id,
                "code": one.code,
                "group_code": one.group.code,
                "name_zh": one.name_zh,
                "name_en": one.name_en,
                "population": one.population,
            }
            for one in planned
        ],
    )
    draw_cases(connection, survey_id, planned, now)
    return {one.code: _issue(connection, survey_id, one, pepper) for one in planned}


def draw_cases(connection: Connection, survey_id: int, planned: list[Strand], now: datetime) -> None:
    """Write a frame of numbered members, draw from it, and keep the cases."""
    members = [(one.code, f"{one.code}-{number:05d}") for one in planned for number in range(1, one.population + 1)]
    frame = frame_of(("", stratum, member) for stratum, member in members)
    plan = plan_of(("", one.code, str(one.drawn)) for one in planned)
    drawn = draw_plan(frame, plan, RANDOMNESS)
    frame_id = connection.execute(
        insert(roll.frame)
        .values(survey_id=survey_id, digest=drawn.frame_sha256, members=len(members), loaded_at=now)
        .returning(roll.frame.c.id)
    ).scalar_one()
    rows = [{"frame_id": frame_id, "stratum": stratum, "member": member} for stratum, member in members]
    for start in range(0, len(rows), BATCH):
        connection.execute(insert(roll.frame_member), rows[start : start + BATCH])
    draw_id = connection.execute(
        insert(roll.draw)
        .values(
            frame_id=frame_id,
            plan_digest=drawn.plan_sha256,
            plan={one.code: one.drawn for one in planned},
            randomness=RANDOMNESS,
            seed=drawn.seed,
            drawn_at=now,
        )
        .returning(roll.draw.c.id)
    ).scalar_one()
    connection.execute(
        insert(roll.case),
        [
            {
                "draw_id": draw_id,
                "stratum": one.stratum,
                "member": member,
                "ticket": ticket(drawn.seed, one.stratum, member),
                "position": position,
            }
            for one in drawn.strata
            for position, member in enumerate(one.sample, start=1)
        ],
    )


def _issue(connection: Connection, survey_id: int, one: Strand, pepper: bytes) -> list[str]:
    """As many codes as persons drawn; sorted by their MAC, so that the rows' order tells nothing."""
    codes = {code_mac(pepper, CODE_NAMESPACE, code): code for code in _fresh(one.drawn)}
    connection.execute(
        insert(roll.access_code),
        [{"mac": mac, "survey_id": survey_id, "stratum": one.code} for mac in sorted(codes)],
    )
    return list(codes.values())


def _fresh(number: int) -> set[str]:
    codes: set[str] = set()
    while len(codes) < number:
        codes.add(new_code(secrets.randbelow))
    return codes
