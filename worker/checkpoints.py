"""Checkpoints of the ledger: every hour, at each freeze of a round, and when the office asks."""

import logging

from sqlalchemy import Connection

from api.actions.checkpoints import ASKED, keep_checkpoint
from api.problems import say
from worker.shop import Shop

CHECKPOINT_EVERY = 3600.0

log = logging.getLogger(__name__)


def keep_owed_checkpoint(connection: Connection, shop: Shop, subject: str) -> None:
    """`checkpoints`: the subject is the round that was frozen, or says that the office asked."""
    if subject == ASKED:
        _keep(connection, shop, "asked", None)
    else:
        _keep(connection, shop, "freeze", int(subject))


def keep_hourly_checkpoint(connection: Connection, shop: Shop) -> None:
    """What the dispatcher does every hour, and when it starts."""
    _keep(connection, shop, "hourly", None)


def _keep(connection: Connection, shop: Shop, occasion: str, round_id: int | None) -> None:
    wrong = keep_checkpoint(connection, shop.signer, occasion, shop.now(), round_id=round_id, own_notes=shop.own_notes)
    if wrong:
        log.error("ALERT %s", say(wrong, "en"))
