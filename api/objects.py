"""Bytes by their SHA-256: written once, read back before they count, never replaced.

The file store keeps an object at `<area>/<first two hex digits>/<hex>`. Writing goes to a temporary file that is
flushed to disk and linked into place, so a crash leaves either the whole object or none.
"""

import os
import secrets
from mmap import mmap
from pathlib import Path

AREAS = ("originals", "renditions", "thumbnails")


class Objects:
    """The file store, on a directory of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, area: str, sha256: bytes) -> Path:
        """Where an object is or would be."""
        if area not in AREAS:
            raise ValueError(area)
        name = sha256.hex()
        return self.root / area / name[:2] / name

    def has(self, area: str, sha256: bytes) -> bool:
        """Whether the object is kept."""
        return self.path(area, sha256).is_file()

    def put(self, area: str, sha256: bytes, content: bytes | mmap) -> None:
        """Keep an object under the key of its origin; keeping it again changes nothing."""
        target = self.path(area, sha256)
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o440)
        try:
            os.link(temporary, target)
        except FileExistsError:
            pass  # another upload of the same bytes was first
        finally:
            temporary.unlink()

    def get(self, area: str, sha256: bytes) -> bytes | None:
        """The object's bytes, if it is kept."""
        try:
            return self.path(area, sha256).read_bytes()
        except FileNotFoundError:
            return None
