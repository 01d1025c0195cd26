"""The demonstration's inspections, all through the verbs that pages and phones use.

Twenty visits of the last ten working days, each handed in by an enrolled phone; seven findings, of which five
entered the ledger; an objection decided and one waiting, a rectification running and one overdue; what is assigned
for today, and a drawn week that stays sealed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID, uuid4

from sqlalchemy import Connection

from api.actions.assignments import Work, assign
from api.actions.checkpoints import ask_checkpoint
from api.actions.photos import render
from api.demonstration import town
from api.demonstration.field_directories import RECUSED, Field, draw_week, load_directories
from api.demonstration.field_life import Agenda
from api.demonstration.field_phone import Phone, Record, milliseconds
from api.demonstration.scenes import service_hall
from api.demonstration.told import ANSWERS, FINDINGS, SEEN, Told
from api.evidence.decoder import Decoder
from api.objects import Objects
from api.store import people
from survey_forms.inspection.mornings import CHINA

SEED = 20
VISITS = 20
METRES_A_DEGREE = 111_000.0
INSPECTORS = ("inspector", "inspector2", "inspector3")


@dataclass(frozen=True, slots=True)
class Ground:
    """What loading takes of the service: where photos go, and the key of seals, tickets and receipts."""

    connection: Connection
    objects: Objects
    secret_key: bytes


@dataclass(frozen=True, slots=True)
class _Team:
    ground: Ground
    field: Field
    decoder: Decoder
    staff: Mapping[str, int]
    phones: Mapping[str, Phone]
    chance: Random
    pictures: Iterator[bytes]  # the user's own, each taken once


def load_inspections(
    ground: Ground, evaluation_id: int, staff: Mapping[str, int], now: datetime, photos: Sequence[bytes] = ()
) -> None:
    """Write directories, visits, findings and what came of them.

    Args:
        ground: in the loader's transaction.
        evaluation_id: whose units are visited.
        staff: keys by user name.
        now: the visits lie in the two weeks before it.
        photos: files of the user's, taken before drawn scenes.
    """
    connection = ground.connection
    days = _weekdays_before(now, VISITS // 2)
    field = load_directories(connection, evaluation_id, staff, _at(days[0], time(8), now))
    phones = {name: _phone(connection, name, _at(days[0], time(8, 30), now)) for name in INSPECTORS}
    with Decoder() as decoder:
        chance = Random(SEED)  # noqa: S311 - shapes a demonstration
        team = _Team(ground, field, decoder, staff, phones, chance, iter(dict.fromkeys(photos)))
        told = {finding.visit: finding for finding in FINDINGS}
        agenda = Agenda(connection, ground.objects, staff)
        for number in range(VISITS):
            at = _at(days[number // 2], time((9, 10, 14, 15)[number % 4], 7 * (number % 8)), now)
            agenda.run(at)
            finding_id = _visit(team, number, told.get(number), at)
            if finding_id is not None:
                agenda.finding(told[number], finding_id, at + timedelta(hours=1))
        agenda.run(now)
    _assign_today(team, now)
    draw_week(connection, field, staff, ground.secret_key, now)
    ask_checkpoint(connection, now)


def _weekdays_before(now: datetime, count: int) -> list[date]:
    """The last so many weekdays before today in China, the earliest first."""
    today = now.astimezone(CHINA).date()
    past = (today - timedelta(days=days) for days in range(1, 2 * count + 5))
    return sorted(day for day in past if day.weekday() < 5)[-count:]


def _at(day: date, clock: time, now: datetime) -> datetime:
    """That time of that day in China, in the zone of `now`."""
    return datetime.combine(day, clock, CHINA).astimezone(now.tzinfo)


def _phone(connection: Connection, name: str, now: datetime) -> Phone:
    found = people.staff_named(connection, name)
    if found is None:
        raise RuntimeError(f"the demonstration has no {name}")
    phone = Phone(found[0])
    phone.enrol(connection, now)
    return phone


def _crew(place: town.Place, number: int) -> tuple[str, ...]:
    """Who goes: two by turns, one alone on a patrol, and nobody to whom they must keep away from."""
    able = [name for name in INSPECTORS if (name, place.unit) != RECUSED]
    first = number % len(able)
    crew = (able[first], able[(first + 1) % len(able)])
    return crew[:1] if _kind(number) == "patrol" else crew


def _kind(number: int) -> str:
    return "patrol" if number % 4 == 3 else "special"


def _visit(team: _Team, number: int, told: Told | None, at: datetime) -> UUID | None:
    """One whole visit by the phone of who leads; returns the id of its finding."""
    connection, place = team.ground.connection, town.PLACES[(number * 5) % len(town.PLACES)]
    day = at.astimezone(CHINA).date()
    crew = _crew(place, number)
    work = Work(
        team.field.sites[(number * 5) % len(town.PLACES)],
        tuple(team.staff[name] for name in crew),
        day,
        _kind(number),
        announced=number % 5 == 0,
        item_id=team.field.item_id,
    )
    assignment = assign(connection, work, team.ground.secret_key, team.staff["office"], _at(day, time(6, 30), at))
    phone = team.phones[crew[0]]
    ticket = phone.ticket(connection, team.ground.secret_key, assignment, at - timedelta(minutes=20))
    record = Record(phone, assignment, ticket, at)
    metres, accuracy, reason = _quality(number, place.radius_m)
    lat = round(place.lat + team.chance.choice((-1, 1)) * metres / METRES_A_DEGREE, 7)
    lon = round(place.lon + team.chance.uniform(-1e-4, 1e-4), 7)
    fixes = [
        [
            round(lat + team.chance.uniform(-2e-4, 2e-4), 7),
            round(lon + 1e-4, 7),
            accuracy + 25,
            milliseconds(at) - 9000,
        ],
        [lat, lon, accuracy, milliseconds(at)],
    ]
    record.add("check_in", at + timedelta(seconds=4), fixes=fixes, reason=reason)
    taken = at + timedelta(minutes=3)
    local = taken.astimezone(CHINA)
    content = next(team.pictures, None) or service_hall(number, local, lat, lon)
    name = f"IMG_{local:%Y%m%d_%H%M%S}.jpg"
    photo = record.photo(content, name, taken, [lat, lon, accuracy, milliseconds(taken)])
    finding_id = uuid4() if told else None
    if told:
        facts = {"rule": told.rule, "points": told.points, "description": told.description, "photos": [photo.hex()]}
        record.add("finding", at + timedelta(minutes=10), id=str(finding_id), **facts)
    answers = ANSWERS | (SEEN if told and told.rule == "unattended_window" else {})
    record.add("checklist", at + timedelta(minutes=14), form=team.field.form_version, answers=answers)
    record.add("note", at + timedelta(minutes=16), text="有问题，见问题记录。" if told else "未发现问题。")
    left = at + timedelta(minutes=18)
    fix = [lat, round(lon + 5e-5, 7), accuracy + 3, milliseconds(left)]
    record.add("check_out", left, fixes=[fix], reason=reason)
    record.hand_in(connection, team.ground.objects, team.ground.secret_key, at + timedelta(minutes=25))
    render(connection, team.ground.objects, team.decoder, photo, at + timedelta(minutes=26))
    return finding_id


def _quality(number: int, radius_m: int) -> tuple[float, float, str]:
    """How far from the site a check-in was, its accuracy, and the inspector's reason where one is asked for."""
    if number in {4, 11}:
        return radius_m * 0.4, 260.0, "大厅在地下一层，定位不准，已在门口重试两次。"
    if number == 15:
        return radius_m + 420.0, 18.0, "窗口临时搬到隔壁街道的便民中心，现场有搬迁公告。"
    return radius_m * 0.3, 12.0 + number, ""


def _assign_today(team: _Team, now: datetime) -> None:
    """What the office has ordered itself: for today and the two days after."""
    today = now.astimezone(CHINA).date()
    tasks = (
        ("inspector", 0),
        ("inspector", 0),
        ("inspector", 0),
        ("inspector2", 0),
        ("inspector", 1),
        ("inspector2", 2),
    )
    for number, (name, ahead) in enumerate(tasks):
        site = team.field.sites[(number * 3 + 1) % len(town.PLACES)]
        crew = (team.staff[name], team.staff["inspector3"])
        work = Work(site, crew, today + timedelta(days=ahead), "special", item_id=team.field.item_id)
        assign(team.ground.connection, work, team.ground.secret_key, team.staff["office"], now)
