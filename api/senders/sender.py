"""What every way of sending shares: a message goes out at least once, and its id tells a second copy from the first."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way out. Its words and address stay out of anything that is printed."""

    id: str  # the same at every try: whoever delivers it delivers it once
    channel: str  # sms or mail
    to: str = field(repr=False)
    text: str = field(repr=False)


class NotSentError(Exception):
    """It did not go out and is tried again; `code` says why, without a word of the message."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UndeliverableError(NotSentError):
    """It will never go out: whoever delivers has refused this very message."""


class Sender(Protocol):
    """A way out."""

    def send(self, message: Outgoing) -> str:
        """Send a message; returns the number by which the one who delivers knows it ("" for none).

        Raises:
            NotSentError: try again later; UndeliverableError: never.
        """
