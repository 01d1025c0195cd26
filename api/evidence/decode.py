"""The process that opens strangers' photos: run as a script, it imports nothing of ours and knows no secret.

It reads one line of JSON a photo and answers each with one exit status. For every photo it forks: the child takes
limits on memory, processor and clock, decodes, writes rendition, thumbnail, a tiny grey picture and `report.json`
into the folder it was given, and ends; no photo can touch the next one's memory, and Python starts only once for
many photos. A job with `covers` is a clean rendition whose faces and plates are covered in a second copy.
"""

import gc
import io
import json
import os
import resource
import signal
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image, WebPImagePlugin

MEMORY = 700 * 1024 * 1024  # bytes of address space
PROCESSOR_SECONDS = 8
WALL_SECONDS = 15
LARGEST_OUTPUT = 32 * 1024 * 1024  # bytes; 2,560 pixels square are at most 20 MB raw

MOST_PIXELS = 50_000_000
RENDITION = 2560  # pixels of the longer side, unless the job asks for less
THUMBNAIL = 320
BLOCK = 16  # pixels of a JPEG's largest unit, its colours being stored at half the resolution
COVER = (118, 118, 118)
GREY = 32  # pixels a side; what the likeness of two photos is read from
QUALITY = 85
FILTER = Image.Resampling.HAMMING  # as sharp as bicubic when making smaller, and half its work
WEBP = WebPImagePlugin  # imported before the first fork, as `rehearse` makes Pillow import the other readers

GPS, EXIF = 0x8825, 0x8769  # IFD pointers (CIPA DC-008, Exif 3.0)
ORIENTATION, TAKEN, TAKEN_OFFSET, CHANGED = 0x0112, 0x9003, 0x9011, 0x0132
LONGEST_TEXT = 40

_TURN = Image.Transpose
UPRIGHT = {
    2: _TURN.FLIP_LEFT_RIGHT,
    3: _TURN.ROTATE_180,
    4: _TURN.FLIP_TOP_BOTTOM,
    5: _TURN.TRANSPOSE,
    6: _TURN.ROTATE_270,
    7: _TURN.TRANSVERSE,
    8: _TURN.ROTATE_90,
}
"""The Exif orientation of a file, and what makes its picture upright."""


def main() -> None:
    """Serve until the input ends."""
    rehearse()
    gc.disable()  # a child lives for one photo; looking through what it shares with us would copy it
    gc.freeze()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _limit()
            os._exit(_work(job))
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def rehearse() -> None:
    """Write and read a photo of our own, so that what Pillow imports on first use is there before the first fork.

    A child would import it for its one photo and take it along when it ends: 5 ms each, as much as a small photo.
    """
    exif = Image.Exif()
    exif.get_ifd(EXIF)[TAKEN] = exif.get_ifd(GPS)[1] = ""
    photo = io.BytesIO()
    Image.new("RGB", (64, 48)).save(photo, "JPEG", exif=exif)
    with Image.open(photo, formats=("JPEG",)) as image:
        _load(image, THUMBNAIL)
        _claims(image)


def _limit() -> None:
    """Die rather than take the machine along. Where a limit is unknown (macOS has no RLIMIT_AS) the others hold."""
    signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, PROCESSOR_SECONDS),
        (resource.RLIMIT_FSIZE, LARGEST_OUTPUT),
        (resource.RLIMIT_AS, MEMORY),
    ):
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


def _work(job: dict[str, Any]) -> int:
    folder = Path(job["folder"])
    try:
        if "covers" in job:
            report = _covered(Path(job["original"]), job["covers"], folder)
        else:
            longest = min(int(job.get("longest", RENDITION)), RENDITION)
            report = _copies(Path(job["original"]), job["format"], folder, longest)
    except MemoryError:
        report = {"refused": "photo_too_costly"}
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        report = {"refused": "photo_too_many_pixels"}
    except Exception as error:  # noqa: BLE001 - Pillow's readers raise anything; all of it means the file is not whole
        report = {"refused": "photo_damaged", "error": f"{type(error).__name__}: {error}"[:200]}
    (folder / "report.json").write_text(json.dumps(report))
    return 0


