"""The dispatcher: looks every second what is due in PostgreSQL and rings for it in Redis.

A bell carries a topic and nothing else. Bells may be lost, doubled or late: what is due stays due until the
transaction that does it. Where nobody answers (Redis away or emptied, the worker dead), the dispatcher does the
work itself: degraded, and right.
"""

import logging
import threading
import time
from collections.abc import Callable

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from api.actions.assignments import open_due
from api.actions.ballots import close_ended
from api.actions.blobs import ABANDONED_AFTER, drop_abandoned
from api.actions.escalation import remind_due
from api.actions.inspection_draws import publish_due
from api.actions.windows import forget_drafts
from api.store import owed, tallies
from survey_forms.refusal import Refused
from worker.checkpoints import CHECKPOINT_EVERY, keep_hourly_checkpoint
from worker.drain import STUCK, TALLY, drain
from worker.jobs import OUTBOX_WORK
from worker.shop import Shop

QUEUE_OF = {
    TALLY: "drain",
    STUCK: "drain",
    "checkpoints": "drain",
    "compose": "drain",
    "quality": "drain",
    "slips": "drain",
    "photos": "photos",
    "notices": "notices",
    "frames": "notices",  # whoever reads people reads no answers (api/store/roles.py)
}
"""One queue a worker process: a worker that listens to two loses the job it held when it is killed."""

LONGEST_JOB = {"frames": 600}
"""Seconds: the last step of a frame of a million makes all of it at once, or nothing."""

MOST_BELLS = 2
"""Queued at once for a topic: one for what the running job may just have missed, one to spare."""

POLL_SECONDS = 1.0
PATIENCE_SECONDS = {"redis": 3.0, "worker": 15.0}
"""How long a topic waits for an answer to its bells before the dispatcher does the work: Redis away; worker away."""

STUCK_EVERY = 60.0
HOUSEKEEPING_EVERY = 600.0
DRAFTS_EVERY = 60.0
"""A survey that ends by itself takes its drafts along within this time, and what was kept in its last moment."""

SEALS_EVERY = 60.0
"""Assignments open at six to the minute even where nobody looks."""

REMINDERS_EVERY = 60.0
"""Units are reminded and urged by the day; a minute late is early."""

BEAT_EVERY = 5.0
AGAIN_AFTER = 10.0
"""Seconds after which a chore that failed is tried again, however seldom it is due; the others go on meanwhile."""

log = logging.getLogger(__name__)


def connect(url: str) -> redis.Redis:
    """Redis for the dispatcher: a hung server costs one second, not the client's minute."""
    return redis.Redis.from_url(url, socket_connect_timeout=0.3, socket_timeout=1.0, retry=Retry(NoBackoff(), 0))


