"""The notices topic: messages to listed cases, each in a transaction of its own."""

from sqlalchemy import Connection

from api.actions.messages import send_message
from worker.shop import Shop


def send_notice(connection: Connection, shop: Shop, subject: str) -> None:
    """`notices`: send the message of that number."""
    if shop.post is None:
        raise RuntimeError("this process has no way to send messages: open_shop(settings) gives it one")
    send_message(connection, shop.post, int(subject), shop.now())
