"""An XForm becomes pages; what this product cannot ask is refused by its name."""

import pytest

from survey_forms.forms.compile import compile_form
from survey_forms.forms.workbook import convert_workbook
from survey_forms.refusal import Refused
from tests.rules.books import a_book, a_form, a_row, the_form


def names(form):
    return [[question.name for question in page.questions] for page in form.pages]


def test_loose_questions_share_pages_of_four_and_notes_take_no_room():
    form = a_form(*(a_row("integer", f"q{n}") for n in range(6)), a_row("note", "thanks"))
    assert names(form) == [["q0", "q1", "q2", "q3"], ["q4", "q5", "thanks"]]


def test_a_question_that_depends_on_another_waits_for_the_next_page():
    form = a_form(
        a_row("select_one yes_no", "used"),
        a_row("integer", "age"),
        a_row("calculate", "is_used", calculation="if(${used} = 'yes', 1, 0)"),
        a_row("integer", "times", relevant="${is_used} = 1"),
    )
    assert names(form) == [["used", "age"], ["times"]]


def test_a_field_list_is_a_page_a_table_list_a_grid_and_a_plain_group_a_heading():
    form = a_form(
        a_row("begin_group", "us", label="关于您"),
        a_row("integer", "age"),
        a_row("end_group"),
        a_row("begin_group", "g", appearance="field-list", label="一页"),
        a_row("integer", "b"),
        a_row("end_group"),
        a_row("begin_group", "h", appearance="table-list", label="打分"),
        a_row("select_one scale", "r1"),
        a_row("select_one scale", "r2"),
        a_row("end_group"),
        a_row("text", "say"),
    )
    assert [(page.name, page.kind, page.title.get("zh", "")) for page in form.pages] == [
        ("age", "list", "关于您"),
        ("g", "list", "一页"),
        ("h", "grid", "打分"),
        ("say", "list", ""),
    ]
    assert names(form)[2] == ["r1", "r2"]


def test_an_unnamed_language_is_chinese_and_a_missing_translation_is_left_out():
    plain = a_form(a_row("integer", "a"))
    assert (plain.languages, plain.pages[0].questions[0].label) == (("zh",), {"zh": "题目 a"})
    both = a_form(
        a_row("integer", "a") | {"label::English (en)": "Question a", "hint::English (en)": "A hint"},
        a_row("integer", "b"),
    )
    first, second = both.pages[0].questions
    assert both.languages == ("zh", "en")
    assert (first.label, first.hint) == ({"zh": "题目 a", "en": "Question a"}, {"en": "A hint"})
    assert second.label == {"zh": "题目 b"}


def test_a_question_carries_what_its_page_needs():
    form = a_form(
        a_row("text", "say", appearance="multiline", parameters="rows=6", hint="请写"),
        a_row(
            "select_one scale", "rate", required="yes", required_message="请选", mc_unit="justice", mc_item="overall"
        ),
    )
    say, rate = form.pages[0].questions
    assert (say.type, say.rows, say.hint, say.required) == ("text", 6, {"zh": "请写"}, False)
    assert (rate.required, rate.required_message) == (True, {"zh": "请选"})
    assert (rate.unit, rate.item) == ("justice", "overall")
    assert [(choice.name, choice.points) for choice in rate.choices] == [("good", 100), ("bad", 0), ("dk", None)]


def test_a_form_that_went_round_in_circles_or_asked_nothing_is_refused():
    with pytest.raises(Refused) as caught:
        a_form(a_row("integer", "a", relevant="${b} = 1"), a_row("integer", "b", relevant="${a} = 1"))
    assert caught.value.code == "form_circular"
    with pytest.raises(Refused) as caught:
        a_form(a_row("calculate", "c", calculation="1 + 1"))
    assert caught.value.code == "form_empty"


