"""A handed-in checklist as the office and the unit read it: what was asked, in words, and what is wrong with it."""

from datetime import date

from api.pages.checklist_shown import checklist_shown
from api.store.entry_trail import ChecklistAnswers
from survey_forms.forms.workbook import convert_workbook
from tests.checklists import hall

ANSWERS = {
    "open": "yes",
    "windows": "8",
    "staffed": "6",
    "empty_which": "3、4 号，十分钟",
    "displayed": "roster nonsense",
    "manner_what": "一句没有问到的话",
}
REQUIRED = {"path": "told", "code": "answer_required", "zh": "请回答这一题。", "en": "Please answer this question."}


def shown(*faults):
    xform = convert_workbook(hall()).xform
    return checklist_shown(ChecklistAnswers("v", "hall", xform, ANSWERS, not faults, faults), date(2026, 11, 22))


def test_questions_are_told_as_they_were_asked_with_their_answers_in_words():
    lines = {label["zh"]: [one["zh"] for one in answers] for label, answers in shown().lines}
    assert lines["没有人的 2 个窗口是哪几个，等了多久？"] == ["3、4 号，十分钟"]
    assert lines["在公示的办公时间内，大厅开门吗？"] == ["是"]
    assert lines["墙上、屏上、窗口上能看到哪些？"] == ["岗位职责、去向或值班安排", "nonsense"]
    assert {label["en"] for label, _ in shown().lines} >= {
        "Which 2 windows were unattended, and how long did you wait?"
    }


def test_what_was_not_asked_is_left_out():
    assert all("一句没有问到的话" not in one["zh"] for _, answers in shown().lines for one in answers)


def test_what_is_wrong_is_told_with_its_question():
    stranger = REQUIRED | {"path": "nobody"}
    (label, fault), (unknown, _) = shown(REQUIRED, stranger).faults
    assert (label["zh"], fault["en"]) == (
        "问一件事，窗口一次说清要带什么、多久办好了吗？",
        "Please answer this question.",
    )
    assert unknown == {"zh": "nobody"}
