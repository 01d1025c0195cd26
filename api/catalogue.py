"""The page's own words in languages beside Chinese and English, by the Chinese words (`api/languages/*.toml`).

A phrase that a catalogue lacks is said in Chinese: wrong in no language, and a house test finds it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Phrases by their Chinese wording, and refusals' sentences by their code."""

    words: Mapping[str, str] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)


@cache
def catalogues() -> dict[str, Catalogue]:
    """Every catalogue by its language's code."""
    found = {}
    for file in sorted(files("api").joinpath("languages").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            read = tomllib.loads(file.read_text(encoding="utf-8"))
            found[file.name.removesuffix(".toml")] = Catalogue(read["words"], read["sentences"])
    return found


def translated(language: str, zh: str) -> str:
    """A phrase of a page in a language that has a catalogue, else as it stands."""
    known = catalogues().get(language)
    return known.words.get(zh, zh) if known else zh


def sentence(language: str, code: str) -> str | None:
    """A refusal's sentence, its blanks unfilled, where a catalogue has it."""
    known = catalogues().get(language)
    return known.sentences.get(code) if known else None
