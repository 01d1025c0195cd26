"""Builders for weights: a survey's drawn cases by weighting cell, each with the outcome that it came to."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from itertools import count

from sqlalchemy import Connection, insert, select

from api.store import fieldwork, roll

_numbers = count(1)


def draw_cases(connection: Connection, survey_id: int, cells: Iterable[tuple[str, str | None, int]]) -> list[int]:
    """A frame and a draw of so many cases of each (stratum, weighting cell); returns the cases' numbers in order."""
    listed = list(cells)
    frame_id = connection.execute(
        insert(roll.frame)
        .values(survey_id=survey_id, digest=secrets.token_hex(32), members=sum(n for *_, n in listed))
        .returning(roll.frame.c.id)
    ).scalar_one()
    draw_id = connection.execute(
        insert(roll.draw)
        .values(frame_id=frame_id, plan_digest="", plan={}, randomness="", seed="")
        .returning(roll.draw.c.id)
    ).scalar_one()
    rows = [
        {"draw_id": draw_id, "stratum": stratum, "wcell": wcell, "member": f"m{next(_numbers)}", "ticket": "t"}
        for stratum, wcell, n in listed
        for _ in range(n)
    ]
    connection.execute(insert(roll.case), [row | {"position": place} for place, row in enumerate(rows, start=1)])
    found = select(roll.case.c.id).where(roll.case.c.draw_id == draw_id).order_by(roll.case.c.position)
    return list(connection.execute(found).scalars())


def try_case(connection: Connection, case_id: int, outcome: str, at: datetime) -> None:
    """An attempt by telephone that came to this outcome."""
    key = f"attempt {next(_numbers)}"
    connection.execute(
        insert(fieldwork.contact_attempt).values(
            case_id=case_id, key=key, mode="phone", outcome=outcome, began_at=at, ended_at=at
        )
    )


def answer_case(connection: Connection, survey_id: int, case_id: int, stratum: str, wcell: str) -> None:
    """A spent code of the case, as an answer leaves it."""
    mac = sha256(f"case {case_id}".encode()).digest()
    connection.execute(
        insert(roll.access_code).values(mac=mac, survey_id=survey_id, stratum=stratum, wcell=wcell, spent=True)
    )
    connection.execute(insert(roll.case_code).values(mac=mac, case_id=case_id))
