from pathlib import Path

import pytest
from sqlalchemy import Engine

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
