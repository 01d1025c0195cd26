"""Pictures made on the server: what they escape, what they show, and that colour is never the only sign."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.charts import Band, Mark, Share, axis_ticks, interval_chart, share_chart
from api.pages.charts_ranks import Places, Strip, histogram, rank_chart, strip_chart
from api.pages.drawing import NARROW, WIDE

BANDS = (Band("良好", 760, 900), Band("优秀", 900, 1001))


def drawings(markup: str) -> list[ET.Element]:
    """The SVG elements of a picture, read as strictly as XML."""
    return list(ET.fromstring(f"<both>{markup}</both>"))  # noqa: S314 - our own output


def words(drawing: ET.Element) -> list[str]:
    return [element.text or "" for element in drawing.iter("text")]


def circles(drawing: ET.Element) -> list[ET.Element]:
    return list(drawing.iter("circle"))


def test_each_picture_has_a_name_and_a_description_and_two_sizes():
    for drawing in drawings(interval_chart([Mark("甲", 901.5, 895, 908)], "得分", "甲 901.5", BANDS)):
        assert drawing.get("role") == "img"
        assert [drawing[0].tag, drawing[0].text, drawing[1].tag, drawing[1].text] == [
            "title",
            "得分",
            "desc",
            "甲 901.5",
        ]
    assert len(drawings(share_chart([Share("甲", 1, 2, "")], "应答", ""))) == 2


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=60))
def test_no_words_break_out_of_the_picture(noise):
    hostile = noise + "</text><script>alert(1)</script>\"'&"
    for markup in (
        interval_chart([Mark(hostile, 1, 0, 2, hostile)], hostile, hostile, [Band(hostile, 0, 3)]),
        share_chart([Share(hostile, 1, 2, hostile)], hostile, hostile),
    ):
        assert "<script" not in markup
        assert {element.tag for drawing in drawings(markup) for element in drawing.iter()} <= {
            "svg", "title", "desc", "text", "rect", "line", "circle",
        }  # fmt: skip


def test_a_page_without_inline_styles_can_hold_it():
    markup = interval_chart([Mark("甲", 1, 0, 2)], "得分", "", BANDS)
    assert not re.search(r"\bstyle=|\bon\w+=|<style", markup)


def test_a_higher_score_lies_further_right_and_every_end_inside_the_plot():
    marks = [Mark("甲", 880, 870, 890), Mark("乙", 920, 905, 935)]
    for drawing, size in zip(drawings(interval_chart(marks, "", "", BANDS)), (WIDE, NARROW), strict=True):
        first, second = (float(circle.get("cx", "")) for circle in circles(drawing))
        assert size.left <= first < second <= size.width - size.right


def test_weak_data_is_drawn_hollow_and_dashed_not_only_paler():
    strong, weak = (drawings(interval_chart([Mark("甲", 5, 4, 6, weak=one)], "", ""))[0] for one in (False, True))
    assert circles(strong)[0].get("fill") != circles(weak)[0].get("fill")
    assert sum(line.get("stroke-dasharray") is not None for line in weak.iter("line")) == 1
    assert sum(line.get("stroke-dasharray") is not None for line in strong.iter("line")) == 0


def test_a_unit_without_a_score_keeps_its_line_and_gets_no_dot():
    for drawing in drawings(interval_chart([Mark("甲", None, note="未测"), Mark("乙", 5, 4, 6)], "", "")):
        assert {"甲", "未测", "乙"} <= set(words(drawing))
        assert len(circles(drawing)) == 1


def test_nothing_at_all_still_draws():
    assert len(drawings(interval_chart([], "空", ""))) == 2
    assert len(drawings(share_chart([], "空", ""))) == 2


def test_grades_stand_behind_the_scores_by_name_and_those_out_of_reach_are_left_out():
    wide = drawings(interval_chart([Mark("甲", 901, 895, 908)], "", "", (Band("差", 0, 600), *BANDS)))[0]
    assert "优秀" in words(wide)
    assert "差" not in words(wide)


def test_more_answers_than_codes_never_draw_beyond_the_bar():
    wide = drawings(share_chart([Share("甲", 30, 20, "30 / 20"), Share("乙", 0, 0, "0 / 0")], "", ""))[0]
    ground, full, _, none = wide.iter("rect")
    assert full.get("width") == ground.get("width")
    assert float(none.get("width", "")) == 0


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.integers(3, 8))
def test_the_axis_encloses_what_it_shows_with_few_round_steps(low, span, most):
    ticks = axis_ticks(low, low + span, most)
    assert ticks[0] <= low + 1e-6 * max(1, abs(low))
    assert ticks[-1] >= low + span - 1e-6 * max(1, abs(low + span))
    assert 2 <= len(ticks) <= most + 2
    assert ticks == sorted(set(ticks))


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_words_stay_inside_the_picture(size):
    name = "Human Resources, Social Security, Employment and Talent Affairs Bureau of the City"
    drawing = drawings(interval_chart([Mark(name, 5, 4, 6, "5.0 outstanding")], "", ""))[(WIDE, NARROW).index(size)]
    assert any(shown.endswith("…") for shown in words(drawing))
    assert all(0 <= float(element.get("x", "")) <= size.width for element in drawing.iter("text"))


def test_a_rank_is_drawn_as_the_places_it_may_be_and_never_as_a_dot():
    for drawing in drawings(rank_chart([Places("甲", 1, 3, 12, "第 1–3 位"), Places("乙", 12, 12, 12)], "名次", "")):
        assert not circles(drawing)
        first, last = (bar for bar in drawing.iter("rect"))
        assert float(first.get("width")) > float(last.get("width")) > 0
        assert float(last.get("x")) > float(first.get("x"))
        assert "第 1–3 位" in words(drawing)


def test_a_strip_is_as_long_as_its_shares_and_names_those_with_room():
    strip = Strip("甲", [("优秀", 0.75), ("良好", 0.249), ("差", 0.001)], "优秀 75%")
    for drawing in drawings(strip_chart([strip], "等次", "")):
        bars = [float(bar.get("width")) for bar in drawing.iter("rect")]
        assert bars[0] / bars[1] == pytest.approx(0.75 / 0.249, rel=0.01)
        assert {"优秀", "良好"} <= set(words(drawing))
        assert "差" not in words(drawing)


@pytest.mark.parametrize("units", [1, 2, 9, 80, 1000])
def test_every_number_of_places_has_an_axis(units):
    for drawing in drawings(rank_chart([Places("甲", 1, units, units)], "名次", "")):
        assert "1" in words(drawing)


def test_the_tallest_bar_of_a_histogram_is_its_greatest_count():
    for drawing in drawings(histogram([1, 6, 3], [0.5, 1.0, 1.5, 2.0], "权数", "")):
        heights = [float(bar.get("height")) for bar in drawing.iter("rect")]
        assert heights[1] == max(heights)
        assert heights[2] == pytest.approx(heights[1] / 2)
