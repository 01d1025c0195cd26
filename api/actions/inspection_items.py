"""The item list (抽查事项清单): what is inspected, how much of it, how often, and by whom.

Source: 国发〔2019〕5号 (an item list, general and key items; ratio and frequency by risk).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from api.actions.checklists import unfit_for_phones
from api.store import evaluations, people, surveys
from api.store import inspection_draws as items
from survey_forms.inspection.double_random import GROUPS, RAISED
from survey_forms.numbers import HUNDRED, plain, plain_decimal
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import load_catalogue

LONGEST_NAME = 100
LONGEST_CODE = 40
MOST_SITES = 20_000
MOST_TIMES = 366
CLASSES = tuple(group for group in GROUPS if group != RAISED)


@dataclass(frozen=True, slots=True)
class ItemSaid:
    """What the office enters of an item; `rates` as texts: risk class → (share in per cent, at least, times a year)."""

    code: str
    name_zh: str
    name_en: str
    key_item: bool
    component: str
    skill: str
    rates: Mapping[str, tuple[str, str, str]]
    form_version: str


def enter_item(connection: Connection, evaluation_id: int, said: ItemSaid, staff_id: int, now: datetime) -> int:
    """Put an item on an evaluation's list, or change the one with its code; one that was withdrawn comes back.

    Raises:
        Refused: every fault: `item_text`, `item_component`, `item_rate`, `item_form`.
    """
    values = _item_values(connection, evaluation_id, said)
    added = items.add_item(connection, {"evaluation_id": evaluation_id, "code": said.code, **values})
    if added is not None:
        people.record_act(connection, "item_entered", now, staff_id, item=added, code=said.code)
        return added
    known = next(one for one in items.items_of(connection, evaluation_id) if one.code == said.code)
    items.change_item(connection, known.id, {**values, "withdrawn_at": None})
    before = {"rates": known.rates, "skill": known.skill, "component": known.component}
    people.record_act(connection, "item_changed", now, staff_id, item=known.id, before=before)
    return known.id


def withdraw_item(connection: Connection, item_id: int, staff_id: int, now: datetime) -> None:
    """Take an item off the list.

    Raises:
        Refused: `not_found`.
    """
    found = items.item_numbered(connection, item_id)
    if found is None:
        raise Refused("not_found")
    if not found.withdrawn:
        items.change_item(connection, item_id, {"withdrawn_at": now})
        people.record_act(connection, "item_withdrawn", now, staff_id, item=item_id)


def components_of(connection: Connection, evaluation_id: int) -> list[str]:
    """The components from which findings deduct: those that the rules of the scheme's catalogue name."""
    catalogue = load_catalogue(evaluations.evaluation_numbered(connection, evaluation_id).scheme)
    return list(dict.fromkeys(rule.of for rule in catalogue.rules)) if catalogue else []


def rate_of(share: str, least: str, times: str) -> dict[str, Any] | None:
    """One class's rate from texts: per cent, a number, a number or nothing; None when they are none."""
    percent = plain_decimal(share.strip().removesuffix("%"))
    most = _whole(times, MOST_TIMES) if times.strip() else None
    fewest = _whole(least or "0", MOST_SITES)
    if percent is None or percent > HUNDRED or fewest is None or (times.strip() and not most):
        return None
    return {"share": plain(percent / Decimal(100)), "least": fewest, "times": most}


def _whole(text: str, most: int) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 and int(text) <= most else None


def _item_values(connection: Connection, evaluation_id: int, said: ItemSaid) -> dict[str, Any]:
    faults = [*_text_faults(said)]
    if said.component not in components_of(connection, evaluation_id):
        faults.append(Fault("item_component", "component"))
    rates = {group: rate_of(*said.rates.get(group, ("", "", ""))) for group in CLASSES}
    faults += [Fault("item_rate", f"share_{group}", {"group": group}) for group, rate in rates.items() if rate is None]
    if said.form_version and surveys.workbook_of(connection, said.form_version) is None:
        faults.append(Fault("item_form", "form_version"))
    elif said.form_version:
        unfit = unfit_for_phones(connection, said.form_version)
        faults += [Fault(one.code, "form_version", one.facts) for one in unfit]
    if faults:
        raise Refused.of(faults)
    return {
        "name_zh": said.name_zh,
        "name_en": said.name_en or said.name_zh,
        "key_item": said.key_item,
        "component": said.component,
        "skill": said.skill,
        "rates": rates,
        "form_version": said.form_version or None,
    }


def _text_faults(said: ItemSaid) -> Iterator[Fault]:
    for field, text, most, needed in (
        ("code", said.code, LONGEST_CODE, True),
        ("name_zh", said.name_zh, LONGEST_NAME, True),
        ("name_en", said.name_en, LONGEST_NAME, False),
        ("skill", said.skill, LONGEST_CODE, False),
    ):
        if (needed and not text) or len(text) > most or not text.isprintable():
            yield Fault("item_text", field, {"most": most})
