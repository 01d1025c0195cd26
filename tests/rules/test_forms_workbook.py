"""What authors get wrong in Excel becomes faults with sheet, row and column; what is right is always the same bytes."""

import zipfile
from hashlib import sha256
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from api.problems import LANGUAGES, say
from survey_forms.forms.compile import compile_form
from survey_forms.forms.workbook import convert_workbook
from survey_forms.refusal import Refused
from tests.rules.books import BOOKS, SETTINGS, YES_NO, a_book, a_form, a_row, faults_of, saved

USED = a_row("select_one yes_no", "used")
AGE = a_row("integer", "age")

WRONG_CELLS = [
    ([USED, a_row("photograph", "photo")], "survey!A3", "workbook_type"),
    ([USED, a_row("select_one yes_no or_other", "x")], "survey!A3", "workbook_or_other"),
    ([USED, a_row("select_one yesno", "x")], "survey!A3", "workbook_list_missing"),
    ([USED, a_row("", "x")], "survey!A3", "workbook_type_missing"),
    ([USED, a_row("integer", "年龄")], "survey!B3", "workbook_name"),
    ([USED, a_row("integer", "my age")], "survey!B3", "workbook_name"),
    ([USED, a_row("integer", "used")], "survey!B3", "workbook_name_twice"),
    ([USED, a_row("integer", "x") | {"label": ""}], "survey!C3", "workbook_label_missing"),
    ([USED, a_row("note", "x") | {"label": "您选了 ${usde}"}], "survey!C3", "workbook_reference"),
    ([USED, a_row("note", "x") | {"label": "您选了 ${used"}], "survey!C3", "workbook_reference_open"),
    ([USED, a_row("begin_group", "g")], "survey!A3", "workbook_group_open"),
    ([USED, a_row("end_group")], "survey!A3", "workbook_group_unopened"),
    ([USED, a_row("calculate", "c")], "survey!A3", "workbook_calculation_missing"),
    ([AGE, a_row("integer", "x", relevant="${aeg} > 1")], "survey!D3", "workbook_reference"),
    ([AGE, a_row("integer", "x", relevant="${age > 1")], "survey!D3", "workbook_reference_open"),
    ([AGE, a_row("integer", "x", relevant="${age} == 1")], "survey!D3", "expression_operator"),
    ([AGE, a_row("integer", "x", relevant="${age} && 1 = 1")], "survey!D3", "expression_operator"),
    ([AGE, a_row("integer", "x", relevant="(${age} > 1")], "survey!D3", "expression_brackets"),
    ([AGE, a_row("integer", "x", relevant="selectd(${age}, 1)")], "survey!D3", "expression_function_unknown"),
    ([AGE, a_row("integer", "x", relevant="not(${age})")], "survey!D3", "expression_not_condition"),
    ([AGE, a_row("integer", "x", constraint="age > 1")], "survey!D3", "expression_bare_name"),
    ([AGE, a_row("text", "x", constraint="regex(., '[a-z]')")], "survey!D3", "expression_regex_ends"),
    ([AGE, a_row("calculate", "x", calculation="${age} > 1")], "survey!D3", "expression_condition_as_value"),
    ([a_row("date", "x", constraint=". < '2015-01-01'")], "survey!D2", "expression_date_as_text"),
    ([AGE, a_row("integer", "x", parameters="rows=3")], "survey!D3", "workbook_parameters"),
    ([AGE, a_row("text", "x", parameters="rows=99")], "survey!D3", "form_rows"),
    ([AGE, a_row("text", "x", appearance="signature")], "survey!D3", "form_appearance"),
    ([AGE, a_row("note", "x", constraint="1 = 1")], "survey!D3", "form_no_answer"),
    ([AGE, a_row("integer", "x", calculation="1 + 1")], "survey!D3", "form_feature"),
    ([USED, a_row("select_one yes_no", "x", mc_unit="justice", mc_item="overall")], "survey!A3", "form_rating_points"),
    ([a_row("select_one scale", "x", mc_unit="justice")], "survey!A2", "form_rating_id"),
    ([a_row("select_one scale", "x", mc_unit="司法局", mc_item="overall")], "survey!D2", "form_rating_id"),
    ([a_row("select_one scale", "x", mc_unit="${y}", mc_item="overall")], "survey!D2", "workbook_reference"),
    (
        [a_row("select_one scale", name, mc_unit="justice", mc_item="overall") for name in ("x", "y")],
        "survey!D3",
        "form_rated_twice",
    ),
    ([a_row("integer", "x", relevant="${age} > 1"), AGE], "survey!D2", "form_depends_forward"),
    (
        [a_row("begin_group", "g", appearance="table-list"), a_row("select_one scale", "x"), AGE, a_row("end_group")],
        "survey!A4",
        "form_grid_row",
    ),
    (
        [a_row("calculate", "a", calculation="${b} + 1"), a_row("calculate", "b", calculation="${a} + 1"), AGE],
        None,
        "form_circular",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "cell", "code"), WRONG_CELLS, ids=[f"{code} {cell}" for _, cell, code in WRONG_CELLS])
