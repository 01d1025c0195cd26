"""Reading a plan's TOML (plan_file.py says what stands in it): every fault is told with its place, `plan.toml:total`.

No number of a plan can be so long, large or small that working with it takes time.
"""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.frame import FAULTS_SHOWN, acceptable, shown
from survey_forms.sampling.plan import ORDERS, RESERVE, SELECTIONS
from survey_forms.sampling.plan_file import RULES, PlanFile, Rotation, StratumPlan

LONGEST = 1_000_000  # characters of a plan
MOST = 999_999_999
LARGEST = Decimal(10) ** 12
SMALLEST = Decimal(10) ** -9
DIGITS = 40

_NOTES = ("name", "note")
_METHOD = ("selection", "order", "reserve")
_ALLOCATING = ("total", "budget", "minimum", "cap", "power", "importance")
_TOP = {"allocation", "units_per_respondent", "rotation", "stratum", "group", *_ALLOCATING, *_METHOD, *_NOTES}
_STRATUM = {"code", "n", "spread", "cost", "mean", "group", *_METHOD, *_NOTES}
_GROUP = {"code", "share", "spread", *_NOTES}
_ROTATION = {"permanent", "wave", "overlap", *_NOTES}


def read_plan_file(text: str, name: str = "plan.toml") -> PlanFile:
    """A plan from its TOML.

    Raises:
        Refused: every fault of the first twenty, each with `name:key`.
    """
    if len(text) > LONGEST:
        raise Refused("plan_unreadable", name, reason=f"> {LONGEST:,}")
    try:
        told = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Refused("plan_unreadable", name, reason=shown(str(error).replace("\n", " "))) from error
    return _Reading(name).plan(told)


