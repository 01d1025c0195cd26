"""Writing a new evaluation, its scheme's text and its units."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, update
from sqlalchemy.dialects.postgresql import insert

from api.store.evaluations import evaluation, scheme_version, unit


def keep_scheme(connection: Connection, digest: str, scheme: str, source: str) -> None:
    """Keep a scheme's text under its digest; the same text again changes nothing."""
    values = {"digest": digest, "scheme": scheme, "source": source}
    connection.execute(insert(scheme_version).values(values).on_conflict_do_nothing())


def add_evaluation(connection: Connection, values: Mapping[str, object]) -> int:
    """An evaluation; returns its key."""
    return int(connection.execute(insert(evaluation).values(dict(values)).returning(evaluation.c.id)).scalar_one())


def add_units(connection: Connection, evaluation_id: int, units: Sequence[Mapping[str, object]]) -> None:
    """The units under assessment, in the order of their sheet."""
    connection.execute(insert(unit), [{"evaluation_id": evaluation_id, **one} for one in units])


def mark_simulated(connection: Connection, evaluation_id: int) -> None:
    """Say on every page of an evaluation that its people and answers are invented."""
    connection.execute(update(evaluation).where(evaluation.c.id == evaluation_id).values(simulated=True))
