"""What a select offers: a fixed list, or rows of it that fit other answers, or its rows in another order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from survey_forms.forms.expressions import Itemset, compile_itemset
from survey_forms.forms.itext import XF
from survey_forms.forms.lists import Lists, fits_by_row, shuffled
from survey_forms.forms.model import Choice
from survey_forms.forms.operations import Node, Unreadable
from survey_forms.forms.scalars import State, Tree, to_number
from survey_forms.forms.xform import ODK, Source

MOST_CHOICES = 200
"""How many options a question may show at once."""
MOST_LISTED = 20_000
"""How many a list may have from which others are chosen by a filter."""

SELECTS = {f"{XF}select1", f"{XF}select", f"{ODK}rank"}
_VALUES, _LABELS = {"name"}, {"label", "jr:itext(itextId)"}


@dataclass(frozen=True, slots=True)
class Offered:
    """All choices of a select; those offered under other answers.

    `now` gives them in their order; `when` says as data when each choice is one of them.
    """

    choices: tuple[Choice, ...]
    now: Callable[[State], tuple[Choice, ...]] | None = None
    slots: frozenset[int] = frozenset()
    when: Callable[[], tuple[Tree, ...]] | None = None


NOTHING = Offered(())


def offered(select: Element, source: Source, nodes: Mapping[str, Node], path: str, lists: Lists) -> Offered:
    """What a select offers.

    Raises:
        Unreadable: The list is not in the form, comes from other answers, or its filter cannot be read.
    """
    itemset = select.find(f"{XF}itemset")
    if itemset is None:
        return Offered(tuple(_written_out(select, source)))
    value, label = itemset.find(f"{XF}value"), itemset.find(f"{XF}label")
    if value is None or label is None or value.get("ref") not in _VALUES or label.get("ref") not in _LABELS:
        nodeset = itemset.get("nodeset", "")
        raise Unreadable("expression_choices_from_answers" if nodeset.startswith("/") else "form_list_columns")
    found = compile_itemset(itemset.get("nodeset", ""), nodes, path, lists)
    choices = source.lists[found.listing].choices
    if found.rows is None and not found.shuffled:
        return Offered(choices)
    listing = source.lists[found.listing].listing

    def when() -> tuple[Tree, ...]:
        return (("randomize",),) if found.shuffled else fits_by_row(listing, found.predicates)

    return Offered(choices, _now(found, choices), found.slots, when)


def _now(itemset: Itemset, choices: tuple[Choice, ...]) -> Callable[[State], tuple[Choice, ...]]:
    rows, seed = itemset.rows, itemset.seed
    if not itemset.shuffled and rows is not None:
        return lambda state: tuple(choices[row] for row in rows(state))

    def in_another_order(state: State) -> tuple[Choice, ...]:
        listed = range(len(choices)) if rows is None else rows(state)
        start = float(state.seed) if seed is None else to_number(seed(state))
        return tuple(choices[row] for row in shuffled(listed, start))

    return in_another_order


def _written_out(select: Element, source: Source) -> list[Choice]:
    return [
        Choice((item.findtext(f"{XF}value") or "").strip(), source.wordings.of(item.find(f"{XF}label")))
        for item in select.iterfind(f"{XF}item")
    ]


def lists_of(source: Source) -> Lists:
    """What expressions may look up in the form's lists, and the wordings of each select's choices."""
    wordings = {}
    for select in (one for tag in SELECTS for one in source.body.iter(tag)):
        itemset = select.find(f"{XF}itemset")
        written = itemset.get("nodeset", "") if itemset is not None else ""
        name = written.partition("instance('")[2].partition("'")[0]
        choices = source.lists[name].choices if name in source.lists else ()
        if itemset is None:
            choices = tuple(_written_out(select, source))
        wordings[select.get("ref", "")] = {choice.name: choice.label for choice in choices}
    return Lists({name: one.listing for name, one in source.lists.items()}, wordings, source.version)
