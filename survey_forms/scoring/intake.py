"""Reading the exchange format: every fault is noted with its path, and reading goes on."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from survey_forms.numbers import HUNDRED, LONGEST, PLAIN, ZERO, plain, plain_decimal
from survey_forms.refusal import Fault, Refused

MOST_FAULTS = 100
"""A refusal names so many faults at most; the rest are counted."""
MOST_LISTED = 40
MOST_TEXT = 60
LONGEST_ID = 200
LATEST_YEAR = 9999


class Intake:
    """Takes raw values one by one; what is wrong becomes a fault, and the value None or empty."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._unnamed = 0

    def fault(self, code: str, path: str, **facts: object) -> None:
        """Note a fault at `path`; one slip that many units run into is noted once."""
        if any(fault.path == path and fault.code == code for fault in self.faults):
            return
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(code, path, facts))
        else:
            self._unnamed += 1

    def refuse(self) -> None:
        """Raise every fault noted so far, if any."""
        if self._unnamed:
            self.faults.append(Fault("more_faults", "", {"count": self._unnamed}))
        if self.faults:
            raise Refused.of(self.faults)

    def table(self, raw: Any, path: str) -> dict[str, Any]:
        """A JSON object, or an empty one."""
        return raw if self._is(dict, raw, path, "not_an_object") else {}

    def items(self, raw: Any, path: str) -> list[Any]:
        """A JSON array, or an empty one."""
        return raw if self._is(list, raw, path, "not_a_list") else []

    def flag(self, raw: Any, path: str) -> bool:
        """True or false."""
        return self._is(bool, raw, path, "not_yes_no") and bool(raw)

    def year(self, raw: Any, path: str) -> int:
        """A calendar year, a JSON number."""
        if self._is(int, raw, path, "not_a_year") and not 0 <= raw <= LATEST_YEAR:
            self.fault("not_a_year", path, value=brief(raw))
        return raw if type(raw) is int else 0

    def text(self, raw: Any, path: str) -> str:
        """An id or a name, printable; "" for what is none, so that no later sentence repeats it raw."""
        if not self._is(str, raw, path, "not_text"):
            return ""
        if raw.strip() and raw.isprintable() and len(raw) <= LONGEST_ID:
            return str(raw)
        self.fault("not_text", path, value=brief(raw))
        return ""

    def number(self, raw: Any, path: str, most: Decimal | None = None) -> Decimal:
        """A decimal string from 0 to `most`."""
        if isinstance(raw, str) and (value := plain_decimal(raw)) is not None:
            if most is not None and value > most:
                self.fault("above_most", path, value=raw, most=plain(most))
            return value
        if raw is None:
            self.fault("missing_value", path)
        elif isinstance(raw, int | float) and not isinstance(raw, bool):
            self.fault("number_not_text", path, value=brief(raw))
        elif not isinstance(raw, str):
            self.fault("not_a_decimal", path, value=brief(raw))
        elif raw.startswith("-") and PLAIN.fullmatch(raw[1:]):
            self.fault("negative_number", path, value=brief(raw))
        elif len(raw) > LONGEST and PLAIN.fullmatch(raw):
            self.fault("decimal_too_long", path, most=LONGEST)
        else:
            self.fault("not_a_decimal", path, value=brief(raw))
        return ZERO

    def known(self, value: str, known: Collection[str], path: str) -> bool:
        """Whether `value` is one of the known ids; a fault if not."""
        if value in known:
            return True
        if value:
            self.fault("unknown_id", path, value=brief(value), known=listed(known))
        return False

    def keys(self, raw: Mapping[str, Any], known: Collection[str], path: str, *, need: bool = True) -> None:
        """Every key of `raw` is known; with `need`, every known key is there."""
        for key in raw:
            if key not in known:
                self.fault("unknown_key", f"{path}.{brief(key)}" if path else brief(key), known=listed(known))
        for key in known if need else ():
            if raw.get(key) is None:
                self.fault("missing_value", f"{path}.{key}" if path else key)

    def shares(self, raw: Any, path: str, ids: Collection[str] | None) -> dict[str, Decimal]:
        """A table of percentages that add up to 100, of exactly these ids, or of any plain ids for None."""
        table, before = self.table(raw, path), len(self.faults)
        if ids is not None:
            self.keys(table, ids, path)
        else:
            table = {key: one for key, one in table.items() if self._names(key, one, path)}
        shares = self.numbers(table, path)
        total = sum(shares.values(), ZERO)
        if len(self.faults) == before and total != HUNDRED:
            self.fault("shares_not_100", path, sum=plain(total))
        return shares

    def _names(self, key: str, one: Any, path: str) -> bool:
        """Whether a key of free choice can be a component's id, and has a value."""
        plain_id = key.strip() and key.isprintable() and "." not in key and len(key) <= LONGEST_ID
        if not plain_id:
            self.fault("not_text", f"{path}.{brief(key)}", value=brief(key))
        elif one is None:
            self.fault("missing_value", f"{path}.{key}")
        return bool(plain_id)

    def numbers(self, table: Mapping[str, Any], path: str) -> dict[str, Decimal]:
        """The percentages of a table; that one is missing has been noted with the keys."""
        given = ((key, one) for key, one in table.items() if one is not None)
        return {key: self.number(one, f"{path}.{brief(key)}", HUNDRED) for key, one in given}

    def _is(self, kind: type, raw: Any, path: str, code: str) -> bool:
        """Whether `raw` is of exactly this type; a fault if not."""
        if type(raw) is kind:
            return True
        self.fault(*(("missing_value", path) if raw is None else (code, path)), value=brief(raw))
        return False


def brief(raw: Any) -> str:
    """A value as a sentence can hold it, printable and short."""
    if isinstance(raw, dict | list):
        return "{…}" if isinstance(raw, dict) else "[…]"
    text = raw if isinstance(raw, str) else f"{raw:.6g}" if isinstance(raw, float) else str(raw)
    text = printable(text[: MOST_TEXT + 1])
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"


def printable(text: str) -> str:
    """The text with whatever a terminal or a page cannot show replaced."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def listed(known: Collection[str]) -> str:
    """Known ids as a sentence can hold them: the first so many."""
    shown = ", ".join(islice(known, MOST_LISTED)) or "—"
    return f"{shown}, …" if len(known) > MOST_LISTED else shown
