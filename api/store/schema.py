"""All tables in one import, for migrations and tests."""

from api.store import (
    backchecks,
    ballots,
    boxes,
    draws,
    evaluations,
    failures,
    fieldwork,
    findings,
    flags,
    frames,
    indicators,
    inspections,
    ledger,
    notices,
    owed,
    people,
    photos,
    quotas,
    results,
    roll,
    surveys,
    tallies,
    weightings,
)
from api.store.base import SCHEMAS, metadata

__all__ = ["SCHEMAS", "metadata"]

_TABLES_FROM = (
    backchecks, ballots, boxes, draws, evaluations, failures, fieldwork, findings, flags, frames, indicators,
    inspections, ledger, notices, owed, people, photos, quotas, results, roll, surveys, tallies, weightings,
)  # fmt: skip
