"""A1, A2, A3, A5 and A6 of the sealed ballot, against PostgreSQL's real files, logs, write-ahead log and backups.

A thousand people answer a sealed survey through the web application, each with words of their own. Beside them two
hundred answer an open one, whose answers are stored in clear in the transaction that spends the code: the same attack
must find every one of those, or it is no attack (docs/privacy.md says so of open surveys).
"""

# Size: one election is made once and looked at from every side; the sides read best beside it.

import logging
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
import redis
from sqlalchemy import Engine, text

from api.actions import ballots, count
from api.actions.drafts import STEP, Draft, Drawer, keep_draft
from api.actions.responses import CODE_NAMESPACE
from api.actions.sealing import box_size
from api.actions.tally import fold, form_of_version
from api.app import create_app
from api.config import Settings
from api.embedded.place import Place, occupy
from api.embedded.postgres import EmbeddedPostgres, program
from api.embedded.valkey import EmbeddedValkey
from api.services import KEY
from api.store import closings
from api.store.base import make_engine
from api.store.migrate import migrate
from api.transaction import Database
from survey_forms.ballot import files
from survey_forms.ballot.counting import count_boxes
from survey_forms.sampling.codes import code_mac
from tests.ballots import SealedSurvey, a_sealed_survey, end, now
from tests.builders import a_survey, some_codes
from tests.secrecy import Row, Store, best_link, links, traces
from worker.dispatch import Dispatcher, connect
from worker.shop import Shop

PEPPER = b"a test's pepper, thirty-two bytes at least"
SEALED, OPEN = 1000, 200
STRATA = ("siming", "stratum_1", "stratum_2")
CHANCE = 12
"""More right guesses than this, of all the thousands of ways tried, do not happen by chance: the number of fixed
points of a random order is 1 on average, and above 12 once in 10¹⁰."""

WAL_PAGE = 8192
CANARY = re.compile(r"(?:sealed|open)-canary-[0-9a-f]{24}")
SEALED_WORDS = ("sealed-canary-", "密封的意见")
OPEN_WORDS = ("open-canary-", "公开的意见")


@dataclass(frozen=True, slots=True)
class Election:
    """The servers, what only the respondents know, and what was found of it at each stage."""

    place: Place
    server: EmbeddedPostgres
    engine: Engine
    sealed: SealedSurvey
    truth: dict[str, str]  # hexadecimal MAC → words, the sealed survey
    plain: dict[str, str]  # the same, the open survey
    secrets: list[str]  # some receipts and codes
    outcomes: dict[str, int]
    traces_before: list[tuple[Path, bytes]]  # of the sealed answers, before the count
    control_before: list[tuple[Path, bytes]]  # of the open ones
    lengths: set[int]
    draft_lengths: set[int]
    store_before: Store
    dump_before: Path
    counts: list[dict[str, int]]
    wal: bytes


def said(row: Row) -> str | None:
    """The words that a row shows in clear."""
    found = CANARY.search(str(row.values))
    return found[0] if found else None


def some_words(chance: Random, kind: tuple[str, str]) -> str:
    """Words that nobody else has, more or less of them, and drawn so that no compression hides them from a search."""
    more = "".join(chr(0x4E00 + chance.randrange(20_000)) for _ in range(chance.choice([0, 5, 50, 400, 1500])))
    return f"{kind[0]}{secrets.token_hex(12)} {kind[1]}{more}"


@pytest.fixture(scope="module")
def election(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Election]:
    """A whole sealed survey, from its key to its count, on servers of its own."""
    before, tempfile.tempdir = tempfile.tempdir, None
    with occupy(tmp_path_factory.mktemp("election")) as place, pytest.MonkeyPatch.context() as patch:
        temporary = place.path / "tmp"
        temporary.mkdir()
        patch.setenv("TMPDIR", str(temporary))
        log = logging.FileHandler(place.logs / "web.log")
        logging.getLogger().addHandler(log)
        # Whoever archives the write-ahead log has all of it.
        with EmbeddedPostgres(place, wal_keep_size="1GB") as server, EmbeddedValkey(place) as valkey:
            engine = make_engine(server.url())
            migrate(engine)
            try:
                yield _held(place, server, valkey, engine)
            finally:
                engine.dispose()
                logging.getLogger().removeHandler(log)
                log.close()
                tempfile.tempdir = before


