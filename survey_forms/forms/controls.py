"""One control of an XForm's body → one question; whatever this product cannot ask is refused by its name."""

from xml.etree.ElementTree import Element

from survey_forms.forms.binds import Bound
from survey_forms.forms.model import Question, QuestionType
from survey_forms.forms.places import question_fault
from survey_forms.forms.xform import JR, MC, XF, Source
from survey_forms.refusal import Fault

_INPUTS: dict[str, QuestionType] = {"int": "integer", "decimal": "decimal", "date": "date", "string": "text"}
_SELECTS: dict[str, QuestionType] = {f"{XF}select1": "select_one", f"{XF}select": "select_multiple"}
_APPEARANCES = {"text": {"multiline"}, "select_one": {"list-nolabel"}}
_TALLEST = 20
_MULTILINE_ROWS = 4
_MOST_CHOICES = 200


def question_of(control: Element, node: Bound, source: Source, faults: list[Fault]) -> Question | None:
    """The question that a control asks; None, with a fault, when it is of a kind that we do not have."""
    kind = _type_of(control, node, faults)
    if kind is None:
        return None
    unknown = set(control.get("appearance", "").split()) - _APPEARANCES.get(kind, set())
    if unknown:
        listed = " ".join(sorted(unknown))
        faults.append(question_fault("form_appearance", node.name, "appearance", appearance=listed))
    choices = source.choices(control) if kind in {"select_one", "select_multiple"} else ()
    if choices is None:
        faults.append(question_fault("form_filtered_choices", node.name, "choice_filter"))
    elif len(choices) > _MOST_CHOICES:
        faults.append(question_fault("form_too_many_choices", node.name, limit=_MOST_CHOICES))
    label = source.wording(control.find(f"{XF}label"))
    if not label:
        faults.append(question_fault("form_no_label", node.name, "label"))
    unit = (node.bind.get(f"{MC}unit") or "").strip()
    by_answer = unit.startswith("/")
    return Question(
        name=node.name,
        type=kind,
        label=label,
        hint=source.wording(control.find(f"{XF}hint")),
        required=kind != "note" and node.bind.get("required", "false()").strip() != "false()",
        required_message=source.message(node.bind.get(f"{JR}requiredMsg")),
        constraint_message=source.message(node.bind.get(f"{JR}constraintMsg")),
        choices=choices or (),
        unit=None if by_answer or not unit else unit,
        unit_from=unit.rpartition("/")[2] if by_answer else None,
        item=(node.bind.get(f"{MC}item") or "").strip() or None,
        rows=_rows(control, node, faults),
    )


def _type_of(control: Element, node: Bound, faults: list[Fault]) -> QuestionType | None:
    if control.tag in _SELECTS:
        return _SELECTS[control.tag]
    data_type = node.bind.get("type", "string")
    kind = _INPUTS.get(data_type) if control.tag == f"{XF}input" else None
    if kind is None:
        feature = data_type if control.tag == f"{XF}input" else control.tag.rpartition("}")[2]
        faults.append(question_fault("form_feature", node.name, "type", feature=feature))
    elif node.bind.get("readonly"):
        if kind == "text" and node.calculate is None:
            return "note"
        faults.append(question_fault("form_feature", node.name, "readonly", feature="readonly"))
    elif node.calculate is not None:
        faults.append(question_fault("form_feature", node.name, "calculation", feature="calculation"))
    return kind


def _rows(control: Element, node: Bound, faults: list[Fault]) -> int:
    written = control.get("rows")
    if written is None:
        return _MULTILINE_ROWS if "multiline" in control.get("appearance", "") else 1
    if written.isdecimal() and 1 <= int(written) <= _TALLEST:
        return int(written)
    faults.append(question_fault("form_rows", node.name, "parameters", rows=written, limit=_TALLEST))
    return 1
