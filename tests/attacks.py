"""Files that want to hurt whoever opens them, made here byte by byte (docs/evidence.md measures each)."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

from PIL import Image

from tests.inspections import a_jpeg, phone_exif

SCRIPT = b"<script>alert(document.domain)</script>"


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def a_png(width: int, height: int, *before: bytes, pixels: bytes | None = None) -> bytes:
    """A grey PNG; with no `pixels` given, its rows are zeros and compress to almost nothing."""
    packer = zlib.compressobj(9)
    if pixels is None:
        rows = bytes((width + 1) * 64)
        packed = b"".join(packer.compress(rows) for _ in range(height // 64)) + packer.compress(
            bytes((width + 1) * (height % 64))
        )
    else:
        packed = packer.compress(pixels)
    ihdr = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", ihdr)
        + b"".join(before)
        + png_chunk(b"IDAT", packed + packer.flush())
        + png_chunk(b"IEND", b"")
    )


def an_animation(kind: str) -> bytes:
    frames = [Image.new("RGB", (32, 32), (tone % 256, tone // 256, 0)) for tone in range(400)]
    written = io.BytesIO()
    frames[0].save(written, kind, save_all=True, append_images=frames[1:])
    return written.getvalue()


def a_scan_bomb(scans: int, noise: int = 80) -> bytes:
    """A progressive JPEG whose last scan is repeated: small to send, long to decode."""
    written = io.BytesIO()
    Image.effect_noise((640, 480), noise).convert("RGB").save(written, "JPEG", progressive=True, quality=30)
    content = written.getvalue()
    last = content.rindex(b"\xff\xda")
    return content[:-2] + content[last:-2] * scans + b"\xff\xd9"


def a_text_bomb(size: int = 400_000_000) -> bytes:
    """A zTXt chunk that unpacks to hundreds of megabytes."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)) + packer.flush()
    return a_png(64, 64, png_chunk(b"zTXt", b"Comment\0\0" + packed))


def a_polyglot() -> bytes:
    """A JPEG, a ZIP and a page in one file."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("run.html", SCRIPT)
    jpeg = a_jpeg()
    comment = b"\xff\xfe" + struct.pack(">H", len(SCRIPT) + 2) + SCRIPT
    return jpeg[:2] + comment + jpeg[2:] + SCRIPT + archive.getvalue()


def a_jpeg_with_script_in_exif() -> bytes:
    exif = phone_exif()
    exif[0x010E] = SCRIPT.decode()
    exif[0x013B] = "; DROP TABLE photo; --"
    return a_jpeg(exif=exif)


def a_jpeg_with_broken_exif() -> bytes:
    content = a_jpeg(exif=phone_exif())
    at = content.index(b"Exif\0\0") + 14  # the first directory's count of entries: now far more than there are
    return content[:at] + b"\xff\xff" + content[at + 2 :]


def refused_unopened() -> Iterator[tuple[str, bytes, str]]:
    """(name, content, refusal) of files that never reach a decoder."""
    jpeg = a_jpeg()
    sof = jpeg.index(b"\xff\xc0")
    yield "empty", b"", "photo_empty"
    yield "larger than a photo needs", jpeg + bytes(25 * 1024 * 1024), "photo_too_large"
    yield "heic", b"\0\0\0\x18ftypheic" + bytes(500), "photo_heic"
    yield "renamed svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "photo_other_kind"
    yield "renamed page", b"<!doctype html>" + SCRIPT, "photo_other_kind"
    yield "eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "photo_other_kind"
    yield "tiff", b"II*\0" + bytes(64), "photo_other_kind"
    yield "gzip", b"\x1f\x8b\x08" + bytes(64), "photo_other_kind"
    yield "gif", b"GIF89a" + bytes(64), "photo_other_kind"
    yield "pixel bomb in a png", a_png(30_000, 30_000), "photo_too_many_pixels"
    yield "huge png header", a_png(65_000, 65_000, pixels=b""), "photo_too_many_pixels"
    yield "huge jpeg header", jpeg[: sof + 5] + b"\xff\xff\xff\xff" + jpeg[sof + 9 :], "photo_too_many_pixels"
    yield "jpeg without pixels", jpeg[: sof + 5] + bytes(4) + jpeg[sof + 9 :], "photo_damaged"
    yield "jpeg cut in its header", jpeg[: sof + 4], "photo_damaged"
    yield "jpeg of nothing but fill bytes", b"\xff\xd8" + b"\xff" * 1_000_000, "photo_damaged"
    yield "scan bomb", a_scan_bomb(200), "photo_too_many_scans"
    yield "scan bomb of 6,000", a_scan_bomb(6000, 0), "photo_too_many_scans"
    yield "animated png", an_animation("PNG"), "photo_animated"
    yield "animated webp", an_animation("WEBP"), "photo_animated"
    yield "png of nothing but text", a_png(8, 8, *[png_chunk(b"tEXt", b"a\0b")] * 150_000), "photo_damaged"
    yield "webp of an unknown kind", b"RIFF\x20\0\0\0WEBPVP9 " + bytes(40), "photo_damaged"
    yield "webp cut short", b"RIFF\x20\0\0\0WEBPVP8X", "photo_damaged"


def refused_by_the_decoder() -> Iterator[tuple[str, bytes, str]]:
    """(name, content, refusal) of files whose header is in order."""
    jpeg = a_jpeg()
    whole = a_png(64, 64)
    yield "half a jpeg", jpeg[: len(jpeg) // 2], "photo_damaged"
    yield "png with a broken checksum", whole[:29] + bytes(4) + whole[33:], "photo_damaged"
    yield "zTXt bomb", a_text_bomb(), "photo_damaged"
    yield "png whose pixels are no zlib stream", a_png(64, 64)[:41] + b"x" * 80, "photo_damaged"


def taken_and_cleaned() -> Iterator[tuple[str, bytes]]:
    """(name, content) of files that hold a picture and something else, which must not be served."""
    yield "polyglot", a_polyglot()
    yield "script in exif", a_jpeg_with_script_in_exif()
    yield "broken exif", a_jpeg_with_broken_exif()
    yield "bytes after the end", a_jpeg() + SCRIPT * 1000
