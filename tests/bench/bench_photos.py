"""Taking a photo in, from the upload's bytes to the judged row, against bare Pillow on the same file in the same run.

    .venv/bin/python -m tests.bench.bench_photos [--photos 12] [--rounds 5] [--megapixels 0.3 2 8 12] [FILE …]

Intake: hashed, looked at, original kept on disk (fsync), row and obligation committed, then the worker's drain:
decoded in the limited child process, both copies kept, verdict committed. Bare Pillow: open, thumbnail(2560), save
JPEG 85, and nothing else. Both take turns, so that a neighbour's load falls on both, and a ratio is the median of the
rounds' ratios; the processor's time is told beside the clock's, for on a busy machine the clock mostly tells who
waited. The decoding process lives on, as it does in the worker; its children count, the database's own processor time
does not. `picture` is the decoding process alone: open, claims, rendition, thumbnail, grey picture, and the fork that
keeps a stranger's file apart. `more` is what a photo costs beyond bare Pillow: `records` for hash, rows and fsync,
`picture` for the rest. With `--megapixels` every file is scaled to those sizes first, larger ones by enlarging.
"""

import argparse
import io
import math
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from PIL import Image, ImageFilter
from sqlalchemy import Engine, make_url, text

from api.actions.photos import PhotoSent, add_photo
from api.embedded.place import occupy
from api.embedded.postgres import EmbeddedPostgres
from api.evidence.intake import received
from api.objects import Objects
from api.store.base import make_engine
from api.store.migrate import migrate
from api.transaction import Database
from tests.inspections import NOW, Town, a_check_in, a_town, an_upload, phone_exif
from worker.drain import drain
from worker.photos import _decoder
from worker.shop import Shop

RATIOS = "ratio: cpu picture  clock"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="photos to use; default: one like a 12 MP phone's")
    parser.add_argument("--photos", type=int, default=12, help="photos that the worker finds waiting at once")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megapixels", type=float, nargs="+", default=[], help="scale every file to these sizes")
    options = parser.parse_args()
    subjects = {path.name: path.read_bytes() for path in options.files} or {"12 MP, made here": a_phone_photo()}
    if options.megapixels:
        subjects = {
            f"{name}, {size:g} MP": scaled(subjects[name], size) for name in subjects for size in options.megapixels
        }
    print(machine(options))
    with (
        tempfile.TemporaryDirectory() as directory,
        occupy(Path(directory)) as place,
        EmbeddedPostgres(place) as server,
    ):
        admin = make_engine(make_url(server.url("postgres")).render_as_string(hide_password=False))
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("CREATE DATABASE bench"))
        admin.dispose()
        engine = make_engine(server.url("bench"))
        migrate(engine)
        with engine.begin() as connection:
            town = a_town(connection)
        shop = Shop(Database(engine), Objects(Path(directory) / "objects"), lambda: NOW)
        print(
            f"{'a photo, medians':<26}    MB | bare cpu  clock | intake cpu  clock | more: records picture | {RATIOS}"
        )
        for name, content in subjects.items():
            told(name, content, measured(engine, shop, town, content, options))
        _decoder.close()
        engine.dispose()


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds a photo."""

    clock: float
    cpu: float
    picture: float  # of the processor's time, what the decoding process and its children took


def measured(
    engine: Engine, shop: Shop, town: Town, content: bytes, options: argparse.Namespace
) -> list[tuple[Cost, Cost]]:
    """Bare Pillow and the whole intake on the same photos, round by round; the first round is dropped."""
    rounds = []
    for _ in range(options.rounds + 1):
        photos = list(different(content, options.photos))
        with engine.begin() as connection:
            visit_id = a_check_in(connection, town).visit_id
        bare = cost(lambda photos=photos: [pillow(photo) for photo in photos], options.photos)
        ours = cost(lambda photos=photos, visit=visit_id: intake(engine, shop, town, visit, photos), options.photos)
        with engine.connect() as connection:
            clean = text("SELECT count(*) FROM field.photo WHERE visit_id = :visit AND verdict = 'clean'")
            assert connection.execute(clean, {"visit": visit_id}).scalar_one() == len(photos)
        rounds.append((bare, ours))
    return rounds[1:]


def told(name: str, content: bytes, rounds: list[tuple[Cost, Cost]]) -> None:
    """One line: medians over the rounds, and of the rounds' own ratios and differences."""

    def median(of: Callable[[Cost, Cost], float]) -> float:
        return statistics.median(of(bare, ours) for bare, ours in rounds)

    print(
        f"{name:<26} {len(content) / 1e6:5.1f}"
        f" | {median(lambda bare, _: bare.cpu):8.1f} {median(lambda bare, _: bare.clock):6.0f}"
        f" | {median(lambda _, ours: ours.cpu):10.1f} {median(lambda _, ours: ours.clock):6.0f}"
        f" | {median(lambda _, ours: ours.cpu - ours.picture):13.1f}"
        f" {median(lambda bare, ours: ours.picture - bare.cpu):7.1f}"
        f" | {median(lambda bare, ours: ours.cpu / bare.cpu):4.2f}"
        f" {median(lambda bare, ours: ours.picture / bare.cpu):7.2f}"
        f" {median(lambda bare, ours: ours.clock / bare.clock):6.2f}"
    )


