"""The plan of a double-random draw as it is committed and published: canonical JSON, its hash, and what it says.

Everything that decides stands in it: the item's skill, the rates, the days, and both directories as they stood. Degrees
are texts of six decimals (0.1 m), so that the plan has one spelling; an inspector's base is given to two (1 km), which
is all that a rule about kilometres needs and all that is published of where somebody lives.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from math import ceil
from typing import Any, TypeVar

from survey_forms.inspection.datum import Datum, Position, converted
from survey_forms.inspection.double_random import (
    GROUPS,
    RAISED,
    Hand,
    Place,
    Plan,
    Rate,
    Rules,
    Unsent,
    why_nobody,
)
from survey_forms.scoring.intake import Intake
from survey_forms.transparency import canonical_json

FORMAT = "mingcha-inspection-plan/1"
KEYS = (
    *("format", "evaluation", "title", "item", "announced", "crew", "a_day", "apart_km", "days"),
    *("rates", "randomness", "sites", "inspectors"),
)
SITE_KEYS = ("id", "unit", "name", "lat", "lon", "datum", "risk", "group", "visits", "because")
INSPECTOR_KEYS = ("id", "name", "organisation", "skills", "lat", "lon", "datum", "most_km", "recused", "elsewhere")

LEAST_CREW, MOST_CREW = 2, 6
MOST_A_DAY = 10
MOST_ELSEWHERE = 1000
FARTHEST_KM = 5000
MOST_DAYS = 366
MOST_SITES = 20_000
MOST_INSPECTORS = 2_000
_T = TypeVar("_T")
_DAY = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]")


@dataclass(frozen=True, slots=True)
class Hashes:
    """What commits to a plan, hex: both directories by themselves, and all of it."""

    directories: str
    plan: str


def hashes_of(document: dict[str, Any]) -> Hashes:
    """SHA-256 of the canonical JSON of the directories (`inspectors`, `sites`), and of the whole plan."""
    directories = {"inspectors": document["inspectors"], "sites": document["sites"]}
    return Hashes(_sha256(directories), _sha256(document))


def degrees(value: float, places: int = 6) -> str:
    """Degrees as a plan spells them."""
    return f"{value:.{places}f}"


def read_plan(document: Any) -> Plan:
    """What a plan says.

    Raises:
        Refused: every fault with its path: `inspection_plan_*`, and those of `survey_forms.scoring.intake`.
    """
    intake = Intake()
    table = intake.table(document, "plan")
    intake.keys(table, KEYS, "plan")
    if table.get("format") not in (None, FORMAT):  # no set: anybody wrote it, and a list has no hash
        intake.fault("inspection_plan_format", "plan.format", format=FORMAT)
    intake.refuse()
    item = intake.table(table["item"], "plan.item")
    skill = "" if item.get("skill") == "" else intake.text(item.get("skill"), "plan.item.skill")
    rules = Rules(
        _whole(intake, table["crew"], "plan.crew", LEAST_CREW, MOST_CREW),
        _whole(intake, table["a_day"], "plan.a_day", 1, MOST_A_DAY),
        1000 * _whole(intake, table["apart_km"], "plan.apart_km", 0, FARTHEST_KM),
        skill,
    )
    plan = Plan(
        _days(intake, table["days"]),
        rules,
        _rates(intake, table["rates"]),
        tuple(_each(intake, table["sites"], "plan.sites", MOST_SITES, _place)),
        tuple(_each(intake, table["inspectors"], "plan.inspectors", MOST_INSPECTORS, _hand)),
    )
    _whole_plan(intake, plan)
    _raised(intake, plan)
    intake.refuse()
    return plan


def out_of_reach(plan: Plan) -> dict[Unsent, list[str]]:
    """The sites to which no crew could go whatever is drawn, by the reason: named before the draw, not after it."""
    found: dict[Unsent, list[str]] = {}
    for place in plan.places:
        why = why_nobody(plan, place)
        if why:
            found.setdefault(why, []).append(place.id)
    return found


def _whole_plan(intake: Intake, plan: Plan) -> None:
    """What no part of a plan shows: ids that stand twice, groups without a rate."""
    for path, ids in (
        ("plan.sites", [place.id for place in plan.places]),
        ("plan.inspectors", [hand.id for hand in plan.hands]),
        ("plan.days", list(plan.days)),
    ):
        for twice in (one for one, times in Counter(ids).items() if times > 1):
            intake.fault("inspection_plan_twice", path, value=twice)
    for group in sorted({place.group for place in plan.places} - plan.rates.keys()):
        intake.fault("inspection_plan_no_rate", "plan.rates", group=group)
    if not plan.days:
        intake.fault("inspection_plan_no_days", "plan.days")
    if not plan.places:
        intake.fault("inspection_plan_no_sites", "plan.sites")
    if len(plan.hands) < plan.rules.crew:
        intake.fault("inspection_plan_few_inspectors", "plan.inspectors", count=len(plan.hands), crew=plan.rules.crew)


def _raised(intake: Intake, plan: Plan) -> None:
    """Refuse a raised rate by which a site would be drawn less than in its own class: raising never shields.

    Of a class of N sites with share s and at least m, each is drawn with a chance of max(s, m / N) or more.
    """
    raised, sizes = plan.rates.get(RAISED), Counter(place.risk for place in plan.places)
    for risk in sorted({place.risk for place in plan.places if place.group == RAISED}):
        own = plan.rates.get(risk)
        if own is None:
            intake.fault("inspection_plan_no_rate", "plan.rates", group=risk)
        elif raised:
            owed = max(own.share, min(Fraction(1), Fraction(own.least, sizes[risk])))
            if raised.share < owed:
                least = f"{ceil(1000 * owed) / 10:g} %"
                intake.fault("inspection_plan_raised_low", f"plan.rates.{RAISED}.share", group=risk, least=least)
            if raised.times is not None and (own.times is None or raised.times < own.times):
                intake.fault("inspection_plan_raised_times", f"plan.rates.{RAISED}.times", group=risk)


def _days(intake: Intake, raw: Any) -> tuple[str, ...]:
    days = [intake.text(one, f"plan.days[{at}]") for at, one in enumerate(intake.items(raw, "plan.days")[:MOST_DAYS])]
    for at, day in enumerate(days):
        if day and not _DAY.fullmatch(day):
            intake.fault("inspection_plan_day", f"plan.days[{at}]", value=day)
    return tuple(days)


def _rates(intake: Intake, raw: Any) -> dict[str, Rate]:
    rates: dict[str, Rate] = {}
    for group, given in intake.table(raw, "plan.rates").items():
        path = f"plan.rates.{group}"
        if not intake.known(group, GROUPS, "plan.rates"):
            continue
        table = intake.table(given, path)
        intake.keys(table, ("share", "least", "times"), path, need=False)
        share = intake.number(table.get("share"), f"{path}.share", Decimal(1))
        least = _whole(intake, table.get("least", 0), f"{path}.least", 0, MOST_SITES)
        times = table.get("times")
        rates[group] = Rate(
            Fraction(share), least, None if times is None else _whole(intake, times, f"{path}.times", 1, 366)
        )
    return rates


def _place(intake: Intake, raw: Any, path: str) -> Place:
    table = intake.table(raw, path)
    intake.keys(table, SITE_KEYS, path)
    group = intake.text(table.get("group"), f"{path}.group")
    intake.known(group, GROUPS, f"{path}.group")
    risk = intake.text(table.get("risk"), f"{path}.risk")
    if intake.known(risk, GROUPS[:-1], f"{path}.risk") and group not in {risk, RAISED}:
        intake.fault("inspection_plan_group", f"{path}.group", group=group, risk=risk)
    if group == RAISED and not table.get("because"):
        intake.fault("inspection_plan_because", f"{path}.because")
    visits = _whole(intake, table.get("visits"), f"{path}.visits", 0, 100_000)
    where = _position(intake, table, path) or Position(0, 0)
    key, unit = intake.text(table.get("id"), f"{path}.id"), intake.text(table.get("unit"), f"{path}.unit")
    return Place(key, unit, risk, group, visits, where)


def _hand(intake: Intake, raw: Any, path: str) -> Hand:
    table = intake.table(raw, path)
    intake.keys(table, INSPECTOR_KEYS, path, need=False)
    most = table.get("most_km")
    return Hand(
        intake.text(table.get("id"), f"{path}.id"),
        _names(intake, table.get("skills"), f"{path}.skills"),
        _position(intake, table, path) if table.get("lat") is not None else None,
        None if most is None else 1000 * _whole(intake, most, f"{path}.most_km", 1, FARTHEST_KM),
        _names(intake, table.get("recused"), f"{path}.recused"),
        _elsewhere(intake, table.get("elsewhere", {}), f"{path}.elsewhere"),
    )


def _elsewhere(intake: Intake, raw: Any, path: str) -> dict[str, int]:
    """Sites that somebody has on a day already; plans of before it was told say nothing of it."""
    found: dict[str, int] = {}
    for day, count in intake.table(raw, path).items():
        if _DAY.fullmatch(day):
            found[day] = _whole(intake, count, f"{path}.{day}", 0, MOST_ELSEWHERE)
        else:
            intake.fault("inspection_plan_day", path, value=day[:20])
    return found


def _position(intake: Intake, table: dict[str, Any], path: str) -> Position | None:
    """Where something is, in WGS-84."""
    datum = intake.text(table.get("datum"), f"{path}.datum")
    if not intake.known(datum, tuple(Datum), f"{path}.datum"):
        return None
    found: list[float] = []
    for name, most in (("lat", 90), ("lon", 180)):
        text = intake.text(table.get(name), f"{path}.{name}")
        if not re.fullmatch(r"-?[0-9]{1,3}\.[0-9]{1,9}", text) or abs(float(text)) > most:
            intake.fault("inspection_plan_degrees", f"{path}.{name}", value=text)
            return None
        found.append(float(text))
    return converted(Position(found[0], found[1], Datum(datum)), Datum.WGS_84)


def _names(intake: Intake, raw: Any, path: str) -> frozenset[str]:
    return frozenset(intake.text(one, f"{path}[{at}]") for at, one in enumerate(intake.items(raw, path)))


def _each(intake: Intake, raw: Any, path: str, most: int, read: Callable[[Intake, Any, str], _T]) -> Iterable[_T]:
    rows = intake.items(raw, path)
    if len(rows) > most:
        intake.fault("inspection_plan_long", path, most=most)
    return [read(intake, one, f"{path}[{at}]") for at, one in enumerate(rows[:most])]


def _whole(intake: Intake, raw: Any, path: str, low: int, high: int) -> int:
    if type(raw) is int and low <= raw <= high:
        return raw
    intake.fault("inspection_plan_number", path, low=low, high=high)
    return low


def _sha256(value: object) -> str:
    return sha256(canonical_json(value)).hexdigest()
