"""The slips of authors, one by one: where each is found, what is said, and what is put right without asking."""

from io import BytesIO

import pytest
from openpyxl import Workbook, load_workbook

from api.problems import LANGUAGES, say
from survey_forms.forms.compile import compile_form
from survey_forms.forms.workbook import convert_workbook
from survey_forms.refusal import Refused
from tests.rules.books import SETTINGS, YES_NO, a_book, a_form, a_row, faults_of

USED = a_row("select_one yes_no", "used")
AGE = a_row("integer", "age")
MANY = a_row("select_multiple yes_no", "many")
AREAS = (
    ("city", "xm", "厦门", None, None),
    ("city", "fz", "福州", None, None),
    ("district", "siming", "思明", None, "xm"),
    ("district", "gulou", "鼓楼", None, "fz"),
)


def notes_of(data: bytes) -> list[tuple[str, str]]:
    """(code, cell) of every note, without the lists that the builder adds unused."""
    found = convert_workbook(data).notes
    assert all(say(note, language) for note in found for language in LANGUAGES)
    return [(note.code, note.path) for note in found if note.code != "workbook_list_unused"]


def said(data: bytes, cell: str, language: str = "zh") -> str:
    """The sentence about one cell of a workbook that is refused."""
    with pytest.raises(Refused) as caught:
        convert_workbook(data)
    return next(say(fault, language) for fault in caught.value.faults if fault.path == cell)


def a_cascade(*, choices=AREAS, choice_filter: str = "parent = ${city}") -> bytes:
    """City, then the districts of that city."""
    rows = [
        a_row("begin_group", "g1", appearance="field-list"),
        a_row("select_one city", "city"),
        a_row("end_group"),
        a_row("select_one district", "district", choice_filter=choice_filter),
    ]
    book = load_workbook(BytesIO(a_book(*rows, choices=choices)))
    book["choices"]["E1"] = "parent"
    file = BytesIO()
    book.save(file)
    return file.getvalue()