def intake(engine: Engine, shop: Shop, town: Town, visit_id: UUID, photos: list[bytes]) -> None:
    for photo in photos:
        with an_upload(photo) as file, received(file) as content, engine.begin() as connection:
            add_photo(connection, shop.objects, content, PhotoSent(visit_id, town.inspector, "p.jpg", NOW), NOW)
    done = 0
    while done < len(photos):
        done += drain(shop, "photos", seconds=60)


def pillow(photo: bytes) -> bytes:
    with Image.open(io.BytesIO(photo)) as image:
        image.thumbnail((2560, 2560))
        written = io.BytesIO()
        image.save(written, "JPEG", quality=85)
    return written.getvalue()


def different(content: bytes, number: int) -> Iterator[bytes]:
    """The same photo with another hash each time: a few bytes after its end."""
    for _ in range(number):
        yield content + random.randbytes(8)


def cost(act: Callable[[], object], photos: int) -> Cost:
    clock, own, decoding = time.perf_counter(), time.process_time(), decoding_ms()
    act()
    clock = time.perf_counter() - clock
    decoding = decoding_ms() - decoding
    own = (time.process_time() - own) * 1000
    return Cost(clock * 1000 / photos, (own + decoding) / photos, decoding / photos)


def decoding_ms() -> float:
    """Processor time of the decoding process and of its children that have ended."""
    process = _decoder._process
    if process is None:
        return 0.0
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) * 1000 / os.sysconf("SC_CLK_TCK")


def scaled(content: bytes, megapixels: float) -> bytes:
    """A photo at another size, with its metadata."""
    with Image.open(io.BytesIO(content)) as image:
        factor = math.sqrt(megapixels * 1e6 / (image.width * image.height))
        size = (round(image.width * factor), round(image.height * factor))
        written = io.BytesIO()
        image.resize(size, Image.Resampling.LANCZOS).save(written, "JPEG", quality=88, exif=image.getexif())
    return written.getvalue()


def machine(options: argparse.Namespace) -> str:
    names = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    model = next((line.partition(": ")[2] for line in names.splitlines() if line.startswith("model name")), "unknown")
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{os.cpu_count()} × {model}, load {load}; n = {options.rounds} rounds × {options.photos} photos"


def a_phone_photo() -> bytes:
    """12 megapixels with as much detail as a phone's photo: about 4 MB."""
    noise = Image.effect_noise((4032, 3024), 60).filter(ImageFilter.GaussianBlur(1.2))
    sky = Image.linear_gradient("L").resize((4032, 3024))
    written = io.BytesIO()
    Image.merge("RGB", (noise, Image.blend(noise, sky, 0.5), sky)).save(written, "JPEG", quality=88, exif=phone_exif())
    return written.getvalue()


if __name__ == "__main__":
    main()
