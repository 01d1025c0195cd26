"""Ranks as intervals, as a composite keeps them. A bare rank is never shown."""

from dataclasses import dataclass

from api.store.results import Composite
from survey_forms.estimation.ranks import RankInterval


@dataclass(frozen=True, slots=True)
class Place:
    """Where a unit may really stand among the `ranked` of its group: by itself, and all units at once (95 %)."""

    alone: RankInterval
    jointly: RankInterval
    ranked: int


def places_of(composite: Composite) -> dict[str, Place]:
    """Unit code → its place; empty while there is no output.

    A composite of an older version of the program kept none: its units may then stand anywhere.
    """
    units = composite.output["units"] if composite.output else ()
    found = {}
    for row in units:
        kept = composite.errors.get(row["id"], {})
        rank, best, worst = kept.get("place", (row["rank"], 1, len(units)))
        together = kept.get("jointly", (1, len(units)))
        found[row["id"]] = Place(
            RankInterval(rank, best, worst), RankInterval(rank, *together), kept.get("ranked", len(units))
        )
    return found
