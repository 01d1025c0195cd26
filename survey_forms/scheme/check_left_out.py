"""Left-out values: each has a path of its own, points at what is there, and something needs it."""

import re
from collections.abc import Callable

from survey_forms.scheme.components import LeftOut, LeftOutKind
from survey_forms.scheme.model import Scheme
from survey_forms.scheme.outcome import Consequence
from survey_forms.scheme.tree import expand, supplied_weights

Say = Callable[..., None]

PATH = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_ONE_ONLY: tuple[LeftOutKind, ...] = ("grades", "grade_shares", "unit_shares")


def faults_of_left_out(scheme: Scheme, say: Say) -> None:
    """Name every fault of the values that the document leaves out."""
    reached = {id(weight.left_out) for weight in supplied_weights(scheme).values()}
    for entry in scheme.left_out:
        if not PATH.fullmatch(entry.path):
            say("scheme_left_out_path", entry.where, "path", value=entry.path)
        if not _reaches(scheme, entry, id(entry) in reached):
            say("scheme_unknown_reference", entry.where, "of", value=entry.of or "-")
        if entry.kind == "grades" and scheme.grades:
            say("scheme_grades_twice", entry.where, "kind")
        if not _needed(scheme, entry):
            say("scheme_left_out_unused", entry.where, "path", value=entry.path)
    _apart(scheme, say)


def _apart(scheme: Scheme, say: Say) -> None:
    """No path can be taken for another's, and of some kinds there is one at most."""
    for entry in (entry for entry in scheme.left_out if entry.kind == "unit_shares"):
        for other in scheme.left_out:
            if other.path.startswith(f"{entry.path}."):
                say("scheme_left_out_prefix", other.where, "path", value=other.path, prefix=entry.path)
    for kind in _ONE_ONLY:
        for entry in [entry for entry in scheme.left_out if entry.kind == kind][1:]:
            say("scheme_duplicate", entry.where, "kind", value=kind)


def _reaches(scheme: Scheme, entry: LeftOut, weighs: bool) -> bool:  # noqa: FBT001  # a fact, not a switch
    """Whether `of` names components that are there, of the kind that the value is for."""
    there = all(path in scheme.by_path for path, _ in expand(entry.of)) if entry.of else True
    match entry.kind:
        case "shares":
            return weighs
        case "share":
            return weighs and entry.of in scheme.by_path
        case "unit_shares":
            return bool(scheme.children(entry.of))
        case _:
            return there


def _needed(scheme: Scheme, entry: LeftOut) -> bool:
    """Whether anything computes with the value; what nothing computes with is `material`."""
    match entry.kind:
        case "percent":
            return any(entry.path == base for one in scheme.consequences for base in _bases(one))
        case "zeroed":
            return any(binding.zeroes == entry.path for binding in scheme.bindings)
        case "grade_shares":
            return bool(scheme.grades)
        case _:
            return True


def _bases(entry: Consequence) -> list[object]:
    values = [entry.value, *(when.value for when in entry.when)]
    return [value.base for value in values if value]
