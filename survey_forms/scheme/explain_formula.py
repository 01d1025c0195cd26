"""The sections on what is computed: formula, grades, binding conditions, ledger, ranks, left-out values."""

from fnmatch import fnmatchcase
from itertools import groupby

from survey_forms.numbers import plain
from survey_forms.scheme.components import Component, LeftOut
from survey_forms.scheme.explain_words import Speech, percent, points, rule_points, said_of, table
from survey_forms.scheme.model import Binding, Grade, Scheme
from survey_forms.scheme.tree import groups, supplied_weights

_KINDS = {
    "shares": ("百分比表，合计 100", "table of percentages adding up to 100"),
    "share": ("一个百分比", "one percentage"),
    "percent": ("一个百分比", "one percentage"),
    "grades": ("等次与最低分，从高到低", "grades and lowest scores, descending"),
    "grade_shares": ("各等次的百分比", "percentage of each grade"),
    "unit_shares": ("单个单位的权重表，合计 100（可不补充）", "one unit's weights adding up to 100 (optional)"),
    "zeroed": ("条件 → 指标", "condition → indicator"),
    "material": ("不参与计算", "not part of the arithmetic"),
}


def formula(scheme: Scheme, speech: Speech) -> list[str]:
    """The formula, and every component with weight, manner and article."""
    if scheme.composite is None or scheme.rounding is None:
        return []
    composite, rounding = scheme.composite, scheme.rounding
    modes = {"half_up": ("四舍五入", "half up"), "half_even": ("四舍六入五成双", "half even")}
    mode = speech(*modes[rounding.mode])
    scale, places = plain(composite.scale), rounding.places
    full = speech(
        f"满分 {scale} 分{speech.cite(composite.article)}", f"Full score {scale}{speech.cite(composite.article)}"
    )
    once = speech(
        f"综合得分公布时{mode}到 {places} 位小数，只修约这一次{speech.cite(rounding.article)}",
        f"rounded {mode} to {places} decimals, once, when published{speech.cite(rounding.article)}",
    )
    head = [
        speech("考评内容", "Component"),
        speech("占上级权重", "Weight in its parent"),
        speech("如何得分", "How it is scored"),
        speech("条款", "Article"),
    ]
    rows = [
        _component_row(scheme, list(same), speech)
        for _, same in groupby(_reading_order(scheme), key=lambda one: one.where)
    ]
    said = [
        f"- {speech.name(one)}:{said_of(one)}{speech.cite(one.article)}"
        for one in scheme.components
        if said_of(one) and not one.reading
    ]
    return [f"> {composite.formula}", "", f"{full};{once}。", "", *table(head, rows), *([""] if said else []), *said]


def _reading_order(scheme: Scheme) -> list[Component]:
    """Components with each pattern's expansions together: as the file lists them, parents before children."""
    places = {one.where: place for place, one in reversed(list(enumerate(scheme.components)))}
    return sorted(scheme.components, key=lambda one: places[one.where])


def _component_row(scheme: Scheme, same: list[Component], speech: Speech) -> list[str]:
    """One row for a component, or for all that one pattern stands for."""
    one = same[0]
    depth = one.path.count(".")
    first, last = speech.name(one), speech.name(same[-1])
    name = first if first == last else f"{first} … {last}"
    path = one.path if len(same) == 1 else f"{one.path} … {same[-1].path}"
    shown = f"{'　' * depth}{'**' if not depth else ''}{name}{'**' if not depth else ''} `{path}`"
    supplied = supplied_weights(scheme).get(one.path)
    article = one.article or (supplied.left_out.article if supplied else "")
    return [shown, _weight(scheme, one, speech), _manner(scheme, one, speech), article]


def _weight(scheme: Scheme, one: Component, speech: Speech) -> str:
    if one.minus:
        return speech("从总分中扣除", "subtracted from the total")
    if one.weight and one.weight.rest:
        alone = len(scheme.children(one.parent)) == 1
        return speech("全部", "all") if alone else speech("其余", "the rest")
    if one.weight and one.weight.by_class:
        names = {entry.id: speech.name(entry) for entry in scheme.classes}
        return " · ".join(f"{names[key]} {percent(share)}" for key, share in one.weight.by_class.items())
    if one.weight and one.weight.fixed is not None:
        return percent(one.weight.fixed)
    supplied = supplied_weights(scheme)
    if one.path in supplied:
        return speech("未载明，补充 ", "left out: supply ") + f"`{supplied[one.path].left_out.path}`"
    return speech("下列各项合计", "its items added up") if one.path in groups(supplied) else ""


def _manner(scheme: Scheme, one: Component, speech: Speech) -> str:
    """How the score comes about."""
    scale = plain(scheme.composite.scale) if scheme.composite else ""
    if one.minus:
        manner = speech("台账扣分合计", "the ledger's deductions added up")
    elif one.start is not None:
        manner = speech(f"从 {plain(one.start)} 分起扣", f"starts at {plain(one.start)} and loses")
    elif scheme.children(one.path):
        manner = speech("下列各项加权合计", "weighted sum of the following")
    else:
        manner = speech(f"评分，0–{scale}", f"scored 0–{scale}")
    return speech.join(
        [
            manner,
            speech("另计加分", "plus bonuses") if "bonuses" in one.takes else "",
            speech("另计扣分", "less deductions") if "deductions" in one.takes and scheme.children(one.path) else "",
            speech(f"扣满 {plain(one.cap)} 分为止", f"at most {plain(one.cap)}") if one.cap is not None else "",
            speech(f"不低于 {plain(one.floor)}", f"not below {plain(one.floor)}") if one.floor is not None else "",
        ]
    )


