"""`python -m worker dispatch | drain | notices | photos`: one process a kind of work, started by a supervisor.

A queue's worker is RQ's SimpleWorker, which runs jobs in its own process. What a forked horse would protect from,
memory and crashes of Pillow, happens in a child process of its own (`worker/photos.py`); what a horse would cost is
9 of 15 ms of every job and the compiled forms; and a worker that is killed leaves no horse behind to run the job a
second time at once. A killed worker loses nothing: what it had begun is still due.
"""

import logging
import os
import signal
import sys
import threading
from types import FrameType

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from api.config import Settings
from api.problems import LANGUAGES, say
from survey_forms.refusal import Refused
from worker.dispatch import QUEUE_OF, Dispatcher, connect
from worker.shop import keep_log, open_shop

KINDS = ("dispatch", *sorted(set(QUEUE_OF.values())))
SIGNERS = ("dispatch", "drain")
"""They sign the ledger's checkpoints: the drain at a freeze, the dispatcher every hour."""

log = logging.getLogger("worker")


class QueueWorker(SimpleWorker):
    """One queue's worker that is back two seconds after Redis is, instead of up to a minute."""

    max_connection_wait_time = 2.0
    asked_to_stop = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """End after the running job."""
        self.asked_to_stop = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # rq's own signature has no types


def dispatch(settings: Settings) -> int:
    """Run the dispatcher until SIGTERM or Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Dispatcher(open_shop(settings), connect(settings.redis_url)).run(stop)
    return 0


def work(settings: Settings, queue: str) -> int:
    """Answer the bells of one queue; 1 when it ended unasked, and the supervisor starts it again."""
    open_shop(settings)
    client = redis.Redis.from_url(settings.redis_url, socket_connect_timeout=2.0, retry=Retry(NoBackoff(), 0))
    try:
        worker = QueueWorker(
            [queue], connection=client, serializer=JSONSerializer, worker_ttl=30, maintenance_interval=30
        )
        worker.work(logging_level="WARNING")
    except redis.RedisError as error:
        log.warning("Redis is away: %s", type(error).__name__)
        return 1
    return 0 if worker.asked_to_stop else 1


def main(arguments: list[str]) -> int:
    """Run one kind of work."""
    if len(arguments) != 1 or arguments[0] not in KINDS:
        sys.stderr.write(f"python -m worker {' | '.join(KINDS)}\n")
        return 2
    try:
        settings = Settings.from_env(os.environ)
        if arguments[0] in SIGNERS:
            settings.check_signing()
    except Refused as refused:
        for fault in refused.faults:
            for language in LANGUAGES:
                sys.stderr.write(say(fault, language) + "\n")
        return 2
    keep_log(settings.log_level)
    log.info("%s starts", arguments[0])
    return dispatch(settings) if arguments[0] == "dispatch" else work(settings, arguments[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
