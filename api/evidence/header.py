"""What a photo's first bytes say: kind, size, pixels, scans. Read by index; nothing here decodes anything.

A file that passes is a JPEG, PNG or WebP of sane proportions on its own word; whether it holds a picture is found
out later, in a process that may die of it (`api/evidence/decoder.py`). docs/evidence.md has the attacks.
"""

import re
from dataclasses import dataclass
from mmap import mmap

from survey_forms.refusal import Refused

LARGEST = 25 * 1024 * 1024  # bytes
MOST_PIXELS = 50_000_000
MOST_SCANS = 40  # a progressive photo has about ten; 6,000 keep libjpeg busy for half a minute
MOST_PARTS = 1_000  # segments or chunks before the picture; a real photo has a few dozen

EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
"""The kinds of photo we take, and how a copy of the original is named."""

_SCAN = re.compile(rb"\xff\xda")
# Start-of-frame markers carry the size; C4, C8 and CC are tables and reservations (ITU-T T.81, table B.1).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset(range(0xD0, 0xD8)) | {0x01}
_HEIF = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")

Content = bytes | mmap


@dataclass(frozen=True, slots=True)
class Header:
    """What the file says of itself; width and height as stored, before any turning."""

    media_type: str
    width: int
    height: int


def read_header(content: Content) -> Header:
    """Read and check the header.

    Raises:
        Refused: `photo_empty`, `photo_too_large`, `photo_heic`, `photo_other_kind`, `photo_animated`,
            `photo_damaged`, `photo_too_many_pixels`, `photo_too_many_scans`.
    """
    check_size(len(content))
    try:
        header = _read(content)
    except IndexError as error:
        raise Refused("photo_damaged") from error
    if not header.width or not header.height:
        raise Refused("photo_damaged")
    if header.width * header.height > MOST_PIXELS:
        raise Refused("photo_too_many_pixels", width=header.width, height=header.height, most=MOST_PIXELS // 1_000_000)
    return header


def check_size(size: int) -> None:
    """Refuse what is empty (`photo_empty`) or larger than a photo needs to be (`photo_too_large`)."""
    if not size:
        raise Refused("photo_empty")
    if size > LARGEST:
        raise Refused("photo_too_large", size=f"{size / 1024 / 1024:.1f}", most=LARGEST // 1024 // 1024)


def _read(content: Content) -> Header:
    if content[:3] == b"\xff\xd8\xff":
        return _jpeg(content)
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        return _png(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp(content)
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF:
        raise Refused("photo_heic")
    raise Refused("photo_other_kind")


def _jpeg(content: Content) -> Header:
    """Walk the segments to the frame header (ITU-T T.81, B.2), then count the scans of the whole file."""
    found = _jpeg_frame(content)
    scans = sum(1 for _ in _SCAN.finditer(content))
    if scans > MOST_SCANS:
        raise Refused("photo_too_many_scans", scans=scans, most=MOST_SCANS)
    return found


def _jpeg_frame(content: Content) -> Header:
    at = 2
    for _ in range(MOST_PARTS):
        marker = content[at + 1]
        if content[at] != 0xFF or marker in {0xD9, 0xDA}:  # no marker; the end, or a scan that nothing announced
            break
        if marker in _FRAMES:
            return Header("image/jpeg", _big(content, at + 7, 2), _big(content, at + 5, 2))
        if marker == 0xFF:  # a fill byte
            at += 1
        else:
            at += 2 if marker in _STANDALONE else 2 + _big(content, at + 2, 2)
    raise Refused("photo_damaged")


def _png(content: Content) -> Header:
    """IHDR comes first; an `acTL` before the picture makes it an animation (PNG third edition, 5.6)."""
    if content[12:16] != b"IHDR":
        raise Refused("photo_damaged")
    found = Header("image/png", _big(content, 16, 4), _big(content, 20, 4))
    at = 8
    for _ in range(MOST_PARTS):
        kind = content[at + 4 : at + 8]
        if kind == b"acTL":
            raise Refused("photo_animated")
        if kind == b"IDAT":
            return found
        at += 12 + _big(content, at, 4)
    raise Refused("photo_damaged")


def _webp(content: Content) -> Header:
    """The three first chunks that a WebP file may have (RFC 9649, section 2)."""
    kind = content[12:16]
    if kind == b"VP8 ":
        return Header("image/webp", _little(content, 26, 2) & 0x3FFF, _little(content, 28, 2) & 0x3FFF)
    if kind == b"VP8L":
        bits = _little(content, 21, 4)
        return Header("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8X":
        if content[20] & 0x02:
            raise Refused("photo_animated")
        return Header("image/webp", _little(content, 24, 3) + 1, _little(content, 27, 3) + 1)
    raise Refused("photo_damaged")


def _big(content: Content, at: int, width: int) -> int:
    content[at + width - 1]  # an index beyond the end raises where the slice would only be shorter
    return int.from_bytes(content[at : at + width], "big")


def _little(content: Content, at: int, width: int) -> int:
    content[at + width - 1]
    return int.from_bytes(content[at : at + width], "little")
