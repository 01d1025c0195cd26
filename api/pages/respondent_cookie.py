"""The respondent's cookie: the code (later the receipt) sealed under the service's secret, for this browser session.

It is the only place where a code is kept at all, and it is the respondent's own phone; the server holds neither
the code nor a session. Scripts cannot read it, other sites cannot send it, and it ends with the browser.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import request
from werkzeug.wrappers import Response

from api.services import services

COOKIE = "mc_survey"
_NONCE = 12
_LONGEST = 200
_LABEL = b"mingcha/respondent-cookie/1"


@dataclass(frozen=True, slots=True)
class Pass:
    """What the cookie says: a code on its way, or the receipt of an answer handed in and its survey, or nothing."""

    code: str = ""
    receipt: str = ""
    survey_id: int | None = None


def shown_pass() -> Pass:
    """The pass that came with this request; a cookie that is not ours counts as none."""
    cookie = request.cookies.get(COOKIE, "")
    if not cookie or len(cookie) > _LONGEST:
        return Pass()
    try:
        sealed = base64.b64decode(cookie, altchars=b"-_", validate=True)
        words = _cipher(services().settings.secret_key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _LABEL).decode()
    except (InvalidTag, ValueError, binascii.Error):
        return Pass()
    kind, value, *survey = words.split(":")
    if kind == "code":
        return Pass(code=value)
    return Pass(receipt=value, survey_id=int(survey[0]) if survey and survey[0] else None)


def hand_pass(response: Response, held: Pass) -> None:
    """Send the cookie."""
    words = f"code:{held.code}" if held.code else f"receipt:{held.receipt}:{held.survey_id or ''}"
    nonce = secrets.token_bytes(_NONCE)
    sealed = nonce + _cipher(services().settings.secret_key).encrypt(nonce, words.encode(), _LABEL)
    response.set_cookie(
        COOKIE,
        base64.urlsafe_b64encode(sealed).decode(),
        httponly=True,
        samesite="Lax",
        secure=services().settings.secure_cookies,
    )


def take_pass(response: Response) -> None:
    """Drop the cookie."""
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=services().settings.secure_cookies)


@cache
def _cipher(secret: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(algorithm=SHA256(), length=32, salt=None, info=_LABEL).derive(secret))
