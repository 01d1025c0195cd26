"""Glushkov's automaton of a pattern: positions, what may follow each, and matching in linear time.

The states are sets of positions; they are worked out as texts ask for them, and kept up to a bound.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

MOST_POSITIONS = 600
_MOST_KEPT = 2_000

Covers = Callable[[str], bool]
"""Whether one position of a pattern stands for a character."""


class UnfitPattern(ValueError):
    """A pattern that cannot be used: `kind` is `ends`, `wrong`, `feature` or `long`; the words name the place."""

    def __init__(self, kind: str, words: str) -> None:
        self.kind, self.words = kind, words
        super().__init__(kind, words)


@dataclass(slots=True)
class Part:
    """A piece of the pattern: whether it may be empty, and the positions that it can begin and end with."""

    empty: bool
    first: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()


@dataclass(slots=True)
class Automaton:
    """The positions so far: what each stands for and which may come after it."""

    covers: list[Covers] = field(default_factory=list)
    follow: list[set[int]] = field(default_factory=list)

    def place(self, covers: Covers) -> Part:
        """One position more."""
        if len(self.covers) >= MOST_POSITIONS:
            raise UnfitPattern("long", str(MOST_POSITIONS))
        self.covers.append(covers)
        self.follow.append(set())
        only = frozenset((len(self.covers) - 1,))
        return Part(False, only, only)

    def joined(self, one: Part, other: Part) -> Part:
        """One piece and then another."""
        for position in one.last:
            self.follow[position] |= other.first
        first = one.first | other.first if one.empty else one.first
        last = one.last | other.last if other.empty else other.last
        return Part(one.empty and other.empty, first, last)

    def again(self, part: Part) -> Part:
        """A piece as often as one likes, once at least."""
        for position in part.last:
            self.follow[position] |= part.first
        return part


Built = Callable[[Automaton], Part]
"""Adds a piece of the pattern to the automaton; called once for each time that the piece is repeated."""


@dataclass(slots=True)
class Pattern:
    """A compiled pattern; safe to use from several threads."""

    _covers: tuple[Covers, ...]
    _follow: tuple[frozenset[int], ...]
    _first: frozenset[int]
    _last: frozenset[int]
    _empty: bool
    _next: dict[tuple[frozenset[int], str], frozenset[int]] = field(default_factory=dict)
    _ahead: dict[frozenset[int], frozenset[int]] = field(default_factory=dict)

    def matches(self, text: str) -> bool:
        """Whether the whole text is one that the pattern describes."""
        if not text:
            return self._empty
        state = self._step(self._first, text[0])
        for letter in text[1:]:
            if not state:
                return False
            known = self._next.get((state, letter))
            if known is None:
                known = self._remember(state, letter)
            state = known
        return not state.isdisjoint(self._last)

    def _step(self, candidates: frozenset[int], letter: str) -> frozenset[int]:
        return frozenset(position for position in candidates if self._covers[position](letter))

    def _remember(self, state: frozenset[int], letter: str) -> frozenset[int]:
        if len(self._next) > _MOST_KEPT:
            self._next.clear()
            self._ahead.clear()
        ahead = self._ahead.get(state)
        if ahead is None:
            ahead = frozenset().union(*(self._follow[position] for position in state))
            self._ahead[state] = ahead
        reached = self._step(ahead, letter)
        self._next[state, letter] = reached
        return reached


def pattern_of(build: Built) -> Pattern:
    """The automaton of a whole pattern, ready to match."""
    automaton = Automaton()
    part = build(automaton)
    follow = tuple(frozenset(ahead) for ahead in automaton.follow)
    return Pattern(tuple(automaton.covers), follow, part.first, part.last, part.empty)


def either(ways: Sequence[Part]) -> Part:
    """One of several pieces."""
    first: frozenset[int] = frozenset().union(*(way.first for way in ways))
    last: frozenset[int] = frozenset().union(*(way.last for way in ways))
    return Part(any(way.empty for way in ways), first, last)


def in_a_row(automaton: Automaton, pieces: Sequence[Built]) -> Part:
    """Piece after piece."""
    whole = Part(True)
    for piece in pieces:
        whole = automaton.joined(whole, piece(automaton))
    return whole


def repeated(automaton: Automaton, atom: Built, least: int, most: int | None) -> Part:
    """`least` in a row, then as many as may follow, each one inside the last so that few positions follow another."""
    if most is None:
        tail = automaton.again(atom(automaton))
        least, tail.empty = max(least - 1, 0), tail.empty or least == 0
    else:
        tail = Part(True)
        for _ in range(most - least):
            tail = automaton.joined(atom(automaton), tail)
            tail.empty = True
    whole = Part(True)
    for _ in range(least):
        whole = automaton.joined(whole, atom(automaton))
    return automaton.joined(whole, tail)
