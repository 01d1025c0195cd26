"""What lies in a sealed box: one respondent's answers as canonical JSON, as long as in all other boxes of the form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from survey_forms.refusal import Refused
from survey_forms.sampling.traits import LONGEST_CELL
from survey_forms.transparency import canonical_json

STEP = 256
_MODES = ("web", "phone", "visit", "several", "simulated")
_LENGTH = 4  # bytes that say how long the text is
_FORM_VERSION = "0" * 64
_LARGEST_KEY = 2**31 - 1
_PARTS = 5  # of the text


@dataclass(frozen=True, slots=True)
class About:
    """What weighing an answer takes: its weighting cell, how it was given, and which interviewer wrote it down.

    The roll knows as much of the person. The count therefore tells it only of crowds (`crowds.py`).
    """

    wcell: str
    mode: str = "web"
    interviewer: int | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """The answers, the form version that says what they mean, and what weighing takes. Nothing about who, or when."""

    form_version: str
    answers: Mapping[str, Any]
    about: About


_LONGEST_ABOUT = About("c" * LONGEST_CELL, max(_MODES, key=len), _LARGEST_KEY)


def size_for(largest_answer: int) -> int:
    """Bytes of every envelope of a form whose longest answers take so many bytes: rounded up to 256."""
    longest = _LENGTH + len(pack(Envelope(_FORM_VERSION, {}, _LONGEST_ABOUT))) - len("{}") + largest_answer
    return -(-longest // STEP) * STEP


def pack(envelope: Envelope) -> bytes:
    """The envelope's text, not yet padded."""
    return canonical_json(written(envelope))


def written(envelope: Envelope) -> dict[str, Any]:
    """The envelope as JSON."""
    return {
        "form_version": envelope.form_version,
        "answers": dict(envelope.answers),
        "wcell": envelope.about.wcell,
        "mode": envelope.about.mode,
        "interviewer": envelope.about.interviewer,
    }


def unpack(plain: bytes) -> Envelope:
    """The envelope that `pack` made.

    Raises:
        Refused: `box_spoiled` when the text is none of its kind.
    """
    try:
        found = json.loads(plain)
        if len(found) != _PARTS:
            raise Refused("box_spoiled")
        return read(found)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused("box_spoiled") from error


def read(found: Any) -> Envelope:
    """The envelope that `written` wrote.

    Raises:
        KeyError, TypeError: it is none of its kind.
    """
    form_version, answers, wcell, mode, interviewer = (
        found[part] for part in ("form_version", "answers", "wcell", "mode", "interviewer")
    )
    if not isinstance(form_version, str) or not isinstance(answers, dict) or not isinstance(wcell, str):
        raise TypeError("no envelope")
    if mode not in _MODES or (interviewer is not None and type(interviewer) is not int):
        raise TypeError("no envelope")
    return Envelope(form_version, answers, About(wcell, mode, interviewer))


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
