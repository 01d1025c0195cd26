"""An inspector's phone of the demonstration: enrolled, with a ticket, writing a chain of events and handing it in.

It speaks the protocol of docs/visits-api.md through the verbs behind it, so that what the demonstration shows has
its chain, its signature and its receipt like anything that a real phone brings.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection

from api.actions.blobs import Piece, held, take_in
from api.actions.bundle import bundle
from api.actions.devices import enrol
from api.actions.settling import settle
from api.actions.uploads import keep, read_visit
from api.objects import Objects
from api.store.people import Staff
from api.store.uploads import Upload
from survey_forms.inspection.chain import sealed_text

FORMAT = 1
START = "0" * 64


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone and whose it is; its key is in this process alone and gone with it."""

    owner: Staff
    id: UUID = field(default_factory=uuid4)
    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()), repr=False)

    def enrol(self, connection: Connection, now: datetime) -> None:
        """Let the service know the phone."""
        public = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        enrol(connection, self.owner, self.id, public, "演示手机", now)

    def ticket(self, connection: Connection, secret_key: bytes, assignment: UUID, now: datetime) -> dict[str, Any]:
        """The ticket for an assignment, out of the bundle that the phone takes along."""
        tasks = bundle(connection, secret_key, self.owner, now)["assignments"]
        found: dict[str, Any] = next(one["ticket"] for one in tasks if one["id"] == str(assignment))
        return found

    def sign(self, text: str) -> str:
        """The signature over a text: r and s, 32 bytes each, in base64."""
        r, s = decode_dss_signature(self.key.sign(text.encode(), ECDSA(SHA256())))
        return base64.b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()


@dataclass(slots=True)
class Record:
    """A visit as the phone writes it, event by event."""

    phone: Phone
    assignment: UUID
    ticket: dict[str, Any]
    began: datetime
    id: UUID = field(default_factory=uuid4)
    events: list[str] = field(default_factory=list)
    blobs: list[bytes] = field(default_factory=list)

    def add(self, kind: str, at: datetime, **facts: Any) -> None:
        """Chain one event to the one before."""
        elapsed = milliseconds(at) - milliseconds(self.began)
        event = {"n": len(self.events), "kind": kind, "at": milliseconds(at), "mono": 1000 + elapsed, "prev": self.head}
        self.events.append(json.dumps(event | facts, ensure_ascii=False))

    def photo(self, content: bytes, name: str, at: datetime, fix: Sequence[float]) -> bytes:
        """Add a photo; returns its SHA-256."""
        digest = sha256(content).digest()
        self.blobs.append(content)
        facts = {"sha256": digest.hex(), "size": len(content), "name": name, "type": "image/jpeg"}
        self.add("photo", at, **facts, modified=milliseconds(at), fix=list(fix), nonce=self.ticket["nonce"])
        return digest

    @property
    def head(self) -> str:
        """The hash of the last event."""
        return sha256(self.events[-1].encode()).hexdigest() if self.events else START

    def hand_in(self, connection: Connection, objects: Objects, secret_key: bytes, now: datetime) -> Upload:
        """Send the visit and then everything that belongs to it, as a phone with a network does.

        Raises:
            RuntimeError: the service would hold it: the demonstration wrote something that does not fit.
        """
        body = {
            "format": FORMAT,
            "visit": str(self.id),
            "assignment": str(self.assignment),
            "device": str(self.phone.id),
            "ticket": self.ticket,
            "created_at": milliseconds(self.began),
            "sent_at": milliseconds(now),
            "events": self.events,
            "head": self.head,
            "signature": self.phone.sign(sealed_text(self.id, self.assignment, self.ticket["signature"], self.head)),
        }
        owner = self.phone.owner.id
        keep(connection, read_visit(json.dumps(body, ensure_ascii=False).encode()), owner, now)
        for content in self.blobs:
            digest = sha256(content).digest()
            with held(objects, owner, digest) as partial:
                take_in(connection, objects, partial, Piece(digest, 0, len(content), content), owner, now)
                partial.drop()
        upload = settle(connection, objects, secret_key, self.id, now)
        if upload.status != "settled":
            raise RuntimeError(f"the demonstration's own visit was not taken in: {upload.problems}")
        return upload


def milliseconds(moment: datetime) -> int:
    """A moment as phones write it: milliseconds since 1970."""
    return round(moment.timestamp() * 1000)
