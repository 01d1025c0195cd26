"""Which units a listed case rates is told by its code alone: the roll, which knows the case, does not know it."""

from collections import Counter

from sqlalchemy import select

from api.actions.booths import Booths
from api.actions.invitations import hidden_blocks, mint
from api.actions.responses import CODE_NAMESPACE
from api.store import invitations, roll
from api.store.invitations import Whose
from survey_forms.sampling.assign import block_of, rated_units
from survey_forms.sampling.codes import canonical, order_key
from tests.builders import a_grid_book
from tests.invitations import an_inviting_survey, now, some_cases

PEPPER = b"a test's pepper, thirty-two bytes at least"


def test_nobody_with_the_roll_alone_can_tell_which_units_a_listed_case_rates(connection):
    """An answer tells its units; were the block of a case known, the answer of a small block would be that case's."""
    made = an_inviting_survey(connection, a_grid_book(6), per=3)
    cases = some_cases(connection, made.survey, tuple(f"B{at:03}" for at in range(60)))
    stratum = made.survey.stratum
    (wanted, over) = hidden_blocks(connection, made.survey.id, {stratum: len(cases)})[stratum]
    assert over == 6
    assert set(Counter(wanted).values()) == {10}  # balanced, in an order of chance
    batch = invitations.add_batch(connection, made.survey.id, "listed", {stratum: 60}, made.staff, now())
    codes = mint(
        connection, PEPPER, made.survey.id, batch, stratum, wanted, whose=[Whose(None)] * len(cases), over=over
    )
    rows = connection.execute(select(roll.access_code.c.block, roll.access_code.c.blocks)).all()
    assert {tuple(row) for row in rows} == {(None, 6)}
    asked = Counter()
    for code, block in zip(codes, wanted, strict=True):
        read = canonical(PEPPER, CODE_NAMESPACE, code.typed)
        assert block_of(order_key(PEPPER, CODE_NAMESPACE, read), 6) == block
        asked.update(rated_units(Booths(PEPPER).open(connection, read, now()).form))
    assert max(asked.values()) - min(asked.values()) <= 1  # every unit is rated as often
