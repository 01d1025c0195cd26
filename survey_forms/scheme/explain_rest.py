"""The sections on what follows and what else the document rules."""

from collections.abc import Iterator
from fractions import Fraction

from survey_forms.numbers import plain
from survey_forms.scheme.explain_words import Read, Speech, rule_points, said_of, table
from survey_forms.scheme.model import Catalogue, Scheme, Terms
from survey_forms.scheme.outcome import Consequence, Each, Measure, Value, When
from survey_forms.scheme.told import Calendar, Note

_ABOUT = {
    "organisation": ("组织", "Organisation"),
    "indicator": ("指标", "Indicators"),
    "public_review": ("公众评议", "Public review"),
    "inspection": ("察访核验", "Inspection"),
    "monitoring": ("过程监控", "Monitoring"),
    "material": ("材料与档案", "Material and archive"),
    "leave": ("请假与缺勤", "Leave and absence"),
    "feedback": ("反馈与公布", "Feedback and publication"),
    "result": ("结果与报告", "Results and reports"),
    "consequence": ("奖惩", "Rewards and sanctions"),
    "innovation": ("创新", "Innovation"),
    "software": ("软件功能", "Software"),
}


def outcomes(scheme: Scheme, speech: Speech) -> list[str]:
    """Each consequence and when it applies."""
    lines = []
    for one in scheme.consequences:
        lines.append(f"- **{speech.name(one)}** `{one.id}`{speech.cite(one.article)}")
        if said_of(one):
            lines.append(f"  - {said_of(one)}")
        lines += [f"  - {line}" for line in _cases(scheme, one, speech)]
    return lines


def _cases(scheme: Scheme, one: Consequence, speech: Speech) -> Iterator[str]:
    for when in one.when:
        article = speech.cite(when.article) if when.article != one.article else ""
        yield f"{_condition(scheme, when, speech)}:{_value(scheme, when.value, speech)}{article}"
    if one.value is not None:
        otherwise = speech("其余：", "Otherwise: ") if one.when else ""
        yield f"{otherwise}{_value(scheme, one.value, speech)}"
    if one.each:
        yield from _each(scheme, one.each, speech)


def _each(scheme: Scheme, each: Each, speech: Speech) -> Iterator[str]:
    facts = next(entry for entry in scheme.facts if entry.id == each.facts)
    choices = facts.fields[each.by].choices
    for choice, lost in each.loses.items():
        kept = Fraction(1) - lost
        name = speech(choices[choice], choice)
        yield f"{name}:{speech(f'扣 {lost}，保留 {kept}', f'loses {lost}, keeps {kept}')}"


def _condition(scheme: Scheme, when: When, speech: Speech) -> str:
    """The conditions of one case, in words."""
    names = {entry.id: speech.name(entry) for entry in scheme.bindings}
    violated = "、".join(names.get(one, speech("任何一项", "any")) for one in when.binding)
    parts = [
        speech(f"等次为{'、'.join(when.grade)}", f"grade {', '.join(when.grade)}") if when.grade else "",
        speech(f"约束性条件未达标({violated})", f"binding condition violated ({violated})") if when.binding else "",
        speech(f"全部单位中的后 {when.last} 名", f"among the last {when.last} of all") if when.last else "",
        _measure(scheme, when.longest, speech, ("单次", "one spell")) if when.longest else "",
        _measure(scheme, when.total, speech, ("合计", "in total")) if when.total else "",
    ]
    if when.repeated:
        years = when.repeated.years
        parts.append(speech(f"此前连续 {years} 年亦然", f"and so in each of the {years} years before"))
    return speech.join(parts)


def _measure(scheme: Scheme, measure: Measure, speech: Speech, how: tuple[str, str]) -> str:
    facts = next(entry for entry in scheme.facts if entry.id == measure.facts)
    kinds = [
        speech(facts.fields[name].choices.get(value, value), value)
        for name, wanted in measure.match.items()
        for value in wanted
    ]
    over = plain(measure.over)
    return speech(f"{'、'.join(kinds)}{how[0]}超过 {over} 天", f"{', '.join(kinds)} {how[1]} more than {over} days")


def _value(scheme: Scheme, value: Value, speech: Speech) -> str:
    if value.flag is not None:
        return speech("是" if value.flag else "否", "yes" if value.flag else "no")
    if isinstance(value.base, str):
        entry = next(one for one in scheme.left_out if one.path == value.base)
        text = f"{speech.name(entry)} `{entry.path}`"
    else:
        text = plain(value.base)
    text += f" + {plain(value.plus)}" if value.plus else ""
    text += f" − {plain(value.minus)}" if value.minus else ""
    text += (
        speech(f",最高 {plain(value.at_most)}", f", at most {plain(value.at_most)}")
        if value.at_most is not None
        else ""
    )
    return text + (
        speech(f",最低 {plain(value.at_least)}", f", at least {plain(value.at_least)}")
        if value.at_least is not None
        else ""
    )