def grades(scheme: Scheme, speech: Speech) -> list[str]:
    """Each grade's band in published points, or its share of the ranked units."""
    head = [speech("等次", "Grade"), speech("范围", "Band"), speech("条款", "Article")]
    rows = [
        [speech(one.name, f"{one.name} ({one.en})"), _band(scheme, one, speech), one.article] for one in scheme.grades
    ]
    how = speech("等次按公布得分（修约后）确定。", "Grades are decided on the published, rounded figure.")
    if any(one.at_least is not None or one.below is not None for one in scheme.grades):
        return [*table(head, rows), "", how]
    return table(head, rows)


def _band(scheme: Scheme, one: Grade, speech: Speech) -> str:
    if one.share is not None:
        return percent(one.share)
    if one.rest:
        return speech("其余单位", "the rest")
    if one.at_least is not None and one.below is not None:
        return f"[{plain(one.at_least)}, {plain(one.below)})"
    if one.at_least is not None:
        return f"≥ {plain(one.at_least)}"
    if one.below is not None:
        return f"< {plain(one.below)}"
    entry = scheme.left_out_of("grade_shares")
    share = speech("本组的一个比例，未载明，补充 ", "a share of the group, left out: supply ")
    return f"{share}`{entry.path}`" if entry else ""


def bindings(scheme: Scheme, speech: Speech) -> list[str]:
    """Each binding condition, what it does, and where it is said."""
    head = [speech("条件", "Condition"), speech("作用", "Effect"), speech("条款", "Article")]
    return table(
        head, [[f"{speech.name(one)} `{one.id}`", _effect(one, speech), one.article] for one in scheme.bindings]
    )


def _effect(one: Binding, speech: Speech) -> str:
    return speech.join(
        [
            speech(f"不得评为{one.bars}", f"bars {one.bars}") if one.bars else "",
            speech("所涉指标计零分", "its indicator counts zero") if one.zeroes else "",
            speech(f"降低 {one.lowers} 个等次", f"lowers the grade by {one.lowers}") if one.lowers else "",
        ]
    ) or speech("等次不变，见结果运用", "the grade stands; see the consequences")


def ledger(scheme: Scheme, speech: Speech) -> list[str]:
    """What takes points from which component, under which headings, up to which caps."""
    takers = [one for one in scheme.components if "deductions" in one.takes]
    lines = []
    if takers:
        named = speech("、", ", ").join(speech.name(one) for one in takers)
        lines.append(
            speech(
                f"- 台账扣分计入：{named}。改正另记冲销条目，不改原条目。",
                f"- The ledger's deductions count in: {named}. A correction is a reversing entry.",
            )
        )
    for event in scheme.events:
        takes = speech(f"{event.zh}扣 {plain(event.points)} 分", f"{event.en}: −{plain(event.points)}")
        lines.append(f"- {takes}{speech.cite(event.article)}")
    return [*lines, *_aspects(scheme, speech), *_rules(scheme, speech)]


def _aspects(scheme: Scheme, speech: Speech) -> list[str]:
    """The ledger's headings: a table if any has a cap, else one line."""
    aspects = scheme.aspects
    if any(one.cap is not None for one in aspects):
        head = [speech("方面", "Aspect"), speech("上限", "Cap"), speech("条款", "Article")]
        caps = [points(speech, one.cap) if one.cap is not None else "" for one in aspects]
        named = [f"{speech.name(one)} `{one.id}`" for one in aspects]
        return ["", *table(head, zip(named, caps, (one.article for one in aspects), strict=True))]
    named = [f"{speech.name(one)} `{one.id}`" for one in aspects]
    listed = speech("、", ", ").join(named)
    return [f"- {speech('登记时分列', 'Kept by aspect')}:{listed}{speech.cite(aspects[0].article)}"] if named else []


def _rules(scheme: Scheme, speech: Speech) -> list[str]:
    """The rules of a ledger, with points and caps."""
    head = [speech("规则", "Rule"), speech("扣分", "Points"), speech("上限", "Cap"), speech("条款", "Article")]
    rows = [
        [
            f"{speech.name(one)} `{one.id}`",
            rule_points(one, speech),
            points(speech, one.cap) if one.cap is not None else "",
            one.article,
        ]
        for one in scheme.rules
    ]
    return ["", *table(head, rows)] if rows else []


def ranking(scheme: Scheme, speech: Speech) -> list[str]:
    """Who is ranked with whom, and which prizes there are."""
    lines = []
    if scheme.ranking:
        lines.append(f"- {speech.name(scheme.ranking)}{speech.cite(scheme.ranking.article)}")
        for pattern in scheme.ranking.groups:
            members = [speech.name(one) for one in scheme.classes if fnmatchcase(one.id, pattern)]
            lines.append(f"  - {speech('排名组', 'Ranked together')}:{speech('、', ', ').join(members)}")
    if scheme.prizes:
        names = " : ".join(speech(one.name, one.en) for one in scheme.prizes)
        ratio = " : ".join(plain(one.ratio) for one in scheme.prizes)
        lines.append(f"- {names} = {ratio}{speech.cite(scheme.prizes[0].article)}")
    return lines


def left_out(scheme: Scheme, speech: Speech) -> list[str]:
    """What must be supplied, under which path and in which form."""
    head = [
        speech("补充路径", "Path"),
        speech("内容", "What"),
        speech("形式", "Form"),
        speech("说明", "Said of it"),
        speech("条款", "Article"),
    ]
    return table(head, [_left_out_row(one, speech) for one in scheme.left_out])


def _left_out_row(one: LeftOut, speech: Speech) -> list[str]:
    path = f"{one.path}.<单位标识>" if one.kind == "unit_shares" else one.path
    return [f"`{path}`", speech.name(one), speech(*_KINDS[one.kind]), said_of(one), one.article]
