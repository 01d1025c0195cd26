"""The plan of a double-random draw out of the directories as they stand, and what the office adds to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from api.store import directories, evaluations, site_directory
from api.store.crews import drawn_a_day
from api.store.inspection_draws import Item, item_numbered
from survey_forms.inspection.double_random import RAISED
from survey_forms.inspection.double_random_plan import FORMAT, MOST_DAYS, degrees
from survey_forms.inspection.mornings import CHINA, morning_of
from survey_forms.refusal import Fault, Refused

LONGEST_TITLE = 100
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Said:
    """What the office says of a draw; everything else stands in the directories and on the item list.

    Days are those from Monday to Friday, without `without` (holidays), and with `also` (weekends worked instead).
    `raised` names the sites that are drawn at another rate because of complaints or leads, each with the reason.
    """

    item_id: int
    title: str
    first_day: date
    last_day: date
    randomness_source: str
    known_from: datetime
    randomness_form: str
    announced: bool = False
    crew: int = 2
    a_day: int = 3
    apart_km: int = 30
    without: frozenset[date] = frozenset()
    also: frozenset[date] = frozenset()
    raised: Mapping[int, str] = field(default_factory=dict)
    raised_rate: Mapping[str, Any] | None = None


def working_days(said: Said) -> list[date]:
    """The days of the period on which inspectors go out."""
    length = min(max((said.last_day - said.first_day).days + 1, 0), MOST_DAYS)
    days = (said.first_day + timedelta(days=number) for number in range(length))
    return [day for day in days if day in said.also or (day.weekday() < SATURDAY and day not in said.without)]


def faults_of(said: Said, now: datetime) -> Iterator[Fault]:
    """What is wrong with title and dates."""
    if not 0 < len(said.title) <= LONGEST_TITLE or not said.title.isprintable():
        yield Fault("inspection_title", "title", {"most": LONGEST_TITLE})
    if said.last_day < said.first_day or (said.last_day - said.first_day).days >= MOST_DAYS:
        yield Fault("inspection_period", "last_day", {"most": MOST_DAYS})
    if said.known_from <= now:
        yield Fault("plan_known_too_early", "known_from")
    if said.known_from >= morning_of(said.first_day):
        yield Fault("inspection_known_too_late", "known_from")


def plan_document(connection: Connection, said: Said) -> dict[str, Any]:
    """The plan as it is committed; `read_plan` says whether it is one.

    Raises:
        Refused: `assignment_item_unknown`, `inspection_raised_unknown`.
    """
    item = item_numbered(connection, said.item_id)
    if item is None or item.withdrawn:
        raise Refused("assignment_item_unknown", "item")
    evaluation = evaluations.evaluation_numbered(connection, item.evaluation_id)
    rates = {group: _rate(rate) for group, rate in item.rates.items()}
    if said.raised:
        rates[RAISED] = _rate(said.raised_rate or {})
    return {
        "format": FORMAT,
        "evaluation": evaluation.code,
        "title": said.title,
        "item": {
            "code": item.code,
            "zh": item.name_zh,
            "en": item.name_en,
            "key": item.key_item,
            "skill": item.skill,
        },
        "announced": said.announced,
        "crew": said.crew,
        "a_day": said.a_day,
        "apart_km": said.apart_km,
        "days": [day.isoformat() for day in working_days(said)],
        "rates": rates,
        "randomness": {
            "source": said.randomness_source,
            "known_from": said.known_from.astimezone(CHINA).isoformat(),
            "form": said.randomness_form,
        },
        "sites": _sites(connection, said, item),
        "inspectors": _inspectors(connection, working_days(said)),
    }


def _rate(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"share": str(given.get("share", "")), "least": given.get("least", 0), "times": given.get("times")}


def _sites(connection: Connection, said: Said, item: Item) -> list[dict[str, Any]]:
    """The sites in use, with the visits that draws of this item sent there this year."""
    year = said.first_day.year
    visits = site_directory.visits_by_site(connection, item.id, date(year, 1, 1), date(year, 12, 31))
    found = [one for one in site_directory.entries(connection, item.evaluation_id) if not one.withdrawn]
    unknown = said.raised.keys() - {one.id for one in found}
    if unknown:
        raise Refused("inspection_raised_unknown", "raised", sites="、".join(map(str, sorted(unknown))))
    return [
        {
            "id": str(one.id),
            "unit": one.unit_code,
            "name": one.name_zh,
            "lat": degrees(one.lat),
            "lon": degrees(one.lon),
            "datum": one.datum,
            "risk": one.risk,
            "group": RAISED if one.id in said.raised else one.risk,
            "visits": visits.get(one.id, 0),
            "because": said.raised.get(one.id, ""),
        }
        for one in sorted(found, key=lambda one: one.id)
    ]


def _inspectors(connection: Connection, days: Sequence[date]) -> list[dict[str, Any]]:
    """The inspectors in the directory, with what they were drawn for on these days; a base is told to a kilometre.

    Work made by hand does not count: one person makes and withdraws it, and would leave the draw nobody but friends.
    """
    recused: dict[int, list[str]] = {}
    for one in directories.recusals(connection):
        recused.setdefault(one.staff_id, []).append(one.unit_code)
    elsewhere: dict[int, dict[str, int]] = {}
    for (staff_id, day), count in drawn_a_day(connection, days).items():
        elsewhere.setdefault(staff_id, {})[day.isoformat()] = count
    return [
        {
            "id": str(one.staff_id),
            "name": one.name,
            "organisation": one.organisation,
            "skills": sorted(one.skills),
            "lat": None if one.lat is None else degrees(one.lat, 2),
            "lon": None if one.lon is None else degrees(one.lon, 2),
            "datum": one.datum,
            "most_km": one.most_km,
            "recused": sorted(recused.get(one.staff_id, [])),
            "elsewhere": elsewhere.get(one.staff_id, {}),
        }
        for one in sorted(directories.inspectors(connection), key=lambda one: one.staff_id)
        if one.entered and not one.withdrawn
    ]
