"""TOML tables → frozen dataclasses, naming every fault at once.

The dataclass is the vocabulary: a key that it does not have is unknown, a type that it does not name is wrong,
and a table that holds a number must name its `article`, itself or through the table that encloses it.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from survey_forms.numbers import plain_decimal
from survey_forms.refusal import Fault, Refused
from survey_forms.scheme.components import Weight
from survey_forms.scheme.outcome import Value

T = TypeVar("T")

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.-]+)\s*\]\]?")
_SYNTAX = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)")
_FRACTION = re.compile(r"[0-9]{1,9}/[1-9][0-9]{0,8}|[0-9]{1,9}")
_PLACEHOLDERS: dict[Any, Any] = {str: "", int: 0, bool: False, Decimal: Decimal(0), Fraction: Fraction(0)}
_EXPECTED: dict[Any, str] = {
    str: "scheme_not_text",
    int: "scheme_not_whole",
    bool: "scheme_not_flag",
    Decimal: "scheme_not_decimal",
    Fraction: "scheme_not_fraction",
    Weight: "scheme_not_weight",
    Value: "scheme_not_value",
}


def parse_toml(data: bytes, name: str) -> dict[str, Any]:
    """The file's tables.

    Raises:
        Refused: it is not UTF-8, or not TOML (with line and column).
    """
    try:
        return tomllib.loads(data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise Refused("scheme_not_utf8", name, byte=error.start) from error
    except tomllib.TOMLDecodeError as error:
        what = str(error)
        place = _SYNTAX.search(what)
        line, column = (int(place[1]), int(place[2])) if place and place[1] else (data.count(b"\n") + 1, 1)
        raise Refused("scheme_not_toml", name, line=line, column=column, what=_SYNTAX.sub("", what)) from error
    except RecursionError as error:
        raise Refused("scheme_not_toml", name, line="-", column="-", what="nested too deeply") from error


def table_lines(text: str) -> dict[str, int]:
    """The line on which each table begins, by its place: {"component[3]": 41, "consequence[0].when[1]": 97}."""
    counts: dict[str, int] = {}
    current: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if not header:
            continue
        parent, _, key = header[2].rpartition(".")
        place = f"{current.get(parent, parent)}.{key}" if parent else key
        if header[1] == "[[":
            counts[place] = counts.get(place, -1) + 1
            place = f"{place}[{counts[place]}]"
        current[header[2]] = place
        lines[place] = number
    return lines


@dataclass(slots=True)
class Reader:
    """Reads tables and keeps every fault; `broken` are the tables whose values could not all be read."""

    lines: Mapping[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def fault(self, code: str, where: str, key: str = "", **facts: object) -> None:
        """Note that something is wrong with `key` of the table at `where`."""
        path = f"{where}.{key}" if where and key else where or key
        place = where
        while place and place not in self.lines:
            place = place.rpartition(".")[0]
        self.faults.append(Fault(code, path, {"line": self.lines.get(place, "-"), **facts}))

    def table(self, kind: type[T], raw: Any, where: str, enclosing_article: str = "") -> T:
        """One table as its dataclass; a value that cannot be read leaves a placeholder and a fault."""
        of: Any = kind
        keys = _keys(of)
        if not isinstance(raw, dict):
            self.broken.add(where)
            self.fault("scheme_not_table", where)
            raw, keys = {}, {}
        for key in raw.keys() - keys.keys():
            self.fault("scheme_unknown_key", where, key, known=", ".join(sorted(keys)))
        article = raw.get("article")
        article = article if isinstance(article, str) and article.strip() else enclosing_article
        values: dict[str, Any] = {}
        for key, (entry, hint) in keys.items():
            if key in raw:
                values[entry.name] = self._value(hint, raw[key], where, key, article)
                if not article and _states_number(values[entry.name]):
                    self.fault("scheme_number_without_article", where, key)
            elif _required(entry):
                self.broken.add(where)
                self.fault("scheme_key_missing", where, key)
        for entry in fields(of):
            if entry.name == "where":
                values["where"] = where
            elif _required(entry):
                values.setdefault(entry.name, _placeholder(get_type_hints(of)[entry.name]))
        return kind(**values)

    def _value(self, hint: Any, raw: Any, where: str, key: str, article: str) -> Any:
        """The value of `key` as its type asks; a placeholder and a fault if it is none."""
        origin, args = get_origin(hint), get_args(hint)
        if origin is UnionType and NoneType in args:
            (stated,) = (arg for arg in args if arg is not NoneType)
            return self._value(stated, raw, where, key, article)
        if origin is tuple and isinstance(raw, list):
            return tuple(self._value(args[0], one, where, f"{key}[{i}]", article) for i, one in enumerate(raw))
        if _is_mapping(origin) and isinstance(raw, dict):
            return {k: self._value(args[1], one, where, f"{key}.{k}", article) for k, one in raw.items()}
        if hint in _EXPECTED or not is_dataclass(hint):
            return self._single(hint, raw, where, key)
        kind: Any = hint
        return self.table(kind, raw, f"{where}.{key}" if where else key, article)

    def _single(self, hint: Any, raw: Any, where: str, key: str) -> Any:
        """A value that is no table and no list."""
        choices = get_args(hint) if get_origin(hint) is Literal else None
        value = _scalar(hint, raw) if choices is None else next((one for one in choices if one == raw), None)
        if value is not None:
            return value
        if choices:
            self.fault("scheme_not_choice", where, key, value=_short(raw), known=", ".join(map(str, choices)))
        elif isinstance(raw, float) or (isinstance(raw, int) and hint is Decimal):
            self.fault("scheme_unquoted_number", where, key, value=raw)
        else:
            self.fault(_EXPECTED.get(hint, "scheme_wrong_shape"), where, key, value=_short(raw))
        self.broken.add(where)
        return _placeholder(hint)


def _required(entry: Field[Any]) -> bool:
    """Whether the key must be there."""
    return entry.default is MISSING and entry.default_factory is MISSING


def _is_mapping(origin: Any) -> bool:
    """Whether a type's origin is a mapping."""
    return isinstance(origin, type) and issubclass(origin, Mapping)


