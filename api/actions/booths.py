"""What codes open, and settling what was handed in with them: many submissions at once, in one transaction.

A web process keeps little between requests: the booths for two seconds (freezing a round is decided in the
database all the same), compiled forms (a version never changes), and how often codes failed (`failure_cap.py`).
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from uuid import uuid4

from sqlalchemy import Connection

from api.actions.failure_cap import Caps
from api.actions.hand_in import fill_places, shut_out
from api.actions.pictures import pictures_of
from api.actions.responses import CODE_NAMESPACE, Outcome, Submission, accept
from api.actions.sealing import seal_answers
from api.actions.tally import form_of_version
from api.store import boxes, surveys
from api.store.ballots import receipts_known
from api.store.evaluations import Evaluation, evaluations
from api.store.roll import FoundCode, codes_held, stratum_of_code
from api.store.surveys import Booth
from survey_forms.ballot.envelope import About
from survey_forms.forms.answers import read_answers
from survey_forms.forms.model import Form, Raw
from survey_forms.forms.subset import of_units
from survey_forms.refusal import Refused
from survey_forms.sampling.assign import block_of, block_units, rated_units
from survey_forms.sampling.codes import canonical, code_mac, order_key, read_code

CHINA = timezone(timedelta(hours=8))
BOOTHS_SECONDS = 2.0


def local_day(now: datetime) -> date:
    """The day in China, the only clock that an answer carries."""
    return now.astimezone(CHINA).date()


@dataclass(frozen=True, slots=True)
class Known:
    """The booths, evaluations and rehearsed campaign keys (by survey) as the database had them a moment ago."""

    booths: dict[tuple[int, str], Booth]
    evaluations: dict[int, Evaluation]
    keys: dict[int, bytes]
    until: float  # monotonic


@dataclass(frozen=True, slots=True)
class Opened:
    """What a code opens: the booth and its questionnaire, and what the roll says of it. None of them knows the code.

    `form` is what this code is asked: of `whole`, all or one block of the units.
    """

    booth: Booth
    form: Form
    whole: Form
    code: FoundCode
    key: bytes | None = None  # the campaign's public key, where the survey is sealed


@dataclass(frozen=True, slots=True)
class Try:
    """Answers as they came, with the code's MAC; nothing about them has been checked."""

    mac: bytes
    draft_id: bytes
    receipt_hash: bytes
    raw: Raw
    now: datetime
    order_key: bytes = field(repr=False)  # of the code: it alone tells which block of units a listed case rates
    pictures: Mapping[str, bytes] = field(default_factory=dict)


