"""Which units a respondent rates when there are too many for one sitting: balanced incomplete blocks.

A block is a few of the units. Any first blocks of the list hold each unit equally often, give or take one, and every
two units stand together about equally often, so that nobody's score hangs on whom they happened to be compared with.
A block is always the same for the same units, so its number is all that is kept beside a code.

Near-balanced incomplete blocks (John and Williams, Cyclic and Computer Generated Designs), made greedily: the next
unit is one that came least often, and of those the one least often beside the units that are in the block already.
Measured for 60 units by 20: the times that two units meet spread by 1.4 around 6.4, at random it would be 2.5.
"""

import hmac
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

from survey_forms.forms.model import Form
from survey_forms.refusal import Refused

CODES_A_BLOCK = 10
"""Who shares a block is the crowd that a respondent is lost in, for an answer tells its block."""


def rated_units(form: Form) -> tuple[str, ...]:
    """The units that a questionnaire asks about, each once, in its order: what `blocks` is made of."""
    return tuple(
        dict.fromkeys(question.unit for page in form.pages for question in page.questions if question.unit is not None)
    )


@lru_cache(maxsize=64)
def blocks(units: tuple[str, ...], per: int) -> tuple[tuple[str, ...], ...]:
    """As many blocks of `per` units as there are units; in each the units stand in their given order.

    Any first n of them hold each unit equally often ± 1, and so does the whole: exactly `per` times.

    Args:
        units: all units, in the questionnaire's order; no two alike.
        per: units a respondent rates; as many as there are units or more is one block of all.
    """
    number = len(units)
    if per >= number:
        return (units,)
    if per < 1:
        raise ValueError("a block has at least one unit")
    came = [0] * number
    beside = [[0] * number for _ in range(number)]
    made = []
    for _ in range(number):
        block: list[int] = []
        together = [0] * number  # how often each unit stood beside those of this block
        for _ in range(per):
            taken = set(block)
            least = min(
                (one for one in range(number) if one not in taken), key=lambda one: (came[one], together[one], one)
            )
            block.append(least)
            came[least] += 1
            for one, times in enumerate(beside[least]):
                together[one] += times
        for one in block:
            for other in block:
                beside[one][other] += one != other
        made.append(tuple(units[place] for place in sorted(block)))
    return tuple(made)


def block_units(units: Sequence[str], per: int | None, block: int | None) -> tuple[str, ...]:
    """The units that a code rates.

    Args:
        units: all units, in the questionnaire's order.
        per: the survey's units a respondent; None when everybody rates all.
        block: the code's block, from 0; None for all units.
    """
    if per is None or block is None:
        return tuple(units)
    made = blocks(tuple(units), per)
    return made[block % len(made)]


def blocks_for(codes: int, units: int, per: int) -> int:
    """How many blocks so many codes are dealt over: as many as give each at least ten codes.

    Args:
        codes: of one stratum.
        units: how many units there are.
        per: units a respondent rates.

    Raises:
        Refused: `too_few_for_blocks` where the blocks that hold every unit once would have fewer than ten codes each.
    """
    if per >= units:
        return 1
    least = -(-units // per)
    most = min(units, codes // CODES_A_BLOCK)
    if most < least:
        raise Refused("too_few_for_blocks", codes=codes, needed=least * CODES_A_BLOCK, units=units, per=per)
    return most


def deal(codes: int, used: Sequence[int]) -> list[int]:
    """The blocks of so many new codes of a stratum: afterwards all are used equally often ± 1, if they can be.

    Codes are drawn at random and listed cases stand in the order of their tickets, so the deal needs no chance itself.

    Args:
        codes: how many new ones.
        used: how many codes of the stratum each block has already.
    """
    times, dealt = list(used), []
    for _ in range(codes):
        least = min(range(len(times)), key=lambda block: (times[block], block))
        times[least] += 1
        dealt.append(least)
    return dealt


def block_of(order_key: bytes, blocks: int) -> int:
    """The block of a code that keeps it to itself: whoever has only the roll cannot tell which units its case rates.

    Args:
        order_key: of the code (`codes.order_key`).
        blocks: over how many blocks such codes are spread.
    """
    return int.from_bytes(hmac.digest(order_key, b"block", sha256)[:8], "big") % blocks