XFORM = convert_workbook(
    a_book(a_row("select_one yes_no", "used"), a_row("text", "say", appearance="multiline"), a_row("integer", "n"))
).xform.decode()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('<input ref="/data/n">', '<input ref="/data/nobody">', "form_feature"),
        ('type="int"', 'type="geopoint"', "form_feature"),
        ('<input ref="/data/say"', '<upload ref="/data/say"', None),
        ('nodeset="/data/n"', 'nodeset="/data/n" jr:preload="date"', "form_feature"),
        ("</model>", '<setvalue event="xforms-value-changed" ref="/data/n" value="1"/></model>', "form_feature"),
        (
            "</model>",
            '<setvalue event="odk-instance-first-load" ref="/data/n" value="/data/used"/></model>',
            "form_default_reads",
        ),
        (
            "</model>",
            '<setvalue event="odk-instance-first-load" ref="/data/n" value="\'x\'"/></model>',
            "form_default_wrong",
        ),
        ("</model>", '<odk:setgeopoint xmlns:odk="http://www.opendatakit.org/xforms"/></model>', "form_feature"),
        ("</model>", "<submission/></model>", "form_feature"),
        ("<meta>", "<meta><entity/>", "form_feature"),
        ("<n/>", "<n/><n/>", "form_feature"),
        ("<n/>", "<n>x</n>", "form_default_wrong"),
        ("root/item", "root/item[1]", "expression_predicate"),
        ("root/item", "root/item[colour = 1]", "expression_column_unknown"),
        ("instance('yes_no')/root/item", "instance('no')/root/item", "expression_list_unknown"),
        ("instance('yes_no')/root/item", "/data/n", "expression_choices_from_answers"),
        ('<value ref="name"/>', '<value ref="code"/>', "form_list_columns"),
        ('<input ref="/data/n">', '<input ref="/data/n" query="x">', "form_feature"),
        ('<input ref="/data/n">', '<trigger ref="/data/n"/><input ref="/data/n">', "form_feature"),
        ('<input ref="/data/n">', '<group ref="/data/n" intent="x"/><input ref="/data/n">', "form_feature"),
        ('<instance id="yes_no">', '<instance id="yes_no" src="jr://file-csv/yes_no.csv">', "form_list_from_file"),
        ('appearance="multiline"', 'appearance="draw"', "form_appearance"),
        ("<value>题目 n</value>", '<value>题目 <output value="/data/nobody"/></value>', "expression_name_unknown"),
        ("<value>题目 n</value>", "<value>题目 <b>n</b></value>", "form_label_parts"),
        ("<value>题目 n</value>", '<value form="image">jr://images/a.png</value>', "form_label_parts"),
        ('lang="中文 (zh)"', 'lang="Chinese"', "form_language"),
    ],
)
def test_what_an_xform_asks_beyond_us_is_refused_by_name(old, new, code):
    assert old in XFORM
    changed = XFORM.replace(old, new, 1)
    if code is None:
        changed = changed.replace("</input>", "</upload>", 1)
    with pytest.raises(Refused) as caught:
        compile_form(changed.encode())
    assert (code or "form_feature") in {fault.code for fault in caught.value.faults}


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"<html/>",
        b"\xff\xfe\x00",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>" * 100,
        b" " * 5_000_001,
    ],
)
def test_xml_that_is_no_form_is_refused(hostile):
    with pytest.raises(Refused) as caught:
        compile_form(hostile)
    assert caught.value.code == "form_xml_unreadable"


UNITS = ("education", "civil_affairs", "health", "human_resources", "public_security", "justice", "culture", "sports")
SCALE = [
    ("very_satisfied", 100),
    ("satisfied", 80),
    ("fairly_satisfied", 60),
    ("dissatisfied", 30),
    ("very_dissatisfied", 0),
]


@pytest.mark.parametrize(
    ("name", "pages"),
    [
        ("residents", ["about", "service", "overall", "why", "closing"]),
        ("deputies", ["overall", "suggestion"]),
        ("service_recipients", ["matter", "course", "this_unit", "overall", "suggestion"]),
    ],
)
def test_the_demonstration_forms_are_as_designed(name, pages):
    form = the_form(name)
    assert [page.name for page in form.pages] == pages
    assert form.languages == ("zh", "en")
    grid = next(page for page in form.pages if page.name == "overall")
    assert grid.kind == "grid"
    assert [(question.unit, question.item, question.required) for question in grid.questions] == [
        (unit, "overall", True) for unit in UNITS
    ]
    for question in grid.questions:
        assert [(choice.name, choice.points) for choice in question.choices] == [*SCALE, ("dk", None)]


@pytest.mark.parametrize("name", ["residents", "deputies", "service_recipients"])
def test_the_demonstration_forms_are_written_in_both_languages_throughout(name):
    form = the_form(name)
    texts = [form.title, *(page.title for page in form.pages if page.title)]
    for page in form.pages:
        for question in page.questions:
            asked = (question.label, question.hint, question.required_message, question.constraint_message)
            texts.extend(text for text in asked if text)
            texts.extend(choice.label for choice in question.choices)
    assert all(set(text) == {"zh", "en"} for text in texts)
