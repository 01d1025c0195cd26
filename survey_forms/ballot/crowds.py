"""What an answer may tell besides what was said: only what at least five answers of its stratum tell alike.

The roll knows who took part, in which weighting cell, by which mode and with which interviewer. An answer that were the
only one of its kind would be that person's. So the counting table, before it writes anything, merges the cells of a
stratum until each holds five answers, and forgets interviewers and modes that fewer share.

Merging is a rule over numbers alone, so the office works out the same merges from who took part (`merged_cells`).
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from survey_forms.ballot.envelope import About
from survey_forms.ballot.files import Opened

LEAST = 5
SEVERAL = "several"
"""The mode of answers whose own mode too few share."""

Key = TypeVar("Key", bound=Hashable)


def merged_cells(counts: Mapping[str, int], least: int = LEAST) -> dict[str, str]:
    """Each cell of one stratum → the cell whose name it goes under.

    Cells stand in byte order. One that is too small is joined by the next ones until the crowd is large enough; what
    is left over at the end joins the crowd before it. A crowd goes under the name of its first cell.

    Args:
        counts: answers by weighting cell; none of them 0.
        least: answers a crowd has at least, unless the stratum has fewer.
    """
    crowds: list[list[str]] = []
    held = least
    for cell in sorted(counts):
        if held >= least:
            crowds.append([])
            held = 0
        crowds[-1].append(cell)
        held += counts[cell]
    if held < least and len(crowds) > 1:
        last = crowds.pop()
        crowds[-1] += last
    return {cell: crowd[0] for crowd in crowds for cell in crowd}


def crowd_names(answered: Mapping[str, int], cells: Iterable[str], least: int = LEAST) -> dict[str, str]:
    """Each cell of one stratum → the cell under whose name its answers are counted; for whoever knows the turnout.

    A cell in which nobody answered goes with the next one in byte order that has answers, or the last one.

    Args:
        answered: who took part, by weighting cell.
        cells: all cells of the stratum.
        least: as `merged_cells`.
    """
    merged = merged_cells({cell: n for cell, n in answered.items() if n}, least)
    told = sorted(merged)
    return {
        cell: merged[next((one for one in told if one >= cell), told[-1])] if told else cell for cell in sorted(cells)
    }


def in_crowds(answers: Iterable[Opened], least: int = LEAST) -> list[Opened]:
    """The answers, each telling of itself only what at least `least` of its stratum tell alike."""
    told = list(answers)
    cells = Counter((one.stratum, one.envelope.about.wcell) for one in told)
    merged = {
        stratum: merged_cells({cell: n for (at, cell), n in cells.items() if at == stratum}, least)
        for stratum in {stratum for stratum, _ in cells}
    }
    told = [_telling(one, wcell=merged[one.stratum][one.envelope.about.wcell]) for one in told]
    told = _forget(
        told,
        lambda one: (one.stratum, one.envelope.about.wcell),
        lambda about: about.mode,
        lambda about: replace(about, mode=SEVERAL, interviewer=None),
        least,
    )
    return _forget(
        told,
        lambda one: (one.stratum, one.envelope.about.wcell, one.envelope.about.mode),
        lambda about: about.interviewer or 0,
        lambda about: replace(about, interviewer=None),
        least,
    )


def _telling(one: Opened, wcell: str) -> Opened:
    return replace(one, envelope=replace(one.envelope, about=replace(one.envelope.about, wcell=wcell)))


def _forget(
    answers: Sequence[Opened],
    inside: Callable[[Opened], Hashable],
    kind: Callable[[About], Key],
    forgotten: Callable[[About], About],
    least: int,
) -> list[Opened]:
    """Forget `inside` each crowd the kinds that too few tell, and as many more as those few need to be a crowd."""
    groups: dict[Hashable, Counter[Key]] = {}
    for one in answers:
        groups.setdefault(inside(one), Counter())[kind(one.envelope.about)] += 1
    lost = {crowd: _lost(counts, least) for crowd, counts in groups.items()}
    return [
        replace(one, envelope=replace(one.envelope, about=forgotten(one.envelope.about)))
        if kind(one.envelope.about) in lost[inside(one)]
        else one
        for one in answers
    ]


def _lost(counts: Counter[Key], least: int) -> set[Key]:
    """The smallest kinds, until together they are a crowd; none where every kind is one by itself."""
    lost: set[Key] = set()
    number = 0
    for kind, n in sorted(counts.items(), key=lambda item: (item[1], str(item[0]))):
        if n >= least and (not lost or number >= least):
            break
        lost.add(kind)
        number += n
    return lost
