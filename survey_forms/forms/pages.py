"""The body of an XForm → pages: a field-list is a page, a table-list a grid, loose questions share pages.

No page holds a question that another question of that page decides on, quotes or filters: pages work without script.
Where an author has put such questions on one page, or very many, they become several.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element

from survey_forms.forms.appearances import unknown_of_group
from survey_forms.forms.binds import Bound, Logic
from survey_forms.forms.controls import question_of
from survey_forms.forms.itext import XF
from survey_forms.forms.model import Page, PageKind, Question, Repeat, Text
from survey_forms.forms.places import question_fault
from survey_forms.forms.xform import JR, Source, local
from survey_forms.refusal import Fault

PACKED = 4
"""How many loose questions share a page."""
LONGEST = 6
"""How many questions of a field-list share a page; a grid is as long as it is."""
MOST_ENTRIES = 30
"""How many entries a repeat may have whose number an answer decides."""
MOST_FIXED = 100
"""How many it may have when the form itself says how many."""

_GRID_TITLE = "generated_table_list_label_"  # pyxform's own nodes around a table-list
_GRID_HEAD = "reserved_name_for_field_list_labels_"
_WORDS = {f"{XF}label", f"{XF}hint", f"{XF}setvalue"}


@dataclass(slots=True)
class _Gathered:
    """The questions that will be one page, and what they are called together."""

    name: str = ""
    title: Text = field(default_factory=dict)
    kind: PageKind = "list"
    most: int = PACKED
    questions: list[Question] = field(default_factory=list)
    nodes: list[Bound] = field(default_factory=list)

    def is_full_for(self, question: Question) -> bool:
        asked = sum(one.type != "note" for one in self.questions)
        return self.kind == "list" and asked >= self.most and question.type != "note"


@dataclass(slots=True)
class Layout:
    """The pages so far, the page being gathered, the repeats, and the headings that stand inside pages.

    `headings` maps the name of a heading to the slots of the questions under it.
    """

    source: Source
    logic: Logic
    faults: list[Fault]
    pages: list[Page] = field(default_factory=list)
    repeats: dict[str, Repeat] = field(default_factory=dict)
    headings: dict[str, list[int]] = field(default_factory=dict)
    title: Text = field(default_factory=dict)
    repeat: str | None = None
    gathered: _Gathered = field(default_factory=_Gathered)

    def walk(self, parent: Element) -> None:
        """Lay out everything below an element of the body."""
        for element in parent:
            if element.tag == f"{XF}group":
                self.group(element)
            elif element.tag == f"{XF}repeat":
                self.repeated(element, element)
            elif element.tag not in _WORDS:
                node, question = self.read(element)
                if node is not None and question is not None:
                    self.add(node, question)

    def group(self, group: Element) -> None:
        """A group: a repeat, a page, or a heading over pages."""
        self.close()
        repeat = group.find(f"{XF}repeat")
        if repeat is not None:
            self.repeated(group, repeat)
            return
        self.check_group(group)
        if _is_page(group):
            self.page(group, group)
            return
        around, self.title = self.title, self.words(group) or self.title
        self.walk(group)
        self.close()
        self.title = around

    def check_group(self, group: Element) -> None:
        """Refuse what would change the meaning of a group."""
        unknown = unknown_of_group(group.get("appearance", ""))
        if unknown:
            self.refuse("form_appearance", group, "appearance", appearance=" ".join(unknown))
        for name in sorted(group.attrib.keys() - {"ref", "nodeset", "appearance", f"{JR}count", f"{JR}noAddRemove"}):
            feature = name.rpartition("}")[2]
            self.refuse("form_feature", group, feature, feature=feature)

    def repeated(self, group: Element, repeat: Element) -> None:
        """A repeat: the pages of one entry, and the list of entries if the respondent says how many."""
        name = _name(repeat)
        if self.repeat is not None:
            self.refuse("form_repeat_nested", repeat, "type", other=self.repeat)
            return
        self.close()
        self.check_group(group)
        self.check_group(repeat)
        label = self.words(group)
        around, self.title, self.repeat = self.title, label or self.title, name
        before = len(self.pages)
        if _is_page(repeat) or _is_page(group):
            self.page(repeat, group)
        else:
            self.walk(repeat)
            self.close()
        pages = tuple(self.pages[before:])
        fixed = repeat.get(f"{JR}count") is not None
        if not label and not fixed:
            self.refuse("form_no_label", repeat, "label")
        if not pages:
            self.refuse("form_repeat_empty", repeat, "type")
        self.repeats[name] = Repeat(name, label, fixed, self.most_entries(repeat), pages)
        if not fixed:
            self.pages.append(Page(name, label, "repeat", (), name))
        self.title, self.repeat = around, None

    def most_entries(self, repeat: Element) -> int:
        """The number of entries if the form itself says it, else the most that anybody may give."""
        node = self.logic.nodes.get(_path(repeat))
        said = None if node is None else self.logic.fixed(node.count)
        if said is None or not said >= 1:
            return MOST_ENTRIES
        if said > MOST_FIXED:
            self.refuse("form_repeat_long", repeat, "repeat_count", limit=MOST_FIXED)
        return int(min(said, MOST_FIXED))

    def page(self, members: Element, named: Element) -> None:
        """A field-list, which is also how pyxform writes a table-list: with a title and a head row of its own."""
        self.close()
        title = self.words(named) or self.title
        self.gathered = _Gathered(_name(members), title, most=LONGEST)
        if any(_is_head(element) for element in members):
            self.gathered.kind = "grid"
        self.members(members)
        self.close()

    def members(self, parent: Element) -> None:
        """The questions of one page, those of groups within it too."""
        for element in parent:
            name = _name(element)
            if element.tag in _WORDS or _is_head(element):
                continue
            if element.tag == f"{XF}repeat" or element.find(f"{XF}repeat") is not None:
                self.refuse("form_repeat_in_page", element, "type")
            elif element.tag == f"{XF}group":
                self.check_group(element)
                self.inner_group(element)
            elif name.startswith(_GRID_TITLE):
                self.gathered.title = self.words(element)
            else:
                node, question = self.read(element)
                if node is not None and question is not None:
                    self.add(node, question)

    def inner_group(self, group: Element) -> None:
        """A group on a page: its label stands as a heading above its questions."""
        label, name = self.words(group), _name(group)
        node = self.logic.nodes.get(group.get("ref", ""))
        if name in self.headings:
            self.refuse("form_same_name", group, "name")
        elif label and node is not None and node.path in self.source.groups:
            controls = {control.get("ref") for control in group.iter()}
            below = [one.slot for path, one in self.logic.nodes.items() if path in controls and one is not node]
            self.headings[name] = below
            self.add(node, Question(name, "note", label))
        self.members(group)

    def add(self, node: Bound, question: Question) -> None:
        """Put a question on the page being gathered; on a new one if it is full or decides on this question."""
        page = self.gathered
        here = {other.slot for other in page.nodes}
        texts = (question.label, question.hint, *(choice.label for choice in question.choices))
        read = self.logic.sources(node) | self.logic.shown(texts)
        own = node.calculate.slots if question.type == "note" and node.calculate is not None else frozenset()
        if page.is_full_for(question) or here & (read | own):
            headings: list[Question] = []
            while page.questions and page.questions[-1].name in self.headings:
                headings.insert(0, page.questions.pop())
            self.close()
            self.gathered = replace(page, name="", questions=headings, nodes=[])
        self.gathered.questions.append(question)
        if question.name not in self.headings:
            self.gathered.nodes.append(node)

    def close(self) -> None:
        """Finish the page being gathered."""
        page, self.gathered = self.gathered, _Gathered()
        if not page.questions:
            return
        for question in page.questions if page.kind == "grid" else ():
            if question.type != "select_one" or question.choices != page.questions[0].choices or question.filtered:
                self.faults.append(question_fault("form_grid_row", question.name))
        name = page.name or page.questions[0].name
        self.pages.append(Page(name, page.title or self.title, page.kind, tuple(page.questions), self.repeat))

    def read(self, control: Element) -> tuple[Bound | None, Question | None]:
        """The node and the question of a control; None for what is refused."""
        node = self.logic.nodes.get(control.get("ref", ""))
        if node is None:
            self.refuse("form_feature", control, "type", feature=local(control))
            return None, None
        return node, question_of(control, node, self.source, self.faults)

    def words(self, element: Element) -> Text:
        """The element's label."""
        return self.source.wordings.of(element.find(f"{XF}label"))

    def refuse(self, code: str, element: Element, aspect: str, **facts: object) -> None:
        """Add a fault at an element."""
        self.faults.append(question_fault(code, _name(element), aspect, **facts))


