"""All tables in one import, for migrations and tests."""

from api.store import (
    ballots,
    evaluations,
    indicators,
    inspections,
    ledger,
    owed,
    people,
    results,
    roll,
    surveys,
    tallies,
)
from api.store.base import SCHEMAS, metadata

__all__ = ["SCHEMAS", "metadata"]

_TABLES_FROM = (
    ballots, evaluations, indicators, inspections, ledger, owed, people, results, roll, surveys, tallies,
)  # fmt: skip
