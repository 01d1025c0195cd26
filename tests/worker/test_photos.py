"""Photos are decoded in a process that may die of them, and only what is clean is ever served."""

import io
import json
import os
import re
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import select, update

from api.actions.photos import ALIKE_WITHIN
from api.evidence import decode
from api.evidence.decoder import Decoder
from api.objects import Objects
from api.store.people import audit
from api.store.photos import alike, photo_hashed
from api.store.photos import photo as photo_table
from survey_forms.inspection.likeness import NEAR
from survey_forms.refusal import Refused
from tests.attacks import SCRIPT, a_jpeg_with_broken_exif, a_png, refused_by_the_decoder, taken_and_cleaned
from tests.inspections import HALL, NOW, REAL_PHOTOS, a_check_in, a_jpeg, a_photo, a_town, phone_exif
from worker.photos import render


@pytest.fixture
def objects(tmp_path) -> Objects:
    return Objects(tmp_path)


@pytest.fixture(scope="module")
def decoder():
    with Decoder() as started:
        yield started


@pytest.fixture
def judge(connection, objects):
    """Send bytes as a photo of a new visit and let the worker judge it."""
    town = a_town(connection)

    def run(content: bytes, **sent):
        visit_id = a_check_in(connection, town).visit_id
        photo = a_photo(connection, objects, town, visit_id, content, **sent)
        render(connection, objects, photo.sha256.hex(), NOW)
        judged = photo_hashed(connection, photo.sha256)
        assert judged is not None
        return judged

    return run


def test_a_photo_gets_clean_copies_and_its_own_word_is_noted(judge, objects):
    judged = judge(a_jpeg(size=(4000, 3000), exif=phone_exif()))
    assert (judged.verdict, judged.flags, judged.exif_taken) == ("clean", (), "2026:11:21 10:30:00")
    assert (judged.exif_lat, judged.exif_lon) == pytest.approx(HALL, abs=1e-5)
    assert (judged.width, judged.height) == (4000, 3000)
    for area, side in (("renditions", 2560), ("thumbnails", 320)):
        copy = Image.open(io.BytesIO(objects.get(area, judged.sha256)))
        assert (copy.format, max(copy.size), dict(copy.getexif())) == ("JPEG", side, {})
        assert not {"exif", "xmp", "icc_profile", "comment"} & set(copy.info)


def test_a_contradiction_with_the_check_in_is_flagged(judge):
    assert judge(a_jpeg(exif=phone_exif(lat=43.4674, lon=11.8851))).flags == ("flag_photo_far",)
    assert judge(a_jpeg_with_broken_exif()).flags == ("flag_photo_metadata_damaged",)


def test_what_the_page_saw_is_held_against_the_check_in(judge):
    far = {"modified": ms(NOW - timedelta(minutes=5)), "fix": [HALL[0] + 0.02, HALL[1], 9, ms(NOW)]}
    capture = far | {"ticket_issued_at": ms(NOW - timedelta(minutes=1))}
    assert judge(a_jpeg(), capture=capture).flags == (
        "flag_photo_before_check_in",
        "flag_photo_before_ticket",
        "flag_photo_taken_far",
    )
    chained = {"upload": "-", "n": 3, "event": json.dumps(far)}
    assert judge(a_jpeg(color="navy"), capture=chained).flags == ("flag_photo_before_check_in", "flag_photo_taken_far")
    near = {"modified": ms(NOW), "fix": [*HALL, 9, ms(NOW)], "ticket_issued_at": ms(NOW - timedelta(days=2))}
    assert judge(a_jpeg(color="red"), capture=near).flags == ()


@pytest.mark.parametrize(
    "capture",
    [
        {"modified": "yesterday", "fix": "here", "ticket_issued_at": True},
        {"modified": float("1e300"), "fix": [400, 12], "ticket_issued_at": -1},
        {"fix": [None, None, None, None], "modified": [], "ticket_issued_at": {}},
        {"fix": [], "modified": None},
        {"event": "[1, 2", "n": 1},
        {"event": "[" * 100_000},
        {"event": "7"},
        {},
    ],
)
def test_nonsense_from_a_phone_is_no_claim(judge, capture):
    assert judge(a_jpeg(), capture=capture).flags == ()


