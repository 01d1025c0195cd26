"""Photos are judged from outside before anything decodes, kept as they came, and belong to one visit."""

import resource
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import func, select

from api.evidence.header import read_header
from api.evidence.intake import received
from api.objects import Objects
from api.store.owed import outbox
from api.store.photos import photo, photos_of
from survey_forms.refusal import Refused
from tests.attacks import refused_unopened, taken_and_cleaned
from tests.inspections import (
    NOW,
    REAL_PHOTOS,
    a_check_in,
    a_jpeg,
    a_photo,
    a_town,
    an_upload,
    hashed,
)


@pytest.fixture
def town(connection):
    return a_town(connection)


@pytest.fixture
def objects(tmp_path) -> Objects:
    return Objects(tmp_path)


def test_hostile_files_are_refused_before_anything_decodes():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, content, code in refused_unopened():
        started = time.perf_counter()
        with pytest.raises(Refused) as refused, an_upload(content) as file, received(file):
            pytest.fail(f"{name} was taken")
        assert refused.value.code == code, name
        assert time.perf_counter() - started < 0.5, name
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 300_000, f"{grown} kB more"  # making the attacks takes most of it


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_the_header_says_what_pillow_says(tmp_path, kind, media_type):
    for size in ((1, 1), (640, 479), (3000, 17)):
        for options in ({}, {"lossless": True}) if kind == "WEBP" else ({},):
            Image.new("RGB", size, "red").save(tmp_path / "photo", kind, **options)
            found = read_header((tmp_path / "photo").read_bytes())
            assert (found.media_type, found.width, found.height) == (media_type, *size)


def test_pictures_with_passengers_are_taken_as_they_came(connection, town, objects):
    visit_id = a_check_in(connection, town).visit_id
    for _, content in taken_and_cleaned():
        kept = a_photo(connection, objects, town, visit_id, content)
        assert objects.get("originals", kept.sha256) == content


def test_the_phones_hash_must_be_the_hash_of_what_arrived():
    content = a_jpeg()
    with an_upload(content) as file, received(file, hashed(content).hex()) as photo:
        assert photo.sha256 == photo.claimed_sha256 == hashed(content)
    for claimed, code in (
        ("ab" * 32, "photo_hash_differs"),
        ("ab", "photo_hash_unreadable"),
        ("x", "photo_hash_unreadable"),
    ):
        with pytest.raises(Refused) as refused, an_upload(content) as file, received(file, claimed):
            pass
        assert refused.value.code == code


def test_the_same_photo_again_is_the_same_receipt_and_owed_once(connection, town, objects):
    visit_id = a_check_in(connection, town).visit_id
    first = a_photo(connection, objects, town, visit_id)
    again = a_photo(connection, objects, town, visit_id, original_name="2.jpg", claimed_at=NOW + timedelta(hours=1))
    assert again == first
    owed = connection.execute(select(outbox.c.key).where(outbox.c.topic == "photos")).scalars().all()
    assert owed == [first.sha256.hex()]


def test_a_photo_of_another_visit_is_refused_also_for_another_inspector(connection, town, objects):
    a_photo(connection, objects, town, a_check_in(connection, town).visit_id)
    with pytest.raises(Refused) as refused:
        a_photo(connection, objects, town, a_check_in(connection, town).visit_id)
    assert refused.value.code == "photo_of_another_visit"


def test_a_name_is_never_a_path(connection, town, objects, tmp_path):
    visit_id = a_check_in(connection, town).visit_id
    for place, name in enumerate(("../../x", "a\0b.jpg", "\u202egpj.exe", "C:\\photo.jpg", "照" * 500)):
        kept = a_photo(connection, objects, town, visit_id, a_jpeg(size=(8, 8 + place)), original_name=name)
        assert kept.original_name.isprintable()
        assert len(kept.original_name) <= 200
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {kept.name for kept in photos_of(connection, visit_id)}


def test_a_store_that_cannot_be_written_is_said_and_leaves_nothing(connection, town, tmp_path):
    visit_id = a_check_in(connection, town).visit_id
    (tmp_path / "originals").write_text("a file where the folder should be")
    with pytest.raises(Refused) as refused, connection.begin_nested():
        a_photo(connection, Objects(tmp_path), town, visit_id)
    assert refused.value.code == "photo_store_unavailable"
    assert photos_of(connection, visit_id) == []


def test_two_phones_with_one_photo_at_once_leave_it_with_one_visit(engine, objects):
    with engine.begin() as connection:
        town = a_town(connection)
        visits = [a_check_in(connection, town).visit_id for _ in range(8)]

    def send(visit_id):
        try:
            with engine.begin() as connection:
                return a_photo(connection, objects, town, visit_id).visit_id
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(send, visits))
    assert found.count("photo_of_another_visit") == 7
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(photo)).scalar_one() == 1


@pytest.mark.skipif(not REAL_PHOTOS.is_dir(), reason="the real photographs are not on this machine")
def test_real_photographs_are_taken_or_refused_with_a_word():
    found = {}
    for path in sorted(REAL_PHOTOS.iterdir()):
        try:
            with path.open("rb") as file, received(file) as photo:
                found[path.name] = photo.header.media_type
        except Refused as refused:
            found[path.name] = refused.code
    assert found.pop("IMG_5195.HEIC") == "photo_heic"
    assert found.pop("README.md") == "photo_other_kind"
    assert set(found.values()) == {"image/jpeg"}
