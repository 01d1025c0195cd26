"""The words of an XForm in all its languages. Where they quote an answer they read `${name}`, as the author wrote."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from survey_forms.forms.model import Text
from survey_forms.forms.places import question_fault
from survey_forms.refusal import Fault

XF = "{http://www.w3.org/2002/xforms}"
DEFAULT_LANGUAGE = "zh"

_CODE = re.compile(r"(?:.*\()?([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\)?\s*", re.DOTALL)
_REFERENCE = re.compile(r"jr:itext\('(.*)'\)", re.DOTALL)
_PATH = re.compile(r"(?:current\(\)/)?[./\w-]*?([A-Za-z_][\w-]*)", re.ASCII)
QUOTED = re.compile(r"\$\{([^{}]+)\}")
_MISSING = "-"  # pyxform writes a hyphen where a translation is missing
_FOR_OTHERS = {"guidance"}  # for interviewers' phones; a respondent has no use for it


@dataclass(frozen=True, slots=True)
class Output:
    """What a wording quotes: the expression, and the node that the wording belongs to."""

    expression: str
    context: str


@dataclass(slots=True)
class Wordings:
    """Every text by its id, and what they quote by the name between `${` and `}`."""

    languages: tuple[str, ...]
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    outputs: dict[str, list[Output]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)
    read: dict[int, Text] = field(default_factory=dict)

    def read_body(self, body: Element) -> None:
        """Read the words that stand in the body itself, before anything asks what they quote."""
        for element in body.iter():
            for part in (element.find(f"{XF}label"), element.find(f"{XF}hint")):
                if part is not None:
                    self.read[id(part)] = self._of(part, element.get("ref", ""))

    def of(self, element: Element | None) -> Text:
        """The text of a label or hint of the body in every language it is written in."""
        return {} if element is None else self.read[id(element)]

    def _of(self, element: Element, context: str) -> Text:
        reference = element.get("ref")
        return self.of_attribute(self.flat(element, context) if reference is None else reference)

    def of_attribute(self, written: str | None) -> Text:
        """The text of an attribute: a reference to the translations, or plain words."""
        if written is None or not written.strip():
            return {}
        reference = _REFERENCE.fullmatch(written.strip())
        return self.texts.get(reference[1], {}) if reference else {self.languages[0]: written.strip()}

    def flat(self, element: Element, context: str) -> str:
        """The element's words with `${name}` for what they quote."""
        pieces = [element.text or ""]
        for child in element:
            if child.tag == f"{XF}output":
                pieces.append(self.quoted(child.get("value") or child.get("ref") or "", context))
            else:
                name = context.rpartition("/")[2]
                self.faults.append(question_fault("form_label_parts", name, "label"))
            pieces.append(child.tail or "")
        return "".join(pieces).strip()

    def quoted(self, expression: str, context: str) -> str:
        """`${name}`; for what is no plain reference a number stands in for the name."""
        path = _PATH.fullmatch(expression.strip())
        name = path[1] if path else self.numbers.setdefault(expression, f"={len(self.numbers) + 1}")
        places = self.outputs.setdefault(name, [])
        place = Output(expression.strip(), context)
        if place not in places:
            places.append(place)
        return f"${{{name}}}"


def read_wordings(model: Element) -> Wordings:
    """All translations, the default language first."""
    translations = list(model.iterfind(f"{XF}itext/{XF}translation"))
    languages: list[str] = []
    faults: list[Fault] = []
    coded: list[tuple[str, Element]] = []
    for translation in translations:
        written = translation.get("lang", "")
        match = _CODE.fullmatch(written)
        code = DEFAULT_LANGUAGE if written == "default" else match[1] if match else ""
        if not code or code in languages:
            faults.append(question_fault("form_language", written, "label", language=written))
            continue
        languages.insert(0 if translation.get("default") == "true()" else len(languages), code)
        coded.append((code, translation))
    wordings = Wordings(tuple(languages) or (DEFAULT_LANGUAGE,), faults=faults)
    for code, translation in coded:
        for name, words in _texts(translation, wordings):
            wordings.texts.setdefault(name, {})[code] = words
    return wordings


def _texts(translation: Element, wordings: Wordings) -> Iterator[tuple[str, str]]:
    for text in translation.iterfind(f"{XF}text"):
        name = text.get("id", "")
        context = name.partition(":")[0]
        for value in text.iterfind(f"{XF}value"):
            form = value.get("form")
            if form in _FOR_OTHERS:
                continue
            if form:
                asked = context.rpartition("/")[2]
                wordings.faults.append(question_fault("form_label_parts", asked, "label"))
                continue
            words = wordings.flat(value, context if context.startswith("/") else "")
            if words and words != _MISSING:
                yield name, words


def quoted_names(texts: Iterable[Text]) -> set[str]:
    """The names that wordings quote."""
    return {name for text in texts for words in text.values() for name in QUOTED.findall(words)}
