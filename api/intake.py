"""Group commit: the threads of a web process hand their submissions to one thread that settles them together.

Every submission is answered only after the transaction that holds it is on disk, so nothing is weaker than one
transaction each; under load the cost of a look-up and of a commit is shared.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from api.actions.booths import Try
from api.actions.responses import Outcome
from api.transaction import Database
from survey_forms.refusal import Refused

LARGEST_BATCH = 200
PATIENCE_SECONDS = 15.0
IDLE_SECONDS = 30.0  # after which the committing thread closes its connection
CROWD = 3  # submissions of one batch, from which on the next batch waits for those on their way:
GATHER_SECONDS = 0.002  # a batch costs as much as five submissions, whatever their number (docs/performance.md)
AWAY_AFTER = 2  # failures in a row of submissions that stood alone: it is the database, not they

log = logging.getLogger(__name__)

Settle = Callable[[Connection, Sequence[Try]], Sequence[Outcome | Refused]]
_Answer = Outcome | Exception
_Waiting = tuple[Try, "queue.SimpleQueue[_Answer]"]
"""A try and where its sender waits: a queue of one, for a Future wakes its waiter through Python code."""


class Intake:
    """One committing thread a process, started with the first submission (after the server has forked)."""

    def __init__(self, database: Database, settle: Settle) -> None:
        self._database, self._settle = database, settle
        self._queue: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._last_batch = 0
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, submission: Try) -> Outcome:
        """Settle a submission and say what became of it.

        Raises:
            Refused: what its settling refused; `try_again` when the database is away or slow, and then the retry
                with the same receipt is safe.
        """
        self._ensure_started()
        answer: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._queue.put((submission, answer))
        try:
            outcome = answer.get(timeout=PATIENCE_SECONDS)
        except queue.Empty as error:
            raise Refused("try_again") from error
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _ensure_started(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            batch = self._gather(None)
            try:
                with self._database.busy() as connection:
                    while batch:
                        with connection.begin():
                            outcomes = self._settle(connection, [submission for submission, _ in batch])
                        for (_, answer), outcome in zip(batch, outcomes, strict=True):
                            answer.put(outcome)
                        batch = self._gather(IDLE_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it is, this thread goes on, and each is tried alone
                log.warning("a batch of %d could not be stored: %s", len(batch), type(error).__name__)
                self._commit_alone(batch)

    def _gather(self, patience: float | None) -> list[_Waiting]:
        """Whoever waits; nobody when none has come for `patience` seconds."""
        batch: list[_Waiting] = []
        try:
            batch.append(self._queue.get(timeout=patience))
            if self._last_batch >= CROWD:
                time.sleep(GATHER_SECONDS)
            while len(batch) < LARGEST_BATCH:
                batch.append(self._queue.get_nowait())
        except queue.Empty:
            pass  # these are all
        self._last_batch = len(batch)
        return batch

    def _commit_alone(self, batch: list[_Waiting]) -> None:
        """Commit one by one what could not be committed together, so that one cannot spoil the others.

        Nothing of the batch was kept, or a commit was in doubt: then the same receipt is told that it is repeated.
        """
        failures = 0
        for submission, answer in batch:
            if failures == AWAY_AFTER:
                answer.put(Refused("try_again"))
                continue
            try:
                with self._database.write() as connection:
                    (outcome,) = self._settle(connection, [submission])
            except Exception as error:  # noqa: BLE001 - it belongs to the waiting request, not to this thread
                log.warning("a submission could not be stored: %s", type(error).__name__)
                failures += 1
                answer.put(error)
            else:
                failures = 0
                answer.put(outcome)
