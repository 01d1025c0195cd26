"""What the phone loads: the files that `make phone` (`.ci/phone.py`) made of `static/field`, each plain and as Brotli.

They are kept in the repository, so that a server needs no tool of JavaScript's world; `made.json` says of what they
were made, and tests/house/test_phone.py fails when a source has changed since.
"""

import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

SCOPE = "/inspector/phone/"
KEPT = ("app.css", "app.js", "mark.svg")
"""What the service worker keeps besides the shell; the English words are kept by who wants them (`words.js`)."""

NO_VERSION = "0" * 12
"""Stands for the version in the files that name it, while the version is worked out from them."""


@dataclass(frozen=True, slots=True)
class Made:
    """What `make phone` says of its work."""

    version: str
    """12 hex digits of a SHA-256 over all plain files, where they name it with `NO_VERSION` in its place."""
    checklists: int
    """The first so many characters of `app.js` are `logic.js` and `checklist.js`."""
    sources: dict[str, str]
    """SHA-256 in hex by path below the repository."""
    files: dict[str, str]
    """SHA-256 in hex by name, Brotli's included."""


@cache
def made() -> Made:
    """What was made, and of what."""
    return Made(**json.loads(read("made.json")))


@cache
def read(name: str) -> bytes:
    """A file that was made, byte for byte."""
    return files("api.pages").joinpath("static", "phone", name).read_bytes()


@cache
def zipped(name: str) -> bytes:
    """A file as gzip, for clients that take no Brotli: no browser that runs service workers is among them."""
    return gzip.compress(read(name), 9, mtime=0)