def readings(scheme: Scheme, speech: Speech) -> list[str]:
    """Where the document is unclear: its words, and how they are read."""
    whens = [when for one in scheme.consequences for when in one.when]
    ranked = [scheme.ranking] if scheme.ranking else []
    tables: tuple[Read, ...] = (
        *scheme.components,
        *scheme.bindings,
        *scheme.grades,
        *ranked,
        *scheme.prizes,
        *scheme.consequences,
        *whens,
        *scheme.notes,
    )
    found = {(said_of(one), one.reading, one.article) for one in tables if one.reading}
    said, read = speech("文件", "Document"), speech("读作", "Read as")
    return [f"- {said}:{text}{speech.cite(article)}\n  - {read}:{reading}" for text, reading, article in sorted(found)]


def evaluated(scheme: Scheme, speech: Speech) -> list[str]:
    """Who is evaluated, and how many."""
    head = [speech("对象", "Who"), speech("数目", "Number"), speech("条款", "Article")]
    return table(
        head,
        [[speech.name(one), str(one.count) if one.count is not None else "", one.article] for one in scheme.evaluated],
    )


def rounds(scheme: Scheme, speech: Speech) -> list[str]:
    """What comes back, and in which months."""
    lines = []
    for one in scheme.rounds:
        months = speech("、", ", ").join(str(month) for month in one.months)
        when = speech(f":{months} 月", f": month {months}") if months else ""
        lines.append(f"- {speech.name(one)}{when}{speech.cite(one.article)}")
    return lines


def calendar(scheme: Scheme, speech: Speech) -> list[str]:
    """The dates to keep."""
    head = [speech("期限", "By"), speech("事项", "What"), speech("条款", "Article")]
    return table(head, [[_by(one, speech), speech.name(one), one.article] for one in scheme.calendar])


def _by(one: Calendar, speech: Speech) -> str:
    words = f"({said_of(one)})" if said_of(one) else ""
    if one.within_days is not None:
        return speech(f"{one.within_days} 天内{words}", f"within {one.within_days} days{words}")
    month, _, day = one.by.partition("-")
    if not one.by:
        return said_of(one)
    year = speech("次年 ", "next year, ") if one.next_year else ""
    return year + speech(f"{int(month)} 月 {int(day)} 日前{words}", f"{month}-{day}{words}")


def notes(scheme: Scheme, speech: Speech) -> list[str]:
    """Provisions in words, by heading."""
    lines: list[str] = []
    for about, heading in _ABOUT.items():
        told = [one for one in scheme.notes if one.about == about]
        if told:
            lines += [*([""] if lines else []), f"### {speech(*heading)}", "", *(_note(one, speech) for one in told)]
    return lines


def _note(one: Note, speech: Speech) -> str:
    number = ""
    if one.number is not None:
        number = speech(f"({plain(one.number)} {one.unit})", f" ({plain(one.number)})")
    text = speech.name(one)
    stop = text[-1] if text[-1] in "。." else ""
    return f"- {text.removesuffix(stop)}{number}{stop}{speech.cite(one.article)}"


def terms(scheme: Scheme, speech: Speech) -> list[str]:
    """The document's words and the field's."""
    return table(
        [speech("文件用语", "Document"), speech("英文", "English")], [[one.zh, one.en] for one in scheme.terms]
    )


def catalogue_table(catalogue: Catalogue, speech: Speech) -> list[str]:
    """The finding rules by aspect."""
    head = [speech("方面", "Aspect"), speech("问题", "Finding"), speech("扣分", "Points"), speech("条款", "Article")]
    aspects = {"": "", **{one.id: speech.name(one) for one in catalogue.aspects}}
    rows = [
        [aspects[one.aspect], f"{speech.name(one)} `{one.id}`", rule_points(one, speech), one.article]
        for one in catalogue.rules
    ]
    warning = speech("演示用目录，不是文件原文。", "A demonstration, not the document's text.")
    return [
        *([f"**{warning}**", ""] if catalogue.demonstration else []),
        *table(head, rows),
        "",
        *_terms_table(catalogue.terms, speech),
    ]


def _terms_table(terms: Terms, speech: Speech) -> list[str]:
    """How long each step of a deduction's life may take."""
    source = terms.article or speech("系统默认，办公室可改", "the system's own, for the office to change")
    named = (
        (speech("单位提出异议", "the unit objects"), terms.objection_days),
        (speech("考核单位说明", "the assessing department explains"), terms.explanation_days),
        (speech("复核决定", "the objection is decided"), terms.decision_days),
        (speech("整改", "rectification"), terms.rectification_days),
        (speech("到期前提醒", "reminded before it is due"), terms.reminder_days),
    )
    head = [speech("期限", "Term"), speech("天", "Days"), speech("依据", "Source")]
    return table(head, [[name, str(days), source] for name, days in named])
