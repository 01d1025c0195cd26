"""One reply to every code that opens nothing: same status, same bytes, same time. And a code is written nowhere."""

import gc
import logging
import secrets
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations, product
from random import Random

import pytest
from sqlalchemy import update

from api.actions.failure_cap import Caps, FailureCap
from api.app import create_app
from api.services import KEY
from api.store import roll, surveys
from survey_forms.sampling.codes import display, new_code
from tests.builders import DAY, a_survey, some_codes
from tests.live import a_phone, requests_of, serving
from tests.pages.test_respondent import Phone, everything
from tests.pages.tongues import a_book_of_tongues

TIMES = 400
"""Replies of each kind."""

BLOCK = TIMES // 10

SLOWER_SECONDS, SLOWER_SHARE = 0.001, 0.15
BOTS = (
    "Mozilla/5.0 (Linux; Android 13) MicroMessenger/8.0.42 (link preview)",
    "WhatsApp/2.23.20.0 A",
    "facebookexternalhit/1.1",
    "Slackbot-LinkExpanding 1.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1)",
)


class NoCap(Caps):
    """As many failures as the test likes."""

    def of(self, _: str) -> FailureCap | None:
        return None


@pytest.fixture
def app(app):
    app.extensions[KEY].answering.booths.caps = NoCap()
    return app


@pytest.fixture
def dead(engine, settings):
    """Codes that open nothing, by why: each kind as many as there are replies."""
    with engine.begin() as connection:
        running = a_survey(connection, a_book_of_tongues())
        ended = a_survey(connection, code="ended", opens=-2 * DAY, closes=-DAY)
        early = a_survey(connection, code="early", opens=DAY, closes=2 * DAY)
        frozen = a_survey(connection, code="frozen", status="frozen")
        closed = a_survey(connection, code="closed")
        connection.execute(
            update(surveys.survey)
            .where(surveys.survey.c.id == closed.id)
            .values(closed_at=surveys.survey.c.opens_at, early_reason="样本已满")
        )
        found = {"unknown": [new_code(secrets.randbelow) for _ in range(TIMES)]}
        for kind, survey in (
            ("spent", running), ("revoked", running), ("ended", ended), ("early", early), ("frozen", frozen),
            ("closed", closed),
        ):  # fmt: skip
            found[kind] = some_codes(connection, survey, TIMES, settings.pepper)
        booths = create_app(settings).extensions[KEY].answering.booths
        for kind, column in (("spent", "spent"), ("revoked", "revoked")):
            macs = [booths.mac(code) for code in found[kind]]
            connection.execute(update(roll.access_code).where(roll.access_code.c.mac.in_(macs)).values({column: True}))
    return found


def test_every_dead_code_gets_the_same_bytes(app, dead):
    replies = {kind: Phone(app).post("enter", code=codes[0]) for kind, codes in dead.items()}
    assert {reply.status_code for reply in replies.values()} == {410}
    assert len({reply.data for reply in replies.values()}) == 1
    headers = {tuple((name, value) for name, value in reply.headers if name != "Date") for reply in replies.values()}
    assert len(headers) == 1


