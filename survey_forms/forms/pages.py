"""The body of an XForm → pages: a field-list is a page, a table-list a grid, loose questions share pages.

No page holds a question whose relevance another question of that page decides: pages work without script.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from xml.etree.ElementTree import Element

from survey_forms.forms.binds import Bound, Logic
from survey_forms.forms.controls import question_of
from survey_forms.forms.model import Page, PageKind, Question, Text
from survey_forms.forms.places import question_fault
from survey_forms.forms.xform import XF, Source
from survey_forms.refusal import Fault

PACKED = 4
"""How many loose questions share a page."""
LONGEST = 6
"""How many questions an author may put on one page; a grid is as long as it is."""

_GRID_TITLE = "generated_table_list_label_"  # pyxform's own nodes around a table-list
_GRID_HEAD = "reserved_name_for_field_list_labels_"


@dataclass(slots=True)
class _Layout:
    """The pages so far and the loose questions that wait for one."""

    source: Source
    logic: Logic
    faults: list[Fault]
    pages: list[Page] = field(default_factory=list)
    loose: list[tuple[Question, Bound]] = field(default_factory=list)
    title: Text = field(default_factory=dict)

    def walk(self, parent: Element) -> None:
        for element in parent:
            if element.tag == f"{XF}group":
                self.group(element)
            elif element.tag not in {f"{XF}label", f"{XF}hint"}:
                self.pack(element)

    def group(self, group: Element) -> None:
        self.close()
        appearance = group.get("appearance", "").split()
        if appearance == ["field-list"]:
            self.page(group)
            return
        if appearance:
            self.refuse("form_appearance", group, "appearance", appearance=" ".join(appearance))
        around, self.title = self.title, self.source.wording(group.find(f"{XF}label")) or self.title
        self.walk(group)
        self.close()
        self.title = around

    def pack(self, control: Element) -> None:
        node, question = self.read(control)
        if node is None or question is None:
            return
        waiting = {other.slot for _, other in self.loose}
        full = sum(other.type != "note" for other, _ in self.loose) >= PACKED and question.type != "note"
        if full or waiting & self.logic.sources(node):
            self.close()
        self.loose.append((question, node))

    def close(self) -> None:
        if self.loose:
            questions = tuple(question for question, _ in self.loose)
            self.pages.append(Page(questions[0].name, self.title, "list", questions))
            self.loose.clear()

    def page(self, group: Element) -> None:
        """A field-list, which is also how pyxform writes a table-list: with a title and a head row of its own."""
        title, kind = self.source.wording(group.find(f"{XF}label")), "list"
        questions: list[Question] = []
        for element in group:
            name = _name(element)
            if element.tag in {f"{XF}label", f"{XF}hint"}:
                continue
            if element.tag == f"{XF}group":
                self.refuse("form_group_in_page", element, "type")
            elif name.startswith(_GRID_TITLE):
                title = self.source.wording(element.find(f"{XF}label"))
            elif name.startswith(_GRID_HEAD):
                kind = "grid"
            else:
                _, question = self.read(element)
                questions.extend([question] if question else [])
        if questions:
            self.pages.append(self.checked(Page(_name(group), title, _kind(kind), tuple(questions))))

    def checked(self, page: Page) -> Page:
        asked = sum(question.type != "note" for question in page.questions)
        if page.kind == "list" and asked > LONGEST:
            self.faults.append(question_fault("form_page_too_long", page.name, got=asked, limit=LONGEST))
        for question in page.questions if page.kind == "grid" else ():
            if question.type != "select_one" or question.choices != page.questions[0].choices:
                self.faults.append(question_fault("form_grid_row", question.name))
        return page

    def read(self, control: Element) -> tuple[Bound | None, Question | None]:
        node = self.logic.nodes.get(control.get("ref", ""))
        if node is None:
            feature = control.tag.rpartition("}")[2]
            self.refuse("form_feature", control, "type", feature=feature)
            return None, None
        return node, question_of(control, node, self.source, self.faults)

    def refuse(self, code: str, element: Element, aspect: str, **facts: object) -> None:
        self.faults.append(question_fault(code, _name(element), aspect, **facts))


def lay_out(source: Source, logic: Logic, faults: list[Fault]) -> tuple[Page, ...]:
    """The form's pages in the order of asking."""
    layout = _Layout(source, logic, faults)
    layout.walk(source.body)
    layout.close()
    faults.extend(_forward(layout.pages, logic))
    return tuple(layout.pages)


def _forward(pages: list[Page], logic: Logic) -> Iterator[Fault]:
    """Questions whose asking depends on an answer given on the same page or later."""
    nodes = {node.name: node for node in logic.nodes.values()}
    asked_on = {
        nodes[question.name].slot: (index, question.name)
        for index, page in enumerate(pages)
        for question in page.questions
    }
    for index, page in enumerate(pages):
        for question in page.questions:
            for slot in logic.sources(nodes[question.name]):
                other_page, other = asked_on.get(slot, (-1, ""))
                if other_page >= index:
                    yield question_fault("form_depends_forward", question.name, "relevant", other=other)


def _name(element: Element) -> str:
    return element.get("ref", "").rpartition("/")[2]


def _kind(word: str) -> PageKind:
    grid: Literal["grid"] = "grid"
    return grid if word == "grid" else "list"
