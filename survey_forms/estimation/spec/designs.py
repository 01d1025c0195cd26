"""The `design` of an entry: which columns are strata, units, sizes and weights, and which rows it speaks of."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from survey_forms.estimation.design import Floats, Ints, SurveyDesign
from survey_forms.estimation.spec.data import MISSING, Table
from survey_forms.estimation.stages import Columns, build
from survey_forms.refusal import Refused
from survey_forms.scoring.intake import brief, listed

KEYS = (
    "name",
    "ids",
    "id",
    "strata",
    "weights",
    "probs",
    "fpc",
    "nest",
    "pps",
    "edit",
    "rows",
    "r",
    "cases",
    "ratings",
)
_NOTHING = ("", "1", "0")  # R's `~1`: no column
_PPS = re.compile(r"\bpps ?= ?['\"]?(\w+)")  # in the R call, for entries that say it nowhere else
_FIRST = re.compile(r"first (\d+)(?: rows)? with (?:(\S+) )?(\S+?)")
_EDIT = re.compile(r"for (\S+) (\S+?): ?(.+)")
_SET = re.compile(r"([\w.]+) ?= ?(-?[\d.]+(?:[eE][+-]?\d+)?)")


def names_of(raw: Any) -> tuple[str, ...]:
    """Column names of a value: None, "a", "~a+b" (R's formula), ["a", "b"]; empty if it is none of these."""
    if isinstance(raw, str):
        parts = raw.removeprefix("~").split("+") if raw.startswith("~") else [raw]
        return tuple(part.strip() for part in parts if part.strip() not in _NOTHING)
    if isinstance(raw, list) and all(isinstance(part, str) for part in raw):
        return tuple(name for part in raw for name in names_of(part))
    return ()


def described(table: Table, design: Mapping[str, Any], path: str, lonely: str) -> SurveyDesign:
    """The sample design over the rows of `table`.

    Raises:
        Refused: an unknown key; a column that is not there or has a missing value; and what `build` refuses, with
            the design's place.
    """
    place = f"{path}.design" if path else "design"
    for key in design:
        if key not in KEYS:
            raise Refused("estimate_design_key", f"{place}.{brief(key)}", known=", ".join(KEYS))
    groups = {key: _group(design, key, place) for key in ("ids", "strata", "weights", "probs", "fpc")}
    _check_pps(design, groups["fpc"], place)
    strata_names = table.labels(groups["strata"][0], f"{place}.strata").levels if groups["strata"] else ()
    columns = Columns(
        rows=table.rows,
        ids=[_codes(table, name, f"{place}.ids") for name in groups["ids"]],
        strata=[_codes(table, name, f"{place}.strata") for name in groups["strata"]],
        sizes=[_numbers(table, name, f"{place}.fpc") for name in groups["fpc"]],
        weights=_weights(table, groups, place),
        nest=design.get("nest") if isinstance(design.get("nest"), bool) else None,
    )
    try:
        return build(columns, lonely, strata_names)
    except Refused as refused:
        fault = refused.faults[0]
        raise Refused(fault.code, place, **fault.facts) from refused


def edited(table: Table, design: Mapping[str, Any], path: str) -> Table:
    """The rows that the design's `rows` keeps, with the values that its `edit` sets.

    Raises:
        Refused: a sentence in another form than "first 6 rows with COLUMN VALUE, first 5 with VALUE, in file order"
            or "for COLUMN VALUE: column=number and column=number".
    """
    place = f"{path}.design" if path else "design"
    if design.get("rows") is not None:
        table = table.take(_first_rows(table, design["rows"], f"{place}.rows"))
    if design.get("edit") is not None:
        table = table.take(np.arange(table.rows))  # its own, before anything is set
        for clause in str(design["edit"]).split(";"):
            _set(table, clause.strip(), f"{place}.edit")
    return table


def _first_rows(table: Table, raw: Any, place: str) -> Ints:
    kept: list[Ints] = []
    column = ""
    for part in str(raw).removesuffix(", in file order").split(", "):
        found = _FIRST.fullmatch(part)
        if found is None or not (found[2] or column):
            raise Refused("estimate_rows_wrong", place, value=brief(raw))
        column = found[2] or column
        kept.append(np.flatnonzero(_rows_with(table, column, found[3], place))[: int(found[1])])
    return np.concatenate(kept)


def _set(table: Table, clause: str, place: str) -> None:
    found = _EDIT.fullmatch(re.sub(r" *\([^)]*\)$", "", clause))
    settings = [_SET.fullmatch(part) for part in re.split(r" and |, ", found[3])] if found else [None]
    for setting in settings:
        if found is None or setting is None:
            raise Refused("estimate_rows_wrong", place, value=brief(clause))
        rows = _rows_with(table, found[1], found[2], place)
        table.put(setting[1], np.where(rows, float(setting[2]), table.numbers(setting[1], place)))


def _rows_with(table: Table, column: str, level: str, place: str) -> Any:
    labels = table.labels(column, place)
    if level not in labels.levels:
        raise Refused("estimate_level_unknown", place, level=brief(level), known=listed(labels.levels))
    return labels.codes == labels.levels.index(level)


def _group(design: Mapping[str, Any], key: str, place: str) -> tuple[str, ...]:
    """The column names under one key; `id` is another word for `ids`."""
    raw = design.get(key, design.get("id") if key == "ids" else None)
    names = names_of(raw)
    if not names and not (raw is None or raw in (1, 0, [], *_NOTHING, "~1", "~0")):
        raise Refused("estimate_design_columns", f"{place}.{key}", value=brief(raw))
    return names


def _codes(table: Table, column: str, place: str) -> Ints:
    codes = table.labels(column, place).codes
    if (codes == MISSING).any():
        raise Refused("estimate_design_missing", place, column=brief(column), row=int(np.argmax(codes == MISSING)) + 1)
    return codes


def _numbers(table: Table, column: str, place: str) -> Floats:
    values = table.numbers(column, place)
    if np.isnan(values).any():
        raise Refused("estimate_design_missing", place, column=brief(column), row=int(np.argmax(np.isnan(values))) + 1)
    return values


def _weights(table: Table, groups: Mapping[str, tuple[str, ...]], place: str) -> Floats | None:
    """Weights, or the inverse of the product of the stages' probabilities; None to take them from the sizes."""
    if groups["weights"] and groups["probs"]:
        raise Refused("estimate_weights_and_probs", place)
    if len(groups["weights"]) > 1:
        raise Refused("estimate_design_columns", f"{place}.weights", value=brief("+".join(groups["weights"])))
    if groups["weights"]:
        return _numbers(table, groups["weights"][0], f"{place}.weights")
    if not groups["probs"]:
        return None
    probability = np.ones(table.rows)
    for column in groups["probs"]:
        probability = probability * _numbers(table, column, f"{place}.probs")
    if not ((probability > 0) & (probability <= 1)).all():
        row = int(np.argmin((probability > 0) & (probability <= 1))) + 1
        raise Refused("estimate_probability_wrong", f"{place}.probs", row=row)
    return 1.0 / probability


def _check_pps(design: Mapping[str, Any], fpc: tuple[str, ...], place: str) -> None:
    """Only Brewer's approximation is here: it needs no joint probabilities."""
    said = _PPS.search(str(design.get("r", "")))
    kind = design.get("pps", said[1] if said else None)
    if kind not in (None, False, "FALSE", "brewer") or (kind == "brewer" and not fpc):
        raise Refused("estimate_pps_unknown", f"{place}.pps", value=brief(kind))
