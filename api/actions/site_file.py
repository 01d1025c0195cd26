"""The file of sites that the office hands in: every fault by row and column, and each site's datum named.

A column of coordinates without a datum is 100 to 700 m wrong on any Chinese map and nobody sees it; so the column may
not be missing and no cell of it empty. CSV (UTF-8 or GB18030) or XLSX, read as frames are.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from typing import IO

from api.actions.csv_sheet import MOST_ROWS, UNIT, UnitRows, cell_fault, letter, read_headings, refuse, short
from api.actions.frame_file import Reader, recognise
from api.store.evaluations import Unit
from survey_forms.inspection.datum import Datum, Position
from survey_forms.inspection.fences import beyond_m, fence_of
from survey_forms.refusal import Fault, Refused

LARGEST_FILE = 4 * 1024 * 1024
LEAST_RADIUS, MOST_RADIUS, USUAL_RADIUS = 10, 5000, 150
LONGEST = {"编号": 40, "名称": 100, "英文名": 200, "地址": 200}
MOST_BEYOND_FENCE_M = 500  # a pin on the road in front of the building is usual, one in another district a mistake
RISKS = ("A", "B", "C", "D")

COLUMNS = (UNIT, "编号", "名称", "英文名", "地址", "纬度", "经度", "坐标系", "半径", "围栏", "风险")
_, CODE, NAME, ENGLISH_NAME, ADDRESS, LAT, LON, DATUM, RADIUS, FENCE, RISK = COLUMNS
ENGLISH = dict(
    zip(
        ("unit", "code", "name", "name_en", "address", "lat", "lon", "datum", "radius", "fence", "risk"),
        COLUMNS,
        strict=True,
    )
)
MEASURED = (LAT, LON, DATUM, RADIUS, FENCE, RISK)
NEEDED = {name: [name] for name in (UNIT, CODE, NAME, LAT, LON, DATUM)}

DATUMS: Mapping[str, Datum] = {
    **dict.fromkeys(("wgs84", "gps", "cgcs2000", "天地图"), Datum.WGS_84),  # CGCS2000 is WGS-84 within centimetres
    **dict.fromkeys(("gcj02", "高德", "腾讯", "国测局", "火星"), Datum.GCJ_02),
    **dict.fromkeys(("bd09", "百度"), Datum.BD_09),
}
"""What a datum may be called, in small letters without blanks, hyphens and words such as “coordinates” or “map”."""

_DEGREES = re.compile(r"[-+]?[0-9]{1,3}(\.[0-9]{1,15})?")
_METRES = re.compile(r"([0-9]{1,6})(\.0+)?\s*(米|m)?")  # a spreadsheet saved as CSV writes 150.0


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One site of the file; `fence` is [[lat, lon], …] in `datum`, None: the radius is the fence."""

    line: int  # as Excel counts: the headings are line 1
    unit: Unit
    code: str
    name_zh: str
    name_en: str
    address: str
    lat: float
    lon: float
    datum: str
    radius_m: int
    fence: list[list[float]] | None
    risk: str


def read_sites(file: IO[bytes], units: Sequence[Unit]) -> list[SiteRow]:
    """The sites of a file.

    Raises:
        Refused: every fault found (the first hundred), each with `row` and `column`; `csv_too_large`.
    """
    content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise Refused("csv_too_large", "file", most="4 MB")
    kind = recognise(BytesIO(content))
    with closing(Reader(BytesIO(content), kind.encoding)) as lines:
        heads = read_headings(lines.headings, COLUMNS, ENGLISH, NEEDED)
        reader = _Rows(units, heads)
        rows = [row for line, cells in lines.take(MOST_ROWS + 1) if any(cells) and (row := reader.row(line, cells))]
        if lines.read > MOST_ROWS:
            raise Refused("csv_too_large", "file", most=f"{MOST_ROWS} 行 rows")
    if not rows and not reader.faults:
        raise Refused("csv_empty", "file")
    refuse([*reader.faults, *_repeated(rows)])
    return rows


def read_datum(text: str) -> Datum | None:
    """The datum that a cell names, by one word or by several that agree (`GCJ-02（高德）`); None for any other."""
    words = re.split(r"[()、,/]", re.sub(r"[\s_-]|坐标系?|(?<!天)地图", "", _plain(text).lower()))
    found = {DATUMS.get(word) for word in words if word}
    return found.pop() if len(found) == 1 else None


