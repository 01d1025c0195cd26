"""The photos topic: one decoding process for all photos of a drain, for its start costs more than a small photo."""

import atexit
from datetime import datetime

from sqlalchemy import Connection

from api.actions import photos
from api.evidence.decoder import Decoder
from api.objects import Objects

_decoder = Decoder()
atexit.register(_decoder.close)


def render(connection: Connection, objects: Objects, key: str, now: datetime) -> None:
    """Judge the photo whose SHA-256 the key is, in hexadecimal, and keep its clean copies."""
    photos.render(connection, objects, _decoder, bytes.fromhex(key), now)
