"""What each hostile file costs, and what it gets; then two of the worst at a time.

    .venv/bin/python -m tests.bench.bench_attacks

Every file of tests/attacks.py goes through the header's check, as an upload does, and on to the decoding process if it
passes. Memory is the peak of all processes of two decoders together, sampled every 2 ms from /proc.
"""

import io
import random
import resource
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from api.evidence.decoder import Decoder
from api.evidence.intake import received
from survey_forms.refusal import Refused
from tests.attacks import a_png, refused_by_the_decoder, refused_unopened, taken_and_cleaned
from tests.bench.bench_photos import a_phone_photo
from tests.inspections import REAL_PHOTOS, a_jpeg, an_upload, phone_exif

MUTATIONS = 300


def main() -> None:
    with Decoder() as decoder, tempfile.TemporaryDirectory() as folder:
        decode(decoder, Path(folder), a_jpeg())  # started
        print(f"{'file':<42} {'kB':>8} {'ms':>8}  what happens")
        for name, content in subjects():
            started = time.perf_counter()
            found = decode(decoder, Path(folder), content)
            print(f"{name:<42} {len(content) / 1000:8.0f} {(time.perf_counter() - started) * 1000:8.1f}  {found}")
        for source, content in mutants().items():
            print(f"{MUTATIONS} mutations of {source}: {dict(Counter(mutated(decoder, Path(folder), content)))}")
        print(f"this process at its peak: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        two_at_a_time(Path(folder))


def subjects() -> Iterator[tuple[str, bytes]]:
    for name, content, _ in refused_unopened():
        yield name, content
    for name, content, _ in refused_by_the_decoder():
        yield name, content
    yield from taken_and_cleaned()
    yield "legal-size bomb, 7,000 x 7,000", a_png(7000, 7000)
    if REAL_PHOTOS.is_dir():
        for path in sorted(REAL_PHOTOS.iterdir()):
            yield path.name, path.read_bytes()


def decode(decoder: Decoder, folder: Path, content: bytes) -> str:
    """What an upload of these bytes comes to."""
    try:
        with an_upload(content) as file, received(file) as photo:
            media_type = photo.header.media_type
        path = folder / "photo"
        path.write_bytes(content)
        decoded = decoder.decode(path, media_type)
    except Refused as refused:
        return f"refused: {refused.code}"
    return "taken, clean copies" + (", damage noted" if decoded.metadata_damaged else "")


def mutants() -> dict[str, bytes]:
    made = {"a small JPEG made here": a_jpeg(size=(320, 240), exif=phone_exif())}
    real = REAL_PHOTOS / "DSCN0010.jpg"
    return made | ({real.name: real.read_bytes()} if real.is_file() else {})


def mutated(decoder: Decoder, folder: Path, content: bytes) -> Iterator[str]:
    chance = random.Random(300)
    for _ in range(MUTATIONS):
        changed = bytearray(content)
        for _ in range(chance.randrange(1, 12)):
            changed[chance.randrange(2, len(changed))] = chance.randrange(256)
        yield decode(decoder, folder, bytes(changed))


def two_at_a_time(folder: Path) -> None:
    worst = {
        "grey PNG, 7,000 x 7,000": a_png(7000, 7000),
        "PNG with transparency, 7,000 x 7,000": saved("RGBA", "PNG"),
        "progressive JPEG, 7,000 x 7,000": saved("RGB", "JPEG", progressive=True),
        "12 MP, made here": a_phone_photo(),
    }
    for name, content in worst.items():
        path = folder / "worst"
        path.write_bytes(content)
        kind = "image/png" if content[:4] == b"\x89PNG" else "image/jpeg"
        with Decoder() as one, Decoder() as other, ThreadPoolExecutor(2) as pool, watched([one, other]) as peak:
            for _ in range(3):
                list(pool.map(lambda decoder, path=path, kind=kind: decoder.decode(path, kind), (one, other)))
        print(f"two at a time, {name}: {peak[0] / 1e6:.0f} MB at the peak (aim: 1,500)")


def saved(mode: str, kind: str, **options: bool) -> bytes:
    """A picture of legal size, as expensive as its mode makes it."""
    written = io.BytesIO()
    Image.new(mode, (7000, 7000), "teal").save(written, kind, **options)
    return written.getvalue()


class watched:  # noqa: N801 - read as a word: `with watched(decoders) as peak`
    """The peak of the resident memory of decoders and their children, sampled."""

    def __init__(self, decoders: list[Decoder]) -> None:
        self.decoders = decoders
        self.peak = [0]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def __enter__(self) -> list[int]:
        self.thread.start()
        return self.peak

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self.thread.join()

    def _look(self) -> None:
        while not self.over.wait(0.002):
            roots = [decoder._process.pid for decoder in self.decoders if decoder._process is not None]
            self.peak[0] = max(self.peak[0], sum(resident(pid) for root in roots for pid in (root, *children(root))))


def children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


if __name__ == "__main__":
    main()
