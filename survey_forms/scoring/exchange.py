"""The exchange format's bytes → its parsed document; hostile JSON becomes a sentence, never a traceback."""

import json
from collections import Counter
from typing import Any

from survey_forms.refusal import Refused
from survey_forms.scoring.intake import Intake, brief

_LONGEST_INT = 18


class _Doubled(dict[str, Any]):
    """A JSON object in which a key stands twice."""

    __slots__ = ("keys_twice",)

    keys_twice: tuple[str, ...]


def parse_document(data: bytes, name: str = "-") -> Any:
    """The JSON document in `data` (UTF-8, a byte order mark allowed).

    Args:
        data: the file's bytes.
        name: what to call the file in a refusal.

    Raises:
        Refused: not UTF-8; not JSON (with line and column); nested too deeply; a key that stands twice (with its
            path). NaN and numbers too large to hold pass as JSON numbers: `score` refuses them where they stand.
    """
    doubled: list[_Doubled] = []
    intake = Intake()

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) == len(pairs):
            return result
        twice = _Doubled(result)
        twice.keys_twice = tuple(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        doubled.append(twice)
        return twice

    try:
        text = data.decode("utf-8-sig")
        document = json.loads(text, object_pairs_hook=table, parse_int=_whole)
        if doubled:
            _duplicates(document, "", intake)
    except UnicodeDecodeError as error:
        raise Refused("input_not_utf8", name, byte=error.start) from error
    except json.JSONDecodeError as error:
        raise Refused("input_not_json", name, line=error.lineno, column=error.colno, what=error.msg) from error
    except RecursionError as error:
        raise Refused("input_too_deep", name) from error
    intake.refuse()
    return document


def _whole(text: str) -> int | float:
    """A whole number; one too large to be any year is a float, which Python reads at any length."""
    return int(text) if len(text) <= _LONGEST_INT else float(text)


def _duplicates(value: Any, path: str, intake: Intake) -> None:
    """Note every key that stands twice, wherever it is."""
    if isinstance(value, _Doubled):
        for key in value.keys_twice:
            intake.fault("duplicate_key", _below(path, key), key=brief(key))
    if isinstance(value, dict):
        for key, one in value.items():
            _duplicates(one, _below(path, key), intake)
    elif isinstance(value, list):
        for place, one in enumerate(value):
            _duplicates(one, f"{path}[{place}]", intake)


def _below(path: str, key: str) -> str:
    return f"{path}.{brief(key)}" if path else brief(key)
