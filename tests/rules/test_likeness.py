"""The likeness of two photos: it survives what phones and messengers do to a picture, and tells scenes apart."""

import io
import random

import pytest
from PIL import Image, ImageEnhance, ImageFilter

from survey_forms.inspection.likeness import NEAR, SIDE, bits_apart, likeness
from tests.inspections import REAL_PHOTOS


def a_scene(seed: int) -> Image.Image:
    """Some blocks and a gradient, the same for the same seed."""
    chance = random.Random(seed)
    scene = Image.linear_gradient("L").resize((640, 480)).rotate(chance.choice((0, 90, 180, 270)))
    for _ in range(14):
        left, top = chance.randrange(600), chance.randrange(440)
        scene.paste(
            chance.randrange(256), (left, top, left + chance.randrange(20, 260), top + chance.randrange(20, 260))
        )
    return scene.filter(ImageFilter.GaussianBlur(2)).convert("RGB")


def hashed(picture: Image.Image) -> int:
    small = picture.copy()
    small.thumbnail((320, 320))
    found = likeness(small.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX).tobytes())
    assert found is not None
    return found


def again(picture: Image.Image, quality: int) -> Image.Image:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=quality)
    return Image.open(written)


CHANGES = {
    "compressed": lambda picture: again(picture, 30),
    "scaled": lambda picture: picture.resize((picture.width // 3, picture.height // 3)),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.15),
    "flatter": lambda picture: ImageEnhance.Contrast(picture).enhance(0.8),
    "trimmed by 1 %": lambda picture: picture.crop((4, 4, picture.width - 4, picture.height - 4)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_picture_stays_near(change):
    apart = [bits_apart(hashed(a_scene(seed)), hashed(CHANGES[change](a_scene(seed)))) for seed in range(40)]
    assert sum(bits <= NEAR for bits in apart) >= 38, sorted(apart)


def test_other_pictures_are_far():
    hashes = [hashed(a_scene(seed)) for seed in range(60)]
    pairs = [bits_apart(one, other) for place, one in enumerate(hashes) for other in hashes[:place]]
    assert sum(bits <= NEAR for bits in pairs) <= len(pairs) // 500, sorted(pairs)[:9]
    assert 20 < sum(pairs) / len(pairs) < 36


def test_a_picture_without_contrast_resembles_nothing():
    assert likeness(bytes(SIDE * SIDE)) is None
    assert likeness(bytes([120, 124] * (SIDE * SIDE // 2))) is None


def test_the_hash_is_a_signed_number_of_64_bits_and_distance_a_metric():
    hashes = [hashed(a_scene(seed)) for seed in range(20)]
    assert all(-(1 << 63) <= number < 1 << 63 for number in hashes)
    assert bits_apart(-1, 0) == 64
    assert bits_apart(-(1 << 63), 0) == 1
    for one in hashes:
        assert bits_apart(one, one) == 0
        assert all(bits_apart(one, other) == bits_apart(other, one) for other in hashes)


def test_a_grey_picture_of_another_size_is_no_grey_picture():
    with pytest.raises(ValueError, match="1023"):
        likeness(bytes(1023))


@pytest.mark.skipif(not REAL_PHOTOS.is_dir(), reason="the real photographs are not on this machine")
def test_real_photographs_are_told_apart_and_found_again():
    pictures = [Image.open(path).convert("RGB") for path in sorted(REAL_PHOTOS.glob("*.jpg"))]
    hashes = [hashed(picture) for picture in pictures]
    assert len(set(hashes)) == len(hashes)
    for picture, found in zip(pictures, hashes, strict=True):
        assert bits_apart(found, hashed(again(picture, 40))) <= NEAR
        assert sum(bits_apart(found, other) <= NEAR for other in hashes) == 1
