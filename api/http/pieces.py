"""A body that must come whole and in time: a phone that stops in the middle holds no thread of the server for long."""

import threading

from flask import request
from werkzeug.exceptions import HTTPException

from survey_forms.refusal import Refused

PATIENCE_SECONDS = 30.0


def whole_body(most: int, code: str) -> bytes:
    """The request's body, exactly as long as its Content-Length says.

    The web server's reading blocks for as long as the phone says nothing, and cannot be interrupted; so a thread of
    its own reads. When that takes too long the answer goes out, the server closes the connection, and the thread ends.

    Args:
        most: bytes; more is refused unread.
        code: the sentence for a body that is longer.

    Raises:
        Refused: `code`, `body_length_missing`, `body_cut`, `body_too_slow`.
    """
    length = request.content_length
    if length is None:
        raise Refused("body_length_missing")
    if length > most:
        raise Refused(code, most=most // 1024)
    stream, found = request.stream, bytearray()

    def read() -> None:
        try:
            while len(found) < length and (piece := stream.read(min(65_536, length - len(found)))):
                found.extend(piece)
        except (OSError, HTTPException):  # the connection broke: what is there is too short
            pass

    reader = threading.Thread(target=read, name="body", daemon=True)
    reader.start()
    reader.join(PATIENCE_SECONDS)
    if reader.is_alive():
        raise Refused("body_too_slow", seconds=int(PATIENCE_SECONDS))
    if len(found) != length:
        raise Refused("body_cut")
    return bytes(found)
