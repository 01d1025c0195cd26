"""Pictures as answers: opened in a process that may die of them, made anew from pixels alone, kept with the draft."""

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from api.evidence.decoder import Decoder
from api.evidence.intake import received
from survey_forms.forms.model import Form, Raw
from survey_forms.refusal import Refused

LONGEST = 1600  # pixels of the longer side
MOST = 30  # pictures in one respondent's answers
AT_ONCE = threading.BoundedSemaphore(2)
PATIENCE_SECONDS = 15

_THUMBNAIL = "-small"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is kept: JPEG without any metadata, and the same small; `name` is drawn at random."""

    name: str
    content: bytes
    thumbnail: bytes


def read_picture(stream: IO[bytes]) -> Picture:
    """Make a picture of what was sent.

    Raises:
        Refused: what `api/evidence` refuses of a photo; `try_again` while too many others are being read.
    """
    with _a_turn(), received(stream) as sent, NamedTemporaryFile(prefix="mingcha-picture-") as original:
        original.write(sent.content)
        original.flush()
        with Decoder() as decoder:
            made = decoder.decode(Path(original.name), sent.header.media_type, LONGEST)
    return Picture(f"{secrets.token_hex(10)}.jpg", made.rendition, made.thumbnail)


def thumbnail_of(name: str) -> str:
    """The name under which the small copy of a picture is kept."""
    return name + _THUMBNAIL


def image_keys(form: Form) -> set[tuple[str | None, str]]:
    """The questions that ask for a picture: repeat (None outside repeats) and name."""
    return {(page.repeat, one.name) for page in form.pages for one in page.questions if one.type == "image"}


def names_in(form: Form, raw: Raw) -> set[str] | None:
    """The pictures that the answers name; None when the form asks for none at all."""
    asked = image_keys(form)
    if not asked:
        return None
    found = ((key, value) for key, value in raw.items() if isinstance(value, str) and value)
    return {value for key, value in found if _question(key) in asked}


def check_room(form: Form, raw: Raw, more: Mapping[str, object]) -> None:
    """Refuse more pictures than one respondent's answers may have (`answer_pictures_full`)."""
    if len(names_in(form, raw) or set()) + len(more) > MOST:
        raise Refused("answer_pictures_full", most=MOST)


def _question(key: str) -> tuple[str | None, str]:
    repeat, _, rest = key.partition(".")
    return (repeat, rest.partition(".")[2]) if rest else (None, key)


@contextmanager
def _a_turn() -> Iterator[None]:
    """Few pictures at once: each needs a process and some hundred megabytes for a moment."""
    if not AT_ONCE.acquire(timeout=PATIENCE_SECONDS):
        raise Refused("try_again")
    try:
        yield
    finally:
        AT_ONCE.release()
