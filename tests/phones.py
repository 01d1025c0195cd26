"""A phone as another client would write it: a key, a chain of events, photos in pieces. No page of ours is in it."""

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.inspections import HALL, NOW, a_jpeg

START = "0" * 64


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


@dataclass
class Phone:
    """One enrolled phone; `token` is what it sends."""

    id: UUID = field(default_factory=uuid4)
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    token: str = ""

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, text: str) -> str:
        r, s = decode_dss_signature(self.key.sign(text.encode(), ECDSA(SHA256())))
        return base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()


@dataclass
class Record:
    """A visit being written on a phone."""

    phone: Phone
    assignment: UUID | str
    ticket: dict[str, Any] = field(default_factory=dict)
    id: UUID = field(default_factory=uuid4)
    at: datetime = NOW
    events: list[str] = field(default_factory=list)

    def add(self, kind: str, **facts: Any) -> "Record":
        """One event, 10 s after the one before."""
        n = len(self.events)
        prev = sha256(self.events[-1].encode()).hexdigest() if self.events else START
        event = {"n": n, "kind": kind, "at": ms(self.at), "mono": 1000 + n * 10_000, "prev": prev} | facts
        self.events.append(json.dumps(event, ensure_ascii=False))
        self.at += timedelta(seconds=10)
        return self

    def check_in(self, *, kind: str = "check_in", lat: float = HALL[0], lon: float = HALL[1], accuracy: float = 12):
        return self.add(kind, fixes=[[lat, lon, accuracy, ms(self.at) - 2000]], reason="")

    def photo(self, content: bytes, **facts: Any) -> "Record":
        given = {
            "sha256": sha256(content).hexdigest(), "size": len(content), "name": "IMG_1.jpg", "type": "image/jpeg",
            "modified": ms(self.at), "fix": None, "nonce": "",
        }  # fmt: skip
        return self.add("photo", **(given | facts))

    def finding(self, *photos: bytes, **facts: Any) -> "Record":
        given = {
            "id": str(uuid4()), "rule": "unattended_window", "points": None, "description": "三号窗口无人值守",
            "photos": [sha256(one).hexdigest() for one in photos],
        }  # fmt: skip
        return self.add("finding", **(given | facts))

    def body(self, **facts: Any) -> bytes:
        head = sha256(self.events[-1].encode()).hexdigest() if self.events else START
        given = {
            "format": 1, "visit": str(self.id), "assignment": str(self.assignment), "device": str(self.phone.id),
            "ticket": self.ticket, "created_at": ms(NOW), "sent_at": ms(self.at), "events": self.events,
            "head": head,
        }  # fmt: skip
        told = given | {name: value for name, value in facts.items() if name in {"visit", "assignment", "ticket"}}
        ticket = told["ticket"].get("signature", "") if isinstance(told["ticket"], dict) else ""
        sealed = f"{told['visit']}{told['assignment']}{ticket}{head}"
        return json.dumps(given | {"signature": self.phone.sign(sealed)} | facts, ensure_ascii=False).encode()


def photo_of(chance: Random) -> bytes:
    """A photo that no other is like: a JPEG with a comment of chance behind its picture."""
    return a_jpeg(color=f"#{chance.randrange(1 << 24):06x}", size=(320, 240)) + chance.randbytes(
        chance.randrange(1, 40_000)
    )


class Lost(Exception):
    """No answer came."""


@dataclass
class Wire:
    """One phone's way to the server: a connection a request, and each request tried again until it is answered."""

    address: tuple[str, int]
    token: str
    tries: int = 40
    pause: float = 0
    asked: int = 0

    def once(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """One request; Lost where no whole answer comes."""
        self.asked += 1
        connection = HTTPConnection(*self.address, timeout=10)
        try:
            given = {"Authorization": f"Bearer {self.token}"} | {k.replace("_", "-"): v for k, v in headers.items()}
            connection.request(method, path, body=body or None, headers=given)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        except (OSError, HTTPException) as error:
            raise Lost from error
        finally:
            connection.close()

    def sure(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """A request that may be sent again: until something but a broken line, a cut body or 5xx comes back."""
        for _ in range(self.tries):
            with suppress(Lost):
                status, told, content = self.once(method, path, body, **headers)
                if status < 500 and status not in {400, 408, 429}:
                    return status, told, content
            time.sleep(self.pause)
        raise AssertionError(f"{method} {path} was never answered")

    def send(self, content: bytes, piece: int = 8192) -> None:
        """A blob in pieces, from wherever the server stands."""
        path, size = f"/api/v1/blobs/{sha256(content).hexdigest()}", len(content)
        offset, complete = self._offset(self.sure("HEAD", path)[1])
        while not complete:
            headers = {"Upload_Offset": str(offset), "Upload_Length": str(size)}
            status, told, _ = self.sure("PUT", path, content[offset : offset + piece], **headers)
            assert status in {204, 409}, (status, told)
            offset, complete = self._offset(told)

    @staticmethod
    def _offset(told: dict[str, str]) -> tuple[int, bool]:
        return int(told["upload-offset"]), told.get("upload-complete") == "?1"

    def hand_in(self, body: bytes, photos: Iterable[bytes], piece: int = 8192) -> dict[str, Any]:
        """A whole visit: what the server says once nothing is missing."""
        known = {sha256(one).hexdigest(): one for one in photos}
        for _ in range(5):
            status, _, content = self.sure("POST", "/api/v1/visits", body)
            assert status in {200, 201}, (status, content)
            told: dict[str, Any] = json.loads(content)
            if not told["missing"]:
                return told
            for name in told["missing"]:
                self.send(known[name], piece)
        raise AssertionError("something is missing for ever")


FAULTS = ("503", "lost answer", "cut body")


@contextmanager
def bad_line(address: tuple[str, int], seed: int, share: float) -> Iterator[tuple[tuple[str, int], Counter[str]]]:
    """A proxy that spoils `share` of the requests in each of three ways; yields its address and what it did."""
    chance, done, lock = Random(seed), Counter[str](), threading.Lock()

    class Line(BaseHTTPRequestHandler):
        def passed_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                drawn = int(chance.random() / share)
                fault = FAULTS[drawn] if drawn < len(FAULTS) else "none"
                done[fault] += 1
            self.close_connection = True
            if fault == "503":
                self.send_response(503)
                self.end_headers()
                return
            upstream = HTTPConnection(*address, timeout=10)
            try:
                upstream.putrequest(self.command, self.path, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in {"host", "connection", "accept-encoding"}:
                        upstream.putheader(name, value)
                upstream.endheaders(body[: len(body) // 2] if fault == "cut body" else body)
                if fault == "cut body" and body:
                    return
                answer = upstream.getresponse()
                content = answer.read()
            finally:
                upstream.close()
            if fault == "none" or (fault == "cut body" and not body):
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {"connection", "transfer-encoding", "date", "server"}:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_HEAD = do_PUT = do_POST = passed_on  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Line)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ("127.0.0.1", server.server_port), done
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
