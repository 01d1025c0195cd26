"""Reads an XForm's XML into plain pieces: nodes, defaults, texts, choice lists, binds, and the body's tree.

What is read here is hostile until proved otherwise: no DTD, no entities, bounded in size.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from survey_forms.forms.itext import XF, Wordings, read_wordings
from survey_forms.forms.lists import Listing
from survey_forms.forms.model import Choice, Text
from survey_forms.forms.places import question_fault
from survey_forms.refusal import Fault, Refused

H = "{http://www.w3.org/1999/xhtml}"
JR = "{http://openrosa.org/javarosa}"
ODK = "{http://www.opendatakit.org/xforms}"
NAMESPACE = "urn:mingcha:form"
MC = f"{{{NAMESPACE}}}"
LARGEST = 5_000_000

_AT_FIRST = {"odk-instance-first-load", "odk-new-repeat"}
_META = {"instanceID", "instanceName", "deprecatedID", "userID", "audit"}
_POINTS = re.compile(r"[0-9]{1,2}|100")


@dataclass(frozen=True, slots=True)
class ChoiceList:
    """A list that the form brings with it: what is offered, and its columns for filters to look at."""

    choices: tuple[Choice, ...]
    listing: Listing


@dataclass(frozen=True, slots=True)
class Source:
    """An XForm taken apart. Paths are absolute (`/data/group/name`), nodes in document order.

    `leaves` hold values, `groups` hold nodes (`paths` has both), `repeats` are the groups that are asked again and
    again. `defaults` are the values written into the form, `first_values` the expressions worked out when it is opened.
    """

    id: str
    title: Text
    version: str
    wordings: Wordings
    lists: Mapping[str, ChoiceList]
    paths: tuple[str, ...]
    leaves: tuple[str, ...]
    groups: tuple[str, ...]
    repeats: Mapping[str, Element]
    defaults: Mapping[str, str]
    first_values: Mapping[str, str]
    binds: Mapping[str, Element]
    body: Element
    faults: tuple[Fault, ...]

    def repeat_of(self, path: str) -> str | None:
        """The innermost repeat that a node is in, or that it is."""
        around = [repeat for repeat in self.repeats if path == repeat or path.startswith(f"{repeat}/")]
        return max(around, key=len, default=None)


def read_xform(xform_xml: bytes) -> Source:
    """Take an XForm apart.

    Raises:
        Refused: `form_xml_unreadable` when it is no XForm, is too large, or declares a DTD or entities.
    """
    top, model, body, title = _opened(xform_xml)
    wordings = read_wordings(model)
    wordings.read_body(body)
    nodes = _Nodes()
    nodes.read(top, f"/{local(top)}")
    first_values, faults = _actions(model, body)
    names = {wordings.languages[0]: title}
    names |= {key.rpartition("title_")[2]: words for key, words in top.items() if key.startswith(f"{MC}title_")}
    lists = dict(_lists(model, wordings, faults))
    return Source(
        id=top.get("id", ""),
        title=names,
        version=top.get("version", ""),
        wordings=wordings,
        lists=lists,
        paths=tuple(nodes.paths),
        leaves=tuple(path for path, is_leaf in nodes.paths.items() if is_leaf),
        groups=tuple(path for path, is_leaf in nodes.paths.items() if not is_leaf),
        repeats={one.get("nodeset", "").strip(): one for one in body.iter(f"{XF}repeat")},
        defaults=nodes.defaults,
        first_values=first_values,
        binds={bind.get("nodeset", "").strip(): bind for bind in model.iterfind(f"{XF}bind")},
        body=body,
        faults=(*wordings.faults, *nodes.faults, *faults),
    )


def _opened(xform_xml: bytes) -> tuple[Element, Element, Element, str]:
    """The form's own instance, the model, the body, and the title."""
    if len(xform_xml) > LARGEST:
        raise Refused("form_xml_unreadable", reason=f"> {LARGEST} bytes")
    try:
        root = fromstring(xform_xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Refused("form_xml_unreadable", reason=type(error).__name__) from error
    model, body = root.find(f"{H}head/{XF}model"), root.find(f"{H}body")
    instance = model.find(f"{XF}instance") if model is not None else None
    if model is None or body is None or instance is None or len(instance) != 1:
        raise Refused("form_xml_unreadable", reason="no model, body or instance")
    return instance[0], model, body, (root.findtext(f"{H}head/{H}title") or "").strip()


class _Nodes:
    """The nodes of the form's own instance, in document order."""

    def __init__(self) -> None:
        self.paths: dict[str, bool] = {}  # whether it is a leaf
        self.defaults: dict[str, str] = {}
        self.faults: list[Fault] = []

    def read(self, element: Element, path: str, depth: int = 0) -> None:
        if depth > 20:
            raise Refused("form_xml_unreadable", reason="groups within groups")
        before: set[str] = set()
        filled = {local(child) for child in element if f"{JR}template" not in child.attrib}
        for child in element:
            name = local(child)
            below = f"{path}/{name}"
            if name == "meta":
                self.faults.extend(_feature(name, one) for one in map(local, child) if one not in _META)
            elif f"{JR}template" in child.attrib and name in filled:
                continue  # what a new entry looks like; the first one stands beside it
            elif name in before:
                self.faults.append(_feature(name, "instance"))
            elif len(child):
                self.paths[below] = False
                self.read(child, below, depth + 1)
            else:
                self.paths[below] = True
                if (child.text or "").strip():
                    self.defaults[below] = (child.text or "").strip()
            before.add(name)


def _lists(model: Element, wordings: Wordings, faults: list[Fault]) -> Iterator[tuple[str, ChoiceList]]:
    default = wordings.languages[0]
    for instance in model.findall(f"{XF}instance")[1:]:
        name = instance.get("id", "")
        if instance.get("src"):
            faults.append(question_fault("form_list_from_file", name))
        items = instance.findall(f"{XF}root/{XF}item")
        columns = tuple(dict.fromkeys(local(column) for item in items for column in item))
        choices, rows = [], []
        for item in items:
            cells = {local(column): column.text or "" for column in item}
            rows.append(tuple(cells.get(column, "") for column in columns))
            code, points, words = cells.get("name", ""), cells.get("points"), cells.get("label", "").strip()
            label = wordings.texts.get(cells.get("itextId", ""), {default: words} if words else {})
            if points is not None and not _POINTS.fullmatch(points):
                faults.append(question_fault("form_points", f"{name}/{code}", "points", points=points))
                points = None
            choices.append(Choice(code, label, None if points is None else int(points)))
        yield name, ChoiceList(tuple(choices), Listing(columns, tuple(rows)))


def _actions(model: Element, body: Element) -> tuple[dict[str, str], list[Fault]]:
    """Values set when the form or an entry is opened; all other actions this product would silently not do."""
    values: dict[str, str] = {}
    faults: list[Fault] = []
    for part in (*model, *body.iter(f"{XF}setvalue")):
        if part.tag == f"{XF}setvalue" and set(part.get("event", "").split()) <= _AT_FIRST:
            values[part.get("ref", "").strip()] = part.get("value") or repr(part.text or "")
        elif part.tag == f"{XF}setvalue":
            faults.append(_feature(part.get("ref", "").rpartition("/")[2], "trigger", "trigger"))
        elif part.tag not in {f"{XF}itext", f"{XF}instance", f"{XF}bind"}:
            faults.append(_feature(local(part), local(part)))
    return values, faults


def _feature(name: str, feature: str, aspect: str = "type") -> Fault:
    return question_fault("form_feature", name, aspect, feature=feature)


def local(element: Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2]
