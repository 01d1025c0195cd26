"""What a phone takes along: everything that an inspector needs for days without a network, and nothing of anybody else.

Sites of days whose morning has not come are not in it; of those the phone learns the day alone.
"""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from api.actions.checklists import forms_for_phones
from api.actions.receipts import receipt_key, signed_ticket
from api.actions.uploads import missing_of
from api.store import evaluations
from api.store.crews import crews_of
from api.store.inspection_draws import item_numbered
from api.store.inspections import Assignment, opened_assignments, sealed_days
from api.store.people import Staff
from api.store.sites import Site
from api.store.uploads import uploads_of
from survey_forms.inspection.datum import Datum, Position, converted
from survey_forms.inspection.mornings import last_opened
from survey_forms.scheme.load import load_catalogue
from survey_forms.scheme.model import Rule

TICKET_STEP = timedelta(minutes=10)
"""Tickets of the same ten minutes are the same, so that a phone that asks twice is told that nothing has changed."""

TICKET_LIFE = timedelta(days=14)
CLOSED_KEPT = timedelta(days=14)
"""How long an assignment that is done stays in the bundle."""


def bundle(connection: Connection, secret_key: bytes, staff: Staff, now: datetime) -> dict[str, Any]:
    """The bundle of an inspector, without `server_time`; what is due has been opened before."""
    today = last_opened(now)
    tasks = [
        one
        for one in opened_assignments(connection, staff.id, today)
        if one.closed_at is None or one.closed_at > now - CLOSED_KEPT
    ]
    listed = _assignments(connection, secret_key, tasks, now)
    waiting = uploads_of(connection, staff_id=staff.id, status="waiting")
    return {
        "inspector": {"id": staff.id, "name": staff.name},
        "evaluations": [_evaluation(connection, one) for one in sorted({task.evaluation_id for task in tasks})],
        "assignments": listed,
        "sealed": [day.isoformat() for day in sealed_days(connection, staff.id, today)],
        "forms": forms_for_phones(connection, {one["form"] for one in listed if one["form"]}),
        "waiting": [str(one.id) for one in waiting if missing_of(connection, one)],
        "receipt_key": receipt_key(secret_key),
    }


def _assignments(
    connection: Connection, secret_key: bytes, tasks: Sequence[Assignment], now: datetime
) -> list[dict[str, Any]]:
    crews = crews_of(connection, [one.id for one in tasks])
    items = {one.item_id: item_numbered(connection, one.item_id) for one in tasks if one.item_id is not None}
    told = []
    for one in tasks:
        item = items.get(one.item_id) if one.item_id is not None else None
        ticket = _ticket(secret_key, one.id, now)
        told.append(
            {
                "id": str(one.id),
                "evaluation": one.evaluation_id,
                "day": one.day.isoformat(),
                "kind": one.kind,
                "announced": one.announced,
                "ticket": ticket,
                "item": {"code": item.code, "zh": item.name_zh, "en": item.name_en} if item else None,
                "crew": [member.name for member in crews.get(one.id, ()) if member.left_at is None],
                "site": _site(one.site),
                "form": item.form_version if item else None,
                "visit": str(one.visit_id) if one.visit_id else None,
                "closed": one.closed_at is not None,
                "nonce": ticket["nonce"],
            }
        )
    return told


def _ticket(secret_key: bytes, assignment_id: UUID, now: datetime) -> dict[str, Any]:
    """The proof that the visit took place after now, with four digits to write on the paper that is photographed."""
    step = TICKET_STEP // timedelta(milliseconds=1)
    issued_at = int(now.timestamp() * 1000) // step * step
    drawn = hmac.digest(secret_key, f"mingcha nonce {assignment_id} {issued_at}".encode(), sha256)
    facts = {
        "assignment": str(assignment_id),
        "issued_at": issued_at,
        "expires_at": issued_at + TICKET_LIFE // timedelta(milliseconds=1),
        "nonce": f"{int.from_bytes(drawn[:8], 'big') % 10_000:04}",
    }
    return signed_ticket(secret_key, facts)


def _site(site: Site) -> dict[str, Any]:
    """A site as the phone shows it: in WGS-84, the datum of a browser's positions."""
    datum = Datum(site.datum)
    here = converted(Position(site.lat, site.lon, datum), Datum.WGS_84)
    corners = [converted(Position(lat, lon, datum), Datum.WGS_84) for lat, lon in site.fence or ()]
    return {
        "id": site.id,
        "zh": site.name_zh,
        "en": site.name_en,
        "address": site.address,
        "unit_zh": site.unit_zh,
        "unit_en": site.unit_en,
        "lat": here.lat,
        "lon": here.lon,
        "radius_m": site.radius_m,
        "fence": [[one.lat, one.lon] for one in corners] or None,
    }


def _evaluation(connection: Connection, evaluation_id: int) -> dict[str, Any]:
    found = evaluations.evaluation_numbered(connection, evaluation_id)
    catalogue = load_catalogue(found.scheme)
    return {
        "id": evaluation_id,
        "zh": found.name_zh,
        "en": found.name_en,
        "catalogue": catalogue
        and {
            "zh": catalogue.zh,
            "en": catalogue.en,
            "demonstration": catalogue.demonstration,
            "aspects": [{"id": one.id, "zh": one.zh, "en": one.en} for one in catalogue.aspects],
            "rules": [_rule(one) for one in catalogue.rules],
        },
    }


def _rule(rule: Rule) -> dict[str, Any]:
    def digits(points: Decimal | None) -> str | None:
        return None if points is None else f"{points:f}"

    return {
        "id": rule.id,
        "aspect": rule.aspect,
        "zh": rule.zh,
        "en": rule.en,
        "points": digits(rule.points),
        "points_min": digits(rule.points_min),
        "points_max": digits(rule.points_max),
        "article": rule.article,
    }
