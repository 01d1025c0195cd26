"""A thousand codes, fifty tries each at once, over real sockets to two server processes: one answer a code."""

from random import Random

import orjson
from sqlalchemy import text

from api.http.responses import PATH
from tests.bench.answers_town import PEPPER
from tests.bench.bench_answers import web_server
from tests.bench.load import request, run
from tests.builders import a_survey, some_codes

CODES, TRIES, CONNECTIONS = 1000, 50, 32
NEARBY = 8  # codes whose tries are mixed with each other


def a_request(code: str, receipt: str, words: str) -> bytes:
    answers = {"police": "good", "words": words}
    return request(PATH, orjson.dumps({"code": code, "answers": answers, "receipt": receipt}), "127.0.0.1")


def test_a_thousand_codes_with_fifty_tries_each_are_one_answer_each(engine, tmp_path):
    with engine.begin() as connection:
        # Tokens, for failed typed codes are capped: most tries would not be looked at
        codes = some_codes(connection, a_survey(connection), CODES, PEPPER.encode(), tokens=True)
    chance = Random(7)
    requests: list[bytes] = []
    for first in range(0, CODES, NEARBY):
        nearby = []
        for at, code in enumerate(codes[first : first + NEARBY], first):
            # Every other code is tried again and again by a client that lost the reply, the rest by fifty clients
            for number in range(TRIES):
                receipt = f"{at:06}-{0 if at % 2 else number:02}-{'r' * 20}"
                nearby.append(a_request(code, receipt, f"{at}"))
        requests += chance.sample(nearby, len(nearby))
    url = engine.url.render_as_string(hide_password=False)
    with web_server(url, tmp_path, 2) as (port, _):
        seen = run(port, requests, CONNECTIONS)
    assert seen.statuses == {201: CODES, 200: CODES // 2 * (TRIES - 1), 410: CODES // 2 * (TRIES - 1)}
    with engine.connect() as connection:
        kept = connection.execute(
            text(
                "SELECT (SELECT count(*) FROM roll.access_code WHERE spent), (SELECT count(*) FROM ballot.receipt),"
                " (SELECT count(*) FROM ballot.untallied), count(*), count(DISTINCT answers ->> 'words')"
                " FROM ballot.response"
            )
        ).one()
    assert tuple(kept) == (CODES,) * 5
