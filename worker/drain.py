"""Draining a topic: transaction after transaction until nothing is due or the time is over.

RQ only calls `answer_bell`; what is to be done, and that it is done exactly once, stands in PostgreSQL.
"""

import logging
import time

from api.actions.tally import fold
from api.store import owed
from api.store.tallies import are_waiting
from worker.jobs import OUTBOX_WORK, Work
from worker.shop import Shop, the_shop

TALLY, STUCK = "tally", "tally_stuck"
"""Fresh answers, and those that could not be counted before."""

ANSWERS_AT_ONCE = 500
BUDGET_SECONDS = 4.0
"""A job ends soon after, so that SIGTERM's grace (6 s) is kept and another topic's bell does not wait long."""

ALERT_AFTER = 8
"""Attempts after which a failing obligation is an alert. It is still never dropped."""

log = logging.getLogger(__name__)


def answer_bell(topic: str) -> int:
    """The one RQ job: look what is due of a topic and do it. Returns how many obligations were settled or put off."""
    return drain(the_shop(), topic)


def drain(shop: Shop, topic: str, seconds: float = BUDGET_SECONDS) -> int:
    """Do what is due of a topic until nothing is, or `seconds` have passed."""
    deadline = time.monotonic() + seconds
    total = 0
    while True:
        done = _one_transaction(shop, topic)
        total += done
        if done == 0 or topic == STUCK or time.monotonic() > deadline:
            return total


def _one_transaction(shop: Shop, topic: str) -> int:
    if topic in {TALLY, STUCK}:
        with shop.database.write() as connection:
            looked_at = fold(connection, ANSWERS_AT_ONCE, stuck=topic == STUCK)
            if topic == STUCK and are_waiting(connection, stuck=True):
                log.error("ALERT answers cannot be counted; ballot.untallied.last_error says why. They stay owed")
            return looked_at
    return _settle(shop, topic, OUTBOX_WORK[topic])


def _settle(shop: Shop, topic: str, work: Work) -> int:
    """Take due obligations and do each subject once, in a savepoint of its own: a poisoned one spoils no other."""
    with shop.database.write() as connection:
        taken = owed.take_due(connection, topic, work.at_once)
        subjects: dict[str, list[owed.Obligation]] = {}
        for obligation in taken:
            subjects.setdefault(obligation.subject, []).append(obligation)
        for subject, obligations in subjects.items():
            ids = [obligation.id for obligation in obligations]
            try:
                with connection.begin_nested():
                    work.job(connection, shop, subject)
            except Exception as error:  # noqa: BLE001 - what failed is put off and tried again, whatever it was
                owed.mark_failed(connection, ids, f"{type(error).__name__}: {error}".partition("\n")[0][:500])
                _tell(topic, subject, max(obligation.attempts for obligation in obligations) + 1, error)
            else:
                owed.mark_done(connection, ids)
    return len(taken)


def _tell(topic: str, subject: str, attempts: int, error: Exception) -> None:
    if attempts >= ALERT_AFTER:
        log.error("ALERT %s of %s failed %d times and is tried again", topic, subject, attempts, exc_info=error)
    else:
        log.warning("%s of %s failed (%s), attempt %d", topic, subject, type(error).__name__, attempts)
