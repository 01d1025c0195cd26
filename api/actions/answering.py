"""Handing answers in with a code: the pages and the API both come here, and neither's framework is known."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection

from api.actions.booths import Booths, Try
from api.actions.responses import CODE_NAMESPACE, Outcome
from api.store.ballots import receipt_exists
from api.transaction import Database
from survey_forms.forms.model import Raw
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import draft_id, order_key, read_code

_RECEIPT = re.compile(r"[0-9A-Za-z_-]{20,64}")


class Answering:
    """One a web process; safe to use from many threads.

    `submit` settles a try together with those of other threads (`api/intake.py`), so that one transaction and one
    commit serve them all.
    """

    def __init__(self, database: Database, booths: Booths, submit: Callable[[Try], Outcome]) -> None:
        self._database, self.booths, self._submit = database, booths, submit

    def hand_in(
        self, code: str, raw: Raw, receipt: str, now: datetime, pictures: Mapping[str, bytes] | None = None
    ) -> Outcome:
        """Check the answers of a canonical code and commit them; `repeated` when this receipt was accepted before.

        Args:
            code: canonical.
            raw: the answers.
            receipt: drawn before the first try.
            now: the present.
            pictures: those that the answers name, by name.

        Raises:
            Refused: every fault of the answers at once; `code_refused` for a code that is unknown, spent or closed,
                also when that came about this very moment; `try_again` when the database is away.
        """
        booths = self.booths
        draft, key = draft_id(booths.pepper, CODE_NAMESPACE, code), order_key(booths.pepper, CODE_NAMESPACE, code)
        return self._submit(Try(booths.mac(code), draft, receipt_hash(receipt), raw, now, key, pictures or {}))

    def submit(self, typed: str, raw: Raw, receipt: str, now: datetime) -> Outcome:
        """Read the code and hand in, as the API does it.

        Raises:
            Refused: as `hand_in`; `receipt_unfit` for a receipt that is not 20 to 64 letters and digits;
                `code_mistyped`; `code_wait` above the cap on failed codes.
        """
        if not _RECEIPT.fullmatch(receipt):
            raise Refused("receipt_unfit", path="receipt")
        read = read_code(typed)
        cap, code = self.booths.caps.of(read), self.booths.canonical(read)
        if cap is None:
            return self.hand_in(code, raw, receipt, now)
        try:
            cap.admit()
            return self.hand_in(code, raw, receipt, now)
        except Refused as refused:
            if refused.code == "code_refused":
                cap.count()
            # A retry may be told so above the cap too: with that answer the code was not looked at.
            if refused.code == "code_wait" and self._accepted_before(receipt):
                return "repeated"
            raise

    def accepted_before(self, connection: Connection, receipt: str) -> bool:
        """Whether an answer with this receipt was accepted."""
        return bool(_RECEIPT.fullmatch(receipt)) and receipt_exists(connection, receipt_hash(receipt))

    def _accepted_before(self, receipt: str) -> bool:
        with self._database.read() as connection:
            return self.accepted_before(connection, receipt)


def receipt_hash(receipt: str) -> bytes:
    """What the database keeps of a receipt."""
    return sha256(receipt.encode()).digest()
