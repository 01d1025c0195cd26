"""What nobody may choose: the text that a rotation's tickets are made of, the frame, the spelling of the randomness."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from api.actions.draw_record import public_record
from api.actions.draw_rules import fits
from api.actions.draws import Commitment, commit_plan, draw_frame
from api.store import draws, frames, listed
from survey_forms.refusal import Refused
from tests.draws import AFTER, FORM, KNOWN, PLAN, RANDOMNESS, SOURCE, a_frame, another_frame, drawn, planned
from tests.frames import NOW, a_framed_survey, a_registry, members

FIRST = f"{PLAN}[rotation]\nwave = 1\noverlap = 0.5\n"
SAID = Commitment(PLAN, SOURCE, KNOWN, FORM)


@pytest.fixture
def registry(tmp_path):
    return a_registry(tmp_path)


@pytest.fixture
def framed(connection, registry):
    return a_frame(connection, registry)


@pytest.fixture
def later(connection, registry, framed):
    """The frame of a later survey."""
    survey = a_framed_survey(connection, code="later")
    return another_frame(connection, registry, survey, framed.staff, members(580))


def rotating(permanent: str, wave: int = 2) -> Commitment:
    return Commitment(
        f'{PLAN}[rotation]\nwave = {wave}\noverlap = 0.5\npermanent = "{permanent}"\n', SOURCE, KNOWN, FORM
    )


def refused(act, *given) -> str:
    with pytest.raises(Refused) as caught:
        act(*given)
    return caught.value.code


@pytest.mark.parametrize("permanent", ["a text of the office: 5000", "0" * 64])
def test_a_later_wave_rests_on_no_text_that_the_office_chose(connection, framed, later, permanent):
    assert framed
    with pytest.raises(Refused) as caught:
        commit_plan(connection, later, rotating(permanent), framed.staff, NOW)
    assert [(one.code, one.path) for one in caught.value.faults] == [
        ("plan_permanent_unknown", "plan.toml:rotation.permanent")
    ]


def test_a_later_wave_rests_on_the_seed_of_a_public_first_wave_and_says_which(connection, registry, framed, later):
    drawn(connection, registry, framed, FIRST)
    seed = draws.draw_of(connection, framed.frame_id).seed
    assert refused(commit_plan, connection, later, rotating(seed, wave=1), framed.staff, NOW) == (
        "plan_permanent_unknown"
    )
    commit_plan(connection, later, rotating(seed), framed.staff, NOW)
    told = public_of(connection, later)
    assert told["permanent_draw"] == framed.frame_id
    assert seed in told["plan_source"]  # it is public already
    draw_frame(connection, registry.safe, later, RANDOMNESS, framed.other, AFTER)
    told = public_of(connection, later)
    assert (told["permanent"], told["permanent_draw"]) == (seed, framed.frame_id)
    third = another_frame(connection, registry, a_framed_survey(connection, code="third"), framed.staff)
    second_seed = draws.draw_of(connection, later).seed
    assert refused(commit_plan, connection, third, rotating(second_seed, wave=3), framed.staff, NOW) == (
        "plan_permanent_unknown"
    )
    commit_plan(connection, third, rotating(seed, wave=3), framed.staff, NOW)


def test_where_a_later_wave_begins_was_told_before_the_first_seed_existed(connection, registry, framed, later):
    drawn(connection, registry, framed, FIRST)
    said = rotating(draws.draw_of(connection, framed.frame_id).seed)
    for other in (said.source.replace("0.5", "0.5000001"), said.source.replace("wave = 2", "wave = 77")):
        with pytest.raises(Refused) as caught:
            commit_plan(connection, later, replace(said, source=other), framed.staff, NOW)
        assert caught.value.code == "plan_rotation_unlike"
        assert caught.value.faults[0].facts["wave"] == 2
    commit_plan(connection, later, said, framed.staff, NOW)


def test_a_first_wave_that_told_no_overlap_is_rotated_by_nobody(connection, registry, framed, later):
    drawn(connection, registry, framed)
    said = rotating(draws.draw_of(connection, framed.frame_id).seed)
    assert refused(commit_plan, connection, later, said, framed.staff, NOW) == "plan_rotation_unlike"


def test_a_plan_of_old_with_a_chosen_text_is_not_drawn(connection, registry, framed, later):
    drawn(connection, registry, framed, FIRST)
    commit_plan(connection, later, rotating(draws.draw_of(connection, framed.frame_id).seed), framed.staff, NOW)
    (told,) = draws.plans_of(connection, later)
    kept = {
        name: getattr(told, name)
        for name in ("frame_id", "text", "digest", "randomness_source", "known_from", "committed_by", "committed_at")
    }
    draws.add_plan(connection, {**kept, "source": rotating("chosen").source})
    assert refused(draw_frame, connection, registry.safe, later, RANDOMNESS, framed.other, AFTER) == (
        "plan_permanent_unknown"
    )


def public_of(connection, frame_id):
    return public_record(
        connection,
        frames.frame_numbered(connection, frame_id),
        draws.plans_of(connection, frame_id),
        draws.draw_of(connection, frame_id),
    )


@pytest.mark.parametrize("now", [NOW, AFTER])
def test_the_same_people_in_another_order_get_no_plan_of_their_own(connection, registry, framed, now):
    planned(connection, framed)
    rows = members(600)[::-1]
    second = another_frame(connection, registry, framed.survey, framed.staff, rows)
    said = Commitment(PLAN, SOURCE, AFTER + timedelta(days=1), FORM)
    assert refused(commit_plan, connection, second, said, framed.staff, now) == "plan_strata_elsewhere"


def test_a_stratum_that_a_replaced_plan_named_stays_with_its_frame(connection, registry, framed):
    planned(connection, framed)
    one = '[[stratum]]\ncode = "siming"\nn = 20\n'
    commit_plan(connection, framed.frame_id, Commitment(one, SOURCE, KNOWN, FORM), framed.staff, NOW)
    second = another_frame(connection, registry, framed.survey, framed.staff)
    other = Commitment(one.replace("siming", "huli"), SOURCE, KNOWN, FORM)
    assert refused(commit_plan, connection, second, other, framed.staff, NOW) == "plan_strata_elsewhere"


def test_frames_of_different_strata_have_a_plan_each(connection, registry, framed):
    one = '[[stratum]]\ncode = "siming"\nn = 20\n'
    commit_plan(connection, framed.frame_id, Commitment(one, SOURCE, KNOWN, FORM), framed.staff, NOW)
    second = another_frame(connection, registry, framed.survey, framed.staff)
    other = Commitment(one.replace("siming", "huli"), SOURCE, KNOWN, FORM)
    commit_plan(connection, second, other, framed.staff, NOW)
    for frame_id in (framed.frame_id, second):
        draw_frame(connection, registry.safe, frame_id, RANDOMNESS, framed.other, AFTER)
    assert len(listed.cases_of(connection, framed.survey.id)) == 40


def test_of_four_frames_committed_at_once_one_is(engine, registry):
    with engine.begin() as connection:
        framed = a_frame(connection, registry)
        numbers = [framed.frame_id]
        for at in range(1, 4):
            rows = members(600)
            numbers.append(another_frame(connection, registry, framed.survey, framed.staff, rows[at:] + rows[:at]))

    def commit(frame_id: int) -> str:
        try:
            with engine.begin() as session:
                commit_plan(session, frame_id, SAID, framed.staff, NOW)
        except Refused as refusal:
            return refusal.code
        return "committed"

    with ThreadPoolExecutor(4) as people:
        assert sorted(people.map(commit, numbers)) == ["committed"] + ["plan_strata_elsewhere"] * 3


@pytest.mark.parametrize(
    "spelt", ["03,08,11,19,24,30+07", "03 08 11 19 24 30 +07", "3 8 11 19 24 30 + 7", "０3 08 11 19 24 30 + 07"]
)
def test_one_result_has_one_spelling(connection, registry, framed, spelt):
    planned(connection, framed)
    assert refused(draw_frame, connection, registry.safe, framed.frame_id, spelt, framed.other, AFTER) == (
        "draw_randomness_unfit"
    )
    assert draws.draw_of(connection, framed.frame_id) is None
    draw_frame(connection, registry.safe, framed.frame_id, f" {RANDOMNESS}\n", framed.other, AFTER)


@pytest.mark.parametrize("form", ["", "the numbers", "# # # # #", "######\n######", "#" * 121, "######\x00"])
def test_the_form_has_digits_enough_and_one_line(connection, framed, form):
    said = Commitment(PLAN, SOURCE, KNOWN, form)
    assert refused(commit_plan, connection, framed.frame_id, said, framed.staff, NOW) == "plan_form_unfit"


def test_the_name_of_the_randomness_is_one_line(connection, framed):
    said = Commitment(PLAN, f"{SOURCE}\n######", KNOWN, FORM)
    assert refused(commit_plan, connection, framed.frame_id, said, framed.staff, NOW) == "plan_randomness_unnamed"


def test_a_form_is_read_letter_by_letter():
    assert fits("双色球 2026128：## + #", "双色球 2026128：03 + 8")
    for text in (
        "双色球 2026129：03 + 8",
        "双色球 2026128：03 + #",
        "双色球 2026128：0٣ + 8",
        "双色球 2026128：03 + 8\n",
    ):
        assert not fits("双色球 2026128：## + #", text)
    assert not fits(".*##", "abc12")
