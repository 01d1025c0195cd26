"""名次与奖项: places overall and within a group, and the prizes that go by place."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase

from survey_forms.numbers import competition_ranks, largest_remainder
from survey_forms.scheme.model import Prize, Scheme
from survey_forms.scoring.grade import by_rank


def group_of(scheme: Scheme, unit_class: str) -> str:
    """The ranking group of a class: the scheme's pattern that it matches, else the class itself."""
    patterns = scheme.ranking.groups if scheme.ranking else ()
    return next((pattern for pattern in patterns if fnmatchcase(unit_class, pattern)), unit_class)


def groups_of(scheme: Scheme, classes: Sequence[str]) -> dict[str, list[int]]:
    """Ranking group → places of its units in the list."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, unit_class in enumerate(classes):
        groups[group_of(scheme, unit_class)].append(place)
    return groups


def ranks_within(groups: Mapping[str, Sequence[int]], published: Sequence[Decimal]) -> list[int]:
    """Each unit's rank within its group."""
    ranks = [0] * len(published)
    for members in groups.values():
        for place, rank in zip(members, competition_ranks([published[one] for one in members]), strict=True):
            ranks[place] = rank
    return ranks


def prizes(scheme: Scheme, classes: Sequence[str], published: Sequence[Decimal]) -> list[str | None]:
    """Each unit's prize, or None: in the ratio that the scheme states, by rank among those who compete.

    Counts go by largest remainder, equal remainders to the better prize; equal scores share the better prize.
    """
    won: list[str | None] = [None] * len(published)
    contests: dict[tuple[str, ...], list[Prize]] = defaultdict(list)
    for prize in scheme.prizes:
        contests[prize.classes].append(prize)
    for patterns, offered in contests.items():
        for members in groups_of(scheme, classes).values():
            entered = [one for one in members if not patterns or _matches(classes[one], patterns)]
            names = [prize.name for prize in offered]
            counts = largest_remainder(len(entered), [prize.ratio for prize in offered])
            ranks = competition_ranks([published[one] for one in entered])
            for place, name in zip(entered, by_rank(names, counts, ranks), strict=True):
                won[place] = name
    return won


def _matches(unit_class: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(unit_class, pattern) for pattern in patterns)
