"""Which choices a question offers: filtered by other answers, in another order, on a scale, to be ranked."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_forms.forms.answers import read_answers, relevant_pages, shown
from survey_forms.forms.lists import shuffled
from survey_forms.refusal import Refused
from tests.rules.books import TODAY, YES_NO, a_form, a_row, codes

PLACES = (
    ("city", "xm", "厦门", None, "fj", 1),
    ("city", "fz", "福州", None, "fj", 2),
    ("city", "gz", "广州", None, "gd", 10),
    ("district", "sm", "思明", None, "xm", 3),
    ("district", "hl", "湖里", None, "xm", 4),
    ("district", "gl", "鼓楼", None, "fz", 5),
)
CASCADE = a_form(
    a_row("text", "province"),
    a_row("select_one city", "city", choice_filter="parent = ${province}", required="yes"),
    a_row("select_one district", "district", choice_filter="parent = ${city} and weight < 10"),
    a_row("begin_repeat", "move"),
    a_row("select_one city", "to", choice_filter="parent = ${province} or name = 'gz'"),
    a_row("select_multiple district", "parts", choice_filter="${to} = parent"),
    a_row("end_repeat"),
    a_row("calculate", "called", calculation="jr:choice-name(${city}, '${city}')"),
    a_row("calculate", "weight", calculation="instance('city')/root/item[name = ${city}]/weight"),
    a_row("calculate", "cities", calculation="count(instance('city')/root/item[parent = ${province}])"),
    a_row("note", "told", label="${called}（${weight}）"),
    choices=PLACES,
    columns=("parent", "weight"),
)
KINDS = a_form(
    a_row("rank yes_no", "order", required="yes"),
    a_row("range", "mark", parameters="start=1 end=5 step=1"),
    a_row("range", "fine", parameters="start=-1 end=1 step=0.25"),
    a_row("image", "photo"),
    a_row("select_one yes_no", "same", parameters="randomize=true, seed=42"),
    a_row("select_one yes_no", "any", parameters="randomize=true"),
)


def faults(form, raw):
    try:
        read_answers(form, raw, TODAY)
    except Refused as refused:
        return codes(refused.faults)
    return {}


def question(form, raw, name, entry=None, seed=0):
    stops = [stop for stop in relevant_pages(form, raw, TODAY) if stop.entry == entry]
    pages = [shown(form, stop, raw, TODAY, "zh", seed=seed) for stop in stops]
    return next(one for page in pages for one in page.questions if one.question.name == name)


def offered(form, raw, name, **where):
    return [choice.name for choice in question(form, raw, name, **where).choices]


def test_a_filter_offers_the_choices_that_fit_the_other_answers_and_takes_no_others():
    raw = {"province": "fj", "city": "xm"}
    assert offered(CASCADE, {}, "city") == []
    assert offered(CASCADE, raw, "city") == ["xm", "fz"]
    assert offered(CASCADE, raw, "district") == ["sm", "hl"]
    assert faults(CASCADE, raw | {"district": "gl"}) == {"district": "answer_not_a_choice"}
    assert faults(CASCADE, {"province": "gd", "city": "xm"}) == {"city": "answer_not_a_choice"}
    assert faults(CASCADE, raw | {"district": "sm"}) == {}


def test_a_cascade_is_asked_a_page_at_a_time_and_marked_as_filtered():
    names = [[one.name for one in page.questions] for page in CASCADE.pages]
    assert names[:3] == [["province"], ["city"], ["district"]]
    assert CASCADE.pages[1].questions[0].filtered
    assert [one.name for one in CASCADE.pages[1].questions[0].choices] == ["xm", "fz", "gz"]


def test_a_filter_in_a_repeat_looks_at_its_own_entry():
    raw = {"province": "fj", "city": "xm", "move.1.to": "xm", "move.2.to": "fz"}
    assert offered(CASCADE, raw, "to", entry=1) == ["xm", "fz", "gz"]
    assert offered(CASCADE, raw, "parts", entry=1) == ["sm", "hl"]
    assert offered(CASCADE, raw, "parts", entry=2) == ["gl"]
    assert faults(CASCADE, raw | {"move.2.parts": ["sm"]}) == {"move.2.parts": "answer_not_a_choice"}
    assert read_answers(CASCADE, raw | {"move.1.parts": "hl sm"}, TODAY).values["move"][0]["parts"] == ("sm", "hl")


def test_expressions_look_things_up_in_the_lists():
    values = read_answers(CASCADE, {"province": "fj", "city": "fz"}, TODAY).values
    assert (values["called"], values["weight"], values["cities"]) == ("福州", "2", "2")
    assert question(CASCADE, {"province": "fj", "city": "fz"}, "told").label == "福州（2）"


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        ("parent = 'fj' or parent = 'gd'", ["xm", "fz", "gz"]),
        ("weight = 2", ["fz"]),
        ("weight >= ${n}", ["fz", "gz"]),
        ("weight = ${n}", ["fz"]),
        ("contains(name, 'z') and parent = 'fj'", ["fz"]),
        ("selected('xm gz', name)", ["xm", "gz"]),
        ("parent = 'fj' and parent = 'gd'", []),
        ("not(parent = 'fj')", ["gz"]),
        ("weight = count(instance('district')/root/item[parent = 'xm'])", ["fz"]),
        ("parent != '' and name = instance('district')/root/item[name = 'gl']/parent", ["fz"]),
    ],
)
def test_a_filter_is_any_condition_on_the_columns_and_the_answers(wanted, rows):
    form = a_form(
        a_row("integer", "n"),
        a_row("select_one city", "c", choice_filter=wanted),
        choices=PLACES,
        columns=("parent", "weight"),
    )
    assert offered(form, {"n": "2"}, "c") == rows


def test_a_rank_wants_every_choice_once():
    assert read_answers(KINDS, {"order": ["no", "yes"]}, TODAY).values["order"] == ("no", "yes")
    assert read_answers(KINDS, {"order": "yes no"}, TODAY).values["order"] == ("yes", "no")
    assert faults(KINDS, {"order": "yes"}) == {"order": "answer_rank_incomplete"}
    assert faults(KINDS, {"order": "yes yes"}) == {"order": "answer_rank_incomplete"}
    assert faults(KINDS, {"order": "yes maybe"}) == {"order": "answer_not_a_choice"}
    assert faults(KINDS, {}) == {"order": "answer_required"}


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("mark", "5", 5),
        ("mark", "３", 3),
        ("mark", "2.0", 2),
        ("mark", "6", None),
        ("mark", "1.5", None),
        ("mark", "x", None),
        ("fine", "-0.75", Decimal("-0.75")),
        ("fine", "0.3", None),
        ("fine", "1e0", None),
        ("photo", "IMG_1.jpg", "IMG_1.jpg"),
        ("photo", "../etc/passwd", None),
        ("photo", ".hidden", None),
        ("photo", "x" * 101, None),
    ],
)
def test_a_scale_has_its_steps_and_a_picture_a_plain_name(name, given, kept):
    raw = {"order": "yes no", name: given}
    if kept is None:
        assert list(faults(KINDS, raw)) == [name]
    else:
        assert read_answers(KINDS, raw, TODAY).values[name] == kept


def test_a_scale_says_from_where_to_where():
    mark, fine = KINDS.pages[0].questions[1:3]
    assert (mark.type, mark.start, mark.end, mark.step) == ("scale", Decimal(1), Decimal(5), Decimal(1))
    assert (fine.start, fine.end, fine.step) == (Decimal(-1), Decimal(1), Decimal("0.25"))


@pytest.mark.parametrize("parameters", ["start=1 end=5 step=0", "start=5 end=1 step=1", "start=0 end=9999 step=1"])
def test_a_scale_without_end_is_refused(parameters):
    with pytest.raises(Refused) as caught:
        a_form(a_row("range", "mark", parameters=parameters))
    assert caught.value.code in {"form_scale", "workbook_scale", "workbook_pyxform", "workbook_parameters"}


def test_a_shuffle_with_a_seed_is_javarosas_and_without_one_it_is_the_respondents():
    # as org.javarosa.xform.parse.FisherYates orders ten rows with this seed
    assert shuffled(range(10), 42) == JAVAROSA_42
    assert shuffled(range(3), float("nan")) == shuffled(range(3), 0)
    orders = {tuple(offered(KINDS, {"order": "yes no"}, "any", seed=seed)) for seed in range(20)}
    assert orders == {("yes", "no"), ("no", "yes")}
    assert len({tuple(offered(KINDS, {"order": "yes no"}, "same", seed=seed)) for seed in range(20)}) == 1


JAVAROSA_42 = [0, 5, 9, 1, 8, 4, 6, 3, 7, 2]


@given(st.integers(0, 200), st.integers(-(2**40), 2**40))
def test_a_shuffle_loses_nothing(rows, seed):
    assert sorted(shuffled(range(rows), float(seed))) == list(range(rows))


@given(st.sampled_from(["fj", "gd", "", "x"]), st.sampled_from(["xm", "fz", "gz", "", "sm"]), st.text(max_size=2))
def test_what_is_shown_is_what_is_taken(province, city, district):
    raw = {"province": province, "city": city, "district": district}
    wrong = faults(CASCADE, raw)
    assert ("city" in wrong) == (city not in offered(CASCADE, raw, "city"))
    assert ("district" in wrong) == bool(district.strip() and district.strip() not in offered(CASCADE, raw, "district"))


def test_a_list_may_be_long_only_when_it_is_filtered():
    many = [("long", f"c{n}", f"{n}", None, n % 50) for n in range(1_000)]
    form = a_form(
        a_row("integer", "n"),
        a_row("select_one long", "c", choice_filter="zone = ${n}"),
        choices=many,
        columns=("zone",),
    )
    assert len(offered(form, {"n": "7"}, "c")) == 20
    with pytest.raises(Refused) as caught:
        a_form(a_row("select_one long", "c"), choices=[*YES_NO, *((*row[:4],) for row in many)])
    assert caught.value.code == "form_too_many_choices"
