"""Traits of a frame's members, and the weighting cell that they make.

A weighting cell is every combination of the traits that weights are made of, written `age=18-34|sex=f`: traits in byte
order of their names. People with the same text are exchangeable to every later step, so counts by cell are enough.
"""

import re
from collections.abc import Mapping

from survey_forms.refusal import Refused

LONGEST_CELL = 120
"""Bytes of a weighting cell: sealed boxes keep so much room for it, whatever it says."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,15}")
_FORBIDDEN = re.compile(r'[|=,"\\\0-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]')


def wcell_of(traits: Mapping[str, str], stratum: str) -> str:
    """The weighting cell of a member; the stratum itself where it has no traits.

    Raises:
        Refused: `trait_name_unfit`, `trait_level_unfit`, `traits_too_long`.
    """
    if not traits:
        return stratum
    for name, level in traits.items():
        if not _NAME.fullmatch(name):
            raise Refused("trait_name_unfit", name[:20])
        if not level.strip() or _FORBIDDEN.search(level):
            raise Refused("trait_level_unfit", name)
    cell = "|".join(f"{name}={traits[name]}" for name in sorted(traits))
    if len(cell.encode()) > LONGEST_CELL:
        raise Refused("traits_too_long", ", ".join(sorted(traits)), most=LONGEST_CELL)
    return cell


def traits_of(wcell: str) -> dict[str, str]:
    """The traits that a weighting cell was made of; none where it is a stratum."""
    if "=" not in wcell:
        return {}
    return dict(part.split("=", 1) for part in wcell.split("|"))
