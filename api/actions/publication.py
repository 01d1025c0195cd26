"""What is shown of an evaluation: before publication the newest composite, afterwards the one that was published.

A published result changes by a correction alone (`rounds.publish_correction`). What the ledger says meanwhile is told
beside it and never instead of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from api.store import evaluations, ledger, results
from api.store.owed import is_owed
from api.store.results import Composite
from api.store.rounds import RoundState, round_states

PUBLISHED = frozenset({"published", "archived"})


@dataclass(frozen=True, slots=True)
class Moved:
    """A unit whose composite or grade is another one by what stands now: (composite, grade) as published, and now."""

    unit: str
    before: tuple[str, str | None]
    now: tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Since:
    """What happened since a publication. `recount`: the composite as things stand now, None while it is computed."""

    entries: tuple[ledger.Entry, ...]
    recount: Composite | None


def is_published(connection: Connection, evaluation_id: int) -> bool:
    """Whether the results may be shown to the units: every round of the evaluation is published."""
    statuses = {one.status for one in evaluations.rounds_of(connection, evaluation_id)}
    return bool(statuses) and statuses <= PUBLISHED


def standing_publication(connection: Connection, evaluation_id: int) -> RoundState | None:
    """The round whose publication or correction is the latest; None while the units are shown nothing."""
    if not is_published(connection, evaluation_id):
        return None
    shown = [(one.shown_since, one.id, one) for one in round_states(connection, evaluation_id) if one.published_digest]
    latest = max(((since, key, one) for since, key, one in shown if since), default=None)
    return latest[2] if latest else None


def shown_composite(connection: Connection, evaluation_id: int) -> Composite | None:
    """The composite that every page, file and answer of the interface shows of an evaluation."""
    standing = standing_publication(connection, evaluation_id)
    if standing is None or standing.published_digest is None:
        return results.latest_composite(connection, evaluation_id)
    return results.composite_called(connection, evaluation_id, standing.published_digest)


def since_publication(connection: Connection, evaluation_id: int, shown: Composite | None) -> Since | None:
    """What changed since the publication of the composite that is shown; None where nothing did, or none is public."""
    if shown is None or standing_publication(connection, evaluation_id) is None:
        return None
    later = tuple(one for one in ledger.entries_of(connection, evaluation_id) if one.seq > shown.ledger_seq)
    is_behind = is_owed(connection, "compose", str(evaluation_id))
    latest = results.latest_composite(connection, evaluation_id)
    if latest is None or (latest.inputs_digest == shown.inputs_digest and not later and not is_behind):
        return None
    return Since(later, None if is_behind else latest)


def units_moved(shown: Composite, recount: Composite) -> dict[str, Moved]:
    """The units whose composite or grade is another one now, by code."""
    before, now = _figures(shown), _figures(recount)
    return {unit: Moved(unit, before[unit], now[unit]) for unit in before if unit in now and before[unit] != now[unit]}


def _figures(composite: Composite) -> Mapping[str, tuple[str, str | None]]:
    rows = composite.output["units"] if composite.output else ()
    return {row["id"]: (row["composite"], row["grade"]) for row in rows}