def test_a_wrong_cell_is_named_with_what_is_wrong(rows, cell, code):
    found = faults_of(a_book(*rows))
    assert list(found.values()) == [code]
    assert cell is None or list(found) == [cell]


def test_every_wrong_cell_is_named_at_once_and_in_the_order_of_the_sheet():
    found = faults_of(
        a_book(
            a_row("audio", "voice"),
            a_row("integer", "年龄"),
            a_row("integer", "n", relevant="${nn} > 1", constraint=". => 1"),
            choices=(*YES_NO, ("yes_no", "not sure", "说不清", None)),
        )
    )
    assert found == {
        "survey!A2": "workbook_type_elsewhere",
        "survey!B3": "workbook_name",
        "survey!D4": "workbook_reference",
        "survey!E4": "expression_operator",
        "choices!B4": "workbook_choice",
    }


def test_wrong_logic_does_not_hide_what_is_wrong_with_the_form_as_a_whole():
    rows = [a_row("integer", "a", constraint="floor(.) > 1"), a_row("text", "x", appearance="signature")]
    assert set(faults_of(a_book(*rows)).values()) == {"expression_function_unknown", "form_appearance"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_fault_is_said_with_sheet_row_column_and_what_to_write_instead(language):
    with pytest.raises(Refused) as caught:
        convert_workbook(a_book(AGE, a_row("integer", "x", relevant="${aeg} > 1")))
    said = say(caught.value.faults[0], language)
    for word in ("survey", "3", "relevant", "D", "aeg", "age"):
        assert word in said


@pytest.mark.parametrize(
    ("choice", "cell", "code"),
    [
        (("yes_no", "yes", "又是", None), "choices!B3", "workbook_choice_twice"),
        (("yes_no", "a b", "空格", None), "choices!B3", "workbook_choice"),
        (("yes_no", "c", None, None), "choices!C3", "workbook_label_missing"),
        (("是 否", "c", "丙", None), "choices!A3", "workbook_list_name"),
        (("yes_no", "c", "丙", 101), "choices!D3", "form_points"),
        (("yes_no", "c", "丙", 0.5), "choices!D3", "form_points"),
    ],
)
def test_a_wrong_choice_is_named(choice, cell, code):
    assert faults_of(a_book(USED, choices=(YES_NO[0], choice))) == {cell: code}


@pytest.mark.parametrize(
    ("settings", "cell", "code"),
    [
        (SETTINGS | {"form_id": "居民卷"}, "settings!A2", "workbook_form_id"),
        (SETTINGS | {"form_title": ""}, "settings!B2", "workbook_title_missing"),
        (SETTINGS | {"public_key": "MIIB"}, "settings!C1", "workbook_column"),
        (SETTINGS | {"colour": "red"}, "settings!C1", "workbook_header_unknown"),
        (SETTINGS | {"default_language": "中文"}, None, None),
        (SETTINGS | {"default_language": "Elvish"}, "settings!C2", "workbook_language"),
    ],
)
def test_wrong_settings_are_named(settings, cell, code):
    assert faults_of(a_book(AGE, settings=settings)) == ({cell: code} if cell else {})


def test_headers_that_we_do_not_have_are_named_and_the_likely_one_is_offered():
    with pytest.raises(Refused) as caught:
        convert_workbook(a_book(AGE | {"constrain": "1 = 1", "colour": "red", "label::Elvish": "Âge"}))
    found = {fault.path: fault for fault in caught.value.faults}
    assert {path: fault.code for path, fault in found.items()} == {
        "survey!D1": "workbook_header_unknown",
        "survey!E1": "workbook_header_unknown",
        "survey!F1": "workbook_language",
    }
    assert "constraint" in say(found["survey!D1"])


def test_the_same_column_under_two_names_and_a_missing_column_are_named():
    assert faults_of(a_book(AGE | {"题目": "年龄"})) == {"survey!D1": "workbook_header_twice"}
    nameless = {key: value for key, value in AGE.items() if key != "name"}
    book = load_workbook(BytesIO(a_book(nameless)))
    book["survey"].delete_cols(2)
    assert faults_of(saved(book)) == {"survey!A1": "workbook_header_missing"}


def test_a_formula_is_refused_instead_of_read_as_nothing():
    assert faults_of(a_book(AGE | {"label": "=A1&B1"})) == {"survey!C2": "workbook_formula"}


def test_chinese_sheets_headers_and_types_mean_the_same_form():
    english = a_form(
        a_row("select_one yes_no", "used", required="yes", required_message="请选"),
        a_row("text", "why", relevant="${used} = 'yes'", appearance="multiline", hint="请写"),
    )
    chinese = a_book(
        {"类型": "单选 yes_no", "变量名": "used", "题目": "题目 used", "必答": "是", "必答提示": "请选"},
        {
            "类型": "文本",
            "变量名": "why",
            "题目": "题目 why",
            "显示条件": "${used} = 'yes'",
            "样式": "多行",
            "提示": "请写",
        },
        sheets=("问卷", "选项", "设置"),
    )
    book = load_workbook(BytesIO(chinese))
    book["问卷"].delete_cols(1, 3)  # the builder's own English columns, empty here
    assert compile_form(convert_workbook(saved(book)).xform).pages == english.pages


def test_a_chinese_keyboard_is_forgiven_in_logic_alone_and_the_author_is_told():
    converted = convert_workbook(
        a_book(USED, a_row("integer", "n", relevant="（${used} ＝ “yes”）", label="多少？（≥ 1）", constraint="．≥１"))
    )
    form = compile_form(converted.xform)
    assert form.pages[1].questions[0].label == {"zh": "多少？（≥ 1）"}
    told = [note.facts["after"] for note in converted.notes if note.code == "workbook_repaired"]
    assert told == ['(${used} = "yes")', ".>=1"]


def test_the_same_workbook_is_the_same_version_and_any_word_changed_is_another():
    first, again = convert_workbook(a_book(AGE)), convert_workbook(a_book(AGE))
    other = convert_workbook(a_book(AGE | {"label": "年龄?"}))
    assert first.version == again.version == sha256(first.xform).hexdigest() == compile_form(first.xform).version
    assert other.version != first.version


def test_the_frozen_questionnaires_keep_their_versions():
    """A version that changes without its workbook means that answers already given would lose their form."""
    versions = {book.stem: convert_workbook(book.read_bytes()).version[:16] for book in sorted(BOOKS.glob("*.xlsx"))}
    assert versions == {
        "deputies": "e63c553c994ef66c",
        "hall_inspection": "f3fd3281b6407e7b",
        "residents": "ef6c1403c826b89a",
        "service_recipients": "7419e95d5d2cf2dd",
    }


def _zip(*entries: tuple[str, bytes]) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


def _with_part(name: str, content: bytes) -> bytes:
    """A right workbook with one of its parts replaced."""
    with zipfile.ZipFile(BytesIO(a_book(AGE))) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    return _zip(*(parts | {name: content}).items())


def _noise(size: int) -> bytes:
    """Bytes that pack to a tenth or so: no bomb by their ratio."""
    return b"".join(b'<row r="%08d"></row>' % number for number in range(size // 21 + 1))[:size]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "workbook_empty_file"),
        (b"PK\x03\x04 nothing", "workbook_unreadable"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "workbook_old_format"),
        (_zip(("xl/a.xml", b"0" * 60_000_000)), "workbook_bomb"),
        (_zip(("xl/a.xml", b"0" * 1_000_000)), "workbook_bomb"),
        (_zip(*((f"{n}.xml", b"x") for n in range(201))), "workbook_bomb"),
        (_zip(("hello.txt", b"hello")), "workbook_other_kind"),
        (_zip(("xl/workbook.xml", b"hello")), "workbook_unreadable"),
        (_zip(("xl/workbook.xml", b""), ("xl/vbaProject.bin", b"")), "workbook_macros"),
        (_zip(("xl/workbook.bin", b"")), "workbook_other_kind"),
        (_zip(("content.xml", b""), ("mimetype", b"")), "workbook_other_kind"),
        (_zip(("word/document.xml", b"")), "workbook_other_kind"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "workbook_password"),
        ("类型,变量名\n整数,age\n".encode(), "workbook_is_text"),
        ("类型,变量名\n整数,age\n".encode("gb18030"), "workbook_is_text"),
        (b"<html><table><tr><td>type</td></tr></table></html>", "workbook_is_text"),
        (b"\x89PNG\r\n\x1a\n\0\0", "workbook_unreadable"),
        (_with_part("xl/worksheets/sheet1.xml", b"<!DOCTYPE x [<!ENTITY e 'e'>]><x>&e;</x>"), "workbook_unreadable"),
        (_with_part("xl/worksheets/sheet1.xml", _noise(20_000_001)), "workbook_sheet_large"),
        (_with_part("xl/sharedStrings.xml", _noise(5_000_001)), "workbook_bomb"),
        (b"\0" * 10_000_001, "workbook_too_large"),
        (a_book(AGE, sheets=("Sheet1", "choices", "settings")), "workbook_sheet_missing"),
        (a_book(AGE, sheets=("survey", "choices", "Sheet3")), "workbook_sheet_missing"),
        (a_book(*(a_row("note", f"n{n}") for n in range(5_001))), "workbook_too_many_rows"),
    ],
)
def test_a_file_that_is_no_workbook_of_ours_is_refused_before_it_costs_anything(data, code):
    with pytest.raises(Refused) as caught:
        convert_workbook(data)
    assert caught.value.code == code
    assert all(say(fault, language) for fault in caught.value.faults for language in LANGUAGES)


CELL = st.one_of(
    st.sampled_from(
        [
            *("yes", "是", "${age} > 1", "${b}", "=A1", "select_one yes_no", "integer", "begin_group", "end_group"),
            *("begin_repeat", "end_repeat", "rank yes_no", "range", "image", "calculate", "note", "上级 = ${age}"),
            *("field-list", "table-list", "minimal", "1-10", "rows=3", "sum(${b})", "position(..)", "today()", ". > 1"),
            *("${b}", "x", "b", "c", "once(random())", "/data/age", "instance('yes_no')/root/item[name = 'yes']/label"),
        ]
    ),
    st.text(max_size=12).filter(str.isprintable),
    st.integers(),
    st.booleans(),
    st.none(),
)
COLUMNS = st.sampled_from(
    [
        *(
            "type",
            "name",
            "label",
            "relevant",
            "constraint",
            "calculation",
            "required",
            "bind::mc:unit",
            "bind::mc:item",
        ),
        *("choice_filter", "default", "repeat_count", "readonly", "appearance", "parameters", "hint", "label::ug"),
        *("constraint_message", "题目(English)", "备注", "media::image", "trigger"),
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(COLUMNS, CELL, max_size=6), max_size=5))
def test_any_sheet_converts_to_a_form_or_gives_faults_that_can_be_said(rows):
    try:
        converted = convert_workbook(a_book(AGE, *rows))
    except Refused as refused:
        for fault in refused.faults:
            assert all(say(fault, language) for language in LANGUAGES)
    else:
        assert compile_form(converted.xform).pages