def typical(seconds: Sequence[float]) -> float:
    """The mean of the fastest half without its fastest twentieth: what a neighbour on the machine adds, it only adds.

    Whoever measured us from outside would do the same.
    """
    ordered = sorted(seconds)
    return statistics.fmean(ordered[len(ordered) // 20 : len(ordered) // 2])


def told_apart(seconds: Mapping[str, Sequence[float]]) -> list[tuple[str, str]]:
    """The kinds of codes that somebody with a clock could tell from each other.

    Differences are taken block by block, each block a tenth of the rounds, and told only beyond three standard errors:
    a machine that others use is noisy, a leak is steady.
    """
    blocks = {
        kind: [typical(each[at : at + BLOCK]) for at in range(0, len(each), BLOCK)] for kind, each in seconds.items()
    }
    found = []
    for one, other in combinations(blocks, 2):
        differences = [mine - its for mine, its in zip(blocks[one], blocks[other], strict=True)]
        error = statistics.stdev(differences) / len(differences) ** 0.5
        sure = abs(statistics.fmean(differences)) - 3 * error
        least = min(statistics.fmean(blocks[one]), statistics.fmean(blocks[other]))
        if sure > min(SLOWER_SECONDS, SLOWER_SHARE * least):
            found.append((one, other))
    return found


def test_the_clock_of_the_next_test_tells_a_slower_reply_and_no_other():
    chance = Random(7)
    replies = {kind: [0.006 + chance.expovariate(200) for _ in range(TIMES)] for kind in ("unknown", "spent", "ended")}
    assert told_apart(replies) == []
    replies["spent"] = [seconds + 0.002 for seconds in replies["spent"]]
    assert told_apart(replies) == [("unknown", "spent"), ("spent", "ended")]


def test_every_dead_code_is_answered_in_the_same_time(app, dead, capsys):
    """400 replies of each kind, in a drawn order, so that whatever else the machine does falls on all kinds alike."""
    phone = Phone(app)
    seconds: dict[str, list[float]] = {kind: [] for kind in dead}
    for codes in dead.values():
        phone.post("enter", code=codes[0])
    gc.collect()
    gc.disable()
    try:
        for at in range(TIMES):
            for kind in sorted(dead, key=lambda _: secrets.randbits(32)):
                began = time.perf_counter()
                reply = phone.post("enter", code=dead[kind][at])
                seconds[kind].append(time.perf_counter() - began)
                assert reply.status_code == 410
    finally:
        gc.enable()
    with capsys.disabled():
        told = ", ".join(f"{kind} {1000 * typical(each):.2f}" for kind, each in seconds.items())
        sys.stdout.write(f"\none reply, {TIMES} of each, ms: {told}\n")
    assert told_apart(seconds) == []


def test_opening_the_link_spends_nothing_whoever_opens_it(app, engine, settings):
    """A QR code's address is this page; the code stands in the fragment, which no request carries."""
    with engine.begin() as connection:
        survey = a_survey(connection, a_book_of_tongues())
        (token,) = some_codes(connection, survey, 1, settings.pepper, tokens=True)
    client = app.test_client()
    before = everything(engine)
    for bot in BOTS:
        for headers in ({}, {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}):
            for method, address in product(("GET", "HEAD"), ("/", "/survey", "/survey?at=1", "/report")):
                answer = client.open(address, method=method, headers={"User-Agent": bot, **headers})
                assert answer.status_code in {200, 401}
    assert everything(engine) == before
    assert Phone(app).post("enter", code=token).status_code == 200
    assert everything(engine) == before  # entering spends nothing either


@pytest.mark.browser
def test_after_a_whole_answer_no_log_file_holds_the_code_the_token_or_the_receipt(browser, engine, settings, tmp_path):
    """A live server, its access log on, everything at DEBUG into files; a phone that comes by the QR code's link."""
    with engine.begin() as connection:
        survey = a_survey(connection, a_book_of_tongues(), simulated=True)
        (code,) = some_codes(connection, survey, 1, settings.pepper)
        (token,) = some_codes(connection, survey, 1, settings.pepper, tokens=True)
    app = create_app(settings)
    with logging_into(tmp_path / "server.log"), serving(app) as site:
        both = [answered(browser, site, f"{site}/#{token}", ""), answered(browser, site, f"{site}/", code)]
    app.extensions[KEY].database.engine.dispose()
    receipts, asked = [receipt for receipt, _ in both], [addresses for _, addresses in both]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    written = "\n".join(path.read_bytes().decode("latin-1") for path in files)
    assert "POST /survey" in written  # the access log is there
    assert "FROM roll.access_code" in written  # and so is what the database was asked
    for secret in (code, token, *receipts):
        for spelled in {secret, secret.lower(), display(secret), display(secret).lower()}:
            assert spelled not in written
            assert all(spelled not in address for each in asked for address in each)


@contextmanager
def logging_into(path):
    """Everything that anybody logs, down to DEBUG, and every statement with what it carries."""
    handler, loggers = (
        logging.FileHandler(path),
        [logging.getLogger(name) for name in ("", "werkzeug", "sqlalchemy.engine")],
    )
    before = [logger.level for logger in loggers]
    logging.getLogger().addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
        logging.getLogger().removeHandler(handler)
        handler.close()


def answered(browser, site, link, typed):
    """One whole answer; its receipt, and every address that the phone asked for."""
    with a_phone(browser) as page, requests_of(page) as asked:
        page.goto(link)
        if typed:
            page.fill("#code", typed)
        assert page.url == f"{site}/"  # the fragment has left the address bar
        for step in ("enter", "begin"):
            page.locator(f"main button[value={step}]").click()
            page.wait_for_load_state()
        page.locator("input[name=police]").first.check(force=True)
        for _ in range(2):
            page.locator("main button[value=next]").click()
            page.wait_for_load_state()
        page.locator("main button[value=send]").first.click()
        page.wait_for_load_state()
        receipt = page.locator(".receipt").inner_text()
        return receipt.replace("-", ""), list(asked)
