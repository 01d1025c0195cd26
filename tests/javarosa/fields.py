"""What can be answered in an XForm, read from its XML alone: nothing here knows our engine."""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

XF = "{http://www.w3.org/2002/xforms}"
H = "{http://www.w3.org/1999/xhtml}"
JR = "{http://openrosa.org/javarosa}"
ODK = "{http://www.opendatakit.org/xforms}"
_ITEMSET = re.compile(r"(?:randomize\()?instance\('([^']*)'\)/root/item(?:\[(.*)\])?.*", re.DOTALL)
_EQUALS = re.compile(r"\s*([\w.-]+)\s*=\s*(?:'([^']*)'|([\w./()-]+))\s*")
_COUNT = re.compile(r"count\(\s*[\w/]*?(\w+)\s*\)")

Item = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A column of a list that must hold a word, or the answer to a question."""

    column: str
    word: str
    question: str


@dataclass(frozen=True, slots=True)
class Field:
    """One control: where its answer goes, of what kind it is, and what its list and its logic say."""

    path: str
    kind: str  # select1, select, rank, int, decimal, date, string, range
    repeat: str | None
    required: bool
    constraint: str
    items: tuple[Item, ...] = ()
    narrowed_by: tuple[tuple["Narrowing", ...], ...] = ()  # any of these, each all of its parts
    limits: tuple[float, float, float] = (0, 0, 1)
    default: str = ""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def offered(self, answer: Callable[[str], object]) -> list[str]:
        """The choices that the other answers leave, as far as the filter is made of equalities."""
        alternatives = [
            {part.column: answer(part.question) if part.question else part.word for part in parts}
            for parts in self.narrowed_by
        ]
        return [
            item["name"]
            for item in self.items
            if not alternatives
            or any(all(item.get(column, "") == word for column, word in one.items()) for one in alternatives)
        ]


@dataclass(frozen=True, slots=True)
class Paper:
    """An XForm as somebody who fills it sees it."""

    fields: tuple[Field, ...]
    repeats: Mapping[str, str]  # name → path
    counted_by: Mapping[str, str]  # repeat → name of the node that says how many entries there are
    calculates: Mapping[str, str]  # name → expression
    instance: ET.Element

    def outside(self, name: str) -> bool:
        """Whether a calculate stands outside all repeats."""
        return not any(self._path(name).startswith(f"{path}/") for path in self.repeats.values())

    def entries(self, repeat: str, raw: Mapping[str, object]) -> int | None:
        """How many entries the form itself asks for, where that is an answer or the entries of another repeat."""
        name = self.counted_by.get(repeat)
        if name is None:
            return None
        other = _COUNT.fullmatch(self.calculates.get(name, ""))
        told = str(raw.get(other[1] if other else name, ""))
        return max(0, int(told)) if re.fullmatch(r"-?\d+", told) else 0

    def filled(self, raw: Mapping[str, str | list[str]]) -> bytes:
        """The record that a client would have saved: every answer in its place, lists in the list's order."""
        root = copy.deepcopy(self.instance)
        for name, path in self.repeats.items():
            parent, pattern = _place(root, path)
            entries = [child for child in parent if child.tag == pattern.tag]
            here = list(parent).index(entries[0])
            for entry in entries:
                parent.remove(entry)
            blank = next((entry for entry in entries if f"{JR}template" not in entry.attrib), entries[0])
            blank.attrib.pop(f"{JR}template", None)
            for number in range(int(str(raw.get(name, "0")))):
                parent.insert(here + number, copy.deepcopy(blank))
        known = {one.path.rpartition("/")[2]: one for one in self.fields}
        for key, given in raw.items():
            *around, name = key.split(".")
            if name in known or name in self.calculates:
                path = known[name].path if name in known else self._path(name)
                self._write(root, path, around, _written(known.get(name), given))
        return ET.tostring(root, "utf-8")

    def _path(self, name: str) -> str:
        return next(path for path in _paths(self.instance) if path.rpartition("/")[2] == name)

    def _write(self, root: ET.Element, path: str, around: list[str], text: str) -> None:
        repeat = self.repeats[around[0]] if around else None
        node, walked = root, f"/{_local(root)}"
        for step in path.split("/")[2:]:
            walked += f"/{step}"
            same = [child for child in node if _local(child) == step and f"{JR}template" not in child.attrib]
            node = same[int(around[1]) - 1 if walked == repeat else 0]
        node.text = text