class _Reading:
    """One reading of a plan: what it says, and every fault on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []

    def plan(self, told: dict[str, Any]) -> PlanFile:
        """The whole."""
        self._unknown(told, _TOP, "")
        allocation = self._choice(told, "allocation", tuple(RULES), None)
        every = self._method("", "", told, None)
        strata = tuple(self._stratum(at, one, every, allocation) for at, one in self._tables(told, "stratum"))
        self._twice("stratum", [one.code for one in strata])
        groups = self._groups(told)
        found = PlanFile(
            name=self.name,
            strata=strata,
            every=every,
            allocation=allocation,
            total=self._whole(told, "total", 0),
            budget=self._number(told, "budget", Decimal(0)),
            minimum=self._whole(told, "minimum", 0) or 0,
            cap=self._whole(told, "cap", 1),
            power=self._number(told, "power", Decimal(0), Decimal(1)) or Fraction(0),
            importance=self._number(told, "importance", Decimal(0)) or Fraction(0),
            groups=groups,
            rotation=self._rotation(told),
            units_per_respondent=self._whole(told, "units_per_respondent", 1),
        )
        self._fits(found, told)
        if self.faults:
            raise Refused.of(self.faults[:FAULTS_SHOWN])
        return found

    def _fits(self, plan: PlanFile, told: Mapping[str, Any]) -> None:
        """Whether the parts go together."""
        rule = plan.allocation
        counts = ("total" in told) + ("budget" in told)
        for wrong, code, key in (
            (rule is None and not plan.strata, "plan_key_missing", "allocation"),
            (rule == "cost" and counts != 1, "plan_total_or_budget", "total"),
            (rule not in {None, "cost"} and "budget" in told, "plan_budget_without_costs", "budget"),
            (rule not in {None, "cost"} and "total" not in told, "plan_key_missing", "total"),
            (not plan.strata and bool(RULES.get(rule or "")), "plan_key_missing", "stratum"),
            (rule == "power" and "power" not in told, "plan_key_missing", "power"),
            (rule == "kish" and "importance" not in told, "plan_key_missing", "importance"),
            *((rule is None and key in told, "plan_needs_allocation", key) for key in _ALLOCATING),
        ):
            if wrong:
                self._wrong(code, key)
        for at, one in enumerate(plan.strata, start=1):
            if rule == "grouped" and one.group is not None and one.group not in plan.groups:
                self._wrong("plan_group_unknown", f"stratum[{at}].group", group=shown(one.group))
        walks = [one.place for one in plan.strata or (plan.every,) if one.selection.startswith("systematic")]
        if plan.rotation and walks:
            self._wrong("plan_rotation_walk", "rotation", where=walks[0])

    def _stratum(self, at: int, told: Any, every: StratumPlan, allocation: str | None) -> StratumPlan:
        where = f"stratum[{at}]."
        if not isinstance(told, dict):
            self._wrong("plan_not_table", where[:-1])
            return every
        self._unknown(told, _STRATUM, where)
        code = self._text(told, "code", where)
        one = self._method(code, where, told, every)
        if allocation is None and "n" not in told:
            self._wrong("plan_key_missing", f"{where}n")
        if allocation is not None and "n" in told:
            self._wrong("plan_n_with_allocation", f"{where}n")
        for key in RULES.get(allocation or "", ()):
            if key not in told:
                self._wrong("plan_key_missing", f"{where}{key}")
        return StratumPlan(
            code=code,
            place=one.place,
            selection=one.selection,
            order=one.order,
            reserve=one.reserve,
            n=self._whole(told, "n", 0, where),
            spread=self._number(told, "spread", Decimal(0), where=where),
            cost=self._number(told, "cost", SMALLEST, where=where),
            mean=self._number(told, "mean", SMALLEST, where=where),
            group=self._text(told, "group", where) if "group" in told else None,
        )

    def _method(self, code: str, where: str, told: Mapping[str, Any], every: StratumPlan | None) -> StratumPlan:
        """How a stratum is drawn from; what it does not say is as for every one."""
        base = every or StratumPlan("", self.name, "tickets", "none", RESERVE)
        reserve = self._whole(told, "reserve", 0, where)
        return StratumPlan(
            code,
            f"{self.name}:{where[:-1]}" if where else self.name,
            self._choice(told, "selection", SELECTIONS, base.selection, where) or base.selection,
            self._choice(told, "order", ORDERS, base.order, where) or base.order,
            base.reserve if reserve is None else reserve,
        )

    def _groups(self, told: Mapping[str, Any]) -> dict[str, Fraction]:
        """L_g S_g of each group."""
        found: dict[str, Fraction] = {}
        codes: list[str] = []
        for at, one in self._tables(told, "group"):
            where = f"group[{at}]."
            if not isinstance(one, dict):
                self._wrong("plan_not_table", where[:-1])
                continue
            self._unknown(one, _GROUP, where)
            codes.append(self._text(one, "code", where))
            for key in ("share", "spread"):
                if key not in one:
                    self._wrong("plan_key_missing", f"{where}{key}")
            share = self._number(one, "share", Decimal(0), Decimal(1), where) or Fraction(0)
            found[codes[-1]] = share * (self._number(one, "spread", Decimal(0), where=where) or Fraction(0))
        self._twice("group", codes)
        return found

    def _rotation(self, told: Mapping[str, Any]) -> Rotation | None:
        if "rotation" not in told:
            return None
        turn = told["rotation"]
        if not isinstance(turn, dict):
            self._wrong("plan_not_table", "rotation")
            return None
        where = "rotation."
        self._unknown(turn, _ROTATION, where)
        for key in ("wave", "overlap"):
            if key not in turn:
                self._wrong("plan_key_missing", f"{where}{key}")
        wave = self._whole(turn, "wave", 1, where) or 1
        overlap = self._number(turn, "overlap", Decimal(0), Decimal(1), where) or Fraction(0)
        if wave == 1 and "permanent" not in turn:
            return None  # the first wave is a draw like any other; its seed is what the later ones keep
        return Rotation(self._text(turn, "permanent", where), wave, overlap)

    def _tables(self, told: Mapping[str, Any], key: str) -> list[tuple[int, Any]]:
        listed = told.get(key, [])
        if not isinstance(listed, list):
            self._wrong("plan_not_table", key)
            return []
        return list(enumerate(listed, start=1))

    def _unknown(self, told: Mapping[str, Any], known: set[str], where: str) -> None:
        for key in told:
            if key not in known:
                self._wrong("plan_key_unknown", f"{where}{shown(key)}")

    def _twice(self, kind: str, codes: list[str]) -> None:
        seen: set[str] = set()
        for at, code in enumerate(codes, start=1):
            if code in seen:
                self._wrong("draw_stratum_twice", f"{kind}[{at}]", stratum=code)
            seen.add(code or f"{kind}[{at}],")  # without a code, which is a fault already, it is no other's twin

    def _text(self, told: Mapping[str, Any], key: str, where: str) -> str:
        value = told.get(key)
        if value is None:
            self._wrong("plan_key_missing", f"{where}{key}")
        elif not isinstance(value, str):
            self._wrong("plan_not_text", f"{where}{key}", value=_brief(value))
        elif acceptable(value, key, f"{self.name}:{where}{key}", self.faults):
            return value
        return ""

    def _choice(
        self, told: Mapping[str, Any], key: str, choices: tuple[str, ...], default: str | None, where: str = ""
    ) -> str | None:
        value = told.get(key, default)
        if value == default or (isinstance(value, str) and value in choices):
            return default if value == default else str(value)
        self._wrong("plan_not_choice", f"{where}{key}", value=_brief(value), choices=", ".join(choices))
        return default

    def _whole(self, told: Mapping[str, Any], key: str, least: int, where: str = "") -> int | None:
        value = told.get(key)
        if value is None or (type(value) is int and least <= value <= MOST):
            return value
        self._wrong("plan_not_whole", f"{where}{key}", value=_brief(value), least=least, most=MOST)
        return None

    def _number(
        self, told: Mapping[str, Any], key: str, least: Decimal, most: Decimal = LARGEST, where: str = ""
    ) -> Fraction | None:
        value = told.get(key)
        if value is None:
            return None
        number = Decimal(value) if type(value) is int else value
        short = isinstance(number, Decimal) and number.is_finite() and len(number.as_tuple().digits) <= DIGITS
        if short and least <= number <= most and (not number or number >= SMALLEST):
            return Fraction(number)
        self._wrong("plan_not_number", f"{where}{key}", value=_brief(value), least=f"{least:f}", most=f"{most:f}")
        return None

    def _wrong(self, code: str, path: str, **facts: object) -> None:
        self.faults.append(Fault(code, f"{self.name}:{path}", facts))


def _brief(value: object) -> str:
    """A value of any kind, short: a whole number of a million digits is not spelt out."""
    if isinstance(value, int) and abs(value) > MOST * MOST:
        return f"{'-' if value < 0 else ''}…{abs(value) % 1000:03d}"
    return shown(str(value))
