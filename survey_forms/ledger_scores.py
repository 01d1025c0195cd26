"""The ledger as the scores read it: at any checkpoint, the entries up to its size and no other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from survey_forms.numbers import plain
from survey_forms.refusal import Refused
from survey_forms.scheme.model import Scheme


class Posted(Protocol):
    """What the arithmetic reads of an entry."""

    @property
    def seq(self) -> int:
        """Its number."""

    @property
    def component(self) -> str:
        """Path of the component that it takes points from."""

    @property
    def aspect(self) -> str | None:
        """The aspect of the rule, where it has one."""

    @property
    def rule(self) -> str:
        """The rule that it was entered under."""

    @property
    def points(self) -> Decimal:
        """How many points."""

    @property
    def reverses(self) -> int | None:
        """The entry that it takes back."""


@dataclass(frozen=True, slots=True)
class Told:
    """An entry as its body in a copy tells it."""

    seq: int
    component: str
    aspect: str | None
    rule: str
    points: Decimal
    reverses: int | None

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> "Told":
        """What a body tells."""
        return cls(
            body["seq"], body["component"], body["aspect"], body["rule"], Decimal(body["points"]), body["reverses"]
        )


def deduction(scheme: Scheme, entry: Posted) -> dict[str, str]:
    """A ledger entry as the exchange format writes it, under the number that the ledger gives it."""
    if entry.reverses is not None:
        return {"id": f"L{entry.seq}", "reverses": f"L{entry.reverses}"}
    shown = {"id": f"L{entry.seq}", "to": entry.component, "points": plain(entry.points)}
    if entry.aspect and any(one.id == entry.aspect and one.of == entry.component for one in scheme.aspects):
        shown["aspect"] = entry.aspect
    if any(one.id == entry.rule and one.of == entry.component for one in scheme.rules):
        shown["rule"] = entry.rule  # its cap is found by it
    return shown


def at_size(
    scheme: Scheme, document: Mapping[str, Any], bodies: Iterable[Mapping[str, Any]], evaluation: str, size: int
) -> dict[str, Any]:
    """A document of the exchange format with the deductions that the ledger held when it had `size` entries.

    Everything else in the document stays as it is.

    Raises:
        Refused: `copy_unit_unknown` where the ledger names a unit that the document lacks.
    """
    found: dict[str, list[dict[str, str]]] = {unit["id"]: [] for unit in document["units"]}
    for body in bodies:
        if body["evaluation"] == evaluation and body["seq"] <= size:
            if body["unit"] not in found:
                raise Refused("copy_unit_unknown", body["unit"], seq=body["seq"])
            found[body["unit"]].append(deduction(scheme, Told.of_body(body)))
    units = [{**unit, "deductions": found[unit["id"]]} for unit in document["units"]]
    return {**document, "units": units}
