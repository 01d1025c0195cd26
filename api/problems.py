"""Refusal code → HTTP status and one sentence in Chinese and in English.

Sentences are data (`api/sentences/*.toml`); both the command line and the service read them here.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from api.catalogue import sentence
from survey_forms.refusal import Fault

LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Sentence:
    """The status and the two sentences of one refusal."""

    status: int
    zh: str
    en: str


@cache
def sentences() -> dict[str, Sentence]:
    """Every refusal the product knows, by code."""
    table: dict[str, Sentence] = {}
    for file in sorted(files("api").joinpath("sentences").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            for code, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
                if code in table:
                    raise ValueError(f"{file.name}: the code {code} has a sentence already")
                table[code] = Sentence(entry["status"], entry["zh"], entry["en"])
    return table


class _Facts(dict[str, object]):
    """A fact that a sentence asks for and the fault lacks stays visible as a blank, never an exception."""

    def __missing__(self, key: str) -> str:
        return f"<{key}>"


def say(fault: Fault, language: str = "zh") -> str:
    """The fault as one sentence in the reader's language: `zh`, `en`, or what a catalogue has, else in Chinese."""
    known = sentences()[fault.code]
    text = known.en if language == "en" else sentence(language, fault.code) or known.zh
    return text.format_map(_Facts(fault.facts, path=fault.path or "-"))


def status_of(code: str) -> int:
    """The HTTP status of a refusal."""
    return sentences()[code].status
