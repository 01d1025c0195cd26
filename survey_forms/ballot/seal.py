"""Sealed boxes: X25519 with a fresh key a box, HKDF-SHA-256, ChaCha20-Poly1305, all of them from `cryptography`.

Whoever seals keeps nothing that opens: the box's own private key is forgotten, and the campaign's was split among
its custodians before the survey opened (`split.py`). Survey and stratum go into the derivation of the key, so a box
that somebody moved to another stratum does not open there. Boxes of one form have one length (`envelope.py`).
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from survey_forms.ballot.envelope import pad, unpad
from survey_forms.refusal import Refused

KEY_LENGTH = 32
TAG_LENGTH = 16
OVERHEAD = KEY_LENGTH + TAG_LENGTH
"""Bytes of a sealed box beyond its padded envelope: the box's public key and the tag."""

_LABEL = b"mingcha/ballot/1"
_NONCE_LENGTH = 12


def public_key_of(private_key: bytes) -> bytes:
    """The 32-byte public half of an X25519 key."""
    return X25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


def seal(  # noqa: PLR0913, PLR0917 - a pure function takes its chance and its context as arguments
    public_key: bytes, survey_id: int, stratum: str, plain: bytes, size: int, ephemeral: bytes
) -> bytes:
    """A box of `size` + 48 bytes that only the campaign's private key opens.

    Args:
        public_key: the campaign's, 32 bytes.
        survey_id: whose box.
        stratum: whose box.
        plain: what to seal.
        size: bytes after padding, the same for every box of a form.
        ephemeral: 32 fresh random bytes for this box alone, then forgotten.

    Raises:
        Refused: `answer_outgrew_box`; `campaign_key_unfit` for a public key that agrees on nothing secret.
    """
    ours = X25519PrivateKey.from_private_bytes(ephemeral)
    sender = ours.public_key().public_bytes_raw()
    key, nonce = _agree(ours, public_key, _context(sender, public_key, survey_id, stratum))
    return sender + ChaCha20Poly1305(key).encrypt(nonce, pad(plain, size), None)


def open_box(private_key: bytes, survey_id: int, stratum: str, sealed: bytes) -> bytes:
    """What `seal` sealed.

    Raises:
        Refused: `box_spoiled` for another key, survey or stratum, or changed bytes.
    """
    if len(sealed) < OVERHEAD:
        raise Refused("box_spoiled")
    sender, ciphertext = sealed[:KEY_LENGTH], sealed[KEY_LENGTH:]
    ours = X25519PrivateKey.from_private_bytes(private_key)
    context = _context(sender, ours.public_key().public_bytes_raw(), survey_id, stratum)
    try:
        key, nonce = _agree(ours, sender, context)
        return unpad(ChaCha20Poly1305(key).decrypt(nonce, ciphertext, None))
    except (InvalidTag, Refused) as error:
        raise Refused("box_spoiled") from error


def _agree(ours: X25519PrivateKey, theirs: bytes, context: bytes) -> tuple[bytes, bytes]:
    """Key and nonce of one box. Both come from a secret that no other box has, so no pair is ever used twice."""
    try:
        shared = ours.exchange(X25519PublicKey.from_public_bytes(theirs))
    except ValueError as error:  # a point of small order, or not 32 bytes
        raise Refused("campaign_key_unfit") from error
    derived = HKDF(algorithm=SHA256(), length=KEY_LENGTH + _NONCE_LENGTH, salt=None, info=context).derive(shared)
    return derived[:KEY_LENGTH], derived[KEY_LENGTH:]


def _context(sender: bytes, recipient: bytes, survey_id: int, stratum: str) -> bytes:
    """Label, both public keys, survey and stratum, each with its length before it."""
    parts = (_LABEL, sender, recipient, str(survey_id).encode(), stratum.encode())
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
