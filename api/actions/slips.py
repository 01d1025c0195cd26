"""Slips to units: what was deducted, decided, ordered, is due soon or is overdue, as the facts were at that moment.

A slip is written once by its key, however often the outbox or the clock tries, and never changed; what a unit adds is
who opened it first, and when.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from api.actions import indicators
from api.actions.due import day_of, end_after, terms_of
from api.store import evaluations, people
from api.store.findings import finding_numbered
from api.store.inspections import check_ins_of, visit_numbered
from api.store.ledger import Entry, entry_numbered
from api.store.objections import objection_that_led_to
from api.store.slips import Slip, mark_read, put_slip, slip_numbered
from survey_forms.numbers import plain
from survey_forms.refusal import Refused
from survey_forms.scheme.load import load_catalogue, load_scheme

INDICATOR_DATA = ("指标数据采集", "Indicator data")
"""What stands for the rule of a deduction that came with an indicator file: no catalogue has one for it."""


@dataclass(frozen=True, slots=True)
class Issue:
    """A slip to be: what it is about, and by whom; None for the clock and the outbox."""

    kind: str
    key: str
    entry: Entry
    says: Mapping[str, Any]
    due_at: datetime | None = None
    issued_by: int | None = None
    rectification_id: int | None = None


def tell_deduction(connection: Connection, seq: int, now: datetime) -> int | None:
    """Write the slip that an entry owes its unit; None where it is written, or an objection's decision told it.

    A deduction is told with the last day to object; an entry that reverses another tells that one's end.

    Raises:
        Refused: `not_found`.
    """
    entry = entry_numbered(connection, seq)
    if entry is None:
        raise Refused("not_found")
    if objection_that_led_to(connection, seq) is not None:
        return None
    if entry.reverses is None:
        evaluation = evaluations.evaluation_numbered(connection, entry.evaluation_id)
        terms = terms_of(evaluation.scheme)
        due = end_after(now, terms.objection_days)
        says = {"last_day": day_of(due).isoformat(), "days": terms.objection_days, "terms": terms.article}
        return issue(connection, Issue("deduction", f"deduction:{seq}", entry, says, due), now)
    old = entry_numbered(connection, entry.reverses)
    if old is None:
        raise Refused("not_found")
    says = {"verdict": "reversed", "note": entry.basis, "left": "0", "by": seq}
    return issue(connection, Issue("decision", f"reversal:{seq}", old, says), now)


def issue(connection: Connection, one: Issue, now: datetime) -> int | None:
    """Write a slip under its number; None where its key is known."""
    entry = one.entry
    key = put_slip(
        connection,
        {
            "evaluation_id": entry.evaluation_id,
            "unit_id": entry.unit_id,
            "kind": one.kind,
            "key": one.key,
            "seq": entry.seq,
            "rectification_id": one.rectification_id,
            "about": _about(connection, entry) | dict(one.says),
            "issued_by": one.issued_by,
            "issued_at": now,
            "due_at": one.due_at,
        },
    )
    if key is not None:
        people.record_act(connection, "slip_issued", now, one.issued_by, slip=key, kind=one.kind, seq=entry.seq)
    return key


def open_slip(connection: Connection, slip_id: int, unit_id: int, staff_id: int, now: datetime) -> Slip:
    """The unit's own slip; its first opening is written as the receipt.

    Raises:
        Refused: `not_found`.
    """
    found = slip_numbered(connection, slip_id)
    if found is None or found.unit_id != unit_id:
        raise Refused("not_found")
    if found.read_at is None:
        mark_read(connection, slip_id, staff_id, now)
        people.record_act(connection, "slip_read", now, staff_id, slip=slip_id)
        return slip_numbered(connection, slip_id) or found
    return found


def _about(connection: Connection, entry: Entry) -> dict[str, Any]:
    """Names, rule, points and place of an entry, in words that stay when names change later."""
    evaluation = evaluations.evaluation_numbered(connection, entry.evaluation_id)
    unit = next(one for one in evaluations.units_of(connection, evaluation.id) if one.id == entry.unit_id)
    catalogue = load_catalogue(evaluation.scheme)
    rule = catalogue.rule(entry.rule) if catalogue else None
    names = INDICATOR_DATA if entry.rule == indicators.RULE else (entry.rule, entry.rule)
    component = load_scheme(evaluation.scheme).by_path.get(entry.component)
    return {
        "evaluation_zh": evaluation.name_zh,
        "evaluation_en": evaluation.name_en,
        "unit_zh": unit.name_zh,
        "unit_en": unit.name_en,
        "seq": entry.seq,
        "component_zh": component.zh if component else entry.component,
        "component_en": component.en if component else entry.component,
        "rule_zh": rule.zh if rule else names[0],
        "rule_en": rule.en if rule else names[1],
        "article": rule.article if rule else "",
        "points": plain(entry.points),
        "basis": entry.basis,
        "entered_on": day_of(entry.entered_at).isoformat(),
        **_place(connection, entry),
    }


def _place(connection: Connection, entry: Entry) -> dict[str, Any]:
    """Where and when it was seen; nothing for an entry that no visit led to."""
    finding = finding_numbered(connection, entry.finding_id) if entry.finding_id else None
    visit = visit_numbered(connection, finding.visit_id) if finding else None
    if finding is None or visit is None:
        return {}
    site = visit.assignment.site
    times = [one.received_at for one in check_ins_of(connection, visit.id)]
    return {
        "site_zh": site.name_zh,
        "site_en": site.name_en,
        "address": site.address,
        "seen_on": day_of(min(times, default=finding.filed_at)).isoformat(),
        "photos": len(finding.photos),
    }
