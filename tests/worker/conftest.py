import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.embedded.place import occupy
from api.embedded.valkey import EmbeddedValkey
from api.objects import Objects
from api.transaction import Database
from tests.worker.town import NOW, Town, a_town
from worker.shop import Shop


@pytest.fixture
def shop(engine: Engine, tmp_path: Path) -> Shop:
    """A worker's shop on the test's own database, its clock standing still."""
    return Shop(Database(engine), Objects(tmp_path), lambda: NOW)


@pytest.fixture
def town(engine: Engine) -> Town:
    with engine.begin() as connection:
        return a_town(connection)


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A Valkey that the test may stop, kill and empty."""
    with occupy(tmp_path / "own") as place, EmbeddedValkey(place) as server:
        yield server


@pytest.fixture
def run_worker(engine: Engine, own_valkey: EmbeddedValkey, tmp_path: Path) -> Callable[[str], object]:
    """`with run_worker("drain") as process:` is `python -m worker drain` on the test's own servers."""
    env = os.environ | {
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "REDIS_URL": own_valkey.url(),
        "MINGCHA_SECRET_KEY": "k" * 40,
        "MINGCHA_PEPPER": "p" * 40,
        "MINGCHA_LEDGER_KEY": "l" * 40,
        "MINGCHA_BASE_URL": "http://127.0.0.1",
        "MINGCHA_DATA": str(tmp_path),
    }

    @contextmanager
    def run(kind: str) -> Iterator[subprocess.Popen[bytes]]:
        log = (tmp_path / f"{kind}.log").open("ab")
        with log, subprocess.Popen([sys.executable, "-m", "worker", kind], env=env, stdout=log, stderr=log) as process:
            try:
                yield process
            finally:
                process.kill()

    return run