@cache
def _keys(kind: type[Any]) -> dict[str, tuple[Field[Any], Any]]:
    """TOML key → (field, type) of a table."""
    hints = get_type_hints(kind)
    named = ((entry.metadata.get("toml", entry.name), entry) for entry in fields(kind))
    return {key: (entry, hints[entry.name]) for key, entry in named if key not in {None, "where"}}


def _scalar(hint: Any, raw: Any) -> Any:  # noqa: PLR0911  # one return a type
    """The raw value as a scalar of type `hint`, or None."""
    if hint is Value or hint is Weight:
        return hint.from_toml(raw)
    if hint == bool | str:
        return raw if isinstance(raw, bool | str) else None
    if hint is bool or hint is int:
        return raw if type(raw) is hint and raw >= 0 else None
    if not isinstance(raw, str) or not raw.strip() or not raw.isprintable():
        return None
    if hint is Decimal:
        return plain_decimal(raw)
    if hint is Fraction:
        return Fraction(raw) if _FRACTION.fullmatch(raw) else None
    return raw if hint is str else None


def _states_number(value: Any) -> bool:
    """Whether a value that was read is, or holds, a number of the document's."""
    if isinstance(value, Decimal | Fraction) or (isinstance(value, int) and not isinstance(value, bool)):
        return True
    if isinstance(value, Mapping):
        return any(_states_number(one) for one in value.values())
    if isinstance(value, tuple):
        return any(_states_number(one) for one in value)
    return isinstance(value, Weight | Value) and value.has_number


def _placeholder(hint: Any) -> Any:
    """Something of the type, so that the rest of the file can be read and checked too."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return None
    if origin is Literal:
        return args[0]
    if origin is tuple:
        return ()
    if _is_mapping(origin):
        return {}
    if is_dataclass(hint) and isinstance(hint, type):
        return hint(**{e.name: _placeholder(h) for e, h in _keys(hint).values() if _required(e)})
    return _PLACEHOLDERS.get(hint)


def _short(raw: Any) -> str:
    """The value as a sentence can hold it."""
    text = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(raw)[:61])
    return text if len(text) <= 60 else f"{text[:59]}…"
