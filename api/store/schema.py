"""All tables in one import, for migrations and tests."""

from api.store import (
    ballots,
    evaluations,
    findings,
    indicators,
    inspections,
    ledger,
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
    ballots, evaluations, findings, indicators, inspections, ledger, owed, people, photos, results, roll,
    surveys, tallies,
)  # fmt: skip
