"""The part of XPath that questionnaires use, compiled to closures."""

from collections.abc import Callable
from datetime import date

Scalar = float | str | bool | date
"""What an expression is worth; an empty or irrelevant node is the empty string."""


class State:
    """The form's nodes while one submission is read: values and relevance by slot, and the day it is."""

    __slots__ = ("relevant", "today", "values")

    def __init__(self, size: int, today: date) -> None:
        self.values: list[Scalar] = [""] * size
        self.relevant: list[bool] = [False] * size
        self.today = today


Expression = Callable[[State], Scalar]
Condition = Callable[[State], bool]
