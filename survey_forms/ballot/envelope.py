"""What lies in a sealed box: one respondent's answers as canonical JSON, as long as in all other boxes of the form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from survey_forms.refusal import Refused
from survey_forms.transparency import canonical_json

STEP = 256
_LENGTH = 4  # bytes that say how long the text is
_FORM_VERSION = "0" * 64


@dataclass(frozen=True, slots=True)
class Envelope:
    """The answers, and the form version that says what they mean. Nothing about who gave them, or when."""

    form_version: str
    answers: Mapping[str, Any]


def size_for(largest_answer: int) -> int:
    """Bytes of every envelope of a form whose longest answers take so many bytes: rounded up to 256."""
    longest = _LENGTH + len(pack(Envelope(_FORM_VERSION, {}))) - len("{}") + largest_answer
    return -(-longest // STEP) * STEP


def pack(envelope: Envelope) -> bytes:
    """The envelope's text, not yet padded."""
    return canonical_json({"form_version": envelope.form_version, "answers": dict(envelope.answers)})


def unpack(plain: bytes) -> Envelope:
    """The envelope that `pack` made.

    Raises:
        Refused: `box_spoiled` when the text is none of its kind.
    """
    try:
        found = json.loads(plain)
        form_version, answers = found["form_version"], found["answers"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused("box_spoiled") from error
    if not isinstance(form_version, str) or not isinstance(answers, dict) or len(found) != len(Envelope.__slots__):
        raise Refused("box_spoiled")
    return Envelope(form_version, answers)


def pad(plain: bytes, size: int) -> bytes:
    """Its length, the text, and zeros up to `size` bytes.

    Raises:
        Refused: `answer_outgrew_box` when it does not fit; then the form's size was reckoned too small.
    """
    if _LENGTH + len(plain) > size:
        raise Refused("answer_outgrew_box")
    return (len(plain).to_bytes(_LENGTH, "big") + plain).ljust(size, b"\0")


def unpad(padded: bytes) -> bytes:
    """The text that `pad` padded.

    Raises:
        Refused: `box_spoiled` when the length is impossible or the rest is not zeros.
    """
    end = _LENGTH + int.from_bytes(padded[:_LENGTH], "big")
    if not _LENGTH <= end <= len(padded) or padded[end:].strip(b"\0"):
        raise Refused("box_spoiled")
    return padded[_LENGTH:end]