def _held(place: Place, server: EmbeddedPostgres, valkey: EmbeddedValkey, engine: Engine) -> Election:
    chance = Random(7)
    with engine.begin() as connection:
        sealed = a_sealed_survey(connection, strata=3)
        other = a_survey(connection, code="open")
        codes = [
            code
            for at, stratum in enumerate(STRATA)
            for code in some_codes(
                connection, _of_stratum(sealed, stratum), SEALED // 2 if at == 0 else SEALED // 4, PEPPER
            )
        ]
        plain = some_codes(connection, other, OPEN, PEPPER)
    words = {code: some_words(chance, SEALED_WORDS) for code in codes}
    words |= {code: some_words(chance, OPEN_WORDS) for code in plain}
    receipts = {code: secrets.token_urlsafe(20) for code in words}
    outcomes, draft_lengths = _vote(place, valkey, server, engine, sealed, words, receipts, set(codes))
    _fold(engine)
    before = _look(place, valkey, engine)
    with engine.connect() as connection:
        lengths = set(connection.execute(text("SELECT octet_length(sealed) FROM ballot.box")).scalars())
    store = Store.of(engine)
    counts = _count(place, engine, sealed)
    _fold(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        session.execute(text("CHECKPOINT"))
    wal = b"".join(_records(path.read_bytes()) for path in sorted((server.data / "pg_wal").glob("0*")))

    def truth(these: list[str]) -> dict[str, str]:
        # In random order: where the attack's keys tie, the truth's own order must not help it.
        shuffled = chance.sample(these, len(these))
        return {code_mac(PEPPER, CODE_NAMESPACE, code).hex(): words[code].split()[0] for code in shuffled}

    return Election(
        place,
        server,
        engine,
        sealed,
        truth(codes),
        truth(plain),
        [secret for code in codes[:3] for secret in (code, receipts[code])],
        outcomes,
        before[0],
        before[1],
        lengths,
        draft_lengths,
        store,
        before[2],
        counts,
        wal,
    )


def _records(segment: bytes) -> bytes:
    """A file of the write-ahead log without the headers of its pages, which cut records in two."""
    pages = range(0, len(segment), WAL_PAGE)
    return b"".join(segment[at + (24 if at else 40) : at + WAL_PAGE] for at in pages)


def _of_stratum(sealed: SealedSurvey, stratum: str) -> object:
    class Of:
        id = sealed.id

    Of.stratum = stratum
    return Of


def _vote(  # noqa: PLR0917 - what a whole election needs
    place: Place,
    valkey: EmbeddedValkey,
    server: EmbeddedPostgres,
    engine: Engine,
    sealed: SealedSurvey,
    words: dict[str, str],
    receipts: dict[str, str],
    secret: set[str],
) -> tuple[dict[str, int], set[int]]:
    """Everybody answers through the web application, in random order, some from a draft, some twice."""
    app = create_app(
        Settings(
            database_url=server.url(),
            redis_url=valkey.url(),
            secret_key=b"a test's key, thirty-two bytes at least",
            pepper=PEPPER,
            base_url="http://127.0.0.1",
            data_dir=place.path,
            objects=place.path / "objects",
        )
    )
    with engine.connect() as connection:
        size = box_size(form_of_version(connection, sealed.survey.form_version))
    chance = Random(11)
    order = chance.sample(list(words), len(words))
    drafting = set(chance.sample(order, len(order) // 4))
    outcomes: dict[str, int] = {}
    today = datetime.now(UTC).date()
    # One after another: each answer is then alone in its transaction, which is the most that an insider can see.
    client = app.test_client()
    lengths: set[int] = set()
    for code in order:
        answers = {"police": chance.choice(["good", "bad"]), "words": words[code]}
        if code in drafting:
            with engine.begin() as connection:
                draft = Draft(receipts[code], "2", answers)
                step = STEP + size if code in secret else STEP
                survey = sealed.id if code in secret else sealed.id + 1
                keep_draft(connection, Drawer.of(PEPPER, code), draft, survey, secrets.token_bytes(12), today, step)
                lengths |= set(
                    connection.execute(
                        text("SELECT octet_length(sealed) FROM ballot.draft WHERE survey_id = :id"), {"id": sealed.id}
                    ).scalars()
                )
        body = {"code": code, "answers": answers, "receipt": receipts[code]}
        for _ in range(1 + (chance.random() < 0.02)):
            answer = client.post("/api/v1/responses", json=body)
            told = answer.json.get("outcome") or answer.json["code"]
            outcomes[told] = outcomes.get(told, 0) + 1
    app.extensions[KEY].database.engine.dispose()
    return outcomes, lengths


def _look(
    place: Place, valkey: EmbeddedValkey, engine: Engine
) -> tuple[list[tuple[Path, bytes]], list[tuple[Path, bytes]], Path]:
    """Ring the bell, write everything to disk, take both kinds of backup, and look for the answers everywhere."""
    client = connect(valkey.url())
    Dispatcher(Shop(Database(engine), None, now), client).look()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        session.execute(text("CHECKPOINT"))
    with redis.Redis.from_url(valkey.url()) as session:
        session.save()
    dump = place.path / "nightly.sql"
    _run("pg_dump", "-h", str(place.sockets), "-U", "app", "-d", "mingcha", "-f", str(dump))
    _backup(place, place.path / "nightly")
    return traces([place.path], SEALED_WORDS), traces([place.path], OPEN_WORDS), dump


def _count(place: Place, engine: Engine, sealed: SealedSurvey) -> list[dict[str, int]]:
    """Close, carry the boxes to the table, count, carry the answers back; the counts at every station."""
    laptop = place.path.parent / f"laptop-{place.path.name}"
    laptop.mkdir()
    with engine.begin() as connection:
        end(connection, sealed)
        ballots.close_ballot(connection, sealed.id, sealed.staff[0], now())
        closed = closings.closing_of(connection, sealed.id)
        (laptop / "boxes").write_bytes(b"".join(ballots.export(connection, sealed.id)))
    with (laptop / "boxes").open("rb") as lines:
        export = files.read_boxes(lines)
    result = count_boxes(export, sealed.private_key, secrets.SystemRandom().randrange)
    with engine.begin() as connection:
        assert count.load(connection, sealed.id, result, result.digest, sealed.staff[1], now())
        stored = {
            what: _by_stratum(connection, sealed, statement)
            for what, statement in {
                "spent": "SELECT stratum FROM roll.access_code WHERE spent AND survey_id = :id",
                "boxes": "SELECT stratum FROM ballot.box WHERE survey_id = :id",
                "responses": "SELECT stratum FROM ballot.response WHERE survey_id = :id",
            }.items()
        }
    shutil.rmtree(laptop)
    exported, counted = ([one.stratum for one in some] for some in (export.boxes, result.answers))
    return [
        *stored.values(),
        dict(closed.counts),
        {stratum: exported.count(stratum) for stratum in STRATA},
        {stratum: counted.count(stratum) for stratum in STRATA},
    ]


def _by_stratum(connection: object, sealed: SealedSurvey, statement: str) -> dict[str, int]:
    found = list(connection.execute(text(statement), {"id": sealed.id}).scalars())
    return {stratum: found.count(stratum) for stratum in STRATA}


def _fold(engine: Engine) -> None:
    with engine.begin() as connection:
        fold(connection, 5000)


def _run(name: str, *arguments: str) -> None:
    subprocess.run([str(program(name)), *arguments], check=True, capture_output=True)


def _backup(place: Place, target: Path) -> None:
    _run("pg_basebackup", "-h", str(place.sockets), "-U", "app", "-D", str(target), "-X", "stream", "-c", "fast")


class TestA1NobodyCanSayWhoseAnswerIsWhose:
    def test_before_the_count_no_table_shows_any_answer(self, election):
        shown = {row.table: said(row) for rows in election.store_before.tables.values() for row in rows if said(row)}
        assert set(shown) == {"ballot.response"}
        assert not set(election.truth.values()) & set(shown.values())

    def test_after_the_count_every_join_order_and_size_links_no_more_than_chance(self, election):
        found = best_link(Store.of(election.engine), election.truth, said, "sealed")
        assert found.right <= CHANCE, found

    def test_the_same_attack_finds_every_answer_that_was_stored_with_its_code(self, election):
        found = best_link(Store.of(election.engine), election.plain, said, "open")
        assert (found.how.partition(":")[0], found.right) == ("transaction (xmin)", OPEN)

    def test_the_attack_by_order_alone_would_find_answers_loaded_in_the_boxes_order(self, election):
        """The shuffle is what protects: put the answers down as the boxes lie, and the attack has them."""
        store = Store.of(election.engine)
        order = sorted(election.truth, key=lambda mac: _code(store, mac).xmin)
        rows = [row for row in store.tables["ballot.response"] if said(row) in set(election.truth.values())]
        told = dict(zip((row.place for row in rows), (election.truth[mac] for mac in order), strict=True))
        tried = links(
            store, election.truth, lambda row: told.get(row.place) if row.table == "ballot.response" else None
        )
        assert max(tried, key=lambda link: link.right).right == SEALED

    def test_the_write_ahead_log_has_no_order_that_links(self, election):
        """Boxes in the order in which they were written against answers in theirs; both from the log's own bytes."""
        answers = list(
            dict.fromkeys(word.decode() for word in re.findall(rb"sealed-canary-[0-9a-f]{24}", election.wal))
        )
        mine = [word for word in answers if word in set(election.truth.values())]
        store = Store.of(election.engine)
        box_of = {row.xmin: bytes.fromhex(row.values["receipt_hash"][2:]) for row in store.tables["ballot.box"]}
        at = {mac: election.wal.find(box_of[_code(store, mac).xmin]) for mac in election.truth}
        assert len(mine) == SEALED
        assert min(at.values()) >= 0
        order = sorted(at, key=at.__getitem__)
        for guesses in (mine, mine[::-1]):
            assert sum(election.truth[mac] == guess for mac, guess in zip(order, guesses, strict=True)) <= CHANCE


def _code(store: Store, mac: str) -> Row:
    return next(row for row in store.tables["roll.access_code"] if row.values["mac"] == f"\\x{mac}")


class TestA2NoAnswerIsWrittenAnywhereBeforeTheCount:
    def test_no_file_of_any_server_log_backup_or_temporary_directory_holds_a_sealed_answer(self, election):
        assert election.traces_before == []

    def test_the_search_finds_open_answers_in_tables_log_backup_and_dump(self, election):
        places = {path.relative_to(election.place.path).parts[:2] for path, _ in election.control_before}
        assert {("postgres", "base"), ("postgres", "pg_wal"), ("nightly", "base"), ("nightly.sql",)} <= places

    def test_no_code_and_no_receipt_is_in_any_file_either(self, election):
        assert traces([election.place.path], election.secrets) == []


class TestA3EveryBoxIsAsLong:
    def test_all_boxes_of_the_form_have_one_length(self, election):
        assert len(election.lengths) == 1

    def test_all_drafts_of_the_survey_have_one_length(self, election):
        assert len(election.draft_lengths) == 1


class TestA5BackupsTellNoMore:
    def test_last_nights_base_backup_started_again_shows_no_sealed_answer(self, election, tmp_path):
        store = _restored(election.place.path / "nightly", tmp_path)
        answers = {said(row) for rows in store.tables.values() for row in rows} - {None}
        assert len(answers) == OPEN
        assert not answers & set(election.truth.values())

    def test_a_base_backup_after_the_count_links_no_more_than_the_server_itself(self, election, tmp_path):
        _backup(election.place, tmp_path / "backup")
        store = _restored(tmp_path / "backup", tmp_path)
        assert best_link(store, election.truth, said, "backup").right <= CHANCE
        assert best_link(store, election.plain, said, "backup").right == OPEN

    def test_a_dump_loaded_into_another_database_links_no_more_either(self, election, tmp_path):
        dump = tmp_path / "after.dump"
        _run("pg_dump", "-Fc", "-h", str(election.place.sockets), "-U", "app", "-d", "mingcha", "-f", str(dump))
        _run("createdb", "-h", str(election.place.sockets), "-U", "app", "restored")
        _run("pg_restore", "-h", str(election.place.sockets), "-U", "app", "-d", "restored", str(dump))
        engine = make_engine(election.server.url("restored"))
        try:
            store = Store.of(engine)
        finally:
            engine.dispose()
        assert best_link(store, election.truth, said, "dump").right <= CHANCE


def _restored(data: Path, tmp_path: Path) -> Store:
    with occupy(tmp_path / "restored") as place:
        shutil.copytree(data, place.path / "postgres")
        with EmbeddedPostgres(place) as server:
            engine = make_engine(server.url())
            try:
                return Store.of(engine)
            finally:
                engine.dispose()


class TestA6NothingIsLostOrAdded:
    def test_spent_boxes_closed_exported_counted_and_stored_are_the_same_by_stratum(self, election):
        expected = {"siming": SEALED // 2, "stratum_1": SEALED // 4, "stratum_2": SEALED // 4}
        assert election.counts == [expected] * 6

    def test_every_submission_was_told_the_truth(self, election):
        assert set(election.outcomes) == {"accepted", "repeated"}
        assert election.outcomes["accepted"] == SEALED + OPEN

    def test_the_counted_answers_are_the_answers_given(self, election):
        with election.engine.connect() as connection:
            rows = connection.execute(
                text("SELECT answers->>'words' FROM ballot.response WHERE survey_id = :id"), {"id": election.sealed.id}
            ).scalars()
            assert sorted(words.split()[0] for words in rows) == sorted(election.truth.values())
