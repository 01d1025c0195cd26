"""What a line of a frame's file says: which column is read as what, and every fault by row and column."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from api.actions.csv_sheet import cell_fault, short
from api.store.surveys import Stratum
from survey_forms.numbers import plain_decimal
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.contacts import LONGEST_PLACE, Contact, read_mail, read_phone
from survey_forms.sampling.traits import wcell_of

FIELDS = ("member", "stratum", "psu", "size", "latitude", "longitude", "sort", "phone", "mail", "place")
NEEDED = ("member", "stratum")
CONTACTS = ("phone", "mail", "place")
TRAIT = "trait:"
MOST_TRAITS = 6
LONGEST = 64  # characters of an id, a cluster, a sorting code
LARGEST_SIZE = Decimal(10) ** 9

# Nothing that the canonical text of a frame, a ticket or a spreadsheet would take for something else.
_WORD = re.compile(r"""(?![=+\-@＝＋－＠%'])[^\s,"|\0-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]{1,64}""")
_GUESSES: Mapping[str, str] = {
    **dict.fromkeys(("成员编号", "编号", "编码", "代码", "member", "member_id", "unit_id", "id"), "member"),
    **dict.fromkeys(("层", "层代码", "抽样层", "stratum", "strata"), "stratum"),
    **dict.fromkeys(("村居", "村（居）", "社区", "初级单元", "psu", "cluster", "community"), "psu"),
    **dict.fromkeys(("规模", "户数", "人口", "size"), "size"),
    **dict.fromkeys(("纬度", "latitude", "lat"), "latitude"),
    **dict.fromkeys(("经度", "longitude", "lon", "lng"), "longitude"),
    **dict.fromkeys(("排序码", "排序", "行政区划代码", "sort", "order"), "sort"),
    **dict.fromkeys(("手机", "手机号", "手机号码", "电话", "联系电话", "phone", "mobile"), "phone"),
    **dict.fromkeys(("邮箱", "电子邮箱", "mail", "email"), "mail"),
    **dict.fromkeys(("住址", "地址", "家庭住址", "address"), "place"),
    **dict.fromkeys(("性别", "sex", "gender"), "trait:sex"),
    **dict.fromkeys(("年龄段", "年龄组", "年龄", "age", "age_group"), "trait:age"),
    **dict.fromkeys(("区", "区县", "县区", "所在区", "district"), "trait:district"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A member as its line gives it; `row` counts from 1, the headings apart."""

    row: int
    stratum: str
    member: str
    psu: str | None
    size: Decimal | None
    latitude: Decimal | None
    longitude: Decimal | None
    sort: str | None
    traits: Mapping[str, str]
    contact: Contact | None


def guess(headings: Iterable[str]) -> dict[str, str]:
    """What is read of a line → the heading it seems to stand under; the first of several."""
    found: dict[str, str] = {}
    for heading in headings:
        if field := _GUESSES.get(heading.strip().lower()):
            found.setdefault(field, heading)
    return found


def check_columns(columns: Mapping[str, str], headings: Sequence[str], *, sealed: bool) -> None:
    """Whether a mapping can be read by.

    Args:
        columns: what is read (a field, or `trait:` and a name) → heading.
        headings: of the file.
        sealed: contacts lie in sealed surveys alone.

    Raises:
        Refused: every fault at once; the path is what is read.
    """
    faults = [Fault("frame_column_missing", field) for field in NEEDED if field not in columns]
    for field, heading in columns.items():
        if headings.count(heading) != 1:
            faults.append(Fault("frame_column_doubled", field, {"column": short(heading)}))
        if field in CONTACTS and not sealed:
            faults.append(Fault("frame_contact_needs_sealed", field))
        if field.startswith(TRAIT):
            faults += _unfit_trait(field.removeprefix(TRAIT))
        elif field not in FIELDS:
            faults.append(Fault("invalid_fields", field))
    if ("latitude" in columns) != ("longitude" in columns):
        faults.append(Fault("frame_place_half", "latitude"))
    if sum(field.startswith(TRAIT) for field in columns) > MOST_TRAITS:
        faults.append(Fault("frame_traits_many", TRAIT, {"most": MOST_TRAITS}))
    if faults:
        raise Refused.of(faults)


def _unfit_trait(name: str) -> Sequence[Fault]:
    try:
        wcell_of({name: "-"}, "")
    except Refused as refused:
        return refused.faults
    return ()


class LineReader:
    """Reads lines by one mapping, for the strata of one survey (by their codes, or by names that only one has)."""

    def __init__(self, columns: Mapping[str, str], headings: Sequence[str], strata: Iterable[Stratum]) -> None:
        self._heading = dict(columns)
        self._at = {field: headings.index(heading) for field, heading in columns.items()}
        self._traits = sorted(field for field in columns if field.startswith(TRAIT))
        self._fit_traits: set[tuple[str, ...]] = set()
        self._strata: dict[str, str] = {}
        known = list(strata)
        for names in ([one.name_en for one in known], [one.name_zh for one in known], [one.code for one in known]):
            self._strata |= {name: one.code for name, one in zip(names, known, strict=True) if names.count(name) == 1}

    def read(self, number: int, cells: Sequence[str], faults: list[Fault]) -> Line | None:
        """The member of a line, else None and what is wrong is noted.

        Args:
            number: the line as Excel counts.
            cells: without blanks around them.
            faults: grows.
        """
        cell = {field: cells[at] if at < len(cells) else "" for field, at in self._at.items()}
        found = [
            cell_fault(code, number, self._heading[field], value=short(cell[field]), **facts)
            for code, field, facts in (*self._wrong(cell), *_wrong_figures(cell))
        ]
        if found:
            faults += found
            return None
        contact = Contact(
            read_phone(cell.get("phone", "")) or "", read_mail(cell.get("mail", "")) or "", cell.get("place", "")
        )
        return Line(
            row=number - 1,
            stratum=self._strata[cell["stratum"]],
            member=cell["member"],
            psu=cell.get("psu") or None,
            size=_decimal(cell.get("size", "")),
            latitude=_decimal(cell.get("latitude", "")),
            longitude=_decimal(cell.get("longitude", "")),
            sort=cell.get("sort") or None,
            traits={field.removeprefix(TRAIT): cell[field] for field in self._traits},
            contact=contact if contact != Contact() else None,
        )

    def _wrong(self, cell: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, object]]]:
        """(code, field, facts) of what is wrong with the words of a line."""
        if cell["stratum"] not in self._strata:
            yield "frame_stratum_unknown" if cell["stratum"] else "frame_stratum_missing", "stratum", {}
        for field in ("member", "psu", "sort"):
            text = cell.get(field, "")
            if (text or field == "member") and not _WORD.fullmatch(text):
                yield "frame_word_unfit" if text else "frame_member_missing", field, {"most": LONGEST}
        if self._traits and not self._is_fit(tuple(cell[field] for field in self._traits)):
            yield "frame_trait_unfit", next((one for one in self._traits if not cell[one]), self._traits[0]), {}

    def _is_fit(self, levels: tuple[str, ...]) -> bool:
        """Whether weights can be made of these traits; there are few of them in a million lines."""
        if levels not in self._fit_traits:
            names = (field.removeprefix(TRAIT) for field in self._traits)
            try:
                wcell_of(dict(zip(names, levels, strict=True)), "-")
            except Refused:
                return False
            self._fit_traits.add(levels)
        return True


def _wrong_figures(cell: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, object]]]:
    """As `_wrong`, of numbers and contacts."""
    if text := cell.get("size"):
        size = _decimal(text)
        if size is None or not 0 < size <= LARGEST_SIZE or size != round(size, 6):
            yield "frame_size_unfit", "size", {}
    for field, most in (("latitude", 90), ("longitude", 180)):
        if field in cell and ((degrees := _decimal(cell[field])) is None or abs(degrees) > most):
            yield "frame_degrees_unfit", field, {"most": most}
    if (text := cell.get("phone")) and read_phone(text) is None:
        yield "contact_phone_wrong", "phone", {}
    if (text := cell.get("mail")) and read_mail(text) is None:
        yield "contact_mail_wrong", "mail", {}
    if len(cell.get("place", "")) > LONGEST_PLACE:
        yield "contact_place_long", "place", {"most": LONGEST_PLACE}


def _decimal(text: str) -> Decimal | None:
    return plain_decimal(text) if text else None
