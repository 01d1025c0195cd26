"""Answer a SPEC: find each entry's statistic, run it, refuse what it does not know; the `result` objects come out.

Source of the format: `survey-reference/1`. A statistic is a function of a `Request`; each module of this package has
its own `STATISTICS`, merged here.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from survey_forms.estimation.spec import (
    allocation,
    compare,
    domains,
    intervals,
    means,
    quality,
    ranks,
    rates,
    replicates,
    weights,
)
from survey_forms.estimation.spec.request import Document, Request, Result, Statistic
from survey_forms.estimation.spec.sources import Read, Sources
from survey_forms.refusal import Fault, Refused
from survey_forms.scoring.intake import brief

STATISTICS: dict[str, Statistic] = {
    **means.STATISTICS,
    **domains.STATISTICS,
    **intervals.STATISTICS,
    **compare.STATISTICS,
    **replicates.STATISTICS,
    **weights.STATISTICS,
    **rates.STATISTICS,
    **allocation.STATISTICS,
    **ranks.STATISTICS,
    **quality.STATISTICS,
}
"""Every statistic by its name in the SPEC."""

KEYS = (
    "id",
    "dataset",
    "design",
    "statistic",
    "args",
    "r_call",
    "package",
    "tolerance_rel",
    "tolerance_abs",
    "note",
    "result",
)
"""What an entry may hold; `result`, `package`, `note` and the tolerances are for readers and tests."""


def answer(spec: Any, read: Read) -> tuple[Any, list[Fault]]:
    """The result of a SPEC that is one entry, or {"entries": [{"id", "result"}, …]} of a SPEC with several.

    An entry that is refused leaves no result but its faults, and the others are answered.

    Args:
        spec: the parsed JSON.
        read: bytes of a file by its name in the SPEC.

    Raises:
        Refused: the SPEC is no entry and has none.
    """
    many = isinstance(spec, list) or (isinstance(spec, Mapping) and "entries" in spec)
    entries = spec["entries"] if many and isinstance(spec, Mapping) else spec if many else [spec]
    datasets = spec.get("datasets") or {} if isinstance(spec, Mapping) else {}
    if not isinstance(entries, list) or not entries or not isinstance(datasets, Mapping):
        raise Refused("estimate_no_entries", "entries")
    faults: list[Fault] = []
    document = Document([], Sources(read, datasets))
    places = [(entry, f"entries[{index}]" if many else "") for index, entry in enumerate(entries)]
    for entry, path in places:
        try:
            document.requests.append(_checked(entry, path, document, single=not many))
        except Refused as refused:
            faults += refused.faults
    results = []
    for request in document.requests:
        try:
            results.append({"id": request.id, "statistic": request.statistic, "result": evaluate(request)})
        except Refused as refused:
            faults += refused.faults
    if many:
        return {"entries": results}, faults
    return (results[0]["result"] if results else None), faults


def evaluate(request: Request) -> Result:
    """One entry's result.

    Raises:
        Refused: a statistic that is not here, an argument that it does not know, data that do not fit.
    """
    statistic = STATISTICS.get(request.statistic)
    if statistic is None:
        place = f"{request.path}.statistic" if request.path else "statistic"
        raise Refused("estimate_statistic_unknown", place, name=brief(request.statistic), known=_known())
    try:
        with np.errstate(all="ignore"):  # what cannot be computed comes out as null
            result = statistic(request)
    except Refused as refused:
        place = request.path or request.id or "SPEC"
        raise Refused.of(Fault(fault.code, fault.path or place, fault.facts) for fault in refused.faults) from refused
    unread = request.args.unread()
    if unread:
        raise Refused.of(
            Fault("estimate_argument_unknown", request.place(brief(name)), {"statistic": request.statistic})
            for name in unread
        )
    return result


def _checked(entry: Any, path: str, document: Document, *, single: bool) -> Request:
    """The entry as a request, its outer shape right."""
    if not isinstance(entry, Mapping):
        raise Refused("not_an_object", path or "SPEC", value=brief(entry))
    at = f"{path}." if path else ""
    for key in entry:
        if key not in KEYS and not (single and key == "datasets"):
            raise Refused("unknown_key", f"{at}{brief(key)}", known=", ".join(KEYS))
    if not isinstance(entry.get("statistic"), str):
        raise Refused("missing_value", f"{at}statistic")
    for key in ("args", "design"):  # R writes an empty list for an empty object
        if entry.get(key) not in (None, []) and not isinstance(entry[key], Mapping):
            raise Refused("not_an_object", f"{at}{key}", value=brief(entry[key]))
    return Request(entry, path, document)


def _known() -> str:
    """All statistics' names: a refusal by name tells what there is."""
    return ", ".join(sorted(STATISTICS))
