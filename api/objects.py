"""Bytes by their SHA-256: written once, read back before they count, never replaced.

The file store keeps an object at `<area>/<first two hex digits>/<hex>`. Writing goes to a temporary file that is
flushed to disk and linked into place, so a crash leaves either the whole object or none.

`blurred` holds the copies with faces and plates made unrecognisable, `papers` the slips and orders as they were
issued. `partial` beside them is no area: pieces of uploads lie there until they are whole.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from mmap import mmap
from pathlib import Path

AREAS = ("originals", "renditions", "thumbnails", "blurred", "blurred_thumbnails", "papers")
PARTIAL = "partial"


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

    @contextmanager
    def at_hand(self, area: str, sha256: bytes) -> Iterator[Path]:
        """The object as a file of this machine, for a process that opens files; it must not be written to.

        Raises:
            FileNotFoundError: it is not kept.
        """
        target = self.path(area, sha256)
        if not target.is_file():
            raise FileNotFoundError(f"{area}/{sha256.hex()} is not in the store")
        yield target

    @property
    def partial(self) -> Path:
        """The directory for pieces of uploads that are not whole yet; always on this machine."""
        directory = self.root / PARTIAL
        directory.mkdir(parents=True, exist_ok=True)
        return directory