SLIPS = [
    # What a type or a name cannot be
    ([USED, a_row("start", "s")], "survey!A3", "workbook_type_metadata"),
    ([USED, a_row("deviceid", "s")], "survey!A3", "workbook_type_metadata"),
    ([USED, a_row("geopoint", "s")], "survey!A3", "workbook_type_elsewhere"),
    ([USED, a_row("select_one_from_file towns.csv", "s")], "survey!A3", "workbook_type_from_file"),
    ([USED, a_row("select_multiple_from_file towns.csv", "s")], "survey!A3", "workbook_type_from_file"),
    ([USED, a_row("select_one ${used}", "s")], "survey!A3", "workbook_choices_from_answers"),
    ([USED, a_row("单选", "s")], "survey!A3", "workbook_list_unnamed"),
    ([USED, a_row("整数 yes_no", "s")], "survey!A3", "workbook_type_argument"),
    ([USED, a_row("integer", "")], "survey!B3", "workbook_name_missing"),
    ([USED, a_row("integer", "1st")], "survey!B3", "workbook_name"),
    ([USED, a_row("integer", "ａｇｅ")], "survey!B3", "workbook_name"),
    ([USED, a_row("integer", "meta")], "survey!B3", "workbook_name"),
    # Groups and repeats
    ([a_row("开始重复", "r"), USED, a_row("结束组")], "survey!A4", "workbook_group_crossed"),
    ([a_row("开始组", "g"), USED, a_row("结束重复")], "survey!A4", "workbook_group_crossed"),
    # Logic
    ([AGE, a_row("note", "n", relevant="${n} = ''")], "survey!D3", "workbook_self"),
    ([AGE, a_row("note", "n", relevant="${Age} > 1")], "survey!D3", "workbook_reference"),
    ([AGE, a_row("note", "n", relevant="${age} > 1 且 ${age} < 9")], "survey!D3", "expression_operator"),
    ([AGE, a_row("note", "n", relevant="${age} 大于 18")], "survey!D3", "expression_operator"),
    ([AGE, a_row("note", "n", relevant="${age} > 1 AND ${age} < 9")], "survey!D3", "expression_operator"),
    ([AGE, a_row("note", "n", relevant="IF(${age} > 1, 1, 2) = 1")], "survey!D3", "expression_operator"),
    ([AGE, a_row("note", "n", relevant="!(${age} > 1)")], "survey!D3", "expression_operator"),
    ([AGE, a_row("note", "n", relevant="{age} > 1")], "survey!D3", "expression_operator"),
    ([AGE, a_row("note", "n", relevant="$age > 1")], "survey!D3", "expression_operator"),
    ([AGE, a_row("calculate", "c", calculation="${age} / 2")], "survey!D3", "expression_operator"),
    ([AGE, a_row("calculate", "c", calculation="${age} % 2")], "survey!D3", "expression_operator"),
    ([AGE, a_row("calculate", "c", calculation="'a' & ${age}")], "survey!D3", "expression_operator"),
    ([AGE, a_row("note", "n", relevant=" ＝${age} > 1")], "survey!D3", "expression_leading_sign"),
    ([AGE, a_row("note", "n", relevant="${age} > 1 and")], "survey!D3", "expression_ends_early"),
    ([AGE, a_row("note", "n", relevant="${age} > ")], "survey!D3", "expression_ends_early"),
    ([AGE, a_row("note", "n", relevant="${age} > 1)")], "survey!D3", "expression_brackets"),
    ([USED, a_row("note", "n", relevant="${used} = 'yes")], "survey!D3", "expression_quotes"),
    ([USED, a_row("note", "n", relevant="${used} = yes’")], "survey!D3", "expression_quotes"),
    ([USED, a_row("note", "n", relevant="${used} = '是'")], "survey!D3", "workbook_code_unknown"),
    ([USED, a_row("note", "n", relevant="'Yes' = ${used}")], "survey!D3", "workbook_code_unknown"),
    ([MANY, a_row("note", "n", relevant="selected(${many}, '是')")], "survey!D3", "workbook_code_unknown"),
    ([AGE, a_row("integer", "n", choice_filter="a = 1")], "survey!D3", "workbook_filter_of_nothing"),
    ([AGE, a_row("select_one yes_no", "n", choice_filter="区 = ${age}")], "survey!D3", "workbook_filter_column"),
    ([AGE, a_row("select_one yes_no", "n", choice_filter="area = ${age}")], "survey!D3", "workbook_filter_column"),
    # Scales, parameters and defaults
    ([AGE, a_row("量表", "n", parameters="10-1")], "survey!D3", "workbook_scale"),
    ([AGE, a_row("量表", "n", parameters="起=1 止=10 步长=4")], "survey!D3", "workbook_scale"),
    ([AGE, a_row("量表", "n", parameters="1-1000")], "survey!D3", "workbook_scale"),
    ([AGE, a_row("量表", "n", parameters="十分")], "survey!D3", "workbook_parameters"),
    ([AGE, a_row("select_one yes_no", "n", parameters="value=code label=words")], "survey!D3", "workbook_parameters"),
    ([AGE, a_row("select_one yes_no", "n", default="maybe")], "survey!D3", "workbook_default_code"),
    ([AGE, a_row("date", "n", default="tody()")], "survey!D3", "expression_function_unknown"),
    ([AGE, a_row("integer", "n", default="${aeg} + 1")], "survey!D3", "workbook_reference"),
    # Columns that XLSForm has and the product has not
    ([AGE, a_row("note", "n", **{"media::image": "a.png"})], "survey!D1", "workbook_column"),
    ([AGE, a_row("note", "n", guidance_hint="读出来")], "survey!D1", "workbook_column"),
    ([AGE, a_row("note", "n", trigger="${age}")], "survey!D1", "workbook_column"),
    ([AGE, a_row("note", "n", **{"bind::jr:preload": "uid"})], "survey!D1", "workbook_column"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "cell", "code"), SLIPS, ids=[f"{code} {cell} {n}" for n, (_, cell, code) in enumerate(SLIPS)]
)
def test_a_slip_is_found_in_its_cell_and_said_in_both_languages(rows, cell, code):
    with pytest.raises(Refused) as caught:
        convert_workbook(a_book(*rows))
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [(cell, code)]
    for fault in caught.value.faults:
        assert all("<" not in say(fault, language).replace("<=", "") for language in LANGUAGES)


