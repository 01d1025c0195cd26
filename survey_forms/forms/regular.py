"""Regular expressions for whole texts, matched by RE2 in time linear in the text whatever the pattern is.

Forms bring their own patterns, and a backtracking engine (Python's as well as Java's) can be made to work for hours
on forty characters. What RE2 does not have (look-around, back references) is refused by its name, and so is what Java
reads in another way (classes within classes, Unicode's classes, flags), because phones would answer differently.
"""

import re
from collections.abc import Callable, Iterator

import re2

LONGEST = 300
_MEMORY = 1 << 20  # bytes; RE2 is slower beyond them, never wrong

_PIECE = re.compile(
    r"""(?P<escape>\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\.|\\)
    | (?P<special>\(\?(?!:)(?:<?[=!])?|\{(?!\d{1,4}(?:,\d{0,4})?\}))
    | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPES = frozenset("dDwWsStnrf")
_DOUBLED = frozenset("&-|~")


class UnfitPattern(ValueError):
    """A pattern that cannot be used: the sentence's code, and words that name the place."""

    def __init__(self, code: str, words: str) -> None:
        self.code, self.words = code, words
        super().__init__(code, words)


def compile_pattern(written: str) -> Callable[[str], bool]:
    """Whether a whole text is one that the pattern describes.

    The pattern states both ends (`^...$`) in each of its outermost alternatives: without them some engines search.

    Raises:
        UnfitPattern: it does not, is wrong or too long, or uses what is not here.
    """
    if len(written) > LONGEST:
        raise UnfitPattern("expression_regex_long", str(LONGEST))
    pieces = list(_pieces(written))
    for way in _outermost(pieces):
        if len(way) < 2 or way[0] != "^" or way[-1] != "$":
            raise UnfitPattern("expression_regex_ends", written)
    options = re2.Options()
    options.log_errors, options.never_capture, options.max_mem = False, True, _MEMORY
    try:
        fits = re2.compile("".join(pieces), options).fullmatch
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        raise UnfitPattern(
            "expression_regex_long" if "repetition size" in reason or "large" in reason else "expression_regex_wrong",
            reason,
        ) from error
    return lambda text: fits(text) is not None


def _pieces(written: str) -> Iterator[str]:
    """The pattern's signs and escapes as RE2 writes them."""
    within = False
    before = ""
    for match in _PIECE.finditer(written):
        piece = match[0]
        if match["escape"]:
            piece = _escaped(piece)
        elif match["special"] and not within:
            raise UnfitPattern("expression_regex_wrong" if piece == "{" else "expression_regex_feature", piece)
        elif within and (piece == "[" or (piece in _DOUBLED and piece == before)):
            raise UnfitPattern("expression_regex_feature", f"[{piece}")
        elif piece == "[":
            within = True
        elif piece == "]":
            if before in {"[", "[^"}:  # an empty class, or one that holds the bracket: engines differ
                raise UnfitPattern("expression_regex_wrong", f"{before}]")
            within = False
        before = "[^" if (before, piece) == ("[", "^") else piece
        yield piece


def _escaped(piece: str) -> str:
    sign = piece[1:2]
    if len(piece) > 2:
        return rf"\x{{{piece[2:]}}}"
    if sign.isalnum() and sign not in _ESCAPES:
        raise UnfitPattern("expression_regex_feature", piece)
    return piece


def _outermost(pieces: list[str]) -> Iterator[list[str]]:
    """The alternatives that no bracket encloses."""
    way: list[str] = []
    depth, within = 0, False
    for piece in pieces:
        if within:
            within = piece != "]"
        elif piece == "[":
            within = True
        elif piece in {"(", ")"}:
            depth += 1 if piece == "(" else -1
        elif piece == "|" and depth == 0:
            yield way
            way = []
            continue
        way.append(piece)
    yield way
