"""What a reviewer should know between two versions of a questionnaire, and what makes their results incomparable.

Questions are the same when they have the same name; one that vanished while another of the same words and type
appeared was renamed. Ratings are compared by what they rate (unit and item), for that is what results are made of.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from survey_forms.forms.compile import compile_form
from survey_forms.forms.itext import XF
from survey_forms.forms.model import Choice, Form, Page, Question, Text, wording
from survey_forms.forms.places import Bilingual
from survey_forms.forms.xform import Source, read_xform
from survey_forms.refusal import Fault

_PATH = re.compile(r"\s*(?:current\(\)/|\.\./|/data/)(?:\.\./)*(?:\w+/)*(\w+)\s*")
_LOGIC = {
    "relevant": Bilingual("显示条件", "relevant"),
    "required": Bilingual("必答", "required"),
    "constraint": Bilingual("校验", "constraint"),
    "calculate": Bilingual("计算", "calculation"),
    "filter": Bilingual("选项筛选", "choice_filter"),
    "default": Bilingual("默认值", "default"),
}
_TEXTS = {
    "label": Bilingual("题目", "label"),
    "hint": Bilingual("提示", "hint"),
    "required_message": Bilingual("必答提示", "required_message"),
    "constraint_message": Bilingual("校验提示", "constraint_message"),
}
_MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: a sentence's code and facts (`difference_*`), and whether it makes results incomparable."""

    told: Fault
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class _Version:
    """One side of the comparison: the compiled form, its questions by name, its logic in the author's spelling."""

    form: Form
    questions: dict[str, Question]
    pages: dict[str, Page]
    logic: dict[str, dict[str, str]]

    @classmethod
    def of(cls, xform: bytes) -> "_Version":
        form, source = compile_form(xform), read_xform(xform)
        pages = {question.name: page for page in form.pages for question in page.questions}
        questions = {question.name: question for page in form.pages for question in page.questions}
        return cls(form, questions, pages, _logic(source))

    def called(self, name: str) -> Bilingual:
        """A question as a reviewer knows it: its name and its words."""
        question = self.questions.get(name)
        if question is None:
            return Bilingual(f"“{name}”", f"“{name}”")
        words = (wording(question.label, language, self.form.default_language) for language in ("zh", "en"))
        zh, en = words
        return Bilingual(f"{name}“{zh}”", f"{name} “{en}”")


def difference(old_xform: bytes, new_xform: bytes) -> tuple[Change, ...]:
    """Every change from one frozen questionnaire to another, in the order of the new one; none for the same form.

    Raises:
        Refused: One of them is no questionnaire that this product can ask.
    """
    old, new = _Version.of(old_xform), _Version.of(new_xform)
    renamed = _renamed(old, new)
    return (
        *_of_the_form(old.form, new.form),
        *_come_and_gone(old, new, renamed),
        *_moved(old, new, renamed),
        *(change for name in new.questions for change in _of_question(old, new, renamed.get(name, name), name)),
        *_of_hidden_nodes(old, new),
    )


def _logic(source: Source) -> dict[str, dict[str, str]]:
    """Name → what its bind and its list of choices say, with `${name}` in place of paths."""
    found: dict[str, dict[str, str]] = {}
    for path, bind in source.binds.items():
        written = {part: _as_written(bind.get(part, "")) for part in _LOGIC if bind.get(part)}
        found[path.rpartition("/")[2]] = {part: logic for part, logic in written.items() if logic != "false()"}
    for path, value in {**source.defaults, **source.first_values}.items():
        if value:
            found.setdefault(path.rpartition("/")[2], {})["default"] = _as_written(value)
    for control in source.body.iter():
        itemset = control.find(f"{XF}itemset")
        if itemset is not None:
            name = control.get("ref", "").rpartition("/")[2]
            found.setdefault(name, {})["filter"] = _as_written(itemset.get("nodeset", "").partition("[")[2].rstrip("]"))
    return found


def _as_written(logic: str) -> str:
    return " ".join(_PATH.sub(r" ${\1} ", logic).split())


def _renamed(old: _Version, new: _Version) -> dict[str, str]:
    """New name → old name."""
    gone = [question for name, question in old.questions.items() if name not in new.questions]
    found: dict[str, str] = {}
    for name, question in new.questions.items():
        twin = next((one for one in gone if (one.type, one.label) == (question.type, question.label)), None)
        if name not in old.questions and twin is not None:
            found[name] = twin.name
            gone.remove(twin)
    return found


def _of_the_form(old: Form, new: Form) -> Iterator[Change]:
    if old.id != new.id:
        yield _change("difference_id", "", before=old.id, after=new.id)
    yield from _texts("difference_title", "", old.title, new.title)
    for language in new.languages:
        if language not in old.languages:
            yield _change("difference_language_added", "", language=language)
    for language in old.languages:
        if language not in new.languages:
            yield _change("difference_language_removed", "", language=language)


def _come_and_gone(old: _Version, new: _Version, renamed: Mapping[str, str]) -> Iterator[Change]:
    kept = {_rating(question) for question in new.questions.values()}
    for name, question in old.questions.items():
        if name not in new.questions and name not in renamed.values():
            rating = _rating(question)
            breaks = rating is not None and rating not in kept
            yield _change("difference_removed", name, breaks=breaks, where=old.called(name))
    for name, question in new.questions.items():
        if name in renamed:
            yield _change("difference_renamed", name, where=new.called(name), before=renamed[name])
        elif name not in old.questions:
            yield _change("difference_added", name, breaks=_rating(question) is not None, where=new.called(name))


