"""The arithmetic as lines that a person can check by hand, from the ledger's entries to the composite.

A line is `{"step", "path", "zh", "en", "words": {"zh", "en"}, "formula", "inputs", "result", "article"}`:
what is computed, by which rule in words, with which numbers, and where the document says so. `formula` uses
only + − × %, brackets, min, max and round, and gives `result` when it is worked out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from survey_forms.numbers import plain
from survey_forms.scheme.model import Binding, Scheme
from survey_forms.scheme.outcome import Value
from survey_forms.scoring.composite import Reckoning, Scored, caps_of
from survey_forms.scoring.consequences import value_in_words
from survey_forms.scoring.grade import bands_of
from survey_forms.scoring.ledger import sum_in_words
from survey_forms.scoring.plan import Node
from survey_forms.scoring.supplied import Supplied
from survey_forms.scoring.unit import UnitFacts

Line = dict[str, Any]

_ROUNDED = {
    "half_up": ("四舍五入到 {places} 位小数", "rounded half up to {places} decimals"),
    "half_even": ("四舍六入五成双，保留 {places} 位小数", "rounded half even to {places} decimals"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a unit once all units were placed; `values` state the numbers among the consequences."""

    grade: str | None
    rank: int
    rank_in_class: int
    prize: str | None
    consequences: Mapping[str, Any]
    values: Mapping[str, Value]


def trace_of(scheme: Scheme, scored: Scored, outcome: Outcome, supplied: Supplied) -> list[Line]:
    """Every line of one unit, in the order in which a person would work them out."""
    zeroed = scored.reckoning.zeroed
    shown = (node for node in scored.plan.walk() if not node.handed_in or node.path in zeroed)
    return [
        *_ledger_lines(scheme, scored.unit),
        *(_component_line(node, scored) for node in shown),
        *_total_lines(scheme, scored),
        *_grade_lines(scheme, scored, outcome, supplied),
        *_place_lines(scheme, outcome, supplied),
    ]


def _line(step: str, path: str, names: tuple[str, str], words: tuple[str, str], result: Any, **more: Any) -> Line:
    zh, en = words
    return {
        "step": step,
        "path": path,
        "zh": names[0],
        "en": names[1],
        "words": {"zh": zh, "en": en},
        "formula": more.get("formula", ""),
        "inputs": more.get("inputs", []),
        "result": result,
        "article": more.get("article", ""),
    }


def _ledger_lines(scheme: Scheme, unit: UnitFacts) -> Iterator[Line]:
    """One line an entry: whether it stands, and why not."""
    gone = {entry.reverses: entry.id for entry in unit.deductions if entry.reverses}
    events = {event.id: event for event in scheme.events}
    told = [(entry, ("扣分", "deduction"), gone.get(entry.id)) for entry in unit.deductions if not entry.reverses]
    told += [(entry, ("加分", "bonus"), None) for entry in unit.bonuses]
    for entry, (zh, en), by in told:
        event = events.get(entry.label)
        names = (
            (f"{event.zh}({entry.id})", f"{event.en} ({entry.id})")
            if event
            else (f"{zh} {entry.id}", f"{en} {entry.id}")
        )
        words = (f"已由 {by} 冲销，不计", f"reversed by {by}, does not count") if by else ("计入", "counts")
        inputs = [{"id": entry.id, "value": plain(entry.points), "aspect": entry.aspect, "rule": entry.rule}]
        counted = "0" if by else plain(entry.points)
        article = event.article if event else ""
        yield _line("entry", entry.to, names, words, counted, formula=counted, inputs=inputs, article=article)


def _component_line(node: Node, scored: Scored) -> Line:
    """How a component's score comes about."""
    component, reckoning = node.component, scored.reckoning
    values = reckoning.values
    against, towards = reckoning.against.get(node.path, ()), reckoning.towards.get(node.path, ())
    taken = sum_in_words(against, caps_of(scored.plan, node))
    if component.minus:
        formula, words = taken, ("扣分合计", "deductions added up")
    elif component.start is not None:
        full = plain(component.start)
        formula, words = full, (f"从 {full} 分起扣", f"starts at {full} and loses")
    else:
        terms = [f"{plain(values[child.path])} × {plain(child.weight)}%" for child in node.children]
        formula, words = " + ".join(terms) or plain(scored.unit.scores[node.path]), ("得分 × 权重之和", "weighted sum")
    formula = " + ".join([formula, *(plain(entry.points) for entry in towards)])
    if against and not component.minus:
        formula += f" − ({taken})"
    formula, words = _limits(node, reckoning, formula, words)
    inputs: list[dict[str, str]] = [_child_input(child, values) for child in node.children]
    inputs += [{"id": entry.id, "value": plain(entry.points)} for entry in towards]
    inputs += [{"id": entry.id, "value": f"-{plain(entry.points)}"} for entry in against]
    names, result = (component.zh, component.en), plain(values[node.path])
    article = component.article or next((child.weight_article for child in node.children), node.weight_article)
    return _line("component", node.path, names, words, result, formula=formula, inputs=inputs, article=article)


