"""Sending what is owed: one message at a time, at least once, and no word of it is kept afterwards."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from api.actions.sealed_words import Safe
from api.senders.sender import Outgoing, Sender, UndeliverableError
from api.store import listed
from api.store.windows import window_of


@dataclass(frozen=True, slots=True)
class Post:
    """The safe that the words lie in, and the way out."""

    safe: Safe = field(repr=False)
    sender: Sender


def send_message(connection: Connection, post: Post, message_id: int, now: datetime) -> None:
    """Send a message unless it is no longer wanted, and wipe its words in the same transaction.

    A message that was wiped is done: a second obligation changes nothing. Sent and not committed, it is sent again
    under the same id.

    Raises:
        NotSentError: it is still owed.
        Refused: `contact_unreadable`.
    """
    message = listed.hold_message(connection, message_id)
    if message is None or message.sealed is None:
        return
    if why := _unwanted(connection, message, now):
        listed.give_up(connection, message_id, why)
        return
    words = post.safe.open_words(message.case_id, message.sealed)
    number = f"mingcha-{message.id}-{int(message.made_at.timestamp())}"
    try:
        provider_id = post.sender.send(Outgoing(number, message.channel, words.to, words.text))
    except UndeliverableError as error:
        listed.give_up(connection, message_id, error.code)
        return
    listed.mark_sent(connection, message_id, provider_id, now)


def _unwanted(connection: Connection, message: listed.Message, now: datetime) -> str:
    """Why a message is not to be sent any more; "" where it is."""
    window = window_of(connection, message.survey_id)
    if window is None or window.is_over(now):
        return "survey_over"
    if not listed.cases_with_codes(connection, [message.case_id], unspent=True):
        return "not_needed"
    return ""
