"""A thousand codes of a sealed survey, fifty tries each at once through two committing threads: one box each."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random

from sqlalchemy import text

from api.actions.booths import Booths
from api.intake import Intake
from api.transaction import Database
from survey_forms.refusal import Refused
from tests.actions.test_ballots import PEPPER, a_try
from tests.ballots import a_sealed_survey, close, count_offline
from tests.builders import some_codes

CODES, TRIES, THREADS = 1000, 50, 32
NEARBY = 8  # codes whose tries are mixed with each other


def outcome_of(intake, one):
    try:
        return intake.submit(one)
    except Refused as refused:
        return refused.code


def test_a_thousand_codes_with_fifty_tries_each_at_once_are_one_box_each(engine):
    with engine.begin() as connection:
        sealed = a_sealed_survey(connection)
        codes = some_codes(connection, sealed.survey, CODES, PEPPER)
    intakes = [Intake(Database(engine), Booths(PEPPER).settle) for _ in range(2)]
    chance = Random(7)
    # Every other code is tried again and again by a client that lost the reply, the rest by fifty different clients.
    insistent = set(codes[::2])
    tries = []
    for first in range(0, CODES, NEARBY):
        some = [
            (code, f"receipt of {code}" if code in insistent else None)
            for code in codes[first : first + NEARBY]
            for _ in range(TRIES)
        ]
        tries += chance.sample(some, len(some))
    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = list(
            threads.map(
                lambda at: outcome_of(intakes[at % 2], a_try(*tries[at])),
                range(len(tries)),
            )
        )
    told = {code: Counter() for code in codes}
    for (code, _), outcome in zip(tries, outcomes, strict=True):
        told[code][outcome] += 1
    for code in codes:
        rest = "repeated" if code in insistent else "code_refused"
        assert told[code] == {"accepted": 1, rest: TRIES - 1}
    with engine.begin() as connection:
        spent, boxes, receipts = connection.execute(
            text(
                "SELECT (SELECT count(*) FROM roll.access_code WHERE spent), count(*), count(DISTINCT receipt_hash)"
                " FROM ballot.box"
            )
        ).one()
        assert (spent, boxes, receipts) == (CODES, CODES, CODES)
        close(connection, sealed)
        assert len(count_offline(connection, sealed).answers) == CODES
