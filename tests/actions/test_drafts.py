"""Unfinished answers: found again with the code, closed to everybody else."""

from datetime import date

import pytest
from sqlalchemy import select, update

from api.actions.drafts import LARGEST, STEP, Draft, Drawer, find_draft, forget_draft, keep_draft
from api.store import ballots
from survey_forms.refusal import Refused

PEPPER = b"a test's pepper, thirty-two bytes at least"
DAY = date(2015, 6, 30)
SURVEY = 1
DRAFT = Draft("RECEIPT2345678ABCDEF", "3-2.4", {"district": "siming", "reasons": ["slow", "rude"], "words": "窗口少😀"})
DRAWER = Drawer.of(PEPPER, "7K3QF9D2MXV")


def keep(connection, draft=DRAFT, drawer=DRAWER, nonce=b"n" * 12):
    keep_draft(connection, drawer, draft, SURVEY, nonce, DAY)


def stored(connection):
    return connection.execute(select(ballots.draft)).one()


def test_what_was_kept_is_found_again(connection):
    keep(connection)
    assert find_draft(connection, DRAWER) == DRAFT


def test_the_newest_state_takes_the_place_of_the_one_before(connection):
    keep(connection)
    keep(connection, Draft(DRAFT.receipt, "4", {"district": "huli"}), nonce=b"m" * 12)
    assert find_draft(connection, DRAWER) == Draft(DRAFT.receipt, "4", {"district": "huli"})


@pytest.mark.parametrize(
    "other", [Drawer.of(PEPPER, "7K3QF9D2MXW"), Drawer.of(b"another pepper of some length", "7K3QF9D2MXV")]
)
def test_another_code_or_another_pepper_finds_nothing(connection, other):
    keep(connection)
    assert find_draft(connection, other) is None


def test_the_name_of_the_row_does_not_open_it(connection):
    keep(connection)
    with pytest.raises(Refused) as refused:
        find_draft(connection, Drawer(DRAWER.id, b"k" * 32))
    assert refused.value.code == "draft_unreadable"


def test_a_changed_byte_is_noticed(connection):
    keep(connection)
    sealed = bytearray(stored(connection).sealed)
    sealed[-1] ^= 1
    connection.execute(update(ballots.draft).values(sealed=bytes(sealed)))
    with pytest.raises(Refused) as refused:
        find_draft(connection, DRAWER)
    assert refused.value.code == "draft_unreadable"


def test_the_row_tells_nothing_but_its_survey_and_day(connection):
    keep(connection)
    row = stored(connection)
    assert set(row._fields) == {"draft_id", "survey_id", "sealed", "day"}
    for word in (b"siming", b"district", b"RECEIPT", b"7K3QF9D2MXV", "窗口".encode()):
        assert word not in bytes(row.sealed) + bytes(row.draft_id)


def test_one_answer_more_does_not_change_the_length(connection):
    keep(connection)
    before = len(stored(connection).sealed)
    keep(connection, Draft(DRAFT.receipt, 9, {**DRAFT.raw, "age": "60"}))
    assert len(stored(connection).sealed) == before
    keep(connection, Draft(DRAFT.receipt, 9, {"words": "好" * 800}))
    assert len(stored(connection).sealed) - before == 2 * STEP


def test_what_is_too_large_is_refused_and_the_last_state_stays(connection):
    keep(connection)
    with pytest.raises(Refused) as refused:
        keep(connection, Draft(DRAFT.receipt, 1, {"words": "a" * LARGEST}))
    assert refused.value.code == "body_too_large"
    assert find_draft(connection, DRAWER) == DRAFT


def test_what_is_forgotten_is_gone(connection):
    keep(connection)
    forget_draft(connection, DRAWER)
    assert find_draft(connection, DRAWER) is None
