"""Renditions of photos, made in another process that may die of them (`decode.py`)."""

import json
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

from api.evidence import header
from survey_forms.inspection.likeness import SIDE
from survey_forms.refusal import Refused

SCRIPT = Path(__file__).with_name("decode.py")
PATIENCE_SECONDS = 20  # longer than the child's own 15: it should have ended by itself
LARGEST_REPORT = 4096
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
TAKEN = re.compile(r"[0-9]{4}(:[0-9]{2}){2} [0-9]{2}(:[0-9]{2}){2}")
OFFSET = re.compile(r"[+-][0-9]{2}:[0-9]{2}")
REFUSALS = frozenset({"photo_too_costly", "photo_too_many_pixels", "photo_damaged", "photo_animated"})


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a photo holds: clean copies, and what the file itself says about when and where."""

    rendition: bytes  # JPEG, at most 2,560 pixels a side or what was asked for, no metadata
    thumbnail: bytes  # JPEG, at most 320 pixels a side
    grey: bytes  # 32 × 32 pixels, from which the likeness of two photos is read
    lat: float | None  # degrees, WGS-84 as Exif says
    lon: float | None
    taken: str | None  # "2026:11:21 09:30:00" by the camera's clock
    offset: str | None  # of that clock from UTC, "+08:00"
    metadata_damaged: bool


class Decoder:
    """The decoding process, started with the first photo and kept for the next ones; end it with `close`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def decode(self, original: Path, media_type: str, longest: int | None = None) -> Decoded:
        """Decode one original; `longest` makes the rendition smaller than usual, in pixels of its longer side.

        Raises:
            Refused: `photo_too_costly` where the child ran out of memory, time or patience; else what it reported.
            ChildProcessError: the decoding process itself does not start or was ended: not the photo's fault.
        """
        job: dict[str, object] = {"original": str(original), "format": FORMATS[media_type]}
        if longest is not None:
            job["longest"] = longest
        with self._done(job) as folder:
            return _collected(folder)

    def cover(self, rendition: Path, covers: Sequence[Sequence[float]]) -> tuple[bytes, bytes]:
        """A rendition and its thumbnail with rectangles filled: [x, y, width, height] as shares of the whole.

        Raises:
            Refused, ChildProcessError: as `decode`.
        """
        with self._done({"original": str(rendition), "covers": [list(one) for one in covers]}) as folder:
            _report(folder)
            return _whole(folder, "rendition"), _whole(folder, "thumbnail")

    @contextmanager
    def _done(self, job: dict[str, object]) -> Iterator[Path]:
        """The folder in which a child has left its work."""
        with TemporaryDirectory(prefix="mingcha-photo-") as folder:
            status = self._ask(json.dumps(job | {"folder": folder}).encode() + b"\n")
            if status != 0:
                raise Refused("photo_too_costly", status=status)
            yield Path(folder)

    def close(self) -> None:
        """End the process and whatever it still runs."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def _ask(self, line: bytes) -> int | None:
        """Hand over one job; the exit status of the child that did it, None when it did not end in time."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = _start()
        process = self._process
        assert process.stdin is not None  # noqa: S101 - both are pipes, as `_start` made them
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(line)
            process.stdin.flush()
            if not select.select([process.stdout], [], [], PATIENCE_SECONDS)[0]:
                self.close()
                return None
            return int(process.stdout.readline())
        except (BrokenPipeError, ValueError) as error:
            self.close()
            raise ChildProcessError(f"{SCRIPT} ended early") from error


def _start() -> subprocess.Popen[bytes]:
    """Start the script with an empty environment, in a session of its own, seeing none of our files."""
    process = subprocess.Popen(  # noqa: S603 - our own script, our own interpreter
        [sys.executable, "-I", str(SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101
    ready = process.stdout.readline()
    if ready != b"ready\n":
        process.kill()
        process.communicate()
        raise ChildProcessError(f"{SCRIPT} did not start")
    return process


def _collected(folder: Path) -> Decoded:
    """What the child left in its folder; it may have been anybody's code, so nothing in it is believed unread."""
    report = _report(folder)
    try:
        return Decoded(
            rendition=_whole(folder, "rendition"),
            thumbnail=_whole(folder, "thumbnail"),
            grey=_grey(folder),
            lat=_degrees(report["lat"], 90),
            lon=_degrees(report["lon"], 180),
            taken=_matching(TAKEN, report["taken"]),
            offset=_matching(OFFSET, report["offset"]),
            metadata_damaged=report["metadata_damaged"] is True,
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Refused("photo_damaged") from error


def _report(folder: Path) -> dict[str, Any]:
    try:
        report = json.loads(_bounded(folder / "report.json", LARGEST_REPORT))
        if "refused" in report:
            code = report["refused"]
            raise Refused(code if code in REFUSALS else "photo_damaged")
    except (OSError, ValueError, TypeError) as error:
        raise Refused("photo_damaged") from error
    return dict(report)


def _whole(folder: Path, name: str) -> bytes:
    """A copy that the child has made, which must be a JPEG."""
    try:
        content = _bounded(folder / name, header.LARGEST)
    except (OSError, ValueError) as error:
        raise Refused("photo_damaged") from error
    if header.read_header(content).media_type != "image/jpeg":
        raise Refused("photo_damaged")
    return content


def _grey(folder: Path) -> bytes:
    content = _bounded(folder / "grey", SIDE * SIDE)
    if len(content) != SIDE * SIDE:
        raise ValueError("grey")
    return content


def _bounded(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(path.name)
    return content


def _degrees(value: object, most: int) -> float | None:
    return value if isinstance(value, float) and abs(value) <= most else None


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
