"""Messages to the office's gateway over HTTP: the contract is in docs/invitations.md.

One POST a message, its body signed. No redirects, five seconds in all, 64 kB of answer at most; TLS everywhere but on
this machine itself. The address comes from the operator's settings alone, and no other is ever spoken to.
"""

import hmac
import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from urllib.parse import urlsplit

import orjson

from api.config import THIS_MACHINE
from api.senders.sender import NotSentError, Outgoing, UndeliverableError

PATIENCE_SECONDS = 5.0
LARGEST_ANSWER = 64 * 1024
FINAL = frozenset({400, 404, 410, 413, 422})
"""What a gateway says of a message that it will never take; anything else but 2xx is tried again."""

_PROVIDER_ID = re.compile(r"[\x21-\x7e]{1,200}")


class HttpSender:
    """Posts JSON, signed with HMAC-SHA-256 under a key that the gateway shares."""

    def __init__(self, url: str, key: bytes, clock: Callable[[], float] = time.time) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in THIS_MACHINE):
            raise ValueError("a gateway on another machine is spoken to over https")
        if not parts.hostname or parts.username or parts.fragment:
            raise ValueError("the gateway's address is unfit")
        self._is_tls, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._key, self._clock = key, clock

    def send(self, message: Outgoing) -> str:
        """Post the message; returns the gateway's own number for it.

        Raises:
            NotSentError: the gateway is away, slow, or in trouble.
            UndeliverableError: it refused this very message.
        """
        body = orjson.dumps({"id": message.id, "channel": message.channel, "to": message.to, "text": message.text})
        stamp = str(int(self._clock()))
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Idempotency-Key": message.id,
            "X-Mingcha-Timestamp": stamp,
            "X-Mingcha-Signature": f"sha256={signature(self._key, stamp, body)}",
        }
        connection = self._connection()
        try:
            connection.connect()
            with _cut_off(connection.sock), closing(self._posted(connection, body, headers)) as answer:
                status, content = answer.status, _read(answer)
        except (OSError, http.client.HTTPException) as error:
            raise NotSentError(f"gateway_away_{type(error).__name__}") from error
        finally:
            connection.close()
        if 200 <= status < 300:
            return _provider_id(content)
        if status in FINAL:
            raise UndeliverableError(f"gateway_{status}")
        raise NotSentError(f"gateway_{status}")

    def _posted(
        self, connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        connection.request("POST", self._path, body, headers)
        return connection.getresponse()

    def _connection(self) -> http.client.HTTPConnection:
        if self._is_tls:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=PATIENCE_SECONDS, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE_SECONDS)


def signature(key: bytes, stamp: str, body: bytes) -> str:
    """What the header X-Mingcha-Signature says: HMAC-SHA-256 of the time, a full stop, and the body."""
    return hmac.new(key, stamp.encode() + b"." + body, sha256).hexdigest()


@contextmanager
def _cut_off(sock: socket.socket) -> Iterator[None]:
    """End a conversation after five seconds, however steadily its drops fall: a timeout alone begins anew with each."""

    def cut() -> None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(PATIENCE_SECONDS, cut)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _read(answer: http.client.HTTPResponse) -> bytes:
    """The answer's body, as much of it as time and 64 kB allow: it is only asked for a number."""
    content = b""
    with suppress(OSError, http.client.HTTPException):
        while len(content) <= LARGEST_ANSWER and (piece := answer.read1(8192)):
            content += piece
    return content


def _provider_id(content: bytes) -> str:
    """The gateway's number, "" where it gave none that can be kept: the message has gone out all the same."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return ""
    number = found.get("id") if isinstance(found, dict) else None
    return str(number) if isinstance(number, str | int) and _PROVIDER_ID.fullmatch(str(number)) else ""
