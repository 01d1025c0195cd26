"""A finite population to draw from, made once per seed, whose true scores are known exactly.

Six groups are the strata (one of them is asked to the last person), 80 units are known to 0.6 to 60 % of the people.
Scores are whole, 1 to 10, and lean to the top; each person is lenient or strict with every unit, so scores of two
units go together; the old know more units, judge kinder, and answer
more often or, in the small groups, less often, so weights matter. Who knows a unit,
and which score he would give, is fixed: chance enters through the sample, through who answers, and through the
interviewer who is sent. Chance is numpy's PCG64 from a seed; nothing public depends on its stream.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survey_forms.sampling.frame import Frame, frame_of
from survey_forms.sampling.traits import wcell_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Scores = NDArray[np.int8]

UNITS = 80
LOW, HIGH = 1, 10
AGES = ("18-34", "35-54", "55+")
SEXES = ("f", "m")
INTERVIEWERS = (-1, 0, 0, 0, 0, 0, 0, 1)
"""What each interviewer adds to the scores that are told him; a village is sent one of them by lot."""


@dataclass(frozen=True, slots=True)
class Group:
    """A stratum: N members, n drawn, its share in the review, its kindness.

    `answers` is the rate at which it answers, `pull` how much readier the old are than the young (as log odds).
    """

    code: str
    members: int
    drawn: int
    share: float
    kindness: float
    answers: float
    pull: float


GROUPS = (
    Group("cppcc", 365, 170, 0.15, 0.5, 0.80, -0.6),
    Group("delegates", 318, 160, 0.15, 0.9, 0.86, -0.6),
    Group("deputies", 402, 190, 0.15, 0.6, 0.83, -0.6),
    Group("enterprises", 2400, 300, 0.15, -0.3, 0.57, 0.8),
    Group("residents", 12000, 1100, 0.30, 0.0, 0.44, 0.9),
    Group("supervisors", 64, 64, 0.10, 0.4, 1.0, 0.0),
)
RESIDENTS = 4  # their place among the groups


@dataclass(frozen=True, slots=True)
class Population:
    """N people in six groups; arrays of (N,) or (N, UNITS).

    `group`, `age`, `sex`, `village` are numbers from 0; a `wcell` is (group, age, sex) as one number. `knows` tells
    who can judge a unit, `latent` the score before it is rounded to a whole one, `answers` the chance of answering.
    """

    groups: tuple[Group, ...]
    group: Ints
    age: Ints
    sex: Ints
    village: Ints
    knows: Bools
    latent: Floats
    answers: Floats
    eligible: Bools
    frame: Frame

    @property
    def wcell(self) -> Ints:
        """The weighting cell of each person: group and age, of residents sex too, as one number."""
        sex = np.where(self.group == RESIDENTS, self.sex, 0)
        return (self.group * len(AGES) + self.age) * len(SEXES) + sex

    def scores(self, people: Ints, shift: Ints | int = 0) -> Scores:
        """Whole scores (n, UNITS) of some people, 0 where one does not know a unit; `shift` is an interviewer's."""
        told = self.latent[people] + np.reshape(shift, (-1, 1))
        return np.where(self.knows[people], np.clip(np.rint(told), LOW, HIGH), 0).astype(np.int8)

    def true_means(self, shifts: Sequence[int] = (0,)) -> tuple[Floats, Floats]:
        """The exact means of everybody who knows a unit, (UNITS,), and by group, (groups, UNITS).

        Over several interviewers' shifts it is the mean over interviewers who are sent to residents by lot.
        """
        inside = self.knows & self.eligible[:, None]
        everybody = np.arange(len(self.group))
        summed = np.zeros((len(self.groups), UNITS))
        for shift in shifts:
            told = self.scores(everybody, np.where(self.group == RESIDENTS, shift, 0))
            given = np.where(inside, told, 0)
            for number in range(len(self.groups)):
                summed[number] += given[self.group == number].sum(axis=0, dtype=np.int64) / len(shifts)
        known = np.stack([inside[self.group == number].sum(axis=0) for number in range(len(self.groups))])
        return summed.sum(axis=0) / known.sum(axis=0), summed / np.maximum(known, 1)

    def expected_ratings(self) -> Floats:
        """Ratings (groups, UNITS) that a draw of everybody's answers brings on average."""
        return np.stack(
            [
                (self.knows & self.eligible[:, None])[self.group == number].mean(axis=0) * group.drawn
                for number, group in enumerate(self.groups)
            ]
        )


def cell_names() -> list[tuple[str, str]]:
    """(stratum, weighting cell) of each weighting cell's number, as the product writes them.

    Only residents have a sex here: the other groups are too small for more cells.
    """
    return [
        (group.code, wcell_of({"age": age, "sex": sex} if place == RESIDENTS else {"age": age}, group.code))
        for place, group in enumerate(GROUPS)
        for age in AGES
        for sex in SEXES
    ]


def make_population(seed: int, *, villages: int = 0, ineligible: float = 0.0) -> Population:
    """A population from a seed.

    Args:
        seed: of numpy's PCG64.
        villages: how many the residents live in; 0: none. Neighbours judge alike.
        ineligible: share of the frame that has died or moved away, in the large groups.
    """
    chance = np.random.Generator(np.random.PCG64(seed))
    group = np.repeat(np.arange(len(GROUPS)), [one.members for one in GROUPS])
    people = len(group)
    age = chance.choice(len(AGES), people, p=[0.33, 0.39, 0.28])
    sex = chance.choice(len(SEXES), people)
    village = chance.integers(0, max(villages, 1), people)
    known_to = np.geomspace(0.006, 0.60, UNITS)[chance.permutation(UNITS)]
    curiosity = np.array([0.75, 1.0, 1.25])[age]
    knows = chance.random((people, UNITS)) < np.minimum(known_to * curiosity[:, None], 0.95)
    leniency = chance.normal(0, 0.8, people) + np.array([-0.35, 0.0, 0.4])[age] + 0.1 * sex
    leniency += np.array([one.kindness for one in GROUPS])[group]
    leniency += np.where(group == RESIDENTS, chance.normal(0, 0.8 if villages else 0.0, max(villages, 1))[village], 0)
    latent = 7.3 + chance.normal(0, 0.7, UNITS) + leniency[:, None] + chance.normal(0, 1.1, (people, UNITS))
    rate = np.array([min(one.answers, 0.999) for one in GROUPS])[group]
    pull = np.array([one.pull for one in GROUPS])[group]
    odds = rate / (1 - rate) * np.exp(pull * (age - 1) - 0.2 * sex * (group == RESIDENTS))
    answers = np.where(rate > 0.99, 1.0, odds / (1 + odds))
    large = np.isin(group, [place for place, one in enumerate(GROUPS) if one.members > 1000])
    eligible = ~(large & (chance.random(people) < ineligible))
    frame = frame_of(("", GROUPS[number].code, f"p{person:06d}") for person, number in enumerate(group))
    return Population(GROUPS, group, age, sex, village, knows, latent, answers, eligible, frame)
