"""The XPath that questionnaires use, compiled once to closures over a `State`.

Kinds are known when compiled, so what the ODK engines answer differently (an emptiness test by `not(x)`, a
date compared with bare text, a condition stored as a value, a regex without ends) is refused there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from survey_forms.forms.calls import called
from survey_forms.forms.lists import Listing, Lists, Rows, fitting, named
from survey_forms.forms.operations import Compiled, Node, Unreadable, constant, joined, negated, single
from survey_forms.forms.paths import path_value, resolved
from survey_forms.forms.scalars import Expression, State
from survey_forms.forms.tokens import Token, read_tokens

DEEPEST = 30
NO_LISTS = Lists()

_BINDING = {
    "or": 1, "and": 2, "=": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "div": 6, "mod": 6,
}  # fmt: skip
_NEGATION = 7
_ITEMS = "/root/item"
_OF_CONTEXT = {"string-length", "normalize-space"}


@dataclass(frozen=True, slots=True)
class Itemset:
    """What a select offers: a list, the rows that fit now (None: all of them) and the seed of their order."""

    listing: str
    rows: Rows | None
    slots: frozenset[int]
    shuffled: bool = False
    seed: Expression | None = None
    predicates: tuple[Compiled, ...] = ()


def compile_expression(source: str, nodes: Mapping[str, Node], context: str, lists: Lists = NO_LISTS) -> Compiled:
    """One expression over the form's nodes (`/data/group/name` → node), as seen from the node `context`.

    Raises:
        Unreadable: The expression is wrong, or asks for what this evaluator does not have.
    """
    parser = _Parser(read_tokens(source), nodes, context, lists)
    whole = parser.expression(0, 0)
    parser.end()
    single(whole)
    return whole


def compile_condition(source: str, nodes: Mapping[str, Node], context: str, lists: Lists = NO_LISTS) -> Compiled:
    """As `compile_expression`, for a yes or no; anything else is refused."""
    whole = compile_expression(source, nodes, context, lists)
    if whole.kind != "boolean":
        raise Unreadable("expression_not_condition")
    return whole


def compile_value(source: str, nodes: Mapping[str, Node], context: str, lists: Lists = NO_LISTS) -> Compiled:
    """As `compile_expression`, for a value to keep; the engines store a bare condition as 1 or as true."""
    whole = compile_expression(source, nodes, context, lists)
    if whole.kind == "boolean":
        raise Unreadable("expression_condition_as_value")
    return whole


def compile_itemset(source: str, nodes: Mapping[str, Node], context: str, lists: Lists) -> Itemset:
    """The choices of a select: `instance('x')/root/item[...]`, inside `randomize(..., seed)` if they are shuffled.

    Raises:
        Unreadable: As `compile_expression`; the choices come from other answers; the list is not in the form.
    """
    parser = _Parser(read_tokens(source), nodes, context, lists)
    if parser.text == "randomize":
        parser.take()
        parser.expect("(")
        itemset = parser.items()
        seed = None
        if parser.text == ",":
            parser.take()
            seed = parser.expression(0, 0)
            single(seed)
        parser.expect(")")
        slots = itemset.slots | (seed.slots if seed else frozenset())
        itemset = replace(itemset, slots=slots, shuffled=True, seed=seed.run if seed else None)
    else:
        itemset = parser.items()
    parser.end()
    return itemset


class _Parser:
    """Precedence climbing; each method returns what it read, compiled."""

    def __init__(self, tokens: Sequence[Token], nodes: Mapping[str, Node], context: str, lists: Lists) -> None:
        self.tokens = tokens
        self.nodes = nodes
        self.context = context
        self.lists = lists
        self.place = 0
        self.listing: Listing | None = None  # inside a predicate: whose columns bare names are

    @property
    def text(self) -> str:
        return self.tokens[self.place].text

    def expression(self, binding: int, depth: int) -> Compiled:
        if depth > DEEPEST:
            raise Unreadable("expression_too_long", limit=DEEPEST)
        left = self.operand(depth)
        while self.tokens[self.place].sort != "literal" and (power := _BINDING.get(self.text, 0)) > binding:
            sign = self.take()
            left = joined(sign, left, self.expression(power, depth + 1))
        return left

    def operand(self, depth: int) -> Compiled:
        sort, text = self.tokens[self.place].sort, self.text
        if sort == "name":
            return self.name(depth)
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

    def name(self, depth: int) -> Compiled:
        name = self.take()
        if self.text != "(":
            return self.column(name)
        if name == "current":
            return self.current()
        if name == "instance":
            self.place -= 1
            return self.looked_up()
        self.take()
        given: list[Compiled] = []
        while self.text != ")" or given:
            given.append(self.expression(0, depth + 1))
            if self.text != ",":
                break
            self.take()
        self.expect(")")
        if not given and name in _OF_CONTEXT:
            given = [self.node(".")]
        if name == "version" and not given:
            return constant(self.lists.version, "string")
        return self.choice_name(given) if name == "jr:choice-name" else called(name, given)

    def choice_name(self, given: list[Compiled]) -> Compiled:
        """The select is named by a text, because the function wants the question and not its answer."""
        if len(given) != 2:
            raise Unreadable("expression_arity", function="jr:choice-name", wanted="2", got=len(given))
        written = (given[1].literal or "").strip()
        path = resolved(written, self.context)
        if path not in self.lists.wordings:
            raise Unreadable("expression_choice_name", name=written.rsplit("/", 1)[-1])
        single(given[0])
        return named(self.lists.wordings[path], given[0])

    def current(self) -> Compiled:
        """`current()/../name`: as seen from the question, also inside a predicate."""
        self.expect("(")
        self.expect(")")
        path = self.take() if self.tokens[self.place].sort == "path" else ""
        if not path.startswith("/"):
            return self.node(".", predicate=False)
        return self.node(f".{path}", predicate=False)

    def looked_up(self) -> Compiled:
        """`instance('list')/root/item[...]/column`: the value in the row that fits; all for sum() and count()."""
        start = self.listing
        itemset = self.items()
        listing = self.lists.listings[itemset.listing]
        self.listing = start
        fits = itemset.rows or (lambda _: range(len(listing.rows)))
        by_row = start is not None
        if self.tokens[self.place].sort != "path":
            return Compiled(
                lambda _: "",
                "string",
                ("instance",),
                itemset.slots,
                values=lambda state: [""] * len(fits(state)),
                many=True,
                by_row=by_row,
            )
        column = self.column_of(listing, self.take().removeprefix("/"))

        def first(state: State) -> str:
            rows = fits(state)
            return listing.rows[rows[0]][column] if rows else ""

        def values(state: State) -> list[str]:
            return [listing.rows[row][column] for row in fits(state)]

        return Compiled(first, "string", ("instance",), itemset.slots, values=values, by_row=by_row)

    def items(self) -> Itemset:
        """A list's items and their predicates; the path behind them is left to the caller."""
        if self.tokens[self.place].sort == "path":
            raise Unreadable("expression_choices_from_answers")
        if self.take() != "instance" or self.text != "(":
            self.place -= 1
            self.lost()
        self.take()
        name = self.take()[1:-1]
        self.expect(")")
        listing = self.lists.listings.get(name)
        if listing is None:
            raise Unreadable("expression_list_unknown", name=name)
        path = self.take()
        if not path.startswith(_ITEMS) or path[len(_ITEMS) :].count("/") > 1:
            self.place -= 1
            self.lost()
        if path != _ITEMS:  # a column without a predicate: the caller reads it
            self.place -= 1
            rest = Token("path", path[len(_ITEMS) :], self.tokens[self.place].at)
            self.tokens = [*self.tokens[: self.place], rest, *self.tokens[self.place + 1 :]]
        predicates = []
        around, self.listing = self.listing, listing
        while self.text == "[":
            self.take()
            predicate = self.expression(0, 1)
            single(predicate)
            if predicate.kind != "boolean":
                raise Unreadable("expression_predicate")
            predicates.append(predicate)
            self.expect("]")
        self.listing = around
        slots = frozenset[int]().union(*(one.slots for one in predicates))
        return Itemset(name, fitting(listing, predicates) if predicates else None, slots, predicates=tuple(predicates))

    def column(self, name: str) -> Compiled:
        """A bare name: a column of the list inside a predicate, else nothing."""
        if self.listing is None:
            raise Unreadable("expression_bare_name", name=name)
        column = self.column_of(self.listing, name)
        return Compiled(lambda state: state.row[column], "string", ("column", column), by_row=True, column=column)

    def column_of(self, listing: Listing, name: str) -> int:
        if name not in listing.columns:
            raise Unreadable("expression_column_unknown", name=name)
        return listing.columns.index(name)

    def node(self, path: str, *, predicate: bool = True) -> Compiled:
        if predicate and self.listing is not None and not path.startswith("/"):
            if path.count("/") != 1 or not path.startswith("./"):
                raise Unreadable("expression_predicate")
            return self.column(path[2:])
        if self.text == "[":
            raise Unreadable("expression_predicate")
        return path_value(path, self.nodes, self.context)

    def take(self) -> str:
        self.place += 1
        return self.tokens[min(self.place, len(self.tokens)) - 1].text

    def expect(self, text: str) -> None:
        if self.tokens[self.place].sort != "symbol" or self.text != text:
            self.lost()
        self.place += 1

    def end(self) -> None:
        if self.tokens[self.place].sort != "end":
            self.lost()

    def lost(self) -> NoReturn:
        found = self.tokens[min(self.place, len(self.tokens) - 1)]
        before = " ".join(token.text for token in self.tokens[max(0, self.place - 2) : self.place])
        raise Unreadable("expression_unreadable", after=before, found=found.text, position=found.at)
