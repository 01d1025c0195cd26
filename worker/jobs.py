"""What is done for each topic. A job runs in the transaction that settles its obligation, so it is done once.

A job may run twice, late or out of order, and leaves the same rows: it recomputes, it never increments. (`tally`
is the one that adds; it deletes what it added in the same transaction.)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from api.actions.answer_quality import raise_answer_flags
from api.actions.results import compose
from worker import checkpoints, frames, notices, photos, slips
from worker.shop import Shop

Job = Callable[[Connection, Shop, str], None]
"""(connection, shop, subject): the transaction, what to work with, and what is to be done anew."""


def compose_evaluation(connection: Connection, shop: Shop, subject: str) -> None:
    """`compose`: the composite of an evaluation from what is stored now."""
    compose(connection, int(subject), shop.now())


def render_photo(connection: Connection, shop: Shop, subject: str) -> None:
    """`photos`: the clean copies of one photo."""
    photos.render(connection, shop.objects, subject, shop.now())


def read_frame(connection: Connection, shop: Shop, subject: str) -> None:
    """`frames`: the next lines of a frame's file."""
    if shop.registry is None:
        raise RuntimeError("this process has no key to sealed files")
    frames.read_on(connection, shop.registry, int(subject), shop.now())


def look_at_answers(connection: Connection, shop: Shop, subject: str) -> None:
    """`quality`: the flags of a survey's answers, once it is over and all of them are counted."""
    raise_answer_flags(connection, int(subject), shop.now())


@dataclass(frozen=True, slots=True)
class Work:
    """A topic's job, and how many obligations one transaction takes (a burst of one subject is one run)."""

    job: Job
    at_once: int


OUTBOX_WORK: Mapping[str, Work] = {
    "checkpoints": Work(checkpoints.keep_owed_checkpoint, at_once=50),
    "compose": Work(compose_evaluation, at_once=500),
    "frames": Work(read_frame, at_once=1),  # each piece is committed with the number of lines read
    "notices": Work(notices.send_notice, at_once=1),  # what went out is committed before the next one goes
    "photos": Work(render_photo, at_once=1),  # a hostile file may take the decoder's whole 15 s
    "quality": Work(look_at_answers, at_once=500),
    "slips": Work(slips.write_slip, at_once=50),
}
"""By topic of the outbox (`api/store/owed.py`)."""
