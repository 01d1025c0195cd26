"""What every test may ask for. Real servers, started once for each xdist worker; no mock stands for one.

    postgres      EmbeddedPostgres, running; `postgres.url(name)` is the address of one of its databases
    valkey        EmbeddedValkey, running
    engine        a fresh, migrated database for this test alone, dropped after it
    connection    a connection to a migrated database; whatever the test does is rolled back
    valkey_url    the address of an emptied Valkey
    settings      Settings on `engine`'s database and `valkey_url`, files in a directory of the test
    app           the web application over `settings`
    site          its address: it is served while the test runs
    chromium      the browser's path; skips with a reason when there is none and the run is not `make test`
    browser       Chromium, running; every test opens its own phones in it (tests/live.py)
    playwright    for tests that start a Chromium of their own: only one of these may be in a process

The servers keep everything but what only a power cut could tell: fsync is off, and where the machine lends memory
as a disk they lie there, because a database is 900 files.
"""

import gc
import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import settings as examples
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from playwright.sync_api import Browser, Playwright, sync_playwright
from sqlalchemy import Connection, Engine, text

from api.app import create_app
from api.config import Settings
from api.embedded.place import Place, occupy
from api.embedded.postgres import EmbeddedPostgres
from api.embedded.valkey import EmbeddedValkey
from api.services import KEY
from api.store.base import make_engine
from api.store.migrate import migrate
from tests.live import CHROMIUM, serving

# A slow machine is no fault of the rule that its examples are for
examples.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
examples.load_profile("any machine")

TEMPLATE = "migrated"
MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's disk in memory; only a directory made anew in it is used
ROOM = 2 * 2**30  # of which the servers of one process take a tenth
_numbers = count(1)


class Compiled(BytecodeCache):
    """What the templates compile to, for every app of this process: most tests make one for a page or two."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


def pytest_collection_finish() -> None:
    """Every app is a ring of 100,000 objects to be looked for; what is there before the first need not be looked at."""
    Flask.jinja_options = {"bytecode_cache": Compiled()}
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    beside = MEMORY if roomy else None
    with TemporaryDirectory(prefix="mingcha-tests-", dir=beside) as here, occupy(Path(here)) as taken:
        yield taken


@pytest.fixture(scope="session")
def postgres(place: Place) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(place, fsync="off", full_page_writes="off", autovacuum="off") as server:
        _run(server, f"CREATE DATABASE {TEMPLATE}")
        template = make_engine(server.url(TEMPLATE))
        migrate(template)
        template.dispose()
        yield server


@pytest.fixture(scope="session")
def valkey(place: Place) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(place) as server:
        yield server


@pytest.fixture
def engine(postgres: EmbeddedPostgres) -> Iterator[Engine]:
    name = f"test_{next(_numbers)}"
    _run(postgres, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    fresh = make_engine(postgres.url(name))
    yield fresh
    fresh.dispose()
    _run(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def shared_engine(postgres: EmbeddedPostgres) -> Iterator[Engine]:
    """Behind `connection`; nothing is ever committed to it."""
    _run(postgres, f"CREATE DATABASE rolled_back TEMPLATE {TEMPLATE}")
    engine = make_engine(postgres.url("rolled_back"))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(shared_engine: Engine) -> Iterator[Connection]:
    with shared_engine.connect() as opened:
        transaction = opened.begin()
        yield opened
        transaction.rollback()


@pytest.fixture
def valkey_url(valkey: EmbeddedValkey) -> str:
    with redis.Redis.from_url(valkey.url()) as client:
        client.flushall()
    return valkey.url()


@pytest.fixture
def settings(engine: Engine, valkey_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=engine.url.render_as_string(hide_password=False),
        redis_url=valkey_url,
        secret_key=b"a test's key, thirty-two bytes at least",
        pepper=b"a test's pepper, thirty-two bytes at least",
        ledger_key=b"a test's ledger key, thirty-two bytes at least",
        base_url="http://127.0.0.1",
        data_dir=tmp_path,
        objects=tmp_path / "objects",
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    made = create_app(settings)
    yield made
    made.extensions[KEY].database.engine.dispose()


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    with serving(app) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)
    if found is None:
        reason = "no Chromium here: `make test` installs it where it may (Debian: apt-get install chromium)"
        if os.environ.get("MINGCHA_ALL_TESTS"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    started = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
    yield started
    started.close()


def _run(server: EmbeddedPostgres, statement: str) -> None:
    admin = make_engine(server.url("postgres"))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        session.execute(text(statement))
    admin.dispose()
