"""The part of ODK's XPath that questionnaires use, compiled once to closures over a `State`.

Kinds are known when compiled, so what the ODK engines answer differently (an emptiness test by `not(x)`, a
date compared with bare text, a condition stored as a value, a regex without ends) is refused there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

from survey_forms.forms.operations import Compiled, Node, Unreadable, called, constant, joined, negated

MOST_TOKENS = 400
DEEPEST = 30

_NAME = r"[A-Za-z_][\w.-]*"
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)
    | (?P<literal>"[^"]*"|'[^']*')
    | (?P<wrong>==|&&|\|\||<>|=>|=<)
    | (?P<path>(?:/{_NAME})+|(?:\.\./)+{_NAME}(?:/{_NAME})*)
    | (?P<name>{_NAME}(?::{_NAME})?)
    | (?P<symbol><=|>=|!=|[-=<>+*(),]|\.(?![\w.]))
    )""",
    re.VERBOSE | re.ASCII,
)
_INSTEAD = {"==": "=", "&&": "and", "||": "or", "<>": "!=", "=>": ">=", "=<": "<="}
_BINDING = {
    "or": 1, "and": 2, "=": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "div": 6, "mod": 6,
}  # fmt: skip
_NEGATION = 7


def compile_expression(source: str, nodes: Mapping[str, Node], context: str) -> Compiled:
    """One expression over the form's nodes (`/data/group/name` → node), as seen from the node `context`.

    Raises:
        Unreadable: The expression is wrong, or asks for what this evaluator does not have.
    """
    parser = _Parser(_tokens(source), nodes, context)
    whole = parser.expression(0, 0)
    parser.end()
    return whole


def compile_condition(source: str, nodes: Mapping[str, Node], context: str) -> Compiled:
    """As `compile_expression`, for a yes or no; anything else is refused."""
    whole = compile_expression(source, nodes, context)
    if whole.kind != "boolean":
        raise Unreadable("expression_not_condition")
    return whole


def compile_value(source: str, nodes: Mapping[str, Node], context: str) -> Compiled:
    """As `compile_expression`, for a value to keep; the engines store a bare condition as 1 or as true."""
    whole = compile_expression(source, nodes, context)
    if whole.kind == "boolean":
        raise Unreadable("expression_condition_as_value")
    return whole


def _tokens(source: str) -> list[tuple[str, str]]:
    """(sort, text) of each token, an end token last."""
    found: list[tuple[str, str]] = []
    place, stop = 0, len(source.rstrip())
    while place < stop:
        match = _TOKEN.match(source, place)
        if match is None:
            raise Unreadable("expression_symbol", symbol=source[place:].strip()[:12])
        sort = match.lastgroup or ""
        if sort == "wrong":
            raise Unreadable("expression_operator", symbol=match[sort], instead=_INSTEAD[match[sort]])
        found.append((sort, match[sort]))
        place = match.end()
        if len(found) > MOST_TOKENS:
            raise Unreadable("expression_too_long", limit=MOST_TOKENS)
    return [*found, ("end", "")]


class _Parser:
    """Precedence climbing; each method returns what it read, compiled."""

    def __init__(self, tokens: Sequence[tuple[str, str]], nodes: Mapping[str, Node], context: str) -> None:
        self.tokens = tokens
        self.nodes = nodes
        self.context = context
        self.place = 0

    def expression(self, binding: int, depth: int) -> Compiled:
        if depth > DEEPEST:
            raise Unreadable("expression_too_long", limit=MOST_TOKENS)
        left = self.operand(depth)
        while (power := _BINDING.get(self.tokens[self.place][1], 0)) > binding:
            sign = self.take()
            left = joined(sign, left, self.expression(power, depth + 1))
        return left

    def operand(self, depth: int) -> Compiled:
        sort, text = self.tokens[self.place]
        if sort == "name":
            return self.call(depth)
        if text not in {".", "-", "("} and sort not in {"number", "literal", "path"}:
            self.lost()
        self.take()
        if sort == "number":
            return constant(float(text), "number", text)
        if sort == "literal":
            return constant(text[1:-1], "string", text[1:-1])
        if text == "-":
            return negated(self.expression(_NEGATION, depth + 1))
        if text == "(":
            inner = self.expression(0, depth + 1)
            self.expect(")")
            return replace(inner, literal=None)
        return self.node(text)

    def call(self, depth: int) -> Compiled:
        name = self.take()
        if self.tokens[self.place][1] != "(":
            raise Unreadable("expression_bare_name", name=name)
        self.take()
        given: list[Compiled] = []
        while self.tokens[self.place][1] != ")" or given:
            given.append(self.expression(0, depth + 1))
            if self.tokens[self.place][1] != ",":
                break
            self.take()
        self.expect(")")
        return called(name, given)

    def node(self, path: str) -> Compiled:
        steps = [] if path.startswith("/") else self.context.split("/")
        for step in path.split("/"):
            if step == "..":
                steps = steps[:-1]
            elif step != ".":
                steps.append(step)
        node = self.nodes.get("/".join(steps))
        if node is None:
            raise Unreadable("expression_name_unknown", name=path.rsplit("/", 1)[-1])
        slot = node.slot
        return Compiled(lambda state: state.values[slot], node.kind, frozenset({slot}))

    def take(self) -> str:
        self.place += 1
        return self.tokens[self.place - 1][1]

    def expect(self, text: str) -> None:
        if self.tokens[self.place] != ("symbol", text):
            self.lost()
        self.place += 1

    def end(self) -> None:
        if self.tokens[self.place][0] != "end":
            self.lost()

    def lost(self) -> NoReturn:
        before = " ".join(text for _, text in self.tokens[max(0, self.place - 2) : self.place])
        raise Unreadable("expression_unreadable", after=before, found=self.tokens[self.place][1])
