"""Which interviews are checked: by tickets alone, enough of each interviewer, and never more by asking again."""

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from survey_forms.sampling.backchecks import Interview, choose, ticket_of

NOW = datetime(2026, 3, 10, 2, 0, 0, 123456, tzinfo=UTC)
SEED = "ab" * 32


def test_anybody_can_work_a_ticket_out_with_sha256sum():
    line = f"{SEED}|backcheck|{'0' * 64}@2026-03-10T02:00:00.123456+00:00"
    assert ticket_of(SEED, "0" * 64, NOW) == sha256(line.encode()).hexdigest()
    assert ticket_of(SEED, "0" * 64, NOW.astimezone(timezone(timedelta(hours=8)))) == ticket_of(SEED, "0" * 64, NOW)


def interviews(numbers: list[int]) -> list[Interview]:
    """So many interviews of each interviewer."""
    made = [(hand, number) for hand, count in enumerate(numbers) for number in range(count)]
    return [
        Interview(case, hand, ticket_of(SEED, str(number), NOW + timedelta(seconds=case)))
        for case, (hand, number) in enumerate(made)
    ]


@given(st.lists(st.integers(0, 60), max_size=6), st.integers(0, 100))
def test_of_each_interviewer_the_smallest_tickets_are_chosen_and_at_least_one(numbers, percent):
    chosen = choose(interviews(numbers), set(), percent)
    for hand, count in enumerate(numbers):
        mine = [one for one in interviews(numbers) if one.interviewer == hand]
        taken = [one for one in chosen if one.interviewer == hand]
        assert len(taken) == -(-count * percent // 100)
        assert bool(taken) == (count > 0 and percent > 0)
        assert taken == sorted(mine, key=lambda one: one.ticket)[: len(taken)]


@given(st.lists(st.integers(0, 60), max_size=6), st.integers(0, 100))
def test_choosing_again_chooses_nothing_more(numbers, percent):
    first = {one.case_id for one in choose(interviews(numbers), set(), percent)}
    assert choose(interviews(numbers), first, percent) == []


def test_no_interviewer_can_tell_before_the_end_whether_an_interview_is_checked():
    ends = [ticket_of(SEED, "7" * 64, NOW + timedelta(microseconds=micro)) < "1" for micro in range(2000)]
    assert 80 < sum(ends) < 170  # one in sixteen, whatever the case
