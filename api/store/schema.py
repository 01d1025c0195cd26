"""All tables in one import, for migrations and tests."""

from api.store import (
    ballots,
    boxes,
    evaluations,
    failures,
    findings,
    indicators,
    inspections,
    ledger,
    notices,
    owed,
    people,
    photos,
    results,
    roll,
    surveys,
    tallies,
)
from api.store.base import SCHEMAS, metadata

__all__ = ["SCHEMAS", "metadata"]

_TABLES_FROM = (
    ballots, boxes, evaluations, failures, findings, indicators, inspections, ledger, notices, owed, people, photos,
    results, roll, surveys, tallies,
)  # fmt: skip
