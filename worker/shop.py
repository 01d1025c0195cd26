"""What jobs work with: opened once by the process that runs them, found again by a job that RQ calls by name."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api.actions.checkpoints import NOTES, signer_of
from api.actions.frames import Registry, registry_of
from api.actions.messages import Post
from api.actions.sealed_words import Safe
from api.config import Settings
from api.object_store import open_objects
from api.objects import Objects
from api.senders.choose import sender_of
from api.store.base import make_engine
from api.transaction import Database
from survey_forms.signed_notes import Signer


@dataclass(frozen=True, slots=True)
class Shop:
    """The database, the object store, the clock, the way out for messages, and the files of frames."""

    database: Database
    objects: Objects
    now: Callable[[], datetime]
    post: Post | None = None
    registry: Registry | None = None
    secret_key: bytes | None = None  # opens the seals of assignments
    signer: Signer | None = None  # of the ledger's checkpoints; none where another host signs
    own_notes: Path | None = None  # the checkpoints that this signer remembers


_opened: list[Shop] = []


def open_shop(settings: Settings) -> Shop:
    """Make the shop of this process. No connection is opened before the first job asks for one.

    One connection at a time is all that a worker needs: it does one thing after another.
    """
    engine = make_engine(settings.database_url, pool_size=1, max_overflow=2)
    post = Post(Safe(settings.secret_key), sender_of(settings))
    registry = registry_of(settings.objects, settings.secret_key)
    shop = Shop(
        Database(engine),
        open_objects(settings),
        lambda: datetime.now(UTC),
        post,
        registry,
        settings.secret_key,
        signer_of(settings),
        settings.data_dir / NOTES,
    )
    _opened[:] = [shop]
    return shop


def the_shop() -> Shop:
    """The shop of this process.

    Raises:
        RuntimeError: nobody opened it; a job was called outside `python -m worker`.
    """
    if not _opened:
        raise RuntimeError("open_shop(settings) first")
    return _opened[0]


def keep_log(level: str) -> None:
    """Log to standard error, which the supervisor keeps in a file or the container's log takes."""
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z"
    )