@pytest.mark.parametrize(
    ("rows", "cell", "words"),
    [
        ([USED, a_row("note", "n", relevant="${used} = '是'")], "survey!D3", "yes"),
        ([AGE, a_row("note", "n", relevant="${AGE} > 1")], "survey!D3", "age"),
        ([AGE, a_row("note", "n", relevant="${age} > 1 或者 ${age} < 9")], "survey!D3", "or"),
        ([AGE, a_row("calculate", "c", calculation="${age} / 2")], "survey!D3", "div"),
        ([AGE, a_row("note", "n", relevant="$age > 1")], "survey!D3", "${…}"),
        ([a_row("开始重复", "r"), USED, a_row("结束组")], "survey!A4", "结束重复"),
        ([USED, a_row("单选", "s")], "survey!A3", "单选 满意度"),
        ([USED, a_row("intger", "s")], "survey!A3", "integer"),
    ],
)
def test_a_refusal_says_what_to_write_instead(rows, cell, words):
    assert words in said(a_book(*rows), cell)


REPAIRED = [
    ("．≥１８", ".>=18"),
    ("。≧18", ".>=18"),
    (". ≤ 18　and . ≠ 0", ". <= 18 and . != 0"),
    ("\xa0. >\xa01", ". > 1"),
    (".>＝1", ".>=1"),
    ("（. ＞ 1）", "(. > 1)"),
    ("￥｛age｝ － 1 ＜ .", "${age} - 1 < ."),
    ("．×2÷2＞1", ".*2 div 2>1"),
    ("string-length(string(.)) > 1\u200b", "string-length(string(.)) > 1"),
    ("if(. > 1、2，3) = 2", "if(. > 1,2,3) = 2"),
    ("string(.) != “一（二）”", 'string(.) != "一（二）"'),
    ("string(.) != ‘一，二’", "string(.) != '一，二'"),
]


@pytest.mark.parametrize(("written", "read"), REPAIRED)
def test_a_chinese_keyboard_is_put_right_outside_quotation_marks_and_told(written, read):
    converted = convert_workbook(a_book(AGE, a_row("integer", "n", constraint=written)))
    (note,) = [note for note in converted.notes if note.code == "workbook_repaired"]
    assert (note.path, note.facts["after"]) == ("survey!D3", read)
    assert written.strip() in say(note)


def test_words_for_respondents_keep_every_sign_that_the_author_typed():
    words = "（1）您满意吗？１～１０分，≥６为“满意”。\xa0谢谢"
    form = a_form(AGE | {"label": words, "hint": "【提示】ＡＢＣ"})
    assert form.pages[0].questions[0].label == {"zh": words}
    assert form.pages[0].questions[0].hint == {"zh": "【提示】ＡＢＣ"}


def test_zero_width_characters_in_names_types_and_codes_do_no_harm():
    form = a_form(a_row("select_one yes_no\u200b", "used\ufeff"), choices=(("yes_no\u200b", "\u200byes", "是", None),))
    assert form.pages[0].questions[0].name == "used"
    assert form.pages[0].questions[0].choices[0].name == "yes"


NOTES = [
    ([MANY, a_row("note", "n", relevant="${many} = 'yes'")], ("workbook_multiple_compared", "survey!D3")),
    ([AGE, a_row("integer", "Age")], ("workbook_name_case", "survey!B3")),
    ([AGE | {"constraint_message": "不行"}], ("workbook_message_unused", "survey!D2")),
    ([AGE | {"必答提示": "要答"}], ("workbook_message_unused", "survey!D2")),
    ([AGE | {"label": "<b>年龄</b>"}], ("workbook_markup", "survey!C2")),
    ([AGE | {"label": "**年龄**"}], ("workbook_markup", "survey!C2")),
    ([USED | {"appearance": "minimal"}], ("workbook_appearance_ignored", "survey!D2")),
    ([USED | {"外观": "下拉"}], ("workbook_appearance_ignored", "survey!D2")),
    ([AGE | {"label::ug": "ياش"}, USED], ("workbook_untranslated", "survey!D3")),
]


@pytest.mark.parametrize(("rows", "note"), NOTES, ids=[note[0] for _, note in NOTES])
def test_what_is_odd_but_can_be_asked_is_told_beside_the_form(rows, note):
    assert note in notes_of(a_book(*rows))


def test_two_choices_of_one_name_and_a_list_that_nobody_offers_are_told():
    found = convert_workbook(
        a_book(USED, choices=(*YES_NO, ("yes_no", "si", "是", None), ("b", "b", "乙", None)))
    ).notes
    assert [(note.code, note.path) for note in found] == [
        ("workbook_label_twice", "choices!C4"),
        ("workbook_list_unused", "choices!A5"),
    ]


