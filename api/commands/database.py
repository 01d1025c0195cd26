"""The database that a command works on: `DATABASE_URL`, else the embedded one of a data directory in use."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.commands.running import inherited
from api.embedded.place import Place
from api.embedded.postgres import EmbeddedPostgres
from api.store.base import make_engine
from api.transaction import Database
from survey_forms.refusal import Refused


@contextmanager
def opened_database(data: Path) -> Iterator[Database]:
    """A database for one command.

    Raises:
        Refused: `nothing_runs_here`: no DATABASE_URL is set, and no Mingcha runs on the data directory.
    """
    place = Place(data.absolute())
    url = inherited().get("DATABASE_URL", "").strip()
    if not url and not place.in_use():
        raise Refused("nothing_runs_here", str(place.path))
    engine = make_engine(url or EmbeddedPostgres(place).url(), pool_size=1)
    try:
        yield Database(engine)
    finally:
        engine.dispose()
