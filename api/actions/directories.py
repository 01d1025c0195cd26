"""The living directories' verbs: sites, and inspectors with their recusals.

Nothing is deleted: what is withdrawn is drawn no more and stays readable where it was inspected. Every change is in
the audit with what was there before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from api.actions.site_file import RISKS, SiteRow
from api.store import crews, directories, people
from api.store import site_directory as sites
from api.store.site_directory import Entry
from survey_forms.inspection.datum import Datum, Position
from survey_forms.refusal import Fault, Refused

LONGEST_NAME = 100
LONGEST_REASON = 200
MOST_SKILLS = 20
COMPARED = ("name_zh", "name_en", "address", "lat", "lon", "datum", "radius_m", "fence", "risk")
"""Of a site; unit and code say which one it is."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file does to the directory: new sites, sites that change (with which columns), and those that stay."""

    new: tuple[SiteRow, ...]
    changed: tuple[tuple[SiteRow, Entry, tuple[str, ...]], ...]
    same: int


def look_at_import(connection: Connection, evaluation_id: int, rows: Sequence[SiteRow]) -> Imported:
    """What importing these rows would do; a site is known by its unit and code, one withdrawn comes back."""
    known = {(one.unit_id, one.called): one for one in sites.entries(connection, evaluation_id)}
    new, changed, same = [], [], 0
    for row in rows:
        entry = known.get((row.unit.id, row.code))
        if entry is None:
            new.append(row)
            continue
        unlike = tuple(name for name in COMPARED if getattr(row, name) != getattr(entry, name))
        unlike += ("withdrawn",) if entry.withdrawn else ()
        if unlike:
            changed.append((row, entry, unlike))
        else:
            same += 1
    return Imported(tuple(new), tuple(changed), same)


def import_sites(
    connection: Connection, evaluation_id: int, rows: Sequence[SiteRow], staff_id: int, now: datetime
) -> Imported:
    """Enter new sites and change known ones; the same file again changes nothing."""
    found = look_at_import(connection, evaluation_id, rows)
    for row in found.new:
        site_id = sites.add_entry(connection, {"unit_id": row.unit.id, "code": row.code, **_values(row)})
        people.record_act(connection, "site_entered", now, staff_id, site=site_id, code=row.code, by="file")
    for row, entry, unlike in found.changed:
        sites.change_entry(connection, entry.id, {**_values(row), "withdrawn_at": None})
        before = {name: getattr(entry, name) for name in unlike}
        people.record_act(connection, "site_changed", now, staff_id, site=entry.id, before=before, by="file")
    return found


def withdraw_site(connection: Connection, site_id: int, reason: str, staff_id: int, now: datetime) -> None:
    """Take a site out of use.

    Raises:
        Refused: `not_found`, `assignment_reason`.
    """
    check_reason(reason)
    entry = sites.entry_numbered(connection, site_id, hold=True)
    if entry is None:
        raise Refused("not_found")
    if not entry.withdrawn:
        sites.change_entry(connection, site_id, {"withdrawn_at": now})
        people.record_act(connection, "site_withdrawn", now, staff_id, site=site_id, reason=reason)


def set_risk(connection: Connection, site_id: int, risk: str, staff_id: int, now: datetime) -> None:
    """Put a site into another risk class.

    Raises:
        Refused: `not_found`, `directory_risk`.
    """
    entry = sites.entry_numbered(connection, site_id, hold=True)
    if entry is None:
        raise Refused("not_found")
    if risk not in RISKS:
        raise Refused("directory_risk", "risk")
    if risk != entry.risk:
        sites.change_entry(connection, site_id, {"risk": risk})
        people.record_act(connection, "site_changed", now, staff_id, site=site_id, before={"risk": entry.risk})


@dataclass(frozen=True, slots=True)
class InspectorSaid:
    """What the office enters of an inspector; without a base no distance counts."""

    staff_id: int
    organisation: str
    skills: tuple[str, ...]
    base: Position | None
    most_km: int | None


