"""Pictures for the demonstration's inspections: drawn, not photographed, and marked so in the picture itself."""

import io
import random
from datetime import datetime

from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Exif

SIZE = (1600, 1200)
EXIF_TAKEN, EXIF_MODEL, EXIF_GPS = 0x0132, 0x0110, 0x8825
WALLS = ((229, 224, 212), (214, 224, 226), (226, 219, 222), (221, 226, 214))
FLOORS = ((156, 142, 124), (134, 141, 146), (149, 136, 142))
ACCENTS = ((11, 95, 107), (122, 62, 38), (64, 76, 128), (86, 102, 48))


def service_hall(seed: int, taken: datetime, lat: float, lon: float) -> bytes:
    """A JPEG of a made-up service hall, with the EXIF that a phone would write.

    Args:
        seed: the same seed draws the same hall.
        taken: local time as the camera's clock shows it.
        lat: degrees north, WGS-84.
        lon: degrees east, WGS-84.
    """
    chance = random.Random(seed)  # noqa: S311 - decides the look of a drawing
    picture = Image.new("RGB", SIZE, chance.choice(WALLS))
    draw = ImageDraw.Draw(picture)
    _room(draw, chance)
    _counters(draw, chance)
    _people(draw, chance)
    draw.rectangle((0, 1130, 1600, 1200), fill=(20, 24, 31))
    label = f"DEMONSTRATION - drawn, not a photograph   {taken:%Y-%m-%d %H:%M}   #{seed}"
    draw.text((40, 1146), label, fill=(255, 255, 255), font=ImageFont.load_default(size=34))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=88, exif=_exif(taken, lat, lon))
    return out.getvalue()


def _room(draw: ImageDraw.ImageDraw, chance: random.Random) -> None:
    floor = chance.choice(FLOORS)
    draw.polygon(((0, 860), (1600, 860), (1600, 1200), (0, 1200)), fill=floor)
    for x in range(-800, 2400, 160):
        draw.line((800 + (x - 800) * 0.55, 860, x, 1200), fill=tuple(c - 18 for c in floor), width=3)
    for x in range(120, 1500, 360):
        draw.rectangle((x, 90, x + 250, 330), fill=(198, 219, 230), outline=(245, 245, 242), width=12)
        draw.line((x + 125, 90, x + 125, 330), fill=(245, 245, 242), width=8)


def _counters(draw: ImageDraw.ImageDraw, chance: random.Random) -> None:
    accent = chance.choice(ACCENTS)
    number = chance.randint(3, 5)
    width = 1480 // number
    for index in range(number):
        left = 60 + index * width
        open_ = chance.random() < 0.6
        draw.rectangle((left, 640, left + width - 24, 880), fill=(246, 244, 238), outline=accent, width=6)
        draw.rectangle((left, 600, left + width - 24, 645), fill=accent)
        draw.rectangle((left + 10, 420, left + width - 34, 500), fill=accent if open_ else (120, 124, 128))
        text = f"{index + 1:02d}  OPEN" if open_ else f"{index + 1:02d}  CLOSED"
        draw.text((left + 28, 438), text, fill=(255, 255, 255), font=ImageFont.load_default(size=34))
        draw.rectangle((left + width // 2 - 50, 540, left + width // 2 + 50, 606), fill=(38, 44, 54))


def _people(draw: ImageDraw.ImageDraw, chance: random.Random) -> None:
    for _ in range(chance.randint(2, 7)):
        x, y, scale = chance.randint(80, 1500), chance.randint(900, 1020), chance.uniform(0.8, 1.3)
        coat = tuple(chance.randint(50, 170) for _ in range(3))
        draw.ellipse((x - 26 * scale, y - 230 * scale, x + 26 * scale, y - 170 * scale), fill=(222, 188, 160))
        draw.rounded_rectangle((x - 45 * scale, y - 165 * scale, x + 45 * scale, y), radius=24, fill=coat)


def _exif(taken: datetime, lat: float, lon: float) -> Exif:
    exif = Exif()
    exif[EXIF_MODEL] = "Mingcha demonstration"
    exif[EXIF_TAKEN] = f"{taken:%Y:%m:%d %H:%M:%S}"
    gps = exif.get_ifd(EXIF_GPS)
    gps.update({1: "N" if lat >= 0 else "S", 2: _degrees(lat), 3: "E" if lon >= 0 else "W", 4: _degrees(lon)})
    return exif


def _degrees(value: float) -> tuple[float, float, float]:
    degrees, rest = divmod(abs(value), 1)
    minutes, rest = divmod(rest * 60, 1)
    return degrees, minutes, round(rest * 60, 3)