def _limits(node: Node, reckoning: Reckoning, formula: str, words: tuple[str, str]) -> tuple[str, tuple[str, str]]:
    """The floor, the cap and a binding condition's zero, as they show in formula and words."""
    zh, en = words
    component = node.component
    if component.cap is not None:
        zh, en = f"{zh}，扣满 {plain(component.cap)} 分为止", f"{en}, at most {plain(component.cap)}"
    if component.floor is not None:
        formula = f"max({formula}, {plain(component.floor)})"
        zh, en = f"{zh}，不低于 {plain(component.floor)}", f"{en}, not below {plain(component.floor)}"
    if node.path in reckoning.zeroed:
        formula, zh, en = "0", "约束性条件未达标，计零分", "a binding condition is violated: zero"
    return formula, (zh, en)


def _child_input(child: Node, values: Mapping[str, Decimal]) -> dict[str, str]:
    """A child's score and weight; `weight_from` tells the supplied table where the document states no weight."""
    shown = {"path": child.path, "zh": child.component.zh, "en": child.component.en}
    shown |= {"value": plain(values[child.path]), "weight": plain(child.weight), "article": child.weight_article}
    return shown | ({"weight_from": child.weight_from} if child.weight_from else {})


def _total_lines(scheme: Scheme, scored: Scored) -> Iterator[Line]:
    """The parts, their sum, and the one rounding."""
    reckoning, formula, inputs = scored.reckoning, "", []
    for node in scored.plan.nodes:
        component, part = node.component, reckoning.parts[node.component.key]
        names = (component.zh, component.en)
        if not component.minus:
            worked = f"{plain(reckoning.values[node.path])} × {plain(node.weight)}%"
            words = ("得分 × 权重", "score × weight")
            yield _line("part", node.path, names, words, plain(part), formula=worked, article=node.weight_article)
        formula += f" − {plain(-part)}" if component.minus else f" + {plain(part)}"
        inputs.append({"path": node.path, "zh": component.zh, "en": component.en, "value": plain(part)})
    composite, rounding = scheme.composite, scheme.rounding
    if composite is None or rounding is None:
        return
    total, formula = plain(reckoning.total), formula.removeprefix(" + ")
    names, words = ("综合得分（未修约）", "composite, unrounded"), (composite.formula, "the parts, less deductions")
    yield _line("total", "", names, words, total, formula=formula, inputs=inputs, article=composite.article)
    names, zh, en = ("综合得分（公布）", "composite, published"), *_ROUNDED[rounding.mode]
    words = (zh.format(places=rounding.places), en.format(places=rounding.places))
    worked = f"round({total}, {rounding.places})"
    yield _line("composite", "", names, words, f"{scored.published:f}", formula=worked, article=rounding.article)


def _grade_lines(scheme: Scheme, scored: Scored, outcome: Outcome, supplied: Supplied) -> Iterator[Line]:
    """The grade, and each binding condition that was violated."""
    bands, names = bands_of(scheme, supplied), ("等次", "grade")
    article = next((grade.article for grade in scheme.grades if grade.name == outcome.grade), "")
    if bands is not None:
        shown = " · ".join(f"{name} ≥ {plain(lowest)}" if lowest is not None else name for name, lowest in bands)
        figure = f"{scored.published:f}"
        words = (f"按公布得分 {figure} 定等：{shown}", f"by the published {figure}: {shown}")
        yield _line("grade", "grade", names, words, outcome.grade, article=article)
    elif scheme.grades:
        words = ("按本组名次与各等次比例定等", "by rank within the group and the share of each grade")
        yield _line("grade", "grade", names, words, outcome.grade, article=article)
    for binding in scheme.bindings:
        if binding.id in scored.unit.violated:
            named, effects = (binding.zh, binding.en), _effects(binding)
            yield _line("binding", binding.id, named, effects, outcome.grade, article=binding.article)


def _effects(binding: Binding) -> tuple[str, str]:
    """What a binding condition does, in words."""
    told: list[tuple[str, str]] = []
    if binding.bars:
        told.append((f"不得评为{binding.bars}", f"bars the grade {binding.bars}"))
    if binding.zeroes:
        told.append(("所涉指标计零分", "its indicator counts zero"))
    if binding.lowers:
        told.append((f"降低 {binding.lowers} 个等次", f"lowers the grade by {binding.lowers}"))
    told = told or [("等次不变，见结果运用", "the grade stands; see the consequences")]
    return ";".join(zh for zh, _ in told), "; ".join(en for _, en in told)


def _place_lines(scheme: Scheme, outcome: Outcome, supplied: Supplied) -> Iterator[Line]:
    """Rank, prize and consequences."""
    same = ("公布得分相同的并列", "equal published scores share a rank")
    yield _line("rank", "rank", ("名次", "rank"), same, outcome.rank)
    if scheme.classes:
        article = scheme.ranking.article if scheme.ranking else ""
        names = ("本组名次", "rank within the group")
        yield _line("rank", "rank_in_class", names, same, outcome.rank_in_class, article=article)
    if outcome.prize is not None:
        ratio = " : ".join(plain(prize.ratio) for prize in scheme.prizes)
        article = next((prize.article for prize in scheme.prizes if prize.name == outcome.prize), "")
        words = (f"按 {ratio} 依名次评定", f"by rank, in the ratio {ratio}")
        yield _line("prize", "prize", ("奖项", "prize"), words, outcome.prize, article=article)
    for entry in scheme.consequences:
        if outcome.consequences[entry.id] != []:
            value = outcome.values.get(entry.id)
            worked = value_in_words(value, supplied.percents) if value else ""
            result, names = outcome.consequences[entry.id], (entry.zh, entry.en)
            yield _line("consequence", entry.id, names, ("", ""), result, formula=worked, article=entry.article)
