"""One respondent's request: the code from the cookie, what it opens, the draft, and the way through the form."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import Connection

from api.actions.booths import Opened, local_day
from api.actions.drafts import Draft, Drawer, find_draft, keep_draft
from api.pages.respondent_shown import Way, merged
from api.services import services
from api.store.evaluations import Evaluation
from survey_forms.forms.model import Page
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import ALPHABET, NONCE_LENGTH

SUMMARY = 0
RECEIPT_LENGTH = 20  # of 29 characters: 97 bits


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request needs to know; the code stays out of anything that is printed."""

    code: str = field(repr=False)
    opened: Opened
    evaluation: Evaluation
    drawer: Drawer
    draft: Draft | None
    today: date
    way: Way  # the pages to be asked under the answers so far
    lost: bool  # a draft was there and could not be opened

    def allowed(self, wish: str) -> int:
        """The page of a wished number, or the first that is still open if the answers have not come so far."""
        way, last = self.way, len(self.opened.form.pages)
        if self.draft is None:
            return way.pages[0][0]
        wished = int(wish) if wish.isascii() and wish.isdecimal() and len(wish) < 5 else self.draft.page
        open_page = way.first_open()
        if wished == SUMMARY or wished > last:
            return SUMMARY if open_page is None else open_page
        near = way.nearest(wished)
        return near if open_page is None else min(near, open_page)

    def page(self, number: str) -> tuple[int, Page]:
        """The page that a form says it is.

        Raises:
            Refused: `unreadable_request` for a number that no page of the form has.
        """
        known = number.isascii() and number.isdecimal() and len(number) < 5
        at = int(number) if known else 0
        if not 1 <= at <= len(self.opened.form.pages):
            raise Refused("unreadable_request")
        return at, self.opened.form.pages[at - 1]

    def answering(self, page: Page, sent: Mapping[str, list[str]]) -> "Visit":
        """This visit with a page's answers as they were sent now."""
        draft = self.draft or Draft("".join(secrets.choice(ALPHABET) for _ in range(RECEIPT_LENGTH)))
        raw = merged(draft.raw, page, sent)
        return replace(self, draft=replace(draft, raw=raw), way=Way.through(self.opened.form, raw, self.today))

    def keep(self, connection: Connection, page: int) -> None:
        """Keep the draft, to go on with this page."""
        if self.draft is not None:
            keep_draft(
                connection,
                self.drawer,
                replace(self.draft, page=page),
                self.opened.booth.survey_id,
                secrets.token_bytes(NONCE_LENGTH),
                self.today,
            )


def visit(connection: Connection, code: str, now: datetime, *, hold: bool = False) -> Visit:
    """Find everything that a code opens.

    Args:
        connection: a reading transaction, or a writing one with `hold`.
        code: canonical, from the cookie; empty when there is none.
        now: the present.
        hold: hold the draft's row until the transaction ends.

    Raises:
        Refused: `code_needed` without a code, `code_refused` for one that opens nothing (any more).
    """
    if not code:
        raise Refused("code_needed")
    return visit_of(connection, code, services().answering.booths.open(connection, code, now), now, hold=hold)


def visit_of(connection: Connection, code: str, opened: Opened, now: datetime, *, hold: bool = False) -> Visit:
    """Find the draft of a code that has been opened already."""
    booths = services().answering.booths
    drawer = Drawer.of(booths.pepper, code)
    try:
        draft, lost = find_draft(connection, drawer, hold=hold), False
    except Refused as refused:
        if refused.code != "draft_unreadable":
            raise
        draft, lost = None, True
    if draft is not None:
        asked = {question.name for page in opened.form.pages for question in page.questions}
        draft = replace(draft, raw={name: value for name, value in draft.raw.items() if name in asked})
    evaluation = booths.known(connection).evaluations[opened.booth.evaluation_id]
    today = local_day(now)
    way = Way.through(opened.form, draft.raw if draft else {}, today)
    return Visit(code, opened, evaluation, drawer, draft, today, way, lost)