def _copies(original: Path, kind: str, folder: Path, longest: int) -> dict[str, Any]:
    """Write both copies, made of pixels alone, and report what the original says about place and time."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with warnings.catch_warnings(record=True) as damage:
        warnings.simplefilter("always")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(original, formats=(kind,)) as image:
            if kind != "JPEG" and getattr(image, "n_frames", 1) > 1:
                return {"refused": "photo_animated"}
            # Loaded first: Pillow loads a PNG to find its Exif, and what fails there would fail unseen.
            _load(image, longest)
            report = _claims(image)
            picture = _small(image, longest)
    report["metadata_damaged"] |= bool(damage)
    turn = UPRIGHT.get(report.pop("orientation"))
    if turn is not None:
        picture = picture.transpose(turn)  # cheap now that it is small
    if picture.mode != "RGB":
        clean = Image.new("RGB", picture.size, "white")
        clean.paste(picture, mask=picture if picture.mode == "RGBA" else None)
        picture = clean
    _save(picture, folder)
    return report


def _save(clean: Image.Image, folder: Path) -> None:
    """Write rendition, thumbnail and the grey picture, of pixels alone."""
    clean.info = {}  # a picture carries its comment and profiles here, and would save them again
    clean.save(folder / "rendition", "JPEG", quality=QUALITY)
    clean.thumbnail((THUMBNAIL, THUMBNAIL), FILTER, reducing_gap=1.0)  # most of it by averaging whole blocks
    clean.save(folder / "thumbnail", "JPEG", quality=QUALITY)
    (folder / "grey").write_bytes(clean.convert("L").resize((GREY, GREY), Image.Resampling.BOX).tobytes())


def _covered(rendition: Path, covers: list[list[float]], folder: Path) -> dict[str, Any]:
    """Fill rectangles with one grey: pixels and smears can be guessed back, what is gone cannot.

    They grow to the 16-pixel blocks in which JPEG has stored the rendition, for a block that a rectangle cuts shows
    ripples of what was under it, and 2 pixels beyond, for the decoder smooths colours across the edges of blocks.
    """
    with Image.open(rendition, formats=("JPEG",)) as image:
        clean = image.convert("RGB")
    for x, y, width, height in covers:
        left, right = _blocks(x, width, clean.width)
        top, bottom = _blocks(y, height, clean.height)
        clean.paste(COVER, (left, top, right, bottom))
    _save(clean, folder)
    return {"covered": len(covers)}


def _blocks(begins: float, length: float, pixels: int) -> tuple[int, int]:
    """From shares of a side to the pixels of whole blocks."""
    first, last = int(begins * pixels) // BLOCK, int((begins + length) * pixels) // BLOCK
    return max(first * BLOCK - 2, 0), min((last + 1) * BLOCK + 2, pixels)


def _load(image: Image.Image, longest: int) -> None:
    """Decode the pixels; a JPEG is read at half or a quarter of its size where that is enough."""
    if image.format in {"JPEG", "MPO"}:
        # The box must have the picture's own shape, or `draft` finds no smaller scale that still covers it.
        scale = min(1.0, longest / max(image.size))
        image.draft("RGB", (round(image.width * scale), round(image.height * scale)))
    image.load()


def _small(image: Image.Image, longest: int) -> Image.Image:
    """The pixels as grey or colour, at most so many on the longer side."""
    if image.mode.startswith("I;16"):
        image = image.point(lambda level: level / 256).convert("L")  # Pillow's own conversion makes it all white
    elif image.mode not in {"RGB", "L", "RGBA"}:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image.thumbnail((longest, longest), FILTER)
    return image


def _claims(image: Image.Image) -> dict[str, Any]:
    """Camera time as written, and WGS-84 position in degrees; damage is noted, for it is no reason to refuse."""
    claims: dict[str, Any] = dict.fromkeys(("taken", "offset", "lat", "lon", "orientation"))
    claims["metadata_damaged"] = False
    try:
        exif = image.getexif()
        details, gps = exif.get_ifd(EXIF), exif.get_ifd(GPS)
        claims["orientation"] = exif.get(ORIENTATION)
        claims["taken"] = _text(details.get(TAKEN, exif.get(CHANGED)))
        claims["offset"] = _text(details.get(TAKEN_OFFSET))
        if 2 in gps and 4 in gps:
            claims["lat"] = _degrees(gps[2], str(gps.get(1)), "S", 90)
            claims["lon"] = _degrees(gps[4], str(gps.get(3)), "W", 180)
    except Exception:  # noqa: BLE001 - whatever Pillow stumbles over, the metadata is what is broken
        claims["metadata_damaged"] = True
    if claims["lat"] == claims["lon"] == 0:  # what a phone's picker leaves of a position that it takes out
        claims |= {"lat": None, "lon": None}
    if (claims["lat"] is None) != (claims["lon"] is None):
        claims |= {"lat": None, "lon": None, "metadata_damaged": True}
    return claims


def _text(value: object) -> str | None:
    return str(value).strip("\0 ")[:LONGEST_TEXT] if value is not None else None


def _degrees(parts: Any, side: str, negative: str, most: int) -> float | None:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    # 0/0 is how cameras write "no fix"; NaN fails both comparisons.
    return round(-value if side.startswith(negative) else value, 7) if 0 <= value <= most else None


if __name__ == "__main__":
    main()
