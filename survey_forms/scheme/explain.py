"""A scheme as Markdown that an official can hold against the document: every number beside its article."""

from collections.abc import Callable, Iterator

from survey_forms.scheme.explain_formula import bindings, formula, grades, ledger, left_out, ranking
from survey_forms.scheme.explain_rest import (
    calendar,
    catalogue_table,
    evaluated,
    notes,
    outcomes,
    readings,
    rounds,
    terms,
)
from survey_forms.scheme.explain_words import Speech
from survey_forms.scheme.model import Catalogue, Scheme

Section = Callable[[Scheme, Speech], list[str]]

_SECTIONS: tuple[tuple[str, str, Section], ...] = (
    ("计分", "Formula", formula),
    ("等次", "Grades", grades),
    ("约束性条件", "Binding conditions", bindings),
    ("台账与扣分", "Ledger and deductions", ledger),
    ("排名与奖项", "Ranks and prizes", ranking),
    ("结果运用", "Consequences", outcomes),
    ("文件未载明、须补充的内容", "What the document leaves out", left_out),
    ("读法", "Readings", readings),
    ("考评对象", "Who is evaluated", evaluated),
    ("轮次", "Rounds", rounds),
    ("日程", "Calendar", calendar),
    ("其他规定", "Other provisions", notes),
    ("术语", "Terms", terms),
)
_NUMERALS = "一二三四五六七八九十"


def explain(scheme: Scheme, catalogue: Catalogue | None = None, language: str = "zh") -> str:
    """The whole scheme as Markdown, in Chinese or with English labels (`en`); sections without content are left out."""
    speech = Speech(language)
    lines = [f"# {speech(scheme.zh, scheme.en)}", "", *_head(scheme, speech)]
    sections = [(speech(zh, en), section(scheme, speech)) for zh, en, section in _SECTIONS]
    if catalogue:
        sections.append((speech(catalogue.zh, catalogue.en), catalogue_table(catalogue, speech)))
    told = [(title, body) for title, body in sections if body]
    for place, (title, body) in enumerate(told, start=1):
        lines += ["", f"## {_numeral(place, language)}{title}", "", *body]
    return "\n".join(lines)


def _head(scheme: Scheme, speech: Speech) -> Iterator[str]:
    """Where the text was read, and which file this is."""
    part = f"({scheme.document.part})" if speech.language == "zh" else ""
    yield f"- {speech('方案标识', 'Scheme')}:`{scheme.id}`"
    yield f"- {speech('依据文件', 'Document')}:{scheme.document.file}{part}"
    yield f"- {speech('方案文件 SHA-256', 'SHA-256 of the scheme file')}:`{scheme.digest}`"
    if scheme.composite is None:
        tracked = speech("本方案只跟踪项目与任务，不计综合得分。", "Tracks projects and tasks only; no composite.")
        yield f"- {tracked}"


def _numeral(place: int, language: str) -> str:
    if language == "en":
        return f"{place}. "
    tens, ones = divmod(place, 10)
    return f"{'十' if tens else ''}{_NUMERALS[ones - 1] if ones else ''}、"
