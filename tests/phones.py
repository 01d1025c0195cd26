"""A phone as another client would write it: a key, a chain of events, photos in pieces. No page of ours is in it."""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
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

    def sign(self, head: str) -> str:
        r, s = decode_dss_signature(self.key.sign(head.encode(), ECDSA(SHA256())))
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
            "head": head, "signature": self.phone.sign(head),
        }  # fmt: skip
        return json.dumps(given | facts, ensure_ascii=False).encode()


def photo_of(chance: Random) -> bytes:
    """A photo that no other is like: a JPEG with a comment of chance behind its picture."""
    return a_jpeg(color=f"#{chance.randrange(1 << 24):06x}", size=(320, 240)) + chance.randbytes(
        chance.randrange(1, 40_000)
    )
