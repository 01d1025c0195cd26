"""Documents set by typst in a process of their own (`typeset.py`); nothing of them touches a disk."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from survey_forms.refusal import Refused

SCRIPT = Path(__file__).with_name("typeset.py")
PATIENCE_SECONDS = 180
_one_at_a_time = Lock()  # two thousand sheets take 0.6 GB


def set_pages(template: str, data: Mapping[str, Any], kind: Literal["pdf", "png"] = "pdf", ppi: float = 144.0) -> bytes:
    """A document as one PDF, or its pages as pictures one after another (`pictures` parts them).

    Args:
        template: a `.typ` file beside this module.
        data: what the template reads; JSON.
        kind: `png` is for looking at it.
        ppi: pixels an inch of a picture.

    Raises:
        Refused: `print_failed`; the process said why in the log, without any of the data.
    """
    job = json.dumps({"template": template, "data": data, "format": kind, "ppi": ppi}).encode()
    with _one_at_a_time:
        try:
            done = subprocess.run(  # noqa: S603 - our own script, our own interpreter
                [sys.executable, "-I", str(SCRIPT)],
                input=job,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # typst quotes the source of an error, and the source may show a code
                env={},
                timeout=PATIENCE_SECONDS,
                check=True,
            )
        except (subprocess.SubprocessError, OSError) as error:
            raise Refused("print_failed") from error
    return done.stdout if kind == "png" else next(pictures(done.stdout))


def pictures(pages: bytes) -> Iterator[bytes]:
    """The files that `typeset.py` wrote, each after its length."""
    at = 0
    while at < len(pages):
        size = int.from_bytes(pages[at : at + 8], "big")
        yield pages[at + 8 : at + 8 + size]
        at += 8 + size
