"""What a composite is made of: the tables `[composite]`, `[[class]]`, `[[component]]` and `[[left_out]]`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from survey_forms.numbers import plain_decimal


@dataclass(frozen=True, slots=True)
class Composite:
    """`[composite]`: the formula in the document's words, and the scale its scores are on."""

    formula: str
    scale: Decimal
    article: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Rounding:
    """`[rounding]`: applied once, to the published figure."""

    places: int
    mode: Literal["half_up", "half_even"]
    article: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class UnitClass:
    """`[[class]]`: a category of units with weights or a ranking of its own."""

    id: str
    zh: str
    en: str
    article: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Weight:
    """A share of the parent in per cent: one for all, one for each class, or what the siblings leave.

    TOML: `"60"` · `{ department = "75", township = "80" }` · `"rest"`.
    """

    fixed: Decimal | None = None
    by_class: Mapping[str, Decimal] = field(default_factory=dict)
    rest: bool = False

    @property
    def has_number(self) -> bool:
        """Whether the file states a number here, which then must name its article."""
        return not self.rest

    @classmethod
    def from_toml(cls, raw: Any) -> "Weight | None":
        """The weight, or None where `raw` is nothing of the kind."""
        if raw == "rest":
            return cls(rest=True)
        if isinstance(raw, str) and (fixed := plain_decimal(raw)) is not None:
            return cls(fixed=fixed)
        if not isinstance(raw, dict) or not raw or not all(isinstance(text, str) for text in raw.values()):
            return None
        read = {unit_class: plain_decimal(text) for unit_class, text in raw.items()}
        shares = {unit_class: share for unit_class, share in read.items() if share is not None}
        return cls(by_class=shares) if len(shares) == len(raw) else None

    def of(self, unit_class: str) -> Decimal | None:
        """The share in trees of this class; None where the file states none."""
        return self.by_class.get(unit_class) if self.by_class else self.fixed


@dataclass(frozen=True, slots=True)
class Component:
    """`[[component]]`: one part of the composite, placed by its dotted path.

    A component with children is their weighted sum. One with `start` begins there and loses what the ledger
    takes (not below `floor`). One with `minus` has no weight: what the ledger takes is subtracted from the
    whole. Any other is a score that is handed in. A path may stand for many: `business.{b1..b10}` is ten,
    `q1.*` has one child for each id that a supplied table of weights names; {n} in a name is the number.
    """

    path: str
    zh: str
    en: str
    weight: Weight | None = None
    start: Decimal | None = None
    floor: Decimal | None = None
    cap: Decimal | None = None
    minus: bool = False
    takes: tuple[Literal["deductions", "bonuses"], ...] = ()
    article: str = ""
    words: str = ""
    says: str = ""
    reading: str = ""
    where: str = ""

    @property
    def key(self) -> str:
        """The last step of the path."""
        return self.path.rpartition(".")[2]

    @property
    def parent(self) -> str:
        """The path without its last step; "" is the composite itself."""
        return self.path.rpartition(".")[0]


LeftOutKind = Literal[
    "shares",  # id → per cent, adding up to 100: the weights of the components `over` below `of`
    "share",  # one percentage: the weight of the component `of`
    "percent",  # one percentage that a consequence computes with
    "grades",  # [name, lowest score] in descending order
    "grade_shares",  # grade → per cent of the ranked units, for every grade but the one that takes the rest
    "unit_shares",  # like "shares", for one unit: supplied as `<path>.<unit id>`, only if the office decides so
    "zeroed",  # binding condition → id of the component below `of` that it sets to zero
    "material",  # not needed for the arithmetic (an unprinted catalogue, say)
]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """`[[left_out]]`: a value that the document leaves out, and the dotted path under which it is supplied."""

    path: str
    kind: LeftOutKind
    zh: str
    en: str
    of: str = ""
    over: tuple[str, ...] = ("*",)
    classes: tuple[str, ...] = ()
    article: str = ""
    words: str = ""
    says: str = ""
    where: str = ""
