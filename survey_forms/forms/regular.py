"""Regular expressions for whole texts, matched in time linear in the text whatever the pattern is.

Forms bring their own patterns, and a backtracking engine (Python's as well as Java's) can be made to work for hours
on forty characters. So the pattern becomes Glushkov's automaton: its positions are the pattern's characters, and the
states are sets of positions, worked out as texts ask for them. What has no automaton (look-around, back references)
and what Java and Python read differently (classes within classes) is refused by its name.
"""

from collections.abc import Iterator

from survey_forms.forms.automaton import (
    MOST_POSITIONS,
    Built,
    Covers,
    Pattern,
    UnfitPattern,
    either,
    in_a_row,
    pattern_of,
    repeated,
)

LONGEST = 300
_DIGITS = "0123456789"
_WORD = frozenset(_DIGITS + "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SETS: dict[str, frozenset[str]] = {"d": frozenset(_DIGITS), "w": _WORD, "s": frozenset(" \t\n\x0b\f\r")}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_LINE_ENDS = frozenset("\n\r\u0085\u2028\u2029")
_HEX = {"x": 2, "u": 4}
_SYNTAX = frozenset("()[]{}*+?|^$.\\")


def compile_pattern(written: str) -> Pattern:
    """A pattern that states both ends (`^...$`) in each of its outermost alternatives.

    Raises:
        UnfitPattern: it does not, is wrong or too long, or uses what has no automaton.
    """
    if len(written) > LONGEST:
        raise UnfitPattern("long", str(LONGEST))
    return pattern_of(_Reader(written).whole())


class _Reader:
    """Recursive descent over the pattern's characters."""

    def __init__(self, written: str) -> None:
        self.written = written
        self.place = 0

    def whole(self) -> Built:
        built = self.alternatives(0)
        if self.place < len(self.written):
            raise UnfitPattern("wrong", self.written[self.place :])
        return built

    def alternatives(self, depth: int) -> Built:
        if depth > 20:
            raise UnfitPattern("long", self.written)
        ways = [self.sequence(depth)]
        while self.take("|"):
            ways.append(self.sequence(depth))
        return ways[0] if len(ways) == 1 else lambda automaton: either([way(automaton) for way in ways])

    def sequence(self, depth: int) -> Built:
        outermost = depth == 0
        if outermost and not self.take("^"):
            raise UnfitPattern("ends", self.written)
        pieces = list(self.pieces(depth))
        if outermost and not self.take("$"):
            raise UnfitPattern("ends" if self.peek() in {"", "|"} else "wrong", self.written[self.place :] or "$")
        return lambda automaton: in_a_row(automaton, pieces)

    def pieces(self, depth: int) -> Iterator[Built]:
        while self.peek() not in {"", "|", ")"} and not (depth == 0 and self.peek() == "$"):
            yield self.repeated(self.atom(depth))

    def atom(self, depth: int) -> Built:
        sign = self.next()
        if sign == "(":
            if self.take("?") and not self.take(":"):
                raise UnfitPattern("feature", f"(?{self.peek()}")
            inner = self.alternatives(depth + 1)
            if not self.take(")"):
                raise UnfitPattern("wrong", "(")
            return inner
        if sign == "[":
            covers = self.bracket()
        elif sign == ".":
            covers = _none_of(_LINE_ENDS)
        elif sign == "\\":
            covers = _stands_for(self.escape())
        elif sign in {"^", "$"}:
            raise UnfitPattern("feature", sign)
        elif sign in _SYNTAX - {"]", "}"}:
            raise UnfitPattern("wrong", sign)
        else:
            covers = _stands_for(sign)
        return lambda automaton: automaton.place(covers)

    def repeated(self, atom: Built) -> Built:
        sign = self.peek()
        if sign in {"*", "+", "?"}:
            self.place += 1
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        elif sign == "{":
            self.place += 1
            least, most = self.times()
        else:
            return atom
        if not self.take("?") and self.peek() == "+":  # a reluctant repetition matches the same whole texts
            raise UnfitPattern("feature", f"{sign}+")
        if self.peek() in {"*", "+", "?", "{"}:
            raise UnfitPattern("wrong", self.written[self.place :])
        return lambda automaton: repeated(automaton, atom, least, most)

    def times(self) -> tuple[int, int | None]:
        inside, closed, rest = self.written[self.place :].partition("}")
        self.place = len(self.written) - len(rest)
        least, comma, most = inside.partition(",")
        if not closed or not _is_count(least) or (comma and most and not _is_count(most)):
            raise UnfitPattern("wrong", "{" + inside)
        highest = int(least) if not comma else int(most) if most else None
        if int(least) > MOST_POSITIONS or (highest is not None and not int(least) <= highest <= MOST_POSITIONS):
            raise UnfitPattern("long", "{" + inside + "}")
        return int(least), highest

    def bracket(self) -> Covers:
        negated = self.take("^")
        singles: set[str] = set()
        ranges: list[tuple[str, str]] = []
        others: list[Covers] = []
        while not self.take("]"):
            one = self.next()
            if one == "[" or (one in "&-|~" and self.peek() == one):
                raise UnfitPattern("feature", f"[{one}")
            if one == "\\":
                escaped = self.escape()
                if not isinstance(escaped, str):
                    others.append(escaped)
                    continue
                one = escaped
            if self.peek() == "-" and self.written[self.place + 1 : self.place + 2] not in {"]", ""}:
                self.place += 1
                ranges.append((one, self.highest(one)))
            else:
                singles.add(one)
        if not (singles or ranges or others):
            raise UnfitPattern("wrong", "[]")
        return _bracketed(frozenset(singles), tuple(ranges), tuple(others), negated=negated)

    def highest(self, lowest: str) -> str:
        sign = self.next()
        high = self.escape() if sign == "\\" else sign
        if not isinstance(high, str) or high < lowest or sign == "[":
            raise UnfitPattern("wrong", f"{lowest}-{sign}")
        return high

    def escape(self) -> str | Covers:
        """The one character that is meant, or a set of them."""
        sign = self.next()
        if sign.lower() in _SETS:
            letters = _SETS[sign.lower()]
            return letters.__contains__ if sign.islower() else _none_of(letters)
        if sign in _HEX:
            code = self.written[self.place : self.place + _HEX[sign]]
            self.place += _HEX[sign]
            if len(code) != _HEX[sign] or not all(one in "0123456789abcdefABCDEF" for one in code):
                raise UnfitPattern("wrong", f"\\{sign}{code}")
            return chr(int(code, 16))
        if sign in _CONTROLS:
            return _CONTROLS[sign]
        if sign.isalnum():
            raise UnfitPattern("feature", f"\\{sign}")
        return sign

    def peek(self) -> str:
        return self.written[self.place : self.place + 1]

    def next(self) -> str:
        if self.place >= len(self.written):
            raise UnfitPattern("wrong", self.written[-1:])
        self.place += 1
        return self.written[self.place - 1]

    def take(self, sign: str) -> bool:
        found = self.peek() == sign
        self.place += found
        return found


def _is_count(words: str) -> bool:
    return words.isascii() and words.isdecimal() and len(words) <= 4


def _stands_for(meant: str | Covers) -> Covers:
    return (lambda letter: letter == meant) if isinstance(meant, str) else meant


def _none_of(letters: frozenset[str]) -> Covers:
    return lambda letter: letter not in letters


def _bracketed(
    singles: frozenset[str], ranges: tuple[tuple[str, str], ...], others: tuple[Covers, ...], *, negated: bool
) -> Covers:
    def covers(letter: str) -> bool:
        within = letter in singles or any(low <= letter <= high for low, high in ranges)
        return (within or any(other(letter) for other in others)) is not negated

    return covers
