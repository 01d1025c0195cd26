"""Answering with a code: what it opens, and handing the answers in. The pages and the API both come here.

A web process keeps little between requests: the booths for two seconds (freezing a round is decided in the
database all the same), compiled forms (a version never changes), and how often codes failed.
"""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from hashlib import sha256
from uuid import uuid4

from sqlalchemy import Connection

from api.actions.responses import CODE_NAMESPACE, Outcome, Submission
from api.actions.tally import form_of_version
from api.store import surveys
from api.store.ballots import receipt_exists
from api.store.evaluations import Evaluation, evaluations
from api.store.roll import stratum_of_code
from api.store.surveys import Booth
from api.transaction import Database
from survey_forms.forms.answers import read_answers
from survey_forms.forms.model import Form, Raw
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import TOKEN_LENGTH, code_mac, draft_id, read_code

CHINA = timezone(timedelta(hours=8))
BOOTHS_SECONDS = 2.0
FAILURES_PER_SECOND = 5.0
MODE = "web"

_RECEIPT = re.compile(r"[0-9A-Za-z_-]{20,64}")


def local_day(now: datetime) -> date:
    """The day in China, the only clock that an answer carries."""
    return now.astimezone(CHINA).date()


class FailureCap:
    """At most so many failed typed codes a second in this process, whoever sends them (mobile.md section 7.2).

    A typed code has 48.6 bits; it is this cap, not a limit by address, that keeps guessing hopeless. A QR
    token (77.7 bits) needs none, so nobody can close the survey by guessing.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._left, self._at = rate, clock()
        self._lock = threading.Lock()

    def admit(self) -> None:
        """Let a typed code be tried; tries under way at the same moment all pass, and all count if they fail.

        Raises:
            Refused: `code_wait` when too many have failed.
        """
        with self._lock:
            now = self._clock()
            self._left = min(self._rate, self._left + (now - self._at) * self._rate)
            self._at = now
            if self._left < 1:
                raise Refused("code_wait")

    def count(self) -> None:
        """Count a try that failed."""
        with self._lock:
            self._left -= 1


@dataclass(frozen=True, slots=True)
class Known:
    """The booths and evaluations as the database had them a moment ago."""

    booths: dict[tuple[int, str], Booth]
    evaluations: dict[int, Evaluation]
    until: float  # monotonic


@dataclass(frozen=True, slots=True)
class Opened:
    """What a code opens: the booth and its questionnaire. Neither knows the code."""

    booth: Booth
    form: Form


class Answering:
    """One a web process; safe to call from many threads."""

    def __init__(self, database: Database, submit: Callable[[Submission], Outcome], pepper: bytes) -> None:
        self._database, self._submit, self.pepper = database, submit, pepper
        self._known = Known({}, {}, 0.0)
        self.cap = FailureCap(FAILURES_PER_SECOND)

    def known(self, connection: Connection, *, booth: tuple[int, str] | None = None) -> Known:
        """Booths and evaluations, at most two seconds old; a `booth` that is not among them has just come."""
        known = self._known
        if known.until < time.monotonic() or (booth and booth not in known.booths):
            found = {one.id: one for one in evaluations(connection)}
            self._known = known = Known(surveys.booths(connection), found, time.monotonic() + BOOTHS_SECONDS)
        return known

    def open(self, connection: Connection, code: str, now: datetime) -> Opened:
        """What a canonical code opens.

        Raises:
            Refused: `code_refused`, the same for unknown, spent and closed.
        """
        found = stratum_of_code(connection, code_mac(self.pepper, CODE_NAMESPACE, code))
        if found is None or found[2]:
            raise Refused("code_refused")
        booth = self.known(connection, booth=found[:2]).booths.get(found[:2])
        if booth is None or not booth.is_open(now):
            raise Refused("code_refused")
        return Opened(booth, form_of_version(connection, booth.form_version))

    def enter(self, connection: Connection, typed: str, now: datetime) -> tuple[str, Opened]:
        """Read what was typed or carried by a QR code: the canonical code and what it opens.

        Raises:
            Refused: `code_mistyped` before any database is asked, `code_refused`, or `code_wait` above the cap.
        """
        code = read_code(typed)
        if len(code) == TOKEN_LENGTH:
            return code, self.open(connection, code, now)
        self.cap.admit()
        try:
            return code, self.open(connection, code, now)
        except Refused:
            self.cap.count()
            raise

    def hand_in(self, code: str, opened: Opened, raw: Raw, receipt: str, now: datetime) -> Outcome:
        """Check the answers and commit them; `accepted`, or `repeated` when this receipt was accepted before.

        Raises:
            Refused: every fault of the answers at once; `code_refused` when another submission spent the code
                or the round was frozen in between; `try_again` when the database is away.
        """
        booth, today = opened.booth, local_day(now)
        answers = read_answers(opened.form, raw, today)
        outcome = self._submit(
            Submission(
                mac=code_mac(self.pepper, CODE_NAMESPACE, code),
                receipt_hash=receipt_hash(receipt),
                draft_id=draft_id(self.pepper, CODE_NAMESPACE, code),
                response_id=uuid4(),
                survey_id=booth.survey_id,
                stratum=booth.stratum,
                wcell=booth.stratum,
                form_version=booth.form_version,
                answers=dict(answers.as_json()),
                mode=MODE,
                day=today,
            )
        )
        if outcome == "refused":
            raise Refused("code_refused")
        return outcome

    def submit(self, typed: str, raw: Raw, receipt: str, now: datetime) -> Outcome:
        """Everything at once, as the API does it: read the code, check the answers, commit.

        Raises:
            Refused: as `enter` and `hand_in`; `receipt_unfit` for a receipt that is not 20 to 64 letters and digits.
        """
        if not _RECEIPT.fullmatch(receipt):
            raise Refused("receipt_unfit", path="receipt")
        with self._database.read() as connection:
            try:
                code, opened = self.enter(connection, typed, now)
            except Refused as refused:
                # A retry may be told so whatever the cap says: with this answer the code was not looked at.
                if refused.code in {"code_refused", "code_wait"} and self.accepted_before(connection, receipt):
                    return "repeated"
                raise
        return self.hand_in(code, opened, raw, receipt, now)

    def accepted_before(self, connection: Connection, receipt: str) -> bool:
        """Whether an answer with this receipt was accepted."""
        return bool(_RECEIPT.fullmatch(receipt)) and receipt_exists(connection, receipt_hash(receipt))


def receipt_hash(receipt: str) -> bytes:
    """What the database keeps of a receipt."""
    return sha256(receipt.encode()).digest()