class TestLanguages:
    def test_headers_name_languages_in_the_authors_own_words(self):
        form = a_form(
            {
                "type": "integer",
                "name": "age",
                "题目（English）": "Age",
                "题目(维吾尔文)": "ياش",
                "label：：藏文": "ལོ།",
                "label::mn": "Нас",
                "label:Français (fr)": "Âge",
                "label": "年龄",
            }
        )
        assert form.pages[0].questions[0].label == {
            "zh": "年龄", "en": "Age", "ug": "ياش", "bo": "ལོ།", "mn": "Нас", "fr": "Âge",
        }  # fmt: skip
        assert form.default_language == "zh"
        assert set(form.languages) == {"zh", "en", "ug", "bo", "mn", "fr"}

    def test_a_language_of_another_name_keeps_its_code(self):
        assert a_form(AGE | {"label::Қазақша (kk-Cyrl)": "Жас"}).languages == ("zh", "kk-Cyrl")

    def test_a_form_without_chinese_begins_with_its_first_language(self):
        form = a_form({"type": "integer", "name": "age", "label::English (en)": "Age"}, choices=())
        assert form.default_language == "en"

    def test_an_unknown_language_is_refused_by_its_header(self):
        assert faults_of(a_book(AGE | {"题目（必填）": "x"})) == {"survey!D1": "workbook_language"}


class TestTypesInChinese:
    @pytest.mark.parametrize(
        "written", ["单选 yes_no", "单选yes_no", "单选（yes_no）", "单选：yes_no", "单选题 yes_no", "Select One yes_no"]
    )
    def test_a_list_may_be_written_in_several_ways(self, written):
        assert a_form(a_row(written, "used")).pages[0].questions[0].type == "select_one"

    def test_lists_may_have_chinese_names(self):
        form = a_form(
            a_row("单选 满意度", "used"), choices=(("满意度", "a", "满意", None), ("满意度", "b", "不满意", None))
        )
        assert [choice.name for choice in form.pages[0].questions[0].choices] == ["a", "b"]

    def test_long_text_is_a_box_of_several_lines(self):
        assert a_form(a_row("长文本", "why")).pages[0].questions[0].rows == 4
        assert a_form(a_row("文本", "why", 参数="行数=6")).pages[0].questions[0].rows == 6

    def test_yes_and_no_are_said_in_both_languages(self):
        rows = [a_row("integer", f"q{n}", required=word) for n, word in enumerate(["是", "否", "TRUE", True, "no", 1])]
        form = a_form(*rows)
        asked = [question.required for page in form.pages for question in page.questions]
        assert asked == [True, False, True, True, False, True]


class TestCascades:
    def test_a_filter_over_a_column_of_the_choices_sheet_is_kept(self):
        assert b"[parent" in convert_workbook(a_cascade()).xform

    def test_the_column_may_be_called_by_its_chinese_name(self):
        assert b"[parent" in convert_workbook(a_cascade(choice_filter="上级 ＝ ${city}")).xform

    def test_a_choice_below_nothing_that_is_offered_is_named(self):
        wrong = (*AREAS, ("district", "huli", "湖里", None, "厦门"))
        assert faults_of(a_cascade(choices=wrong)) == {"choices!E6": "workbook_parent"}
        assert "xm" in said(a_cascade(choices=wrong), "choices!E6")

    def test_a_choice_below_a_word_that_the_filter_names_is_right(self):
        everywhere = (*AREAS, ("district", "none", "都不是", None, "any"))
        book = a_cascade(choices=everywhere, choice_filter="parent = ${city} or parent = 'any'")
        assert faults_of(book) == {}

    def test_a_column_may_first_be_filled_far_down(self):
        many = tuple(("elsewhere", f"c{number}", f"市 {number}", None, None) for number in range(200))
        assert faults_of(a_cascade(choices=(*many, *AREAS))) == {}