def read_paper(xform: bytes) -> Paper:
    """Take an XForm apart for filling in; the form is trusted, it is one of our own."""
    root = ET.fromstring(xform)  # noqa: S314 - made by this test
    model = root.find(f"{H}head/{XF}model")
    instances = model.findall(f"{XF}instance")
    lists = {one.get("id"): tuple(_items(one)) for one in instances[1:]}
    binds = {one.get("nodeset"): one for one in model.findall(f"{XF}bind")}
    repeats, counted = {}, {}
    for repeat in root.iter(f"{XF}repeat"):
        path = repeat.get("nodeset")
        repeats[path.rpartition("/")[2]] = path
        if repeat.get(f"{JR}count"):
            counted[path.rpartition("/")[2]] = repeat.get(f"{JR}count").strip().rpartition("/")[2]
    return Paper(
        tuple(_fields(root.find(f"{H}body"), binds, lists, repeats, instances[0][0])),
        repeats,
        counted,
        {
            path.rpartition("/")[2]: bind.get("calculate")
            for path, bind in binds.items()
            if bind.get("calculate") and "/meta/" not in path
        },
        instances[0][0],
    )


def _fields(
    body: ET.Element,
    binds: Mapping[str, ET.Element],
    lists: Mapping[str, tuple[Item, ...]],
    repeats: Mapping[str, str],
    instance: ET.Element,
) -> Iterator[Field]:
    for control in body.iter():
        tag, path = _local(control), control.get("ref", "")
        bind = binds.get(path)
        if tag not in {"input", "select", "select1", "rank", "range"} or bind is None or bind.get("readonly"):
            continue
        if bind.get("calculate") or path.rpartition("/")[2].startswith("reserved_name_for_field_list_labels_"):
            continue  # the second is the head row of a grid, which pyxform writes as a select
        itemset = control.find(f"{XF}itemset")
        listed = _ITEMSET.fullmatch(itemset.get("nodeset")) if itemset is not None else None
        kind = bind.get("type", "string") if tag == "input" else tag
        around = [name for name, other in repeats.items() if path.startswith(f"{other}/")]
        yield Field(
            path=path,
            kind=kind,
            repeat=around[0] if around else None,
            required=bind.get("required", "false()") != "false()",
            constraint=bind.get("constraint", ""),
            items=lists[listed[1]] if listed else (),
            narrowed_by=tuple(_narrowing(listed[2] or "")) if listed else (),
            limits=tuple(float(control.get(part, 0)) for part in ("start", "end", "step"))
            if tag == "range"
            else (0, 0, 1),
            default=_place(instance, path)[1].text or "",
        )


def _narrowing(predicate: str) -> Iterator[tuple[Narrowing, ...]]:
    for either in re.split(r"\bor\b", predicate):
        parts = (_EQUALS.fullmatch(part) for part in re.split(r"\band\b", either))
        yield tuple(Narrowing(part[1], part[2] or "", (part[3] or "").rpartition("/")[2]) for part in parts if part)


def _items(instance: ET.Element) -> Iterator[Item]:
    for item in instance.iterfind(f"{XF}root/{XF}item"):
        yield {_local(child): child.text or "" for child in item}


def _place(root: ET.Element, path: str) -> tuple[ET.Element, ET.Element]:
    node, parent = root, root
    for step in path.split("/")[2:]:
        parent, node = node, next(child for child in node if _local(child) == step)
    return parent, node


def _paths(root: ET.Element, above: str = "") -> Iterator[str]:
    path = f"{above}/{_local(root)}"
    yield path
    for child in root:
        yield from _paths(child, path)


def _written(field: Field | None, given: str | list[str]) -> str:
    if isinstance(given, str):
        return given
    if field is None or field.kind == "rank":
        return " ".join(given)
    place = {item["name"]: number for number, item in enumerate(field.items)}
    return " ".join(sorted(given, key=lambda name: place.get(name, len(place))))


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