def corners_of(text: str) -> list[list[float]]:
    """The corners of `lat lon; lat lon; …`; an entry that is no pair is a single corner, which no fence takes.

    Raises:
        Refused: `site_corner` for what is no pair of degrees.
    """
    corners = []
    for number, pair in enumerate(filter(str.strip, re.split(r"[;；]", text)), start=1):
        parts = re.split(r"[\s,，]+", pair.strip())
        if len(parts) != 2 or not all(_DEGREES.fullmatch(part) for part in parts):
            raise Refused("site_corner", FENCE, number=number, value=short(pair.strip()))
        corners.append([float(part) for part in parts])
    return corners


class _Rows(UnitRows):
    """Reads rows and keeps every fault."""

    def __init__(self, units: Sequence[Unit], heads: Sequence[str]) -> None:
        super().__init__(units)
        self._heads = heads

    def row(self, line: int, cells: Sequence[str]) -> SiteRow | None:
        """The row, or None and its faults."""
        before = len(self.faults)
        if any(cells[len(self._heads) :]):
            self._fault("csv_cells_left_over", line, letter(len(self._heads)))
        named = dict.fromkeys(COLUMNS, "") | dict(zip(self._heads, cells, strict=False))
        named |= {column: _plain(named[column]) for column in MEASURED}
        unit = self._unit(line, named[UNIT])
        for column in (CODE, NAME):
            if not named[column]:
                self._fault("csv_cell_missing", line, column)
        for column, most in LONGEST.items():
            if len(named[column]) > most or not named[column].isprintable():
                self._fault("site_text", line, column, most=most)
        lat, lon = (self._degrees(line, column, named[column], most) for column, most in ((LAT, 90), (LON, 180)))
        datum = self._datum(line, named[DATUM])
        radius = self._radius(line, named[RADIUS])
        risk = named[RISK].upper() or "B"
        if risk not in RISKS:
            self._fault("site_risk", line, RISK, value=short(risk))
        if lat is not None and lon is not None and _looks_swapped(lat, lon):
            self._fault("site_swapped", line, f"{LAT} / {LON}")
        site = Position(lat, lon, datum) if lat is not None and lon is not None and datum is not None else None
        fence = self._fence(line, named[FENCE], site)
        if len(self.faults) > before or unit is None or site is None:
            return None
        english = named[ENGLISH_NAME] or named[NAME]
        where = (site.lat, site.lon, site.datum.value, radius, fence, risk)
        return SiteRow(line, unit, named[CODE], named[NAME], english, named[ADDRESS], *where)

    def _degrees(self, line: int, column: str, text: str, most: int) -> float | None:
        if not text:
            self._fault("csv_cell_missing", line, column)
        elif not _DEGREES.fullmatch(text) or abs(float(text)) > most:
            self._fault("site_degrees", line, column, value=short(text), most=most)
        else:
            return float(text)
        return None

    def _datum(self, line: int, text: str) -> Datum | None:
        found = read_datum(text)
        if found is None:
            self._fault("site_datum" if text else "site_datum_missing", line, DATUM, value=short(text))
        return found

    def _radius(self, line: int, text: str) -> int:
        if not text:
            return USUAL_RADIUS
        found = _METRES.fullmatch(text)
        if not found or not LEAST_RADIUS <= int(found[1]) <= MOST_RADIUS:
            self._fault("site_radius", line, RADIUS, value=short(text), least=LEAST_RADIUS, most=MOST_RADIUS)
            return USUAL_RADIUS
        return int(found[1])

    def _fence(self, line: int, text: str, site: Position | None) -> list[list[float]] | None:
        if not text or site is None:
            return None
        try:
            corners = corners_of(text)
            fence = fence_of(corners, site.datum)
        except Refused as refused:
            for fault in refused.faults:
                self._fault(fault.code, line, FENCE, **fault.facts)
            return None
        beyond = beyond_m(fence, site)
        if beyond > MOST_BEYOND_FENCE_M:
            self._fault("site_beyond_fence", line, FENCE, metres=round(beyond), most=MOST_BEYOND_FENCE_M)
        return corners


def _plain(text: str) -> str:
    """A cell in plain letters and figures: ２４．５ is 24.5."""
    return unicodedata.normalize("NFKC", text).strip()


def _looks_swapped(lat: float, lon: float) -> bool:
    """Whether a position is in China only if latitude and longitude change places."""
    return 73 < lat < 136 and 3 < lon < 54


def _repeated(rows: Iterable[SiteRow]) -> Iterator[Fault]:
    first: dict[tuple[int, str], int] = {}
    for row in rows:
        key = (row.unit.id, row.code)
        if key in first:
            yield cell_fault("csv_row_twice", row.line, CODE, first=first[key], unit=row.unit.name_zh)
        first.setdefault(key, row.line)
