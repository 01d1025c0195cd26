"""One control of an XForm's body → one question; whatever this product cannot ask is refused by its name."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element

from survey_forms.forms.appearances import unknown_appearances
from survey_forms.forms.binds import Bound
from survey_forms.forms.choices import MOST_CHOICES, MOST_LISTED, SELECTS
from survey_forms.forms.fields import LONGEST_NAME, LONGEST_TEXT
from survey_forms.forms.itext import XF
from survey_forms.forms.model import Question, QuestionType
from survey_forms.forms.places import question_fault
from survey_forms.forms.xform import JR, MC, ODK, Source, local
from survey_forms.refusal import Fault

_INPUTS: dict[str, QuestionType] = {"int": "integer", "decimal": "decimal", "date": "date", "string": "text"}
_SELECTS: dict[str, QuestionType] = {
    f"{XF}select1": "select_one",
    f"{XF}select": "select_multiple",
    f"{ODK}rank": "rank",
}
_ATTRIBUTES = {"ref", "appearance", "rows", "mediatype", "accept", "start", "end", "step", "class"}
_HARMLESS = {
    f"{ODK}tick-interval",
    f"{ODK}placeholder",
    f"{JR}count",
    f"{JR}noAddRemove",
    "nodeset",
    "accuracyThreshold",
}
_PARTS = {f"{XF}label", f"{XF}hint", f"{XF}itemset", f"{XF}item", f"{XF}setvalue"}
_TALLEST = 20
_MULTILINE_ROWS = 4
_MOST_STEPS = 200
_AT_MOST = re.compile(r"string-length\(\s*\.?\s*\)\s*(<=?)\s*([0-9]{1,6})(?![0-9.])")


@dataclass(frozen=True, slots=True)
class _Scale:
    start: Decimal | None = None
    end: Decimal | None = None
    step: Decimal | None = None


def question_of(control: Element, node: Bound, source: Source, faults: list[Fault]) -> Question | None:
    """The question that a control asks; None, with a fault, when it is of a kind that we do not have."""
    kind = _type_of(control, node, faults)
    if kind is None:
        return None
    _refuse_unknown_parts(control, node, kind, faults)
    limit = MOST_CHOICES if node.offered.now is None else MOST_LISTED
    if len(node.offered.choices) > limit:
        faults.append(question_fault("form_too_many_choices", node.name, limit=limit))
    label = source.wordings.of(control.find(f"{XF}label"))
    if not label:
        faults.append(question_fault("form_no_label", node.name, "label"))
    unit = (node.bind.get(f"{MC}unit") or "").strip()
    by_answer = unit.startswith(("/", "."))
    scale = _scale(control, node, faults) if kind == "scale" else _Scale()
    return Question(
        name=node.name,
        type=kind,
        label=label,
        hint=source.wordings.of(control.find(f"{XF}hint")),
        required=kind != "note" and node.bind.get("required", "false()").strip() != "false()",
        required_message=source.wordings.of_attribute(node.bind.get(f"{JR}requiredMsg")),
        constraint_message=source.wordings.of_attribute(node.bind.get(f"{JR}constraintMsg")),
        choices=node.offered.choices if control.tag in SELECTS else (),
        unit=None if by_answer or not unit else unit,
        unit_from=unit.rpartition("/")[2] if by_answer else None,
        item=(node.bind.get(f"{MC}item") or "").strip() or None,
        rows=_rows(control, node, faults),
        longest=_longest(kind, node),
        filtered=node.offered.now is not None,
        start=scale.start,
        end=scale.end,
        step=scale.step,
    )


def _type_of(control: Element, node: Bound, faults: list[Fault]) -> QuestionType | None:
    data_type = node.bind.get("type", "string")
    kind = _SELECTS.get(control.tag)
    if control.tag == f"{XF}input":
        kind = _INPUTS.get(data_type)
    elif control.tag == f"{XF}range" and data_type in {"int", "decimal"}:
        kind = "scale"
    elif control.tag == f"{XF}upload" and control.get("mediatype", "").startswith("image/"):
        kind = "image"
    if kind is None:
        upload = control.get("mediatype", "").partition("/")[0] if control.tag == f"{XF}upload" else ""
        feature = data_type if control.tag == f"{XF}input" else upload or local(control)
        faults.append(question_fault("form_feature", node.name, "type", feature=feature))
        return None
    if node.bind.get("readonly", "false()").strip() != "false()":
        if node.bind.get("readonly", "").strip() == "true()":
            return "note"
        faults.append(question_fault("form_feature", node.name, "readonly", feature="readonly"))
    elif node.calculate is not None:
        faults.append(question_fault("form_feature", node.name, "calculation", feature="calculation"))
    return kind


def _refuse_unknown_parts(control: Element, node: Bound, kind: QuestionType, faults: list[Fault]) -> None:
    unknown = unknown_appearances(kind, control.get("appearance", ""))
    if unknown:
        faults.append(question_fault("form_appearance", node.name, "appearance", appearance=" ".join(unknown)))
    for name in control.attrib.keys() - _ATTRIBUTES - _HARMLESS:
        feature = name.rpartition("}")[2]
        faults.append(question_fault("form_feature", node.name, feature, feature=feature))
    for part in control:
        if part.tag not in _PARTS or (kind == "scale" and part.tag == f"{XF}itemset"):
            feature = local(part)
            faults.append(question_fault("form_feature", node.name, "parameters", feature=feature))


def _rows(control: Element, node: Bound, faults: list[Fault]) -> int:
    written = control.get("rows")
    if written is None:
        return _MULTILINE_ROWS if "multiline" in control.get("appearance", "") else 1
    if written.isdecimal() and 1 <= int(written) <= _TALLEST:
        return int(written)
    faults.append(question_fault("form_rows", node.name, "parameters", rows=written, limit=_TALLEST))
    return 1


def _longest(kind: QuestionType, node: Bound) -> int:
    """The most characters of a text answer; fewer when the form itself says so, and nothing but so."""
    if kind == "image":
        return LONGEST_NAME
    if kind != "text":
        return 0
    written = node.bind.get("constraint", "")
    limits = [int(most) - (sign == "<") for sign, most in _AT_MOST.findall(written)]
    sure = limits and not re.search(r"\bor\b|\bnot\b|\bif\b|=\s*(?:true|false)\b", written)
    return max(1, min(LONGEST_TEXT, *limits)) if sure else LONGEST_TEXT


def _scale(control: Element, node: Bound, faults: list[Fault]) -> _Scale:
    """From where to where in what steps; whole numbers in whole steps if the question is of whole numbers."""
    try:
        start, end, step = (Decimal(control.get(name, missing)) for name, missing in _SCALE)
        steps = (end - start) / step
        fits = all(one.is_finite() for one in (start, end, step)) and 0 < steps <= _MOST_STEPS and step != 0
        whole = node.bind.get("type") != "int" or all(one == one.to_integral_value() for one in (start, step))
        if fits and whole:
            return _Scale(start, end, step)
    except (InvalidOperation, ZeroDivisionError):
        pass
    faults.append(question_fault("form_scale", node.name, "parameters", limit=_MOST_STEPS))
    return _Scale()


_SCALE = (("start", "0"), ("end", "10"), ("step", "1"))