class Booths:
    """One a web process; safe to use from many threads."""

    def __init__(self, pepper: bytes, caps: Caps | None = None) -> None:
        self.pepper = pepper
        self.caps = caps or Caps()
        self._known = Known({}, {}, {}, 0.0)
        self._blocks: dict[tuple[str, int, int], Form] = {}

    def known(self, connection: Connection, *, booth: tuple[int, str] | None = None) -> Known:
        """Booths and evaluations, at most two seconds old; a `booth` that is not among them has just come."""
        known = self._known
        if known.until < time.monotonic() or (booth and booth not in known.booths):
            found = {one.id: one for one in evaluations(connection)}
            until = time.monotonic() + BOOTHS_SECONDS
            self._known = known = Known(surveys.booths(connection), found, boxes.rehearsed_keys(connection), until)
        return known

    def canonical(self, read: str) -> str:
        """The canonical code of what `read_code` read: one code has three spellings."""
        return canonical(self.pepper, CODE_NAMESPACE, read)

    def mac(self, code: str) -> bytes:
        """By which the database recognises a canonical code."""
        return code_mac(self.pepper, CODE_NAMESPACE, code)

    def open(self, connection: Connection, code: str, now: datetime) -> Opened:
        """What a canonical code opens.

        Raises:
            Refused: `code_refused`, the same for unknown, spent and closed.
        """
        key = order_key(self.pepper, CODE_NAMESPACE, code)
        return self._opened(connection, stratum_of_code(connection, self.mac(code)), now, key)

    def enter(self, connection: Connection, typed: str, now: datetime) -> tuple[str, Opened]:
        """Read what was typed or carried by a QR code: the canonical code and what it opens.

        Raises:
            Refused: `code_mistyped` before any database is asked, `code_refused`, or `code_wait` above the cap.
        """
        read = read_code(typed)
        cap, code = self.caps.of(read), self.canonical(read)
        if cap:
            cap.admit()
        try:
            return code, self.open(connection, code, now)
        except Refused:
            if cap:
                cap.count()
            raise

    def settle(self, connection: Connection, tries: Sequence[Try]) -> list[Outcome | Refused]:
        """Check and accept what was handed in; one outcome or refusal a try, in their order.

        A refusal is `code_refused`, every fault of the answers, or `quota_closed` of an interview whose place is gone.
        Safe to repeat whole, as `accept` is.
        """
        codes = codes_held(connection, [one.mac for one in tries])
        checked = [self._tried(connection, one, codes.get(one.mac)) for one in tries]
        if talks := {one.mac: one.now for one, done in zip(tries, checked, strict=True) if _is_interview(done)}:
            shut = shut_out(connection, talks, max(talks.values()))
            checked = [
                Refused("quota_closed") if one.mac in shut else done for one, done in zip(tries, checked, strict=True)
            ]
        submissions = [one for one in checked if isinstance(one, Submission)]
        held = {code.survey_id for code in codes.values()}
        accepted = accept(connection, submissions, held) if submissions else []
        if talks:
            both = zip(submissions, accepted, strict=True)
            fill_places(connection, [one.mac for one, outcome in both if outcome == "accepted" and one.mac in talks])
        outcomes = iter(accepted)
        settled = [next(outcomes) if isinstance(one, Submission) else one for one in checked]
        closed = [one.receipt_hash for one, outcome in zip(tries, settled, strict=True) if _is_closed(outcome)]
        known = receipts_known(connection, closed) if closed else frozenset()
        return [
            "repeated"
            if one.receipt_hash in known and _is_closed(outcome)
            else Refused("code_refused")
            if outcome == "refused"
            else outcome
            for one, outcome in zip(tries, settled, strict=True)
        ]

    def _tried(self, connection: Connection, one: Try, found: FoundCode | None) -> Submission | Refused:
        try:
            return self._checked(connection, one, found)
        except Refused as refused:
            return refused

    def _checked(self, connection: Connection, one: Try, found: FoundCode | None) -> Submission:
        """A try whose code opens a booth and whose answers fit its form.

        Raises:
            Refused: `code_refused`, or every fault of the answers.
        """
        opened, today = self._opened(connection, found, one.now, one.order_key), local_day(one.now)
        booth, read = opened.booth, read_answers(opened.form, one.raw, today)
        pictures, answers = pictures_of(opened.form, read, one.pictures), read.as_json()
        # By the whole form, so that no box tells by its size which block of units is in it.
        about = About(opened.code.wcell or booth.stratum, opened.code.mode, opened.code.interviewer)
        sealed = seal_answers(opened.key, booth, opened.whole, answers, about) if opened.key else None
        return Submission(
            mac=one.mac,
            receipt_hash=one.receipt_hash,
            draft_id=one.draft_id,
            response_id=uuid4(),
            survey_id=booth.survey_id,
            stratum=booth.stratum,
            wcell=about.wcell,
            form_version=booth.form_version,
            answers={} if sealed else dict(answers),
            mode=about.mode,
            day=today,
            sealed=sealed,
            pictures=() if sealed else pictures,
        )

    def _opened(self, connection: Connection, found: FoundCode | None, now: datetime, order_key: bytes) -> Opened:
        if found is None or found.closed:
            raise Refused("code_refused")
        known = self.known(connection, booth=found[:2])
        booth = known.booths.get(found[:2])
        if booth is None or not booth.is_open(now):
            raise Refused("code_refused")
        key = known.keys.get(booth.survey_id) if booth.secrecy == "sealed" else None
        if booth.secrecy == "sealed" and key is None:  # no round opens like that; were it so, nothing is taken in clear
            raise Refused("code_refused")
        whole = form_of_version(connection, booth.form_version)
        block = block_of(order_key, found.blocks) if found.blocks else found.block
        return Opened(booth, self._asked(whole, booth.units_per_respondent, block), whole, found, key)

    def _asked(self, whole: Form, per: int | None, block: int | None) -> Form:
        """The form as a code of this block is asked; as many kept as there are units in one form."""
        if per is None or block is None:
            return whole
        known = whole.version, per, block
        asked = self._blocks.get(known)
        if asked is None:
            asked = self._blocks[known] = of_units(whole, block_units(rated_units(whole), per, block))
        return asked


def _is_interview(one: Submission | Refused) -> bool:
    return isinstance(one, Submission) and one.mode != "web"


def _is_closed(outcome: Outcome | Refused) -> bool:
    return outcome == "refused" or (isinstance(outcome, Refused) and outcome.code == "code_refused")
