"""All tables in one import, for migrations and tests."""

from api.store import (
    backchecks,
    ballots,
    boxes,
    checkpoints,
    directories,
    draws,
    evaluations,
    failures,
    fieldwork,
    findings,
    flag_reviews,
    flags,
    frames,
    indicators,
    inspection_draws,
    inspections,
    ledger,
    notices,
    objections,
    owed,
    people,
    photos,
    quotas,
    rectifications,
    results,
    roll,
    shortfalls,
    sites,
    slips,
    surveys,
    tallies,
    uploads,
    weightings,
)
from api.store.base import SCHEMAS, metadata

__all__ = ["SCHEMAS", "metadata"]

_TABLES_FROM = (
    backchecks, ballots, boxes, checkpoints, directories, draws, evaluations, failures, fieldwork, findings,
    flag_reviews, flags, frames, indicators, inspection_draws, inspections, ledger, notices, objections, owed,
    people, photos, quotas, rectifications, results, roll, shortfalls, sites, slips, surveys, tallies, uploads,
    weightings,
)  # fmt: skip
