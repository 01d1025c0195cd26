"""How the product says no: a code, the place, the facts. The sentences live in `api/sentences/*.toml`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    `code` names the sentence, `path` the place (`units[2].scores.indicator`, `survey!B7`), and
    `facts` fill the sentence's blanks.
    """

    code: str
    path: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


class Refused(Exception):
    """Input or an act that the rules do not allow; carries every fault found, never just the first word."""

    def __init__(self, code: str, path: str = "", **facts: object) -> None:
        self.faults: tuple[Fault, ...] = (Fault(code, path, facts),)
        super().__init__(code, path, facts)

    @property
    def code(self) -> str:
        """The first fault's code: it decides the HTTP status."""
        return self.faults[0].code

    @classmethod
    def of(cls, faults: Iterable[Fault]) -> "Refused":
        """Several faults at once; at least one."""
        listed = tuple(faults)
        refusal = cls(listed[0].code, listed[0].path, **listed[0].facts)
        refusal.faults = listed
        return refusal

    def __str__(self) -> str:
        return "; ".join(f"{fault.code} at {fault.path or '-'} {dict(fault.facts)}" for fault in self.faults)
