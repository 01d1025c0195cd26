"""Indicator scores and deductions from a file: one person files it, a second one confirms, and only then it counts.

The file is kept as it came. Its scores are the newest of their components once confirmed; its deductions become
ledger entries in the same transaction. The same file again is the same batch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from sqlalchemy import Connection

from api.actions import ledger
from api.actions.indicator_sheet import DEDUCTION, Accepts, Row, read_sheet
from api.store import evaluations, indicators, people, surveys
from api.store import ledger as entries
from api.store.evaluations import Evaluation, Unit
from api.store.indicators import Batch
from api.store.owed import emit
from survey_forms.numbers import HUNDRED
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.load import load_scheme
from survey_forms.scoring.intake import Intake
from survey_forms.scoring.plan import plan_for
from survey_forms.scoring.supplied import read_supplied

RULE = "indicator_import"
"""The rule of an imported deduction: the document's catalogue has none for what data-collecting units send in."""
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was handed in."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """A row of a batch beside the score that counts now (None: there is none yet, or the row is a deduction)."""

    row: Row
    present: Decimal | None


def accepts_of(connection: Connection, evaluation: Evaluation, units: Sequence[Unit]) -> dict[str, Accepts]:
    """What a file may say of the units of each class: handed-in components that no survey feeds, and ledgers."""
    scheme = load_scheme(evaluation.scheme)
    classes = {unit.code: unit.class_ or "" for unit in units}
    # What is missing among the supplied values shows as the composite's problem; it does not stop an import.
    supplied = read_supplied(scheme, dict(evaluation.supplied), classes, Intake())
    surveyed = {
        group.component
        for survey_id in surveys.surveys_of(connection, evaluation.id)
        for group in surveys.groups_of(connection, survey_id)
    }
    found = {}
    for unit_class in {*classes.values()} or {""}:
        plan = plan_for(scheme, supplied, unit_class)
        named = {node.path: (node.component.zh, node.component.en) for node in plan.order}
        handed_in = [node.path for node in plan.order if node.handed_in and node.path not in surveyed]
        found[unit_class] = Accepts(
            {path: named[path] for path in handed_in}, {path: named[path] for path in plan.deductible}
        )
    return found


def rows_of(connection: Connection, evaluation: Evaluation, content: bytes) -> list[Change]:
    """What a file says, beside the scores that count now.

    Raises:
        Refused: every fault of the file, with row and column.
    """
    units = evaluations.units_of(connection, evaluation.id)
    composite = load_scheme(evaluation.scheme).composite
    scale = composite.scale if composite else HUNDRED
    rows = read_sheet(content, units, accepts_of(connection, evaluation, units), scale)
    present = indicators.scores_of(connection, evaluation.id)
    return [Change(row, None if row.is_deduction else present.get((row.unit.code, row.component))) for row in rows]


def read_file(connection: Connection, evaluation: Evaluation, content: bytes) -> list[Change]:
    """What a file would change.

    Raises:
        Refused: every fault of the file, with row and column; a deduction that the ledger has already.
    """
    changes = rows_of(connection, evaluation, content)
    known = list(_known_deductions(connection, evaluation.id, [change.row for change in changes]))
    if known:
        raise Refused.of(known)
    return changes


def file_batch(connection: Connection, evaluation: Evaluation, file: File, staff_id: int, now: datetime) -> int:
    """Keep a file for a second person to confirm; returns its batch, which for the same file is the same one.

    Raises:
        Refused: the file's faults, see `read_file`.
    """
    indicators.hold_batches(connection, evaluation.id)
    digest = sha256(file.content).digest()
    known = indicators.batch_of_file(connection, evaluation.id, digest)
    if known:
        return known.id
    changes = read_file(connection, evaluation, file.content)
    batch_id = indicators.add_batch(
        connection,
        {
            "evaluation_id": evaluation.id,
            "file_name": file.name[:LONGEST_NAME],
            "sha256": digest,
            "content": file.content,
            "rows": len(changes),
            "filed_by": staff_id,
            "filed_at": now,
        },
        (
            {"unit_id": row.unit.id, "component": row.component, "points": row.points, "basis": row.basis}
            for row in (change.row for change in changes)
            if not row.is_deduction
        ),
    )
    people.record_act(connection, "indicators_filed", now, staff_id, batch=batch_id, rows=len(changes))
    return batch_id


def confirm_batch(connection: Connection, batch_id: int, staff_id: int, now: datetime) -> None:
    """Let a batch count: its scores now, its deductions as ledger entries; the composite is owed.

    Raises:
        Refused: `not_found`, `batch_decided`, `second_person_needed`, or faults that the file has by now.
    """
    batch = _undecided(connection, batch_id, staff_id, "confirmed")
    if batch.status == "confirmed":
        return
    evaluation = evaluations.evaluation_numbered(connection, batch.evaluation_id)
    changes = read_file(connection, evaluation, batch.content)
    for row in (change.row for change in changes if change.row.is_deduction):
        ledger.enter(
            connection,
            evaluation_id=evaluation.id,
            unit_id=row.unit.id,
            component=row.component,
            aspect=None,
            rule=RULE,
            points=row.points,
            basis=row.basis,
            filed_by=batch.filed_by,
            decided_by=staff_id,
            now=now,
        )
    indicators.decide_batch(connection, batch_id, "confirmed", staff_id, now)
    people.record_act(connection, "indicators_confirmed", now, staff_id, batch=batch_id, rows=len(changes))
    emit(connection, "compose", f"{evaluation.id}:indicator", batch_id)


def reject_batch(connection: Connection, batch_id: int, staff_id: int, reason: str, now: datetime) -> None:
    """Turn a batch down, with a reason; it never counted.

    Raises:
        Refused: `not_found`, `batch_decided`, `second_person_needed`, `batch_reason_missing`.
    """
    batch = _undecided(connection, batch_id, staff_id, "rejected")
    if batch.status == "rejected":
        return
    if not reason:
        raise Refused("batch_reason_missing", "reason")
    indicators.decide_batch(connection, batch_id, "rejected", staff_id, now)
    people.record_act(connection, "indicators_rejected", now, staff_id, batch=batch_id, reason=reason)


def _undecided(connection: Connection, batch_id: int, staff_id: int, wanted: str) -> Batch:
    """The batch, held, if this person may decide so; their second click finds it decided so by them."""
    batch = indicators.batch_numbered(connection, batch_id, lock=True)
    if batch is None:
        raise Refused("not_found")
    if batch.status != "filed" and (batch.status, batch.decided_by) != (wanted, staff_id):
        raise Refused("batch_decided", name=batch.decider)
    if batch.filed_by == staff_id:
        raise Refused("second_person_needed")
    return batch


def _known_deductions(connection: Connection, evaluation_id: int, rows: Sequence[Row]) -> Iterator[Fault]:
    """Deductions that stand in the ledger already: a corrected file must not deduct twice."""
    listed = entries.entries_of(connection, evaluation_id)
    gone = {entry.reverses for entry in listed if entry.reverses}
    standing = {
        (entry.unit_id, entry.component, entry.points, entry.basis): entry.seq
        for entry in listed
        if entry.reverses is None and entry.seq not in gone
    }
    for row in rows:
        seq = standing.get((row.unit.id, row.component, row.points, row.basis)) if row.is_deduction else None
        if seq is not None:
            facts = {"row": row.line, "column": DEDUCTION, "unit": row.unit.name_zh, "seq": seq}
            yield Fault("csv_deduction_known", f"{row.line}:{DEDUCTION}", facts)