def _moved(old: _Version, new: _Version, renamed: Mapping[str, str]) -> Iterator[Change]:
    """Questions that are no longer in the order of before; the longest run that kept its order has not moved."""
    after = [name for name in new.questions if renamed.get(name, name) in old.questions]
    known = {renamed.get(name, name): name for name in after}
    before = [known[name] for name in old.questions if name in known]
    matched: set[str] = set()
    for block in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks():
        matched.update(before[block.a : block.a + block.size])
    ahead = dict(zip(after[1:], after, strict=False))
    for name in after:
        if name not in matched:
            follows = new.called(ahead[name]) if name in ahead else Bilingual("（开头）", "(the beginning)")
            yield _change("difference_moved", name, where=new.called(name), follows=follows)


def _of_question(old: _Version, new: _Version, old_name: str, name: str) -> Iterator[Change]:
    if old_name not in old.questions:
        return
    before, after, where = old.questions[old_name], new.questions[name], new.called(name)
    rates = bool(_rating(before) or _rating(after))
    if _rating(before) != _rating(after):
        was, now = (_rates(question) for question in (before, after))
        yield _change("difference_rating", name, breaks=True, where=where, before=was, after=now)
    if before.type != after.type:
        yield _change("difference_type", name, breaks=rates, where=where, before=before.type, after=after.type)
    elif _scale(before) != _scale(after):
        yield _change("difference_scale", name, breaks=rates, where=where, before=_scale(before), after=_scale(after))
    yield from _choices(before, after, where, rates=rates)
    for part, called in _TEXTS.items():
        yield from _texts(
            "difference_text", name, getattr(before, part), getattr(after, part), where=where, part=called
        )
    yield from _logics(old.logic.get(old_name, {}), new.logic.get(name, {}), name, where)
    if _layout(old.pages[old_name]) != _layout(new.pages[name]):
        yield _change("difference_page", name, where=where)


def _choices(before: Question, after: Question, where: Bilingual, *, rates: bool) -> Iterator[Change]:
    was = {choice.name: choice for choice in before.choices}
    now = {choice.name: choice for choice in after.choices}
    for code, choices, others in (
        ("difference_choices_added", now, was),
        ("difference_choices_removed", was, now),
    ):
        names = [name for name in choices if name not in others]
        if names and was and now:
            listed = _listed([choices[name] for name in names])
            yield _change(code, after.name, breaks=rates, where=where, listed=listed, count=len(names))
    both = [name for name in now if name in was]
    if both != [name for name in was if name in now]:
        yield _change("difference_choices_order", after.name, where=where)
    for name in both:
        if was[name].points != now[name].points:
            given, gives = _points(was[name]), _points(now[name])
            yield _change(
                "difference_points", after.name, breaks=rates, where=where, choice=name, before=given, after=gives
            )
        yield from _texts("difference_choice", after.name, was[name].label, now[name].label, where=where, choice=name)


def _logics(was: Mapping[str, str], now: Mapping[str, str], name: str, where: Bilingual) -> Iterator[Change]:
    for part, called in _LOGIC.items():
        before, after = was.get(part, ""), now.get(part, "")
        if before != after:
            yield _change("difference_logic", name, where=where, part=called, before=before or "—", after=after or "—")


def _of_hidden_nodes(old: _Version, new: _Version) -> Iterator[Change]:
    """Calculates, and the conditions of groups and repeats."""
    for name in dict.fromkeys((*old.logic, *new.logic)):
        if name not in old.questions and name not in new.questions:
            yield from _logics(old.logic.get(name, {}), new.logic.get(name, {}), name, new.called(name))


def _texts(code: str, name: str, was: Text, now: Text, **facts: object) -> Iterator[Change]:
    for language in dict.fromkeys((*was, *now)):
        before, after = was.get(language, ""), now.get(language, "")
        if before != after:
            told = {**facts, "language": language, "before": before or "—", "after": after or "—"}
            yield Change(Fault(code, name, told))


def _change(code: str, name: str, /, *, breaks: bool = False, **facts: object) -> Change:
    return Change(Fault(code, name, facts), breaks)


def _rating(question: Question) -> tuple[str, str] | None:
    """What a question rates: the unit, or the question that names it, and the item."""
    unit = question.unit or question.unit_from
    return (unit, question.item or "") if unit else None


def _rates(question: Question) -> str:
    rating = _rating(question)
    return "/".join(rating) if rating else "—"


def _scale(question: Question) -> str:
    return "" if question.start is None else f"{question.start}–{question.end}（{question.step}）"


def _layout(page: Page) -> tuple[bool, str | None]:
    return page.kind == "grid", page.repeat


def _points(choice: Choice) -> str:
    return "—" if choice.points is None else str(choice.points)


def _listed(choices: list[Choice]) -> Bilingual:
    named = choices[:_MOST_NAMED]
    more = " …" if len(choices) > _MOST_NAMED else ""
    zh, en = (
        sep.join(f"{one.name} {wording(one.label, language)}" for one in named)
        for language, sep in (("zh", "、"), ("en", ", "))
    )
    return Bilingual(zh + more, en + more)
