"""One entry of a SPEC as its statistic sees it: typed arguments, the rows, the design, the entries before it.

A statistic reads its arguments through the getters; whatever nobody read is refused by name afterwards, so that no
wish is ever dropped in silence.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from survey_forms.estimation.design import SurveyDesign
from survey_forms.estimation.spec.data import Floats, Mask, Table
from survey_forms.estimation.spec.designs import described, edited, names_of
from survey_forms.estimation.spec.satisfaction import Satisfaction
from survey_forms.estimation.spec.sources import Sources
from survey_forms.refusal import Refused
from survey_forms.scoring.intake import brief, listed

Result = dict[str, Any]
Statistic = Callable[["Request"], Result]

LONELY = ("fail", "remove", "certainty", "adjust", "average")


class Arguments(Mapping[str, Any]):
    """An entry's `args`, remembering what was looked at."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.read.add(key)
        return self._raw[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def unread(self) -> list[str]:
        """Arguments that no statistic asked for."""
        return [key for key in self._raw if key not in self.read]


@dataclass(slots=True)
class Document:
    """A SPEC: its entries, its data sets, the files already read."""

    requests: list["Request"]
    sources: Sources
    designs: dict[str, SurveyDesign] = field(default_factory=dict)


class Request:
    """One entry; `path` is its place in the SPEC ("" when the SPEC is the entry)."""

    def __init__(self, entry: Mapping[str, Any], path: str, document: Document) -> None:
        self.path = path
        self.document = document
        self.id = str(entry.get("id", ""))
        self.statistic = str(entry["statistic"])
        self.r_call = str(entry.get("r_call", ""))
        self.dataset: Any = entry.get("dataset")
        self.design: Mapping[str, Any] = entry.get("design") or {}
        self.args = Arguments(entry.get("args") or {})

    # ---- the arguments

    def place(self, name: str) -> str:
        """Where an argument stands in the SPEC."""
        return ".".join(part for part in (self.path, "args", name) if part)

    def wrong(self, name: str, expected: str) -> Refused:
        """The refusal of an argument that is not what it should be."""
        return Refused("estimate_argument_wrong", self.place(name), value=brief(self.args.get(name)), expected=expected)

    def text(self, name: str, default: str | None = None, *, of: tuple[str, ...] = ()) -> str:
        """A word or number given as text; one of `of` if that is not empty.

        Raises:
            Refused: it is missing and has no default, no text, or none of the known words.
        """
        value = self.args.get(name, default)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if value is None:
            raise Refused("estimate_argument_missing", self.place(name), statistic=self.statistic)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.wrong(name, "text")
        text = value if isinstance(value, str) else f"{value:.15g}"
        if of and text not in of:
            raise self.wrong(name, ", ".join(of))
        return text

    def names(self, name: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Column names: a list, one name, or R's `~a+b`; none twice, at least one.

        Raises:
            Refused: missing without a default, or not a list of names.
        """
        if self.args.get(name) is None and default is not None:
            return default
        if self.args.get(name) is None:
            raise Refused("estimate_argument_missing", self.place(name), statistic=self.statistic)
        found = names_of(self.args[name])
        if not found or len(set(found)) < len(found):
            raise self.wrong(name, "[column, …]")
        return found

    def one_name(self, name: str) -> str:
        """Exactly one column name.

        Raises:
            Refused: none or several.
        """
        found = self.names(name)
        if len(found) != 1:
            raise self.wrong(name, "column")
        return found[0]

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number.

        Raises:
            Refused: missing without a default, or no finite number.
        """
        value = self.args.get(name, default)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if value is None:
            raise Refused("estimate_argument_missing", self.place(name), statistic=self.statistic)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.wrong(name, "number")
        return float(value)

    def numbers(self, name: str, default: tuple[float, ...] | None = None) -> tuple[float, ...]:
        """Finite numbers, at least one; a single number counts as a list of one.

        Raises:
            Refused: missing without a default, or not such a list.
        """
        value = self.args.get(name)
        if value is None and default is not None:
            return default
        if value is None:
            raise Refused("estimate_argument_missing", self.place(name), statistic=self.statistic)
        listed_ = value if isinstance(value, list) else [value]
        good = all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in listed_)
        if not listed_ or not good:
            raise self.wrong(name, "[number, …]")
        return tuple(float(v) for v in listed_)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false.

        Raises:
            Refused: something else.
        """
        value = self.args.get(name)
        value = value[0] if isinstance(value, list) and len(value) == 1 else value
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "true, false")
        return default if value is None else value

    def probability(self, name: str, default: float) -> float:
        """A number strictly between 0 and 1.

        Raises:
            Refused: something else.
        """
        value = self.number(name, default)
        if not 0 < value < 1:
            raise self.wrong(name, "0 < x < 1")
        return value

    def asks(self, option: str) -> bool:
        """Whether an optional part of the answer is wanted: by its argument, else by the R call, else always."""
        if option in self.args:
            return bool(self.args[option])
        return not self.r_call or bool(re.search(rf"\b{option}\s*=\s*(TRUE|T\b|['\"])", self.r_call))

    # ---- the rows

    @cached_property
    def satisfaction(self) -> Satisfaction | None:
        """The cases and ratings of a satisfaction survey; None for one table of units."""
        files = self.document.sources.satisfaction_files(self.dataset, self.design, self.path)
        return None if files is None else self.document.sources.satisfaction(files)

    @cached_property
    def table(self) -> Table:
        """The rows: those of the design's `rows` and `edit`; of a satisfaction survey its ratings with their persons.

        Raises:
            Refused: no such data set or file, or a row rule that is not understood.
        """
        if self.satisfaction is not None:
            return self.satisfaction.ratings
        return edited(self.document.sources.table(self.dataset, self.path), self.design, self.path)

    @cached_property
    def inside(self) -> Mask:
        """Rows (n,) of the argument `subset` ({column: value or values}); all without one. Never a missing value."""
        mask = np.ones(self.table.rows, dtype=bool)
        if self.satisfaction is not None:
            mask &= self.satisfaction.rated
        subset = self.args.get("subset") or {}
        if not isinstance(subset, Mapping):
            raise self.wrong("subset", "{column: value}")
        for column, raw in subset.items():
            labels = self.table.labels(column, self.place(f"subset.{column}"))
            wanted = {_label(value) for value in (raw if isinstance(raw, list) else [raw])}
            unknown = sorted(wanted - set(labels.levels))
            if unknown:
                place = self.place(f"subset.{column}")
                raise Refused("estimate_level_unknown", place, level=brief(unknown[0]), known=listed(labels.levels))
            mask &= np.isin(labels.codes, [code for code, level in enumerate(labels.levels) if level in wanted])
        return mask

    @cached_property
    def survey(self) -> SurveyDesign:
        """The sample design of all rows of `table`, with the lonely-PSU rule of the argument `lonely_psu`.

        Raises:
            Refused: a column that is missing or holds what no design can.
        """
        lonely = self.text("lonely_psu", "fail", of=LONELY)
        if self.satisfaction is not None:
            return self.satisfaction.design(lonely)
        key = repr((self.dataset, sorted(self.design.items(), key=lambda item: item[0]), lonely))
        known = self.document.designs
        if key not in known:
            known[key] = described(self.table, self.design, self.path, lonely)
        return known[key]

    def values(self, name: str, columns: tuple[str, ...]) -> Floats:
        """Numbers (n, k) of these columns, which the argument `name` gave; NaN where missing.

        Raises:
            Refused: a column that is not there, not of numbers, or holds an infinity.
        """
        found = np.column_stack([self.table.numbers(column, self.place(name)) for column in columns])
        if np.isinf(found).any():
            raise Refused("estimate_infinite", self.place(name), column=columns[int(np.argmax(np.isinf(found).any(0)))])
        return found

    # ---- the entries before

    def earlier(self, *statistics: str, same_design: bool = True) -> "Request | None":
        """The nearest entry before this one with one of these statistics, the same data and (by name) design."""
        before = self.document.requests[: self.document.requests.index(self)]
        for other in reversed(before):
            same = other.dataset == self.dataset and (not same_design or other.design == self.design)
            if other.statistic in statistics and same:
                return other
        return None

    def prefix(self) -> "Request | None":
        """The entry whose id is this one's without its last words: `a.rake` of `a.rake.kish`."""
        named = {other.id: other for other in self.document.requests if other is not self and other.id}
        words = self.id.split(".")
        tries = (".".join(words[:length]) for length in range(len(words) - 1, 0, -1))
        return next((named[name] for name in tries if name in named), None)


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return value if isinstance(value, str) else f"{value:.15g}" if isinstance(value, int | float) else brief(value)