class Dispatcher:
    """Two of them are harmless: bells are doubled, work is not."""

    def __init__(self, shop: Shop, client: redis.Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._shop = shop
        self._client = client
        self._clock = clock
        self._unanswered_since: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._away: dict[str, bool] = {"redis": False, "database": False}

    def run(self, stop: threading.Event) -> None:
        """Look every second until told to stop."""
        while not stop.wait(POLL_SECONDS):
            self.look()

    def look(self) -> None:
        """One round; whatever goes wrong is logged and tried again in the next."""
        try:
            for topic in sorted(self._due()):
                self._attend(topic)
            self._keep_house()
            self._note("database", away=False)
        except (Refused, SQLAlchemyError) as error:
            self._note("database", away=True, error=error)
        except Exception:
            log.exception("the dispatcher stumbled and goes on")

    def _due(self) -> set[str]:
        with self._shop.database.write() as connection:
            topics = owed.due_topics(connection) & OUTBOX_WORK.keys()
            if tallies.are_waiting(connection):
                topics.add(TALLY)
            look_for_stuck = self._is_time("stuck", STUCK_EVERY)
            if look_for_stuck and tallies.are_waiting(connection, stuck=True):
                topics.add(STUCK)
        if look_for_stuck:
            self._last["stuck"] = self._clock()
        for settled in self._unanswered_since.keys() - topics:
            del self._unanswered_since[settled]
        return topics

    def _attend(self, topic: str) -> None:
        """Ring; and when nobody has answered for long, do it."""
        now = self._clock()
        try:
            answered = self._ring(topic)
            self._note("redis", away=False)
        except redis.RedisError as error:
            answered = False
            self._note("redis", away=True, error=error)
        if answered:
            self._unanswered_since[topic] = now
            return
        patience = PATIENCE_SECONDS["redis" if self._away["redis"] else "worker"]
        if now - self._unanswered_since.setdefault(topic, now) >= patience:
            drain(self._shop, topic)

    def _ring(self, topic: str) -> bool:
        """Queue a bell unless enough wait; whether the bells before it were answered."""
        queue = Queue(QUEUE_OF[topic], connection=self._client, serializer=JSONSerializer)
        waiting = sum(name.startswith(f"{topic}-") for name in queue.job_ids)
        if waiting < MOST_BELLS:
            queue.enqueue(
                "worker.drain.answer_bell",
                topic,
                job_id=f"{topic}-{time.time_ns():x}",
                job_timeout=LONGEST_JOB.get(topic, 60),
                ttl=30,
                result_ttl=0,
                failure_ttl=3600,
            )
        return waiting == 0

    def _keep_house(self) -> None:
        self._do("beat", BEAT_EVERY, self._beat)
        self._do("housekeeping", HOUSEKEEPING_EVERY, self._clear_up)
        self._do("seals", SEALS_EVERY, self._open_seals)
        self._do("reminders", REMINDERS_EVERY, self._remind)
        self._do("checkpoints", CHECKPOINT_EVERY, self._sign)
        self._do("drafts", DRAFTS_EVERY, self._end_surveys)

    def _beat(self) -> None:
        with self._shop.database.write() as connection:
            owed.beat(connection, owed.DISPATCHER, "degraded" if self._away["redis"] else "ok")

    def _clear_up(self) -> None:
        with self._shop.database.write() as connection:
            owed.forget_done(connection)
        drop_abandoned(self._shop.objects, self._shop.now() - ABANDONED_AFTER)

    def _open_seals(self) -> None:
        if not self._shop.secret_key:
            return
        with self._shop.database.write() as connection:
            open_due(connection, self._shop.secret_key, self._shop.now())
        with self._shop.database.write() as connection:
            publish_due(connection, self._shop.secret_key, self._shop.now())

    def _remind(self) -> None:
        with self._shop.database.write() as connection:
            remind_due(connection, self._shop.now())

    def _sign(self) -> None:
        with self._shop.database.write() as connection:
            keep_hourly_checkpoint(connection, self._shop)

    def _end_surveys(self) -> None:
        with self._shop.database.write() as connection:
            forgotten = forget_drafts(connection, self._shop.now())
        with self._shop.database.write() as connection:
            unclosed = close_ended(connection, self._shop.now())
        if unclosed:
            log.error("ALERT boxes and spent codes of the surveys %s differ; their ballots stay unclosed", unclosed)
        if forgotten:
            log.info("%d drafts went with their surveys", forgotten)

    def _do(self, chore: str, every: float, act: Callable[[], None]) -> None:
        """Do a chore whose time has come; it counts as done once it is."""
        if not self._is_time(chore, every):
            return
        begun = self._clock()
        self._last[chore] = begun - max(every - AGAIN_AFTER, 0.0)  # should it fail
        act()
        self._last[chore] = begun

    def _is_time(self, task: str, every: float) -> bool:
        return self._clock() - self._last.get(task, float("-inf")) >= every

    def _note(self, what: str, *, away: bool, error: Exception | None = None) -> None:
        """Log a change once, not every second."""
        if away != self._away[what]:
            self._away[what] = away
            self._last.pop("beat", None)  # the web should learn of it now
            if away:
                log.warning("%s is away: %s", what, type(error).__name__)
            else:
                log.warning("%s is back", what)