def lay_out(source: Source, logic: Logic, faults: list[Fault]) -> Layout:
    """The form's pages in the order of asking."""
    layout = Layout(source, logic, faults)
    layout.walk(source.body)
    layout.close()
    faults.extend(_forward(layout, logic))
    return layout


def _forward(layout: Layout, logic: Logic) -> Iterator[Fault]:
    """Questions whose asking depends on an answer given on the same page or later."""
    nodes = {node.name: node for node in logic.nodes.values() if node.path in layout.source.leaves}
    asked = [
        (index, nodes[question.name])
        for index, page in enumerate(layout.pages)
        for question in page.questions
        if question.name in nodes
    ]
    pages = {node.slot: (index, node.name) for index, node in asked}
    for index, node in asked:
        for slot in sorted(logic.sources(node)):
            other_page, other = pages.get(slot, (-1, ""))
            if other_page >= index:
                yield question_fault("form_depends_forward", node.name, "relevant", other=other)


def _is_page(group: Element) -> bool:
    return bool({"field-list", "table-list"} & set(group.get("appearance", "").split()))


def _is_head(element: Element) -> bool:
    """The row of a grid that shows the scale's words and asks nothing."""
    return _name(element).startswith(_GRID_HEAD) or "label" in element.get("appearance", "").split()


def _name(element: Element) -> str:
    return _path(element).rpartition("/")[2]


def _path(element: Element) -> str:
    return (element.get("ref") or element.get("nodeset") or "").strip()