def test_a_picture_like_one_of_another_visit_is_pointed_out_and_kept(judge, connection):
    first = judge(a_scene())
    again = judge(a_scene(quality=40))  # the same picture, other bytes, another visit of the same hall
    assert (first.flags, again.flags, again.verdict) == ((), ("flag_photo_alike",), "clean")
    found = alike(connection, again, ALIKE_WITHIN, NEAR)
    assert [(one.sha256, one.bits <= NEAR) for one in found] == [(first.sha256, True)]
    assert judge(a_scene(turned=True)).flags == ()
    assert judge(a_jpeg(color="red")).likeness is None  # a plain wall resembles nothing


def test_photos_of_one_visit_and_of_long_ago_are_not_compared(connection, objects):
    town = a_town(connection)
    visit_id = a_check_in(connection, town).visit_id
    names = []
    for quality in (80, 60, 40):
        photo = a_photo(connection, objects, town, visit_id, a_scene(quality=quality))
        render(connection, objects, photo.sha256.hex(), NOW)
        names.append(photo.sha256)
    assert [photo_hashed(connection, name).flags for name in names] == [(), (), ()]
    long_ago = update(photo_table).values(received_at=NOW - timedelta(days=91))
    connection.execute(long_ago)
    late = a_photo(connection, objects, town, a_check_in(connection, town).visit_id, a_scene(quality=30))
    render(connection, objects, late.sha256.hex(), NOW)
    assert photo_hashed(connection, late.sha256).flags == ()
    connection.execute(update(photo_table).values(received_at=NOW))
    assert len(alike(connection, photo_hashed(connection, late.sha256), ALIKE_WITHIN, NEAR)) == 3


def ms(moment) -> int:
    return round(moment.timestamp() * 1000)


