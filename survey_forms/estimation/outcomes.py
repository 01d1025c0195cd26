"""Final outcomes of cases and the rates taken of them, as AAPOR defines both.

Source: AAPOR Standard Definitions (9th ed. 2016). `aapor_codes.csv` lists the codes with their classes; codes are
text (4.70 is no number). With K = I+P+R+NC+O and U = UH+UO, the share of eligible cases among the unknown ones is taken
as e = K/(K+NE), the proportional allocation of AAPOR's calculator.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from math import fsum
from types import MappingProxyType

CLASSES = ("I", "P", "R", "NC", "O", "UH", "UO", "NE")
"""Complete, partial, refusal or break-off, non-contact, other, unknown household or person, not eligible."""

RESPONDED = ("I", "P")
UNKNOWN = ("UH", "UO")

_MODES = {"web": "web", "phone": "phone", "in_person": "visit"}  # the table's words and the house's


@dataclass(frozen=True, slots=True)
class Code:
    """A disposition: its class, the modes that may give it, its names."""

    code: str
    cls: str
    modes: frozenset[str]
    zh: str
    en: str


def _codes() -> Mapping[str, Code]:
    text = files("survey_forms.estimation").joinpath("aapor_codes.csv").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            row["code"]: Code(
                row["code"],
                row["class"],
                frozenset(mode for column, mode in _MODES.items() if row[column] == "1"),
                row["label_zh"],
                row["label_en"],
            )
            for row in csv.DictReader(text.splitlines())
        }
    )


CODES: Mapping[str, Code] = _codes()
"""Every code of `aapor_codes.csv`, in its order."""


def class_of(code: str) -> str:
    """The class of a code.

    Raises:
        ValueError: no such code.
    """
    if code not in CODES:
        raise ValueError(f"no AAPOR code {code!r}")
    return CODES[code].cls


_PERSON_NOT_ELIGIBLE = {"4.10", "4.54", "4.70", "4.80", "4.81", "4.90"}
_NOT_FOUND = {"3.17", "3.18"}
_VAGUE = {"2.10", "2.20", "2.30", "2.36", "3.10", "3.11", "3.20", "3.90", "4.90"}


def _strength(code: str) -> tuple[int, bool, str]:
    """What outweighs what: greater is stronger, the same whatever the order of attempts.

    Interview, refusal, contact, a person found ineligible, an eligible one never met; then what is only known of a
    place or a number, which is not the person: an address nobody could find, a dead number, and at last nothing known.
    In a class a code that says more comes before a vague one, then the higher code (2.12 break-off, 2.112 the person's
    own refusal, 2.111 another's).
    """
    cls = class_of(code)
    if cls == "NE":
        rank = 6 if code in _PERSON_NOT_ELIGIBLE else 3
    elif code in _NOT_FOUND:
        rank = 4
    else:
        rank = {"I": 10, "P": 9, "R": 8, "O": 7, "NC": 5, "UO": 2, "UH": 1}[cls]
    return rank, code not in _VAGUE, code


def final_of(codes: Sequence[str]) -> str:
    """The final outcome of a case: the strongest of all its attempts in all modes, never simply the last.

    Raises:
        ValueError: no attempt, or a code that AAPOR has not.
    """
    if not codes:
        raise ValueError("a case without an attempt has no final outcome")
    return max(codes, key=_strength)


@dataclass(frozen=True, slots=True)
class Rates:
    """AAPOR's rates, each in [0, 1]; None where the denominator is 0. `e`: of unknown cases counted as eligible."""

    e: float | None
    rr1: float | None
    rr2: float | None
    rr3: float | None
    rr4: float | None
    rr5: float | None
    rr6: float | None
    coop1: float | None
    coop2: float | None
    coop3: float | None
    coop4: float | None
    ref1: float | None
    ref2: float | None
    ref3: float | None
    con1: float | None
    con2: float | None
    con3: float | None

    def named(self) -> dict[str, float | None]:
        """The rates under AAPOR's own names: e, RR1 to CON3."""
        return {name if name == "e" else name.upper(): value for name, value in asdict(self).items()}


def sums(cases: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The weight of each class, of (class, base weight) pairs; the sum does not depend on the order of cases."""
    weights: dict[str, list[float]] = {cls: [] for cls in CLASSES}
    for cls, weight in cases:
        weights[cls].append(weight)
    return {cls: fsum(listed) for cls, listed in weights.items()}


def rates(counts: Mapping[str, float]) -> Rates:
    """The rates of counts by class, or of sums of base weights by class; an absent class counts 0.

    Raises:
        ValueError: a class that AAPOR has not, or a negative count.
    """
    strange = sorted(set(counts) - set(CLASSES)) or sorted(cls for cls, count in counts.items() if not count >= 0)
    if strange:
        raise ValueError(f"no count of a class: {strange}")
    full, partial, refused, away, other, *_, out = (float(counts.get(cls, 0)) for cls in CLASSES)
    unknown = float(counts.get("UH", 0)) + float(counts.get("UO", 0))
    met = full + partial + refused + other
    asked = full + partial + refused
    known = full + partial + refused + away + other
    e = _over(known, known + out)
    widest, likely = known + unknown, known + (0.0 if e is None else e * unknown)
    return Rates(
        e=e,
        rr1=_over(full, widest),
        rr2=_over(full + partial, widest),
        rr3=_over(full, likely),
        rr4=_over(full + partial, likely),
        rr5=_over(full, known),
        rr6=_over(full + partial, known),
        coop1=_over(full, met),
        coop2=_over(full + partial, met),
        coop3=_over(full, asked),
        coop4=_over(full + partial, asked),
        ref1=_over(refused, widest),
        ref2=_over(refused, likely),
        ref3=_over(refused, known),
        con1=_over(met, widest),
        con2=_over(met, likely),
        con3=_over(met, known),
    )


def _over(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
