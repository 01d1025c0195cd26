"""The template that authors begin from: valid as it stands, with an example of every type and lists to choose from."""

from io import BytesIO
from pathlib import Path

from openpyxl import load_workbook

from survey_forms.forms.calls import _CALLS
from survey_forms.forms.compile import compile_form
from survey_forms.forms.functions import FUNCTIONS
from survey_forms.forms.headers import COLUMNS
from survey_forms.forms.model import QuestionType
from survey_forms.forms.question_types import KNOWN_TYPES, question_type
from survey_forms.forms.template import template_workbook
from survey_forms.forms.workbook import convert_workbook

BOOK = template_workbook()


def test_the_template_is_a_questionnaire_without_faults_and_notes():
    converted = convert_workbook(BOOK)
    assert converted.notes == ()
    form = compile_form(converted.xform)
    assert form.languages == ("zh", "en")
    assert form.repeats


def test_it_has_an_example_of_every_type():
    form = compile_form(convert_workbook(BOOK).xform)
    asked = {question.type for page in form.pages for question in page.questions}
    assert asked == set(QuestionType.__args__)
    assert {page.kind for page in form.pages} == {"list", "grid", "repeat"}
    assert any(question.filtered for page in form.pages for question in page.questions)


def test_it_is_the_same_bytes_every_day():
    assert template_workbook() == BOOK


def test_types_yes_and_no_and_list_names_are_chosen_from_lists():
    book = load_workbook(BytesIO(BOOK))
    offered = {
        (sheet.title, sheet.cell(1, next(iter(rule.sqref)).min_col).value): rule.formula1
        for sheet in book
        for rule in sheet.data_validations.dataValidation
    }
    assert set(offered) == {
        ("问卷", "类型"), ("问卷", "必答"), ("问卷", "外观"), ("选项", "列表"), ("设置", "默认语言"),
    }  # fmt: skip
    types = offered["问卷", "类型"].strip('"').split(",")
    assert len(offered["问卷", "类型"]) < 256  # Excel opens no workbook with a longer list
    assert {question_type(one)[0] for one in types} >= {"select_one", "rank", "range", "image", "begin_repeat"}


def test_every_column_explains_itself_and_the_head_stays_in_sight():
    book = load_workbook(BytesIO(BOOK))
    for title in ("问卷", "选项", "设置"):
        sheet = book[title]
        assert all(cell.comment and cell.comment.text for cell in sheet[1])
        assert sheet.freeze_panes == "C2"


def test_every_column_but_the_last_is_used_in_an_example():
    sheet = load_workbook(BytesIO(BOOK))["问卷"]
    empty = [column[0].value for column in sheet.iter_cols() if not any(cell.value for cell in column[1:])]
    assert empty == ["重复次数"]


def test_the_manual_names_every_column_type_and_function():
    manual = Path(__file__).parents[2].joinpath("docs/forms.md").read_text(encoding="utf-8")
    columns = {name for names in COLUMNS.values() for name in names} - {"parent", "list_name"}
    types = KNOWN_TYPES - {"end_group", "end_repeat", "calculate"}
    missing = {name for name in (*columns, *types, *FUNCTIONS, *_CALLS) if f"`{name}" not in manual}
    assert missing == set()
