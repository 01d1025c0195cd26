"""One respondent's request: the code from the cookie, what it opens, the draft, and the way through the form."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import Connection

from api.actions.booths import Opened, local_day
from api.actions.drafts import STEP, Draft, Drawer, drop_pictures, find_draft, find_pictures, keep_draft, keep_picture
from api.actions.responses import CODE_NAMESPACE
from api.actions.sealing import box_size
from api.actions.windows import has_closed
from api.pages.respondent_frame import frame_survey, is_on
from api.pages.respondent_pictures import Picture, names_in, thumbnail_of
from api.pages.respondent_sent import Sent, known, merged
from api.pages.respondent_way import Layout, Place, Plan, Turn, Way
from api.services import services
from api.store.evaluations import Evaluation
from survey_forms.forms.model import Form, Question, Raw, Stop
from survey_forms.refusal import Refused
from survey_forms.sampling.codes import ALPHABET, NONCE_LENGTH, order_key
from survey_forms.sampling.order import lot

SUMMARY = "0"
RECEIPT_LENGTH = 20  # of 29 characters: 97 bits


@dataclass(frozen=True, slots=True)
class Sheet:
    """The screen that a form says it is: its stop on the way, where it begins and ends, and what it asked."""

    stop: Stop
    place: Place
    upto: int
    questions: tuple[Question, ...]

    @property
    def end(self) -> Place:
        """The place after the last question."""
        return self.place._replace(question=self.upto)


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request needs to know; the code stays out of anything that is printed."""

    code: str = field(repr=False)
    opened: Opened
    evaluation: Evaluation
    drawer: Drawer
    draft: Draft | None
    today: date
    way: Way  # the screens to be shown under the answers so far
    lost: bool  # a draft was there and could not be opened

    @property
    def form(self) -> Form:
        """The questionnaire, without the units that this code does not rate."""
        return self.opened.form

    def allowed(self, wish: str) -> Turn | None:
        """The screen of an address, or the first that is still open if the answers have not come so far.

        None is the summary. An address that leads nowhere leads to where the draft was left.
        """
        way = self.way
        if self.draft is None or not way.turns:
            return next(iter(way.turns), None)
        open_turn = way.first_open()
        wished = wish if wish == SUMMARY or way.read(wish) else self.draft.at
        place = way.read(wished)
        if wished == SUMMARY or place is None:
            return open_turn
        near = way.at(place)
        return near if open_turn is None else min(near, open_turn, key=lambda turn: turn.place)

    def sheet(self, at: str, upto: str) -> Sheet:
        """The screen that a form says it is; a page no longer asked has no questions.

        Raises:
            Refused: `unreadable_request` for an address that no screen of the form has.
        """
        place = self.way.read(at)
        if place is None:
            raise Refused("unreadable_request")
        page = self.form.pages[int(at.partition("-")[0].partition(".")[0]) - 1]
        rows = self.way.plan.rows(page)
        end = int(upto) if upto.isascii() and upto.isdecimal() and len(upto) < 5 else len(rows) + 1
        stop = next((turn.stop for turn in self.way.turns if turn.place[:3] == place[:3]), None)
        asked = {question.name for question in stop.page.questions} if stop else set()
        here = tuple(question for question in rows[place.question - 1 : end - 1] if question.name in asked)
        return Sheet(stop or Stop(page), place, max(place.question + 1, min(end, len(rows) + 1)), here)

    def answering(self, sheet: Sheet, sent: Sent, pictures: Mapping[str, Picture]) -> "Visit":
        """This visit with a screen's answers as they were sent now."""
        raw = merged(self.draft.raw if self.draft else {}, sheet.stop, sheet.questions, sent)
        return self.holding({**raw, **{key: picture.name for key, picture in pictures.items()}})

    def holding(self, raw: Raw) -> "Visit":
        """This visit with other answers."""
        draft = self.draft or Draft("".join(secrets.choice(ALPHABET) for _ in range(RECEIPT_LENGTH)))
        way = Way.through(self.way.plan, raw, self.today)
        return replace(self, draft=replace(draft, raw=raw), way=way)

    def keep(self, connection: Connection, at: str, pictures: Mapping[str, Picture]) -> None:
        """Keep the draft, to go on at this address, and the pictures that came now; forget those it does not name."""
        if self.draft is None:
            return
        survey_id = self.opened.booth.survey_id
        step = STEP if self.opened.key is None else STEP + box_size(self.opened.whole)
        keep_draft(connection, self.drawer, replace(self.draft, at=at), survey_id, _nonce(), self.today, step)
        for picture in pictures.values():
            keep_picture(connection, self.drawer, picture.name, picture.content, _nonce())
            keep_picture(connection, self.drawer, thumbnail_of(picture.name), picture.thumbnail, _nonce())
        names = names_in(self.form, self.draft.raw)
        if names is not None:
            drop_pictures(connection, self.drawer, {*names, *map(thumbnail_of, names)})

    def pictures(self, connection: Connection) -> dict[str, bytes]:
        """The pictures that the answers name, to be handed in with them."""
        return find_pictures(connection, self.drawer, names_in(self.form, self.draft.raw if self.draft else {}) or ())


def visit(connection: Connection, code: str, now: datetime, *, hold: bool = False) -> Visit:
    """Find everything that a code opens, and set the page's frame to its survey.

    Args:
        connection: a reading transaction, or a writing one with `hold`.
        code: canonical, from the cookie; empty when there is none.
        now: the present.
        hold: hold the draft's row until the transaction ends.

    Raises:
        Refused: `code_needed` without a code; `survey_closed` when the survey ended in the middle; `code_refused` for
            a code that opens nothing (any more).
    """
    if not code:
        raise Refused("code_needed")
    booths = services().answering.booths
    try:
        opened = booths.open(connection, code, now)
    except Refused as refused:
        if refused.code == "code_refused" and has_closed(connection, booths.mac(code), now):
            raise Refused("survey_closed") from refused
        raise
    found = visit_of(connection, code, opened, now, hold=hold)
    # What this process remembers of the booths may be two seconds old, and a closing survey takes its drafts along
    if found.draft is None and has_closed(connection, booths.mac(code), now):
        raise Refused("survey_closed")
    return found


def visit_of(connection: Connection, code: str, opened: Opened, now: datetime, *, hold: bool = False) -> Visit:
    """Find the draft of a code that has been opened already."""
    booths = services().answering.booths
    frame_survey(connection, opened.booth.survey_id, opened.form.languages)
    drawer = Drawer.of(booths.pepper, code)
    try:
        draft, lost = find_draft(connection, drawer, hold=hold), False
    except Refused as refused:
        if refused.code != "draft_unreadable":
            raise
        draft, lost = None, True
    if draft is not None:
        draft = replace(draft, raw=known(opened.form, draft.raw))
    evaluation = booths.known(connection).evaluations[opened.booth.evaluation_id]
    today = local_day(now)
    key = order_key(booths.pepper, CODE_NAMESPACE, code)
    order = key if opened.booth.random_order else None
    layout = Layout(is_on("large"), order, int.from_bytes(lot(key, "")[:4], "big"))
    way = Way.through(Plan(opened.form, layout), draft.raw if draft else {}, today)
    return Visit(code, opened, evaluation, drawer, draft, today, way, lost)


def _nonce() -> bytes:
    return secrets.token_bytes(NONCE_LENGTH)
