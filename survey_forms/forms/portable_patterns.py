"""Regular expressions as a browser reads them: the same texts fit, or the pattern is not carried over at all.

RE2 takes time linear in the text; a browser goes back and tries again. So besides what the two read differently, a
pattern is left to the server when trying again could take a phone long.
"""

import re
from dataclasses import dataclass, field

MOST_TRIES = 10_000_000
"""Ways to divide the longest text among the pattern's repetitions; a phone goes through so many in a blink or two."""
_LONGEST_TEXT = 2_000
_PIECE = re.compile(r"\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\.|\(\?:|\{\d{1,4}(?:,\d{0,4})?\}|.", re.DOTALL | re.ASCII)
_REPETITION = re.compile(r"[*+?]|\{(\d+)(,?)(\d*)\}", re.ASCII)
_SYNTAX = frozenset("^$\\.*+?()[]{}|/")
_CLASSES = frozenset({r"\d", r"\D", r"\w", r"\W", r"\s"})
_NOTHING = frozenset({"", "^", "$", "(", "(?:", "|"})
_BLANKS = r"\t\n\f\r "


def pattern_for_browsers(written: str) -> str | None:
    """A pattern that `compile_pattern` accepts, for JavaScript's flag `u`; None where the two could differ."""
    reading = _Reading()
    for piece in _PIECE.findall(written):
        said = reading.said(piece)
        if said is None or reading.tries > MOST_TRIES:
            return None
        reading.done.append(said)
        reading.before = piece
    return "".join(reading.done)


@dataclass(slots=True)
class _Reading:
    """A pattern piece by piece; `groups` says of each open group, `closed` of the last closed, whether it varies."""

    done: list[str] = field(default_factory=list)
    before: str = ""
    within: bool = False
    tries: int = 1
    groups: list[bool] = field(default_factory=list)
    closed: bool = False

    def said(self, piece: str) -> str | None:
        """The piece as JavaScript writes it."""
        if self.within:
            self.within = piece != "]"
            return None if piece == "-" and self.before in _CLASSES else _in_class(piece)
        repetition = _REPETITION.fullmatch(piece)
        if repetition is not None:
            return self.repeated(piece, _lengths(repetition, piece), once=piece in {"?", "{0,1}", "{1}"})
        if piece in {"(", "(?:"}:
            self.groups.append(False)
        elif piece == ")":
            self.closed = self.groups.pop()
            self.vary(self.closed)
        elif piece == "|":
            self.vary(True)
        self.within = piece == "["
        return _outside(piece)

    def repeated(self, piece: str, lengths: int, *, once: bool) -> str | None:
        """A repetition; how eager it is does not matter for whole texts."""
        if _REPETITION.fullmatch(self.before):
            return "" if piece == "?" else None
        if self.before in _NOTHING or (self.before == ")" and self.closed and not once):
            return None  # nothing to repeat, or repetitions of repetitions
        self.tries *= lengths
        self.vary(lengths > 1)
        return piece

    def vary(self, varies: bool) -> None:  # noqa: FBT001 - a fact, no switch
        if self.groups:
            self.groups[-1] |= varies


def _lengths(repetition: re.Match[str], piece: str) -> int:
    """How many lengths a repetition can have."""
    if piece in {"*", "+"} or (repetition[2] and not repetition[3]):
        return _LONGEST_TEXT
    if piece == "?":
        return 2
    return int(repetition[3]) - int(repetition[1]) + 1 if repetition[2] else 1


def _outside(piece: str) -> str | None:
    if piece == ".":
        return r"[^\n]"
    if piece in {r"\s", r"\S"}:
        return f"[{'' if piece == chr(92) + 's' else '^'}{_BLANKS}]"
    return f"\\{piece}" if piece in {"]", "}"} else _escape(piece)


def _in_class(piece: str) -> str | None:
    if piece == r"\S":
        return None
    if piece == r"\s":
        return _BLANKS
    if piece == r"\-":
        return piece
    return f"\\{piece}" if piece in _SYNTAX - {"\\", "]", "^"} else _escape(piece)


def _escape(piece: str) -> str | None:
    """An escape as the flag `u` allows it: signs without a meaning stand for themselves."""
    sign = piece[1:2]
    if piece[0] != "\\" or len(piece) > 2:
        half = re.fullmatch(r"\\u[dD][89a-fA-F]..", piece)  # of a character beyond the first 65,536
        return None if half else piece
    if sign.isalnum() and sign.isascii():
        return piece if sign in "dDwWtnrf" else None
    return piece if sign in _SYNTAX else sign
