"""Group commit: the threads of a web process hand their submissions to one thread that settles them together.

Every submission is answered only after the transaction that holds it is on disk, so nothing is weaker than one
transaction each; under load the cost of a look-up and of a commit is shared (stack.md section 4).
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from sqlalchemy import Connection

from api.actions.booths import Try
from api.actions.responses import Outcome
from api.transaction import Database
from survey_forms.refusal import Refused

LARGEST_BATCH = 200
PATIENCE_SECONDS = 15.0

log = logging.getLogger(__name__)

Settle = Callable[[Connection, Sequence[Try]], Sequence[Outcome | Refused]]
_Waiting = tuple[Try, "Future[Outcome]"]


class Intake:
    """One committing thread a process, started with the first submission (after the server has forked)."""

    def __init__(self, database: Database, settle: Settle) -> None:
        self._database, self._settle = database, settle
        self._queue: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, submission: Try) -> Outcome:
        """Settle a submission and say what became of it.

        Raises:
            Refused: what its settling refused; `try_again` when the database is away or slow, and then the retry
                with the same receipt is safe.
        """
        self._ensure_started()
        future: Future[Outcome] = Future()
        self._queue.put((submission, future))
        try:
            return future.result(PATIENCE_SECONDS)
        except FutureTimeout as error:
            raise Refused("try_again") from error

    def _ensure_started(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            batch = [self._queue.get()]
            while len(batch) < LARGEST_BATCH:
                try:
                    batch.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            self._commit(batch)

    def _commit(self, batch: list[_Waiting]) -> None:
        """Commit a batch; if it fails and holds several, each stands alone, so that one cannot spoil the others."""
        try:
            with self._database.write() as connection:
                outcomes = self._settle(connection, [submission for submission, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the waiting requests, not to this thread
            if len(batch) == 1:
                log.warning("a submission could not be stored: %s", type(error).__name__)
                batch[0][1].set_exception(error)
            else:
                for one in batch:
                    self._commit([one])
            return
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Refused):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
