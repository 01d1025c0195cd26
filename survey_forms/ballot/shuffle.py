"""A fair shuffle, with chance passed in: after it no order tells anything about the boxes."""

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def shuffled(things: Iterable[T], choose: Callable[[int], int]) -> list[T]:
    """The things in an order that is any of all orders alike (Fisher and Yates).

    Args:
        things: what to shuffle.
        choose: chance; `choose(k)` returns one of 0..k-1. In the count, `secrets.SystemRandom().randrange`.
    """
    order = list(things)
    for last in range(len(order) - 1, 0, -1):
        other = choose(last + 1)
        order[last], order[other] = order[other], order[last]
    return order