def a_scene(*, quality: int = 85, turned: bool = False) -> bytes:
    """A door, a window and a board on a wall."""
    scene = Image.linear_gradient("L").resize((640, 480)).convert("RGB")
    for color, box in (("navy", (40, 150, 220, 480)), ("white", (300, 60, 520, 200)), ("maroon", (300, 260, 600, 420))):
        scene.paste(color, box)
    written = io.BytesIO()
    (scene.transpose(Image.Transpose.ROTATE_90) if turned else scene).save(written, "JPEG", quality=quality)
    return written.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_served_upright(judge, objects, orientation):
    picture = Image.new("RGB", (64, 32), "white")
    picture.paste("red", (0, 0, 32, 16))  # the upper left quarter
    turned = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # orientation → the transposition that a camera undoes
    stored = picture if orientation == 1 else picture.transpose(Image.Transpose(turned[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    written = io.BytesIO()
    stored.save(written, "JPEG", quality=95, exif=exif)
    judged = judge(written.getvalue())
    copy = Image.open(io.BytesIO(objects.get("renditions", judged.sha256)))
    assert copy.size == (64, 32)
    red, _, blue = copy.getpixel((8, 4))
    assert red > 200 > 2 * blue
    assert min(copy.getpixel((56, 28))) > 200


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_every_kind_of_pixel_becomes_a_jpeg(judge, mode):
    written = io.BytesIO()
    Image.new(mode, (40, 30)).save(written, "JPEG" if mode == "CMYK" else "PNG")
    assert judge(written.getvalue()).verdict == "clean"


def test_a_grey_picture_of_sixteen_bits_keeps_its_greys(judge, objects):
    deep = Image.new("I;16", (64, 32))
    for place in range(64 * 32):
        deep.putpixel((place % 64, place // 64), 20_000 if place % 64 < 32 else 50_000)
    written = io.BytesIO()
    deep.save(written, "PNG")
    copy = Image.open(io.BytesIO(objects.get("renditions", judge(written.getvalue()).sha256)))
    assert copy.getpixel((8, 8)) == pytest.approx((78, 78, 78), abs=3)
    assert copy.getpixel((56, 8)) == pytest.approx((195, 195, 195), abs=3)


def test_a_position_that_the_phone_took_out_is_no_position(judge):
    judged = judge(a_jpeg(exif=phone_exif(lat=0.0, lon=0.0)))
    assert (judged.exif_lat, judged.exif_lon) == (None, None)
    assert "flag_photo_far" not in judged.flags


def test_what_is_broken_inside_is_refused_with_a_word(judge, objects):
    for name, content, code in refused_by_the_decoder():
        started = time.perf_counter()
        judged = judge(content)
        assert (judged.verdict, judged.verdict_code) == ("refused", code), name
        assert not objects.has("renditions", judged.sha256), name
        assert objects.get("originals", judged.sha256) == content, name
        assert time.perf_counter() - started < 3, name


def test_passengers_stay_behind(judge, objects):
    for name, content in taken_and_cleaned():
        judged = judge(content)
        assert judged.verdict == "clean", name
        for area in ("renditions", "thumbnails"):
            copy = objects.get(area, judged.sha256)
            assert SCRIPT[:8] not in copy, name
            assert b"PK\x03\x04" not in copy, name
            assert b"Exif" not in copy, name


def test_a_picture_of_legal_size_that_eats_memory_ends_within_its_limits(decoder, tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(a_png(7000, 7000))
    started = time.perf_counter()
    assert max(Image.open(io.BytesIO(decoder.decode(path, "image/png").rendition)).size) == 2560
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("limit", "value", "then"),
    [
        ("PROCESSOR_SECONDS", "1", "while image.width == 6000: pass"),
        ("WALL_SECONDS", "1", "__import__('time').sleep(5 if image.width == 6000 else 0)"),
        ("MEMORY", "150 * 1024 * 1024", "pass"),
    ],
)
def test_a_photo_that_costs_too_much_is_stopped_and_the_next_one_served(tmp_path, monkeypatch, limit, value, then):
    """The script is the real one, with a limit lowered and a picture that takes longer."""
    source = Path(decode.__file__).read_text(encoding="utf-8")
    changed = re.sub(rf"(?m)^{limit} = .*$", f"{limit} = {value}", source)
    changed = changed.replace("    image.load()\n", f"    image.load()\n    {then}\n")
    assert changed.count("\n") == source.count("\n") + 1
    script, big, small = tmp_path / "decode.py", tmp_path / "big.png", tmp_path / "small.jpg"
    script.write_text(changed, encoding="utf-8")
    Image.new("RGB", (6000, 6000)).save(big)
    small.write_bytes(a_jpeg())
    monkeypatch.setattr("api.evidence.decoder.SCRIPT", script)
    with Decoder() as decoder:
        with pytest.raises(Refused) as refused:
            decoder.decode(big, "image/png")
        assert refused.value.code == "photo_too_costly"
        assert decoder.decode(small, "image/jpeg").thumbnail


def test_the_decoding_process_knows_nothing_of_ours(decoder, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(a_jpeg())
    decoder.decode(path, "image/jpeg")
    process = decoder._process
    proc = Path(f"/proc/{process.pid}")
    if not proc.is_dir():
        pytest.skip("this system shows no /proc")
    assert proc.joinpath("environ").read_bytes() in {b"", b"LC_CTYPE=C.UTF-8\0"}
    assert os.getsid(process.pid) == process.pid
    seen = {str(link.readlink()) for link in proc.joinpath("fd").iterdir()}
    assert all(name.startswith(("pipe:", "/dev/null")) for name in seen), seen


def test_no_child_imports_for_itself_what_one_rehearsal_imports_for_all(tmp_path):
    kinds = {"JPEG": ("RGB", "CMYK"), "PNG": ("RGBA", "P"), "WEBP": ("RGBA",)}
    for kind, modes in kinds.items():
        for mode in modes:
            Image.new(mode, (400, 300)).save(tmp_path / f"{mode}.{kind}", kind, exif=phone_exif())
    script = """if True:
        import pathlib, runpy, sys
        names = runpy.run_path(sys.argv[1])
        names["rehearse"]()
        folder, ready = pathlib.Path(sys.argv[2]), set(sys.modules)
        for photo in list(folder.glob("*.*")):
            assert "refused" not in names["_copies"](photo, photo.suffix[1:], folder, 2560), photo
        print(sorted(set(sys.modules) - ready))
    """
    command = [sys.executable, "-I", "-c", script, decode.__file__, str(tmp_path)]
    run = subprocess.run(command, env={}, capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout == "[]\n"


def test_a_decoding_process_that_was_killed_is_started_again(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(a_jpeg())
    with Decoder() as decoder:
        decoder.decode(path, "image/jpeg")
        decoder._process.kill()
        decoder._process.wait()
        assert decoder.decode(path, "image/jpeg").rendition


def test_judging_again_changes_nothing(judge, connection, objects):
    judged = judge(a_jpeg())
    render(connection, objects, judged.sha256.hex(), NOW)
    acts = connection.execute(select(audit.c.act).where(audit.c.act == "photo_judged")).scalars().all()
    assert acts == ["photo_judged"]


def test_a_missing_original_is_our_fault_and_stays_owed(connection, objects):
    town = a_town(connection)
    photo = a_photo(connection, objects, town, a_check_in(connection, town).visit_id)
    objects.path("originals", photo.sha256).unlink()
    with pytest.raises(FileNotFoundError):
        render(connection, objects, photo.sha256.hex(), NOW)
    assert photo_hashed(connection, photo.sha256).verdict == "pending"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), length=st.integers(1, 60), filler=st.binary(min_size=1, max_size=60))
def test_a_mutated_photo_is_decoded_or_refused_never_anything_else(decoder, tmp_path, at, length, filler):
    content = a_jpeg(size=(320, 240), exif=phone_exif())
    place = int(at * len(content))
    path = tmp_path / "mutated.jpg"
    path.write_bytes(content[:place] + filler + content[place + length :])
    assert outcome(decoder, path) in {"clean", "photo_damaged", "photo_too_many_pixels"}


def outcome(decoder: Decoder, path: Path) -> str:
    try:
        return "clean" if decoder.decode(path, "image/jpeg").thumbnail else "no thumbnail"
    except Refused as refused:
        return refused.code


REAL = {  # what each real photo says of itself: camera's time, and whether it names a place
    "35-empty.jpg": ("2005:07:19 18:25:29", False),
    "DSCN0010.jpg": ("2008:10:22 16:28:39", True),
    "DSCN0012.jpg": ("2008:10:22 16:29:49", True),
    "DSCN0021.jpg": ("2008:10:22 16:38:20", True),
    "image00971.jpg": (None, False),
    "image01088.jpg": (None, False),
    "iphone_hdr_NO.jpg": ("2015:04:10 20:12:23", True),
    "jolla.jpg": ("2014:09:21 16:00:56", False),
}


@pytest.mark.skipif(not REAL_PHOTOS.is_dir(), reason="the real photographs are not on this machine")
def test_real_photographs_become_renditions(judge, objects):
    found = {}
    for path in sorted(REAL_PHOTOS.glob("*.jpg")):
        judged = judge(path.read_bytes())
        assert judged.verdict == "clean", path.name
        assert judged.likeness is not None, path.name
        found[path.name] = (judged.exif_taken, judged.exif_lat is not None)
        assert ("flag_photo_far" in judged.flags) == (judged.exif_lat is not None), path.name  # Italy, Norway
        assert ("flag_photo_other_time" in judged.flags) == (judged.exif_taken is not None), path.name
        for area in ("renditions", "thumbnails"):
            copy = Image.open(io.BytesIO(objects.get(area, judged.sha256)))
            assert not {"exif", "xmp", "icc_profile", "comment"} & set(copy.info), path.name
    assert found == REAL


@pytest.mark.skipif(not REAL_PHOTOS.is_dir(), reason="the real photographs are not on this machine")
def test_a_real_photograph_whose_metadata_were_cut_is_taken_with_the_damage_noted(judge):
    whole = (REAL_PHOTOS / "DSCN0010.jpg").read_bytes()
    at = whole.index(b"Exif\0\0") + 14
    judged = judge(whole[:at] + b"\xff\xff" + whole[at + 2 :])
    assert judged.verdict == "clean"
    assert "flag_photo_metadata_damaged" in judged.flags
