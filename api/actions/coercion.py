"""“有人要求我怎么填”: the office learns of pressure on respondents, never from whom it heard or what was answered.

A report is the survey, the day, who pressed and how, and what the person chose to write. It is written in a
transaction of its own that touches no code, no draft and no answer.
"""

import hmac
import secrets
import threading
from collections import OrderedDict
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection

from api.store import notices, people
from api.store.notices import Report
from survey_forms.refusal import Fault, Refused

WHO = ("leader", "staff", "interviewer", "unit", "other")
HOW = ("in_person", "phone", "message", "other")
LONGEST_WORDS = 1000
MOST_A_PASS = 3
MOST_A_DAY = 500
"""A survey's reports a day, told to whoever comes after: nobody can fill the office's inbox for ever."""

REMEMBERED = 20_000


class ReportCap:
    """At most so many reports a pass a day, without a record of who reported.

    A pass is known by its HMAC under a key that this process drew when it started and keeps nowhere; the counts live in
    memory and end with the process or the day. Several processes count apart, so the cap is theirs together.
    """

    def __init__(self, most: int = MOST_A_PASS) -> None:
        self._most = most
        self._key = secrets.token_bytes(32)
        self._day = date.min
        self._counts: OrderedDict[bytes, int] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, secret: str, day: date) -> None:
        """Count a report.

        Raises:
            Refused: `report_again` when this pass has reported often enough today.
        """
        name = hmac.digest(self._key, secret.encode(), sha256)
        with self._lock:
            if day != self._day:
                self._day = day
                self._counts.clear()
            if self._counts.get(name, 0) >= self._most:
                raise Refused("report_again", most=self._most)
            self._counts[name] = self._counts.pop(name, 0) + 1
            while len(self._counts) > REMEMBERED:
                self._counts.popitem(last=False)

    def give_back(self, secret: str) -> None:
        """Uncount a report that was not kept after all."""
        name = hmac.digest(self._key, secret.encode(), sha256)
        with self._lock:
            self._counts[name] = max(0, self._counts.get(name, 0) - 1)


def check_report(who: str, how: str, words: str) -> None:
    """Whether a report can be kept.

    Raises:
        Refused: everything wrong at once: `report_who_missing`, `report_how_missing`, `report_too_long`.
    """
    faults = []
    if who not in WHO:
        faults.append(Fault("report_who_missing", "who"))
    if how not in HOW:
        faults.append(Fault("report_how_missing", "how"))
    if len(words) > LONGEST_WORDS:
        faults.append(Fault("report_too_long", "words", {"most": LONGEST_WORDS}))
    if faults:
        raise Refused.of(faults)


def keep_report(connection: Connection, report: Report) -> None:
    """Keep a report of pressure, in a transaction of its own.

    Args:
        connection: the transaction.
        report: under a random id; its day is today, no clock finer than that.

    Raises:
        Refused: as `check_report`; `reports_full` above the survey's daily cap.
    """
    check_report(report.who, report.how, report.words)
    if notices.reports_on(connection, report.survey_id, report.day) >= MOST_A_DAY:
        raise Refused("reports_full", most=MOST_A_DAY)
    notices.add_report(connection, report)


def mark_read(connection: Connection, report_id: UUID, staff_id: int, now: datetime) -> None:
    """Say that the office has read a report; the first to say so stays named.

    Raises:
        Refused: `not_found`.
    """
    if notices.mark_read(connection, report_id, staff_id, now):
        people.record_act(connection, "report_read", now, staff_id, report=str(report_id))
    elif not notices.report_exists(connection, report_id):
        raise Refused("not_found")
