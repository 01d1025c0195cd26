"""What changed between two questionnaires, in words, and which of it makes their results incomparable."""

import pytest

from api.problems import LANGUAGES, say
from survey_forms.forms.difference import Change, difference
from survey_forms.forms.workbook import convert_workbook
from tests.rules.books import SCALE, SETTINGS, YES_NO, a_book, a_row

AGE = a_row("integer", "age")
USED = a_row("select_one yes_no", "used")
WHY = a_row("text", "why")
RATED = a_row("select_one scale", "q", mc_unit="justice", mc_item="overall")


def changes(old: list, new: list, *, before=None, after=None) -> tuple[Change, ...]:
    """The changes from one survey sheet to another."""
    found = difference(
        convert_workbook(a_book(*old, **(before or {}))).xform, convert_workbook(a_book(*new, **(after or {}))).xform
    )
    assert all(say(change.told, language) for change in found for language in LANGUAGES)
    assert all("<" not in say(change.told, language).replace("<=", "") for change in found for language in LANGUAGES)
    return found


def brief(found: tuple[Change, ...]) -> list[tuple[str, str, bool]]:
    """(code, name, whether results become incomparable)."""
    return [(change.told.code.removeprefix("difference_"), change.told.path, change.breaks) for change in found]


def test_the_same_form_has_no_difference():
    assert changes([AGE, USED, RATED], [AGE, USED, RATED]) == ()


CHANGED = [
    ([AGE], [AGE, WHY], [("added", "why", False)]),
    ([AGE, WHY], [AGE], [("removed", "why", False)]),
    ([AGE, RATED], [AGE], [("removed", "q", True)]),
    ([AGE], [AGE, RATED], [("added", "q", True)]),
    ([AGE, WHY, USED], [WHY, USED, AGE], [("moved", "age", False)]),
    ([AGE, WHY], [AGE, WHY | {"name": "because"}], [("renamed", "because", False)]),
    ([AGE, RATED], [AGE, RATED | {"name": "r"}], [("renamed", "r", False)]),
    ([AGE], [AGE | {"label": "您的年龄"}], [("text", "age", False)]),
    ([AGE], [AGE | {"label::English (en)": "Age"}], [("language_added", "", False), ("text", "age", False)]),
    ([AGE], [a_row("decimal", "age")], [("type", "age", False)]),
    ([AGE], [AGE | {"required": "yes"}], [("logic", "age", False)]),
    ([AGE | {"constraint": ". > 1"}], [AGE | {"constraint": ". > 2"}], [("logic", "age", False)]),
    ([AGE, WHY], [AGE, WHY | {"hint": "请写"}], [("text", "why", False)]),
    ([AGE], [AGE | {"default": "18"}], [("logic", "age", False)]),
    ([RATED], [RATED | {"bind::mc:unit": "finance"}], [("rating", "q", True)]),
    ([RATED], [RATED | {"bind::mc:item": "speed"}], [("rating", "q", True)]),
    ([RATED], [a_row("select_one scale", "q")], [("rating", "q", True)]),
    ([RATED], [RATED | {"label": "换个说法"}], [("text", "q", False)]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), CHANGED, ids=[str(told) for _, _, told in CHANGED])
def test_each_change_is_named_with_its_question(old, new, told):
    assert brief(changes(old, new)) == told


CHOICES = [
    (SCALE, (*SCALE, ("scale", "fair", "一般", 50)), ("choices_added", True)),
    (SCALE, SCALE[:2], ("choices_removed", True)),
    (SCALE, (("scale", "good", "好", 90), *SCALE[1:]), ("points", True)),
    (SCALE, (("scale", "good", "很好", 100), *SCALE[1:]), ("choice", False)),
    (SCALE, (SCALE[1], SCALE[0], SCALE[2]), ("choices_order", False)),
]


@pytest.mark.parametrize(("before", "after", "told"), CHOICES, ids=[told[0] for _, _, told in CHOICES])
def test_choices_and_points_of_a_rating_break_comparability_and_words_do_not(before, after, told):
    found = changes([RATED], [RATED], before={"choices": before}, after={"choices": after})
    assert brief(found) == [(told[0], "q", told[1])]


def test_the_same_change_in_a_question_that_rates_nobody_breaks_nothing():
    more = {"choices": (*YES_NO, ("yes_no", "dk", "不清楚", None))}
    assert brief(changes([USED], [USED], after=more)) == [("choices_added", "used", False)]


def test_logic_is_told_as_the_author_wrote_it():
    old = [a_row("begin_group", "g"), AGE, a_row("end_group"), WHY]
    new = [*old[:3], WHY | {"relevant": "${age} > 18"}]
    (change,) = changes(old, new)
    assert "${age} > 18" in say(change.told)
    assert "显示条件" in say(change.told)
    assert "/data" not in say(change.told)


def test_calculates_and_conditions_of_groups_are_told_by_their_names():
    group = [a_row("begin_group", "g"), WHY, a_row("end_group")]
    old = [AGE, a_row("calculate", "c", calculation="${age} + 1"), *group]
    new = [AGE, a_row("calculate", "c", calculation="${age} + 2"), group[0] | {"relevant": "${age} > 1"}, *group[1:]]
    assert brief(changes(old, new)) == [("logic", "c", False), ("logic", "g", False)]


def test_title_and_id_are_told():
    found = changes([AGE], [AGE], after={"settings": SETTINGS | {"form_id": "b-form", "form_title": "另一份"}})
    assert brief(found) == [("id", "", False), ("title", "", False)]


def test_moving_a_question_into_a_grid_is_told():
    rows = [RATED, RATED | {"name": "r", "bind::mc:unit": "finance"}]
    grid = [a_row("begin_group", "g", appearance="table-list"), *rows, a_row("end_group")]
    told = brief(changes([AGE, *rows], [AGE, *grid]))
    assert ("page", "q", False) in told
    assert not any(breaks for _, _, breaks in told)


def test_many_choices_are_counted_and_some_of_them_named():
    many = tuple(("yes_no", f"c{n}", f"第{n}项", None) for n in range(40))
    (change,) = changes([USED], [USED], after={"choices": (*YES_NO, *many)})
    assert "40" in say(change.told)
    assert "c39" not in say(change.told)
