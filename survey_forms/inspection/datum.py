"""Datums: what a pair of degrees means. WGS-84 and GCJ-02 lie 430 m apart in the median, and 675 m at most.

A browser's position is WGS-84; coordinates copied from 高德 or 腾讯 maps are GCJ-02, from 百度 BD-09. Every stored
coordinate names its datum, and conversion happens in one place, here.

Source: the published (reverse-engineered) formulas of GCJ-02 and BD-09; against real maps expect 1 to 2 m. The usual
reverse formulas are wrong by 0.6 to 4 m; here the forward formula is inverted by iteration, to under 1e-6 m.
Outside 0.8293–55.8271° N, 72.004–137.8347° E, the published rectangle, GCJ-02 is taken for WGS-84: it is wider than
China (香港, 澳门, 台湾 lie in it, and so do Seoul and Hanoi, where maps may not be shifted at all).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import atan2, cos, fabs, hypot, pi, sin, sqrt

from survey_forms.refusal import Refused


class Datum(StrEnum):
    """The coordinate system of a position."""

    WGS_84 = "WGS-84"
    GCJ_02 = "GCJ-02"
    BD_09 = "BD-09"


@dataclass(frozen=True, slots=True)
class Position:
    """Degrees north and east in a datum.

    Raises:
        Refused: `position_out_of_range`. geopy would wrap a longitude of 200 to -160 without a word.
    """

    lat: float
    lon: float
    datum: Datum = Datum.WGS_84

    def __post_init__(self) -> None:
        if not (-90 <= self.lat <= 90 and -180 <= self.lon <= 180):  # NaN is refused as well
            raise Refused("position_out_of_range", "position", lat=self.lat, lon=self.lon)


KRASOVSKY_A = 6378245.0  # m
KRASOVSKY_E2 = 0.00669342162296594323
ITERATIONS = 6  # four leave 1.9e-6 m at the worst point that hypothesis found

_Degrees = tuple[float, float]


def converted(position: Position, datum: Datum) -> Position:
    """The same place in another datum."""
    here = (position.lat, position.lon)
    if position.datum == datum:
        return position
    if position.datum == Datum.BD_09:
        here = _inverted(_bd_from_gcj, here)
    elif position.datum == Datum.WGS_84:
        here = _gcj_from_wgs(here)
    if datum == Datum.BD_09:  # every way leads through GCJ-02
        here = _bd_from_gcj(here)
    elif datum == Datum.WGS_84:
        here = _inverted(_gcj_from_wgs, here)
    return Position(here[0], here[1], datum)


def _inverted(forward: Callable[[_Degrees], _Degrees], target: _Degrees) -> _Degrees:
    """The point that `forward` moves to `target`; each step divides the error by about a hundred."""
    lat, lon = target
    for _ in range(ITERATIONS):
        reached = forward((lat, lon))
        lat, lon = lat + target[0] - reached[0], lon + target[1] - reached[1]
    return lat, lon


def _gcj_from_wgs(wgs: _Degrees) -> _Degrees:
    lat, lon = wgs
    if not (0.8293 <= lat <= 55.8271 and 72.004 <= lon <= 137.8347):  # the published formula's rectangle
        return wgs
    x, y = lon - 105.0, lat - 35.0
    wave = 20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(fabs(x))
    north += 2.0 / 3.0 * (wave + 20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi))
    north += 2.0 / 3.0 * (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(fabs(x))
    east += 2.0 / 3.0 * (wave + 20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi))
    east += 2.0 / 3.0 * (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi))
    phi = lat / 180.0 * pi
    w2 = 1.0 - KRASOVSKY_E2 * sin(phi) ** 2
    metres_north = KRASOVSKY_A * (1.0 - KRASOVSKY_E2) / (w2 * sqrt(w2))  # a radian of latitude
    metres_east = KRASOVSKY_A / sqrt(w2) * cos(phi)  # a radian of longitude
    return lat + north / metres_north * 180.0 / pi, lon + east / metres_east * 180.0 / pi


def _bd_from_gcj(gcj: _Degrees) -> _Degrees:
    lat, lon = gcj
    turn = pi * 3000.0 / 180.0
    radius = hypot(lon, lat) + 0.00002 * sin(lat * turn)
    angle = atan2(lat, lon) + 0.000003 * cos(lon * turn)
    return radius * sin(angle) + 0.006, radius * cos(angle) + 0.0065
