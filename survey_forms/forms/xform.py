"""Reads an XForm's XML into plain pieces: texts by language, choice lists, binds, and the body's tree.

What is read here is hostile until proved otherwise: no DTD, no entities, bounded in size.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from survey_forms.forms.model import Choice, Text
from survey_forms.forms.places import question_fault
from survey_forms.refusal import Fault, Refused

XF = "{http://www.w3.org/2002/xforms}"
H = "{http://www.w3.org/1999/xhtml}"
JR = "{http://openrosa.org/javarosa}"
NAMESPACE = "urn:mingcha:form"
MC = f"{{{NAMESPACE}}}"
LARGEST = 5_000_000
DEFAULT_LANGUAGE = "zh"

_CODE = re.compile(r"(?:.*\()?([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\)?\s*", re.DOTALL)
_ITEXT = re.compile(r"jr:itext\('(.*)'\)", re.DOTALL)
_ITEMSET = re.compile(r"instance\('([^']*)'\)/root/item")
_MISSING = "-"  # pyxform writes a hyphen where a translation is missing


@dataclass(frozen=True, slots=True)
class Source:
    """An XForm taken apart. Paths are absolute (`/data/group/name`); `leaves` are in document order."""

    id: str
    title: Text
    languages: tuple[str, ...]
    texts: Mapping[str, Text]
    lists: Mapping[str, tuple[Choice, ...]]
    leaves: tuple[str, ...]
    binds: Mapping[str, Element]
    body: Element
    faults: tuple[Fault, ...]

    def wording(self, element: Element | None) -> Text:
        """The text of a label, hint or message element in every language it is written in."""
        return {} if element is None else self.message(element.get("ref") or _own_text(element))

    def message(self, written: str | None) -> Text:
        """The text of an attribute: a reference to the translations, or plain words."""
        if written is None or not written.strip():
            return {}
        reference = _ITEXT.fullmatch(written.strip())
        return self.texts.get(reference[1], {}) if reference else {self.languages[0]: written.strip()}

    def choices(self, select: Element) -> tuple[Choice, ...] | None:
        """The list that a select offers; None when it is filtered, random or from a file."""
        itemset = select.find(f"{XF}itemset")
        name = _ITEMSET.fullmatch(itemset.get("nodeset", "")) if itemset is not None else None
        return self.lists.get(name[1]) if name else None


def read_xform(xform_xml: bytes) -> Source:
    """Take an XForm apart.

    Raises:
        Refused: `form_xml_unreadable` when it is no XForm, is too large, or declares a DTD or entities.
    """
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
    faults: list[Fault] = []
    languages, texts = _translations(model, faults)
    top = instance[0]
    title = {languages[0]: (root.findtext(f"{H}head/{H}title") or "").strip()}
    title |= {key.rpartition("title_")[2]: words for key, words in top.items() if key.startswith(f"{MC}title_")}
    return Source(
        id=top.get("id", ""),
        title=title,
        languages=languages,
        texts=texts,
        lists=dict(_lists(model, texts, languages[0], faults)),
        leaves=tuple(_leaves(top, f"/{_local(top)}")),
        binds={bind.get("nodeset", "").strip(): bind for bind in model.iterfind(f"{XF}bind")},
        body=body,
        faults=(*faults, *_unknown_parts(model)),
    )


def _translations(model: Element, faults: list[Fault]) -> tuple[tuple[str, ...], dict[str, dict[str, str]]]:
    """Language codes, the default first, and text id → language → words."""
    languages: list[str] = []
    texts: dict[str, dict[str, str]] = {}
    for translation in model.iterfind(f"{XF}itext/{XF}translation"):
        written = translation.get("lang", "")
        match = _CODE.fullmatch(written)
        code = DEFAULT_LANGUAGE if written == "default" else match[1] if match else ""
        if not code or code in languages:
            faults.append(question_fault("form_language", written, "label", language=written))
            continue
        languages.insert(0 if translation.get("default") == "true()" else len(languages), code)
        for text in translation.iterfind(f"{XF}text"):
            for value in text.iterfind(f"{XF}value"):
                if value.get("form") or len(value):
                    name = text.get("id", "").partition(":")[0].rpartition("/")[2]
                    faults.append(question_fault("form_label_parts", name, "label"))
                words = "".join(value.itertext()).strip()
                if words and words != _MISSING:
                    texts.setdefault(text.get("id", ""), {})[code] = words
    return tuple(languages) or (DEFAULT_LANGUAGE,), texts


def _lists(
    model: Element, texts: Mapping[str, Text], default: str, faults: list[Fault]
) -> Iterator[tuple[str, tuple[Choice, ...]]]:
    for instance in model.findall(f"{XF}instance")[1:]:
        name = instance.get("id", "")
        if instance.get("src"):
            faults.append(question_fault("form_list_from_file", name))
        choices: list[Choice] = []
        for item in instance.iterfind(f"{XF}root/{XF}item"):
            code, points = item.findtext(f"{XF}name", ""), item.findtext(f"{XF}points")
            words = (item.findtext(f"{XF}label") or "").strip()
            label = texts.get(item.findtext(f"{XF}itextId", ""), {default: words} if words else {})
            if points is not None and not re.fullmatch(r"[0-9]{1,2}|100", points):
                faults.append(question_fault("form_points", f"{name}/{code}", "points", points=points))
                points = None
            choices.append(Choice(code, label, None if points is None else int(points)))
        yield name, tuple(choices)


def _leaves(element: Element, path: str) -> Iterator[str]:
    for child in element:
        below = f"{path}/{_local(child)}"
        if _local(child) == "meta":
            continue
        if len(child):
            yield from _leaves(child, below)
        else:
            yield below


def _unknown_parts(model: Element) -> Iterator[Fault]:
    """Actions, submissions and the like: whatever this product would silently not do."""
    for part in model:
        if part.tag not in {f"{XF}itext", f"{XF}instance", f"{XF}bind"}:
            yield question_fault("form_feature", _local(part), feature=_local(part))


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _own_text(element: Element) -> str:
    return "".join(element.itertext())