def enter_inspector(connection: Connection, said: InspectorSaid, staff_id: int, now: datetime) -> None:
    """Enter an inspector into the directory, or change the entry; one who was withdrawn comes back.

    Raises:
        Refused: every fault: `directory_no_inspector`, `directory_organisation`, `directory_skills`,
            `directory_most_km`.
    """
    before = next((one for one in directories.inspectors(connection) if one.staff_id == said.staff_id), None)
    faults = []
    if before is None:
        faults.append(Fault("directory_no_inspector", "staff"))
    if len(said.organisation) > LONGEST_NAME or not said.organisation.isprintable():
        faults.append(Fault("directory_organisation", "organisation", {"most": LONGEST_NAME}))
    if len(said.skills) > MOST_SKILLS or any(len(one) > 40 or not one.isprintable() for one in said.skills):
        faults.append(Fault("directory_skills", "skills", {"most": MOST_SKILLS}))
    if said.most_km is not None and (said.base is None or not 1 <= said.most_km <= 5000):
        faults.append(Fault("directory_most_km", "most_km"))
    if faults or before is None:
        raise Refused.of(faults)
    values = {
        "staff_id": said.staff_id,
        "organisation": said.organisation,
        "skills": sorted(set(said.skills)),
        "lat": said.base.lat if said.base else None,
        "lon": said.base.lon if said.base else None,
        "datum": said.base.datum.value if said.base else Datum.WGS_84.value,
        "most_km": said.most_km,
        "changed_by": staff_id,
        "changed_at": now,
        "withdrawn_at": None,
    }
    directories.put_inspector(connection, values)
    was = {"organisation": before.organisation, "skills": list(before.skills), "most_km": before.most_km}
    people.record_act(connection, "inspector_entered", now, staff_id, inspector=said.staff_id, before=was)


def withdraw_inspector(connection: Connection, inspector_id: int, staff_id: int, now: datetime) -> None:
    """Take an inspector out of the directory; the account stays.

    Raises:
        Refused: `directory_no_inspector`.
    """
    if not any(one.staff_id == inspector_id and one.entered for one in directories.inspectors(connection)):
        raise Refused("directory_no_inspector", "staff")
    values = {"staff_id": inspector_id, "withdrawn_at": now, "changed_by": staff_id, "changed_at": now}
    directories.put_inspector(connection, values)
    people.record_act(connection, "inspector_withdrawn", now, staff_id, inspector=inspector_id)


def declare_recusal(  # noqa: PLR0913, PLR0917 - who, from whom, why, by whom and when make a recusal
    connection: Connection, inspector_id: int, unit_id: int, reason: str, staff_id: int, now: datetime
) -> None:
    """Declare that an inspector must stay away from a unit; declaring it again changes nothing.

    Raises:
        Refused: `assignment_reason`, `directory_no_inspector`, `directory_no_unit`.
    """
    check_reason(reason)
    person = crews.people_of(connection, [inspector_id]).get(inspector_id)
    if person is None or person.gone:
        raise Refused("directory_no_inspector", "staff")
    if not directories.is_unit(connection, unit_id):
        raise Refused("directory_no_unit", "unit")
    values = {
        "staff_id": inspector_id,
        "unit_id": unit_id,
        "reason": reason,
        "declared_by": staff_id,
        "declared_at": now,
    }
    if directories.add_recusal(connection, values):
        people.record_act(connection, "recusal_declared", now, staff_id, inspector=inspector_id, unit=unit_id)


def withdraw_recusal(connection: Connection, recusal_id: int, staff_id: int, now: datetime) -> None:
    """End a recusal; ending it again changes nothing."""
    if directories.end_recusal(connection, recusal_id, now):
        people.record_act(connection, "recusal_withdrawn", now, staff_id, recusal=recusal_id)


def check_reason(reason: str) -> None:
    """A reason is one line.

    Raises:
        Refused: `assignment_reason`.
    """
    if not 0 < len(reason) <= LONGEST_REASON or not reason.isprintable():
        raise Refused("assignment_reason", "reason", most=LONGEST_REASON)


def _values(row: SiteRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in COMPARED}
