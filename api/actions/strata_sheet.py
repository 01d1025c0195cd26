"""Reading the sheet that sets a survey up: a line a stratum, with its group, questionnaire and population."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from api.actions.csv_sheet import cell_fault, letter, read_headings, read_lines, refuse, short
from survey_forms.numbers import plain_decimal
from survey_forms.refusal import Fault, Refused

GROUP, GROUP_ZH, GROUP_EN, COMPONENT, FORM, STRATUM, STRATUM_ZH, STRATUM_EN, POPULATION = COLUMNS = (
    "群体代码", "群体", "群体英文名", "得分去处", "问卷", "层代码", "层", "层英文名", "总体人数",
)  # fmt: skip
ENGLISH = dict(
    zip(
        ("group", "group_zh", "group_en", "component", "form", "stratum", "stratum_zh", "stratum_en", "population"),
        COLUMNS,
        strict=True,
    )
)
CODE_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
LONGEST_CODE = 60
LONGEST_NAME = 100
LARGEST_POPULATION = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One stratum and the group it belongs to; `form` is the version of the group's questionnaire."""

    number: int  # as Excel counts
    group: str
    group_zh: str
    group_en: str
    component: str
    form: str
    stratum: str
    stratum_zh: str
    stratum_en: str
    population: int


def read_strata(content: bytes, components: Mapping[str, tuple[str, str]], forms: Mapping[str, str]) -> list[Line]:
    """The lines of a sheet.

    Args:
        content: the file's bytes.
        components: path → names of what a survey may feed; a name may stand for the path.
        forms: questionnaires by name → version; the beginning of a version (8 characters or more) may stand for it.

    Raises:
        Refused: every fault found, each with row and column.
    """
    lines = read_lines(content)
    heads = read_headings(lines[0][1], COLUMNS, ENGLISH, {one: [one] for one in COLUMNS}) if lines else []
    reader = _Reader(components, forms)
    found = [line for number, cells in lines[1:] if (line := reader.line(number, heads, cells))]
    if not found and not reader.faults:
        raise Refused("csv_empty")
    refuse([*reader.faults, *_at_odds(found)])
    return found


class _Reader:
    """Reads lines and keeps every fault."""

    def __init__(self, components: Mapping[str, tuple[str, str]], forms: Mapping[str, str]) -> None:
        self.faults: list[Fault] = []
        self._components, self._forms = components, forms

    def line(self, number: int, heads: Sequence[str], cells: Sequence[str]) -> Line | None:
        """The line, or None and its faults."""
        before = len(self.faults)
        if any(cell.strip() for cell in cells[len(heads) :]):
            self._fault("csv_cells_left_over", number, letter(len(heads)))
        named = dict.fromkeys(COLUMNS, "") | {head: cell.strip() for head, cell in zip(heads, cells, strict=False)}
        for column, text in named.items():
            if not text:
                self._fault("csv_cell_missing", number, column)
            elif len(text) > LONGEST_NAME:
                self._fault("csv_basis_too_long", number, column, most=LONGEST_NAME)
        for column in (GROUP, STRATUM):
            self._code(number, column, named[column])
        component = self._component(number, named[COMPONENT])
        form = self._form(number, named[FORM])
        population = self._population(number, named[POPULATION])
        if len(self.faults) > before:
            return None
        names = (named[STRATUM], named[STRATUM_ZH], named[STRATUM_EN])
        return Line(
            number, named[GROUP], named[GROUP_ZH], named[GROUP_EN], component, form, *names, population=population
        )

    def _fault(self, code: str, line: int, column: str, **facts: object) -> None:
        self.faults.append(cell_fault(code, line, column, **facts))

    def _code(self, number: int, column: str, text: str) -> None:
        if text and not (set(text) <= CODE_LETTERS and len(text) <= LONGEST_CODE):
            self._fault("csv_code_unfit", number, column, value=short(text), most=LONGEST_CODE)

    def _component(self, number: int, text: str) -> str:
        found = [text] if text in self._components else _called(text, self._components)
        if len(found) == 1:
            return found[0]
        if text:
            known = "、".join(f"{zh}({path})" for path, (zh, _) in self._components.items()) or "—"
            self._fault("csv_component_unknown", number, COMPONENT, value=short(text), known=known)
        return ""

    def _form(self, number: int, text: str) -> str:
        by_version = {version for version in self._forms.values() if len(text) >= 8 and version.startswith(text)}
        found = self._forms.get(text) or (by_version.pop() if len(by_version) == 1 else "")
        if text and not found:
            self._fault(
                "csv_form_unknown", number, FORM, value=short(text), known="、".join(sorted(self._forms)) or "—"
            )
        return found

    def _population(self, number: int, text: str) -> int:
        value = plain_decimal(text)
        if value is not None and value == int(value) and 0 < value <= LARGEST_POPULATION:
            return int(value)
        if text:
            self._fault("csv_population_unfit", number, POPULATION, value=short(text))
        return 0


def _called(name: str, components: Mapping[str, tuple[str, str]]) -> list[str]:
    return [path for path, names in components.items() if name in names]


def _at_odds(lines: Collection[Line]) -> Iterator[Fault]:
    """A stratum given twice, a group told differently on two lines, two groups that feed one place."""
    strata: dict[str, int] = {}
    groups: dict[str, Line] = {}
    fed: dict[str, str] = {}
    for line in lines:
        if strata.setdefault(line.stratum, line.number) != line.number:
            yield cell_fault("csv_stratum_twice", line.number, STRATUM, first=strata[line.stratum], value=line.stratum)
        first = groups.setdefault(line.group, line)
        for column, mine, theirs in (
            (GROUP_ZH, line.group_zh, first.group_zh),
            (GROUP_EN, line.group_en, first.group_en),
            (COMPONENT, line.component, first.component),
            (FORM, line.form, first.form),
        ):
            if mine != theirs:
                yield cell_fault("csv_group_at_odds", line.number, column, first=first.number, group=line.group)
        if fed.setdefault(line.component, line.group) != line.group:
            facts = {"other": fed[line.component], "value": line.component}
            yield cell_fault("csv_component_fed_twice", line.number, COMPONENT, **facts)
