"""The cap on failed typed codes: not by address, where thousands of phones stand behind one, but for everybody.

A typed code has 48.6 bits and one of digits 46.4; it is this cap that keeps guessing them hopeless (mobile.md section
7.2). Each process holds its own failures to the rate at once; all processes together are held to it by the failures
of the last ten seconds that the database knows. Without the database no code can be tried, so nothing stands in for
it. A QR token (77.7 bits) needs no cap, so nobody can close the survey by guessing.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from api.store.failures import add_failure, failures_within
from api.transaction import Database
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import DIGITS_LENGTH, TOKEN_LENGTH

TYPED_PER_SECOND = 5.0
DIGITS_PER_SECOND = 0.5
BURST = 5.0  # failures that may come at once in one process
WINDOW_SECONDS = 10.0
LOOK_EVERY = 0.2
"""Seconds that a process trusts what it last read of the others' failures: at most five questions a second."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The failures of all processes, in the database."""

    database: Database
    digits: bool

    def add(self) -> None:
        """Note one, in a transaction of its own: the try's own may be read-only or rolled back."""
        with self.database.write() as connection:
            add_failure(connection, digits=self.digits)

    def number(self) -> int:
        """How many there were within the window."""
        with self.database.read() as connection:
            return failures_within(connection, WINDOW_SECONDS, digits=self.digits)


class FailureCap:
    """At most `rate` failures a second, whoever sends them."""

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        burst: float | None = None,
        shared: Shared | None = None,
    ) -> None:
        self._rate, self._burst, self._clock, self._shared = rate, burst or rate, clock, shared
        self._left, self._at = self._burst, clock()
        self._others, self._look_at = 0, clock()
        self._lock = threading.Lock()

    def admit(self) -> None:
        """Let a typed code be tried; tries under way at the same moment all pass, and all count if they fail.

        Raises:
            Refused: `code_wait` when too many have failed.
        """
        with self._lock:
            now = self._clock()
            self._left = min(self._burst, self._left + (now - self._at) * self._rate)
            self._at = now
            is_time, self._look_at = self._take_look(now)
        if is_time and self._shared is not None:
            number = self._shared.number()
            with self._lock:
                self._others = number
        with self._lock:
            if self._left < 1 or self._others >= self._rate * WINDOW_SECONDS:
                raise Refused("code_wait")

    def count(self) -> None:
        """Count a try that failed."""
        with self._lock:
            self._left -= 1
            self._others += self._shared is not None
        if self._shared is not None:
            self._shared.add()

    def _take_look(self, now: float) -> tuple[bool, float]:
        """Whether this thread asks the database now; the others go on with what is known."""
        return (True, now + LOOK_EVERY) if now >= self._look_at else (False, self._look_at)


class Caps:
    """The two caps of a process; safe to use from many threads."""

    def __init__(self, database: Database | None = None) -> None:
        def shared(*, digits: bool) -> Shared | None:
            return Shared(database, digits) if database else None

        self.typed = FailureCap(TYPED_PER_SECOND, shared=shared(digits=False))
        self.digits = FailureCap(DIGITS_PER_SECOND, burst=BURST, shared=shared(digits=True))

    def of(self, read: str) -> FailureCap | None:
        """The cap that a code from `read_code` is under; None for a token."""
        if len(read) == TOKEN_LENGTH:
            return None
        return self.digits if len(read) == DIGITS_LENGTH else self.typed
