"""The words of an expression: numbers, texts, paths, names and signs; what is none of them is named with its place."""

import re
from dataclasses import dataclass

from survey_forms.forms.operations import Unreadable

MOST_TOKENS = 400
_SHOWN = 12

_NAME = r"[A-Za-z_][\w.-]*"
_STEP = rf"(?:\.\.|{_NAME}|\.(?![\w.]))"
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)
    | (?P<literal>"[^"]*"|'[^']*')
    | (?P<wrong>==|&&|\|\||<>|=>|=<)
    | (?P<path>(?:/{_STEP})+|\.\.(?:/{_STEP})*|\.(?:/{_STEP})+)
    | (?P<name>{_NAME}(?::{_NAME})?)
    | (?P<symbol><=|>=|!=|[-=<>+*(),\[\]]|\.(?![\w.]))
    )""",
    re.VERBOSE | re.ASCII,
)
_INSTEAD = {"==": "=", "&&": "and", "||": "or", "<>": "!=", "=>": ">=", "=<": "<="}


@dataclass(frozen=True, slots=True)
class Token:
    """A word: what sort it is, its text, and where in the expression it begins (from 1)."""

    sort: str
    text: str
    at: int


def read_tokens(source: str) -> list[Token]:
    """The expression's words, an end token last.

    Raises:
        Unreadable: A sign that no expression has, one of another language, or too many words.
    """
    found: list[Token] = []
    place, stop = 0, len(source.rstrip())
    while place < stop:
        match = _TOKEN.match(source, place)
        if match is None:
            rest = source[place:].lstrip()
            at = len(source) - len(rest) + 1
            raise Unreadable("expression_symbol", symbol=rest[:_SHOWN].strip(), position=at)
        sort = match.lastgroup or ""
        at = match.start(sort) + 1
        if sort == "wrong":
            raise Unreadable("expression_operator", symbol=match[sort], instead=_INSTEAD[match[sort]], position=at)
        found.append(Token(sort, match[sort], at))
        place = match.end()
        if len(found) > MOST_TOKENS:
            raise Unreadable("expression_too_long", limit=MOST_TOKENS)
    return [*found, Token("end", "", len(source) + 1)]
