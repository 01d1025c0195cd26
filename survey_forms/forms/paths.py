"""Paths in expressions: which node is meant, and whether it is this entry's of a repeat or all of them.

An absolute path inside a repeat means this entry, as in JavaRosa; so does a relative one that stays inside. One that
climbs out of the repeat and comes back (`../../repeat/name`), or stands outside, means every entry.
"""

from collections.abc import Mapping

from survey_forms.forms.operations import Compiled, Node, Unreadable
from survey_forms.forms.scalars import Expression, Scalar, State, to_number


def resolved(path: str, context: str) -> str:
    """The absolute path that a path means for the node `context`."""
    return _climbed(path, context)[0]


def _climbed(path: str, context: str) -> tuple[str, str]:
    """The absolute path, and how far up towards the root it went on its way."""
    steps = [] if path.startswith("/") else context.split("/")
    highest = len(steps)
    for step in path.split("/"):
        if step == "..":
            steps = steps[:-1]
            highest = min(highest, len(steps))
        elif step != ".":
            steps.append(step)
    if path.startswith("/"):
        return "/".join(steps), context
    return "/".join(steps), "/".join(context.split("/")[:highest])


def path_value(path: str, nodes: Mapping[str, Node], context: str) -> Compiled:
    """What a path stands for, seen from the node `context`.

    Raises:
        Unreadable: No such node, or one whose content the form does not keep.
    """
    absolute, top = _climbed(path, context)
    node = nodes.get(absolute)
    if node is None:
        raise Unreadable("expression_name_unknown", name=path.rsplit("/", 1)[-1])
    inside = node.repeat is not None and (top == node.repeat or top.startswith(f"{node.repeat}/"))
    if node.entries:
        return _entries(node, inside=inside)
    if node.repeat is None:
        return _outside(node)
    return _this_entry(node) if inside else _all_entries(node)


def _outside(node: Node) -> Compiled:
    slot = node.slot

    def values(state: State) -> list[Scalar]:
        return [state.values[slot]] if state.relevant[slot] else []

    tree = ("node", slot)
    return Compiled(lambda state: state.values[slot], node.kind, tree, frozenset({slot}), values=values, node=node)


def _this_entry(node: Node) -> Compiled:
    slot = node.slot

    def values(state: State) -> list[Scalar]:
        return [state.column(slot)[state.at]] if state.lasting(slot)[state.at] else []

    run: Expression = lambda state: state.column(slot)[state.at]  # noqa: E731 - as those around it
    return Compiled(run, node.kind, ("of this entry", slot), frozenset({slot}), values=values, node=node)


def _all_entries(node: Node) -> Compiled:
    slot = node.slot

    def values(state: State) -> list[Scalar]:
        return [value for value, there in zip(state.column(slot), state.lasting(slot), strict=True) if there]

    tree = ("of all entries", slot)
    return Compiled(lambda _: "", node.kind, tree, frozenset({slot}), values=values, node=node, many=True)


def _entries(node: Node, *, inside: bool) -> Compiled:
    """A repeat itself: a set to count, or the entry whose position is wanted."""
    slot = node.slot

    def values(state: State) -> list[Scalar]:
        return ["-"] * (1 if inside else int(to_number(state.values[slot])))

    tree = ("entries", slot)
    return Compiled(lambda _: "", "string", tree, frozenset({slot}), values=values, node=node, many=not inside)
