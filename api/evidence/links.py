"""Links to photos on a host of their own: signed, for one person, for five minutes, and needing no cookie.

A photo that a browser were tricked into running could then read no page and no session of the service: its origin
holds nothing else (docs/evidence.md).
"""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlencode

from survey_forms.refusal import Refused

LIVES = timedelta(minutes=5)
PURPOSE = b"mingcha evidence link\n"


def signed_link(secret_key: bytes, name: str, copy: str, staff_id: int, now: datetime) -> str:
    """The address, without its host, of one copy of a photo for one person from now on.

    Args:
        secret_key: the service's.
        name: the original's SHA-256 in hexadecimal.
        copy: which copy (`api.pages.evidence.COPIES`).
        staff_id: who asked; it stands in the address and so in the host's log.
        now: when.
    """
    until = int((now + LIVES).timestamp())
    facts = {"until": str(until), "to": str(staff_id)}
    return f"/seen/{name}/{copy}?{urlencode(facts | {'mac': _mac(secret_key, name, copy, facts)})}"


def check_link(secret_key: bytes, name: str, copy: str, given: Mapping[str, str], now: datetime) -> None:
    """Let a link pass that we have signed and that lives.

    Raises:
        Refused: `not_found` for any other, `evidence_link_ended` for one that has ended.
    """
    facts = {"until": given.get("until", ""), "to": given.get("to", "")}
    if not hmac.compare_digest(given.get("mac", "").encode(), _mac(secret_key, name, copy, facts).encode()):
        raise Refused("not_found")
    if int(facts["until"]) < now.timestamp():
        raise Refused("evidence_link_ended")


def _mac(secret_key: bytes, name: str, copy: str, facts: Mapping[str, str]) -> str:
    words = "\n".join((name, copy, facts["until"], facts["to"]))
    return hmac.new(secret_key, PURPOSE + words.encode(), sha256).hexdigest()
