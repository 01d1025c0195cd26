"""Weights: below every component they come from one source each, and add up to 100 in every class of units."""

from collections.abc import Sequence

from survey_forms.numbers import HUNDRED, ZERO, plain
from survey_forms.scheme.components import Component
from survey_forms.scheme.model import Scheme
from survey_forms.scheme.tables import Reader
from survey_forms.scheme.tree import groups, in_class, supplied_weights


def faults_of_weights(scheme: Scheme, reader: Reader) -> None:
    """Name every component without a weight, or with two, and every level that does not add up."""
    weights = _Weights(scheme, reader)
    for unit_class in [entry.id for entry in scheme.classes] or [""]:
        members = [one for one in scheme.components if in_class(one, unit_class) and not one.minus]
        _parts(scheme, members, unit_class, reader)
        for parent in ["", *(component.path for component in members)]:
            children = [one for one in members if one.parent == parent]
            if children and not any(one.where in reader.broken for one in children):
                where = scheme.by_path[parent].where if parent else "composite"
                weights.level(children, unit_class, where)


def _parts(scheme: Scheme, members: Sequence[Component], unit_class: str, reader: Reader) -> None:
    """In every class, a component that has parts anywhere has parts, and a part has its parent."""
    paths = {one.path for one in members}
    parents = {one.parent for one in members}
    for one in members:
        if one.path not in parents and scheme.children(one.path):
            reader.fault("scheme_class_without_parts", one.where, "path", value=one.path, unit_class=unit_class)
        if one.weight and unit_class in one.weight.by_class and one.parent in scheme.by_path.keys() - paths:
            reader.fault("scheme_class_without_parent", one.where, "weight", value=one.parent, unit_class=unit_class)


class _Weights:
    """The levels of one scheme's tree, one by one."""

    def __init__(self, scheme: Scheme, reader: Reader) -> None:
        self.reader = reader
        self.supplied = supplied_weights(scheme)
        self.groups = groups(self.supplied)

    def level(self, children: Sequence[Component], unit_class: str, parent: str) -> None:
        """The components below one parent (its table is `parent`), in one class."""
        stated = {
            one.path: share for one in children if one.weight and (share := one.weight.of(unit_class)) is not None
        }
        rest = [one for one in children if one.weight and one.weight.rest]
        kinds = [self.supplied[one.path].left_out.kind for one in children if one.path in self.supplied]
        for one in children:
            self._one_source(one, one.path in stated)
        key = f"weight[{unit_class}]" if unit_class else "weight"
        total = sum(stated.values(), ZERO)
        grouped = any(one.path in self.groups for one in children)
        if len(rest) > 1:
            self.reader.fault("scheme_rest_twice", rest[1].where, "weight")
        elif ("shares" in kinds and len(kinds) < len(children)) or ("share" in kinds and not rest):
            self.reader.fault("scheme_weights_mixed", parent, key)
        elif total > HUNDRED or (total < HUNDRED and not (rest or kinds or grouped)):
            listed = " + ".join(map(plain, stated.values()))
            self.reader.fault("scheme_weights_not_100", parent, key, sum=plain(total), listed=listed)

    def _one_source(self, one: Component, stated: bool) -> None:  # noqa: FBT001  # a fact, not a switch
        """A weight is stated, the rest, supplied, or that of the items below: exactly one of these."""
        rest = one.weight is not None and one.weight.rest
        sources = sum((stated, rest, one.path in self.supplied, one.path in self.groups))
        if sources != 1:
            code = "scheme_weight_twice" if sources else "scheme_weight_missing"
            self.reader.fault(code, one.where, "weight", component=one.path)
