"""No request makes a respondent's route fail: mutations of good ones, in all states that a phone can be in.

`MINGCHA_MUTATED=100000` for the long run; `MINGCHA_MUTATED_SEED` for another one.
"""

import gc
import json
import os
import re
from collections import Counter
from random import Random
from urllib.parse import quote_plus

import pytest
from sqlalchemy import func, select

from api.actions.failure_cap import FailureCap
from api.app import create_app
from api.auth import allowed_roles
from api.http.responses import PATH
from api.services import KEY
from api.store import ballots, roll
from survey_forms.sampling.codes import display
from tests.builders import a_survey, some_codes
from tests.mutations import JSON_TYPE, URLENCODED, Sent, form, mutated
from tests.rules.books import a_book, a_row

# A form that is refused halfway leaves its temporary file to the garbage collector; werkzeug closes only whole ones.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

NUMBER = int(os.environ.get("MINGCHA_MUTATED", "5000"))
SEED = int(os.environ.get("MINGCHA_MUTATED_SEED", "1"))
PHONES = 40
ANSWERS = {"police": "good", "several": ["yes", "no"], "age": "33", "words": "好"}
SLOW = {"/login"}  # a password's hash takes as long as two hundred other requests


def a_book_of_everything() -> bytes:
    """One question of each kind that a respondent can be asked."""
    return a_book(
        a_row("begin_group", "one", appearance="field-list"),
        a_row("select_one scale", "police", mc_unit="police", mc_item="overall", required="yes"),
        a_row("select_multiple yes_no", "several"),
        a_row("range", "hours", parameters="start=0 end=10 step=1"),
        a_row("rank scale", "order"),
        a_row("end_group"),
        a_row("begin_group", "two", appearance="field-list", relevant="${police} != 'dk'"),
        a_row("integer", "age", constraint=". >= 0 and . < 130"),
        a_row("decimal", "share"),
        a_row("date", "day"),
        a_row("text", "words", appearance="multiline"),
        a_row("image", "photo"),
        a_row("end_group"),
        a_row("begin_repeat", "people"),
        a_row("integer", "years"),
        a_row("end_repeat"),
    )


@pytest.fixture
def app(settings):
    made = create_app(settings)
    caps = made.extensions[KEY].answering.booths.caps
    caps.typed = caps.digits = FailureCap(1e9)  # otherwise almost every request would end there
    yield made
    made.extensions[KEY].database.engine.dispose()
    gc.collect()


@pytest.fixture
def codes(engine, settings):
    with engine.begin() as connection:
        return some_codes(connection, a_survey(connection, a_book_of_everything()), PHONES, settings.pepper)


class Wire:
    """Hands requests to the app as a server does, and keeps the cookies that it gives for later ones."""

    def __init__(self, app) -> None:
        self.app = app
        self.passes = [""]  # cookies with a code or a receipt, the newest last
        self.others = [""]
        self.told = Counter()

    def send(self, sent: Sent) -> tuple[int, dict[str, str], bytes]:
        status, headers = 0, []

        def start(line, given, _=None):
            nonlocal status, headers
            status, headers = int(line[:3]), given

        parts = self.app.wsgi_app(sent.environ(), start)
        try:
            body = b"".join(parts)
        finally:
            getattr(parts, "close", lambda: None)()
        for name, value in headers:
            if name == "Set-Cookie":
                cookie = value.partition(";")[0]
                holds = cookie.startswith("mc_survey=") and len(cookie) > len("mc_survey=")
                (self.passes if holds else self.others).append(cookie)
        self.told[status] += 1
        return status, dict(headers), body


def requests_of(app, codes, chance: Random) -> list[Sent]:
    """Good requests: one of each open route and method, and those that lead from a code to a receipt."""
    found = [
        Sent(
            method, re.sub(r"<[^>]+>", "1", rule.rule), headers={"Content-Type": URLENCODED} if method == "POST" else {}
        )
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.endpoint != "static" and allowed_roles(app, rule.endpoint, method) == frozenset()
    ]
    assert {"/", "/survey", PATH} <= {one.path for one in found}
    found = [one for one in found * 3 if one.path not in SLOW or chance.random() < 0.02]
    for code in codes:
        body = {"code": code, "answers": ANSWERS, "receipt": "r" * 20}
        found.append(Sent("POST", PATH, headers={"Content-Type": JSON_TYPE}, body=json.dumps(body).encode()))
        for do, at in (
            ("enter", ""),
            ("begin", ""),
            ("next", "1"),
            ("next", "2"),
            ("back", "2"),
            ("send", "0"),
            ("keep", "1"),
        ):
            fields = [("do", do), ("at", at), ("code", display(code)), ("receipt", "r" * 20)]
            fields += [
                (name, one) for name, value in ANSWERS.items() for one in ([value] if isinstance(value, str) else value)
            ]
            found.append(Sent("POST", "/survey", headers={"Content-Type": URLENCODED}, body=form(fields)))
        found.append(Sent("GET", "/survey", query=f"at={chance.randrange(5)}"))
        found.append(Sent("GET", "/survey/picture", query="of=photo"))
    return found


def test_no_mutated_request_makes_an_open_route_fail(app, codes, engine, caplog):
    chance = Random(SEED)
    wire = Wire(app)
    for code in codes[: PHONES // 2]:  # phones with an open questionnaire
        wire.send(
            Sent(
                "POST",
                "/survey",
                headers={"Content-Type": URLENCODED},
                body=f"do=enter&code={quote_plus(code)}".encode(),
            )
        )
    good = requests_of(app, codes, chance)
    failures: list[str] = []
    for number in range(NUMBER):
        base = chance.choice(good)
        base.headers["Cookie"] = chance.choice((wire.passes if chance.random() < 0.75 else wire.others)[-100:])
        sent = mutated(base, chance)
        try:
            status, headers, _ = wire.send(sent)
        except Exception as error:  # noqa: BLE001 - a server would say 500
            status, headers = 500, {"error": repr(error)}
        split = any("\n" in value or "\r" in value for value in headers.values())
        if split or (status >= 500 and not (status == 503 and "Retry-After" in headers)):
            failures.append(f"request {number} of seed {SEED}, {status}: {sent}"[:2000])
    assert failures[:5] == [], len(failures)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    print(f"\n{NUMBER} requests, seed {SEED}: {dict(sorted(wire.told.items()))}")  # noqa: T201 - for the long run
    with engine.connect() as connection:
        kept = connection.execute(select(func.count()).select_from(ballots.response)).scalar_one()
        spent = connection.execute(select(func.count()).where(roll.access_code.c.spent)).scalar_one()
    assert kept == spent


def test_after_the_storm_a_good_answer_is_taken(app, codes):
    chance = Random(SEED + 1)
    wire = Wire(app)
    good = requests_of(app, codes[1:], chance)
    for _ in range(200):
        wire.send(mutated(chance.choice(good), chance))
    body = json.dumps({"code": codes[0], "answers": ANSWERS, "receipt": "s" * 20}).encode()
    assert wire.send(Sent("POST", PATH, headers={"Content-Type": JSON_TYPE}, body=body))[0] == 201