class TestSheets:
    def changed(self, change) -> bytes:
        book = load_workbook(BytesIO(a_book(AGE, USED)))
        change(book)
        file = BytesIO()
        book.save(file)
        return file.getvalue()

    @pytest.mark.parametrize(
        ("change", "cell", "code"),
        [
            (lambda book: book["survey"].merge_cells("A2:A3"), "survey!A2", "workbook_merged"),
            (lambda book: book["choices"].merge_cells("A2:A3"), "choices!A2", "workbook_merged"),
            (
                lambda book: book["survey"].row_dimensions.__getitem__(3).__setattr__("hidden", True),
                "survey!A3",
                "workbook_hidden_row",
            ),
            (lambda book: book["survey"].append(["type", "name", "label"]), "survey!A4", "workbook_second_table"),
            (lambda book: book["survey"].__setitem__("H3", "随手写的"), "survey!H3", "workbook_headless"),
            (lambda book: book["survey"].__setitem__("C3", "#REF!"), "survey!C3", "workbook_error_cell"),
            (lambda book: book["survey"].__setitem__("C3", "=VLOOKUP(A1,A:B,2)"), "survey!C3", "workbook_formula"),
            (
                lambda book: book["choices"].__setitem__("B2", __import__("datetime").date(2026, 1, 2)),
                "choices!B2",
                "workbook_date_cell",
            ),
            (lambda book: book["survey"].insert_rows(1, 2), "survey", "workbook_header_below"),
            (lambda book: setattr(book.create_sheet("问卷"), "title", "问卷"), "", "workbook_sheet_twice"),
            (lambda book: book.create_sheet("external_choices"), "external_choices", "workbook_sheet_unsupported"),
            (lambda book: book["settings"].append(["b-form", "又一份"]), "settings!A2", "workbook_settings_row"),
            (lambda book: book["settings"].delete_rows(2), "settings!A2", "workbook_settings_row"),
        ],
    )
    def test_what_excel_lets_an_author_do_to_a_sheet_is_named(self, change, cell, code):
        found = faults_of(self.changed(change))
        assert found[cell] == code

    def test_numbers_that_excel_keeps_as_fractions_are_codes_again(self):
        form = a_form(a_row("select_one n", "used"), choices=(("n", 1.0, "一", None), ("n", 0.1 + 0.2, "零点三", None)))
        assert [choice.name for choice in form.pages[0].questions[0].choices] == ["1", "0.3"]

    def test_hidden_columns_and_sheets_are_read_and_told(self):
        def hide(book: Workbook) -> None:
            book["survey"].column_dimensions["C"].hidden = True
            book["choices"].sheet_state = "hidden"

        assert {("workbook_hidden_column", "survey!C1"), ("workbook_hidden_sheet", "choices!A1")} <= set(
            notes_of(self.changed(hide))
        )

    def test_a_hundred_thousand_empty_rows_cost_nothing_and_a_word_below_them_is_not_lost(self):
        def stretch(book: Workbook) -> None:
            for number in range(4, 100_000):
                book["survey"].row_dimensions[number].height = 20

        assert faults_of(self.changed(stretch)) == {}
        below = self.changed(lambda book: book["survey"].__setitem__("A90000", "integer"))
        assert faults_of(below) == {"survey": "workbook_too_many_rows"}

    def test_empty_columns_of_other_tools_are_not_missed(self):
        def add(book: Workbook) -> None:
            for column, header in enumerate(("media::image::English", "guidance_hint", "read_only", "备注"), 6):
                book["survey"].cell(1, column, header)

        assert faults_of(self.changed(add)) == {}

    def test_a_column_for_other_clients_is_told_to_have_no_effect(self):
        data = a_book(AGE, settings=SETTINGS | {"style": "pages"})
        assert ("workbook_column_ignored", "settings!C1") in notes_of(data)


def test_faults_of_structure_and_of_logic_are_said_at_once():
    data = a_book(
        a_row("geopoint", "where"),
        a_row("integer", "n", relevant="${m} > 1", constraint=". => 1"),
        a_row("calculate", "c", calculation="floor(${n})"),
    )
    assert faults_of(data) == {
        "survey!A2": "workbook_type_elsewhere",
        "survey!D3": "workbook_reference",
        "survey!E3": "expression_operator",
        "survey!F4": "expression_function_unknown",
    }


def test_what_the_compiled_form_says_names_questions_as_the_author_does():
    data = a_book(
        a_row("begin_group", "g"), AGE, a_row("calculate", "c", calculation="${age} + (1"), a_row("end_group")
    )
    assert "${age}" in said(data, "survey!D4") or "1" in said(data, "survey!D4")
    assert "/data" not in said(data, "survey!D4")


def test_compiling_twice_gives_the_same_pages():
    assert compile_form(convert_workbook(a_cascade()).xform).pages
