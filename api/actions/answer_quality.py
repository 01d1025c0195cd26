"""What the counted answers show of careless or invented interviews. Only the worker reads answers, after the count.

Nothing of an answer is written beside its mark: how many items, how many equal answers, never which.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean
from uuid import UUID

from sqlalchemy import Connection

from api.actions.tally import form_of_version
from api.store import flags, rounds, tallies
from api.store.flags import Answered, Flag
from api.store.windows import window_of
from survey_forms.estimation.overall import HUNDREDTHS, OVERALL, overall
from survey_forms.estimation.quality import (
    LEVEL,
    Moments,
    is_flat,
    moments,
    more_than_usual,
    outliers,
    variance,
    vector_digest,
)
from survey_forms.forms.answers import ratings
from survey_forms.forms.model import Answers, Form

FEWEST_TOLD = 10
"""Fewer answers are never told apart (survey_forms/disclosure.py)."""


@dataclass(frozen=True, slots=True)
class Rated:
    """One person's ratings: places on the scale, points, choices by question, and how many were 不了解."""

    steps: Sequence[int]
    points: Sequence[int]
    choices: Sequence[tuple[str, str]]
    unknown: int


@dataclass(slots=True)
class _Looked:
    """What was seen in all answers so far."""

    flat: dict[UUID, int] = field(default_factory=dict)
    copies: dict[bytes, list[UUID]] = field(default_factory=dict)
    flat_by: Counter[int] = field(default_factory=Counter)
    scores: dict[int, list[float]] = field(default_factory=dict)
    unknown: dict[int, list[float]] = field(default_factory=dict)

    def add(self, one: Answered, rated: Rated) -> None:
        digest = vector_digest(rated.choices)
        if digest is not None:
            self.copies.setdefault(digest, []).append(one.id)
        flat = is_flat(rated.steps)
        if flat:
            self.flat[one.id] = len(rated.steps)
        if one.interviewer is not None and rated.points:
            self.flat_by[one.interviewer] += flat
            self.scores.setdefault(one.interviewer, []).append(fmean(rated.points))
            share = rated.unknown / (rated.unknown + len(rated.points))
            self.unknown.setdefault(one.interviewer, []).append(share)


def raise_answer_flags(connection: Connection, survey_id: int, now: datetime) -> int:
    """Look at all answers of a survey that is over and counted; before, nothing is looked at. Returns new marks."""
    window = window_of(connection, survey_id)
    if window is None or not window.is_over(now) or rounds.answers_uncounted(connection, [survey_id]):
        return 0
    looked, scales = _Looked(), dict[str, Scales]()
    for one in flags.answers_to_check(connection, survey_id):
        if one.form_version not in scales:
            scales[one.form_version] = scales_of(form_of_version(connection, one.form_version))
        looked.add(one, rated_by(scales[one.form_version], one.answers))
    new = flags.put_flags(connection, survey_id, [*_of_answers(looked), *_of_interviewers(looked)], now)
    flags.put_flags(connection, survey_id, [_both_results(connection, survey_id)], now)
    return new


Scales = Mapping[str, Mapping[str, tuple[int, int] | None]]
"""Question → choice → its place on the scale and its points; None: 不了解."""


def scales_of(form: Form) -> Scales:
    """The scales of a questionnaire's ratings."""
    found: dict[str, dict[str, tuple[int, int] | None]] = {}
    for question in (question for page in form.pages for question in page.questions if question.item):
        points = sorted({choice.points for choice in question.choices if choice.points is not None})
        found[question.name] = {
            choice.name: None if choice.points is None else (points.index(choice.points), choice.points)
            for choice in question.choices
        }
    return found


def rated_by(scales: Scales, answers: Mapping[str, object]) -> Rated:
    """The ratings among somebody's answers."""
    given = [
        (question, value, choices[value])
        for question, choices in scales.items()
        if isinstance(value := answers.get(question), str) and value in choices
    ]
    known = [(question, value, place) for question, value, place in given if place is not None]
    return Rated(
        steps=[step for _, _, (step, _) in known],
        points=[points for _, _, (_, points) in known],
        choices=[(question, value) for question, value, _ in known],
        unknown=len(given) - len(known),
    )


def _both_results(connection: Connection, survey_id: int) -> Flag:
    """How much each unit's mean (unweighted, in points) moves when the marked answers are left out.

    Told only where ten answers or more are marked and as many are left: of fewer, the difference would tell what
    they say.
    """
    whole: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for _, _, unit, item, n, s1, _ in tallies.cells_of(connection, survey_id):
        if item == OVERALL:
            whole[unit][0] += n
            whole[unit][1] += s1
    marked: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    number = 0
    for one in flags.answers_to_check(connection, survey_id, only_flagged=True):
        number += 1
        form = form_of_version(connection, one.form_version)
        for rating in overall(ratings(form, Answers(one.answers))):
            marked[rating.unit][0] += 1
            marked[rating.unit][1] += rating.points
    moved = {
        unit: (s1 - marked[unit][1]) / left / HUNDREDTHS - s1 / n / HUNDREDTHS
        for unit, (n, s1) in sorted(whole.items())
        if marked[unit][0] >= FEWEST_TOLD and (left := n - marked[unit][0]) >= FEWEST_TOLD
    }
    return Flag("both_results", "interviewer", "all", {"marked": number, "units": len(whole), "moved": moved})


def _of_answers(looked: _Looked) -> list[Flag]:
    found = [Flag("straight_lining", "response", str(one), {"items": items}) for one, items in looked.flat.items()]
    for alike in looked.copies.values():
        if len(alike) > 1:
            found += [Flag("duplicate", "response", str(one), {"alike": len(alike)}) for one in alike]
    return found


def _of_interviewers(looked: _Looked) -> list[Flag]:
    """Interviewers beside the others; an interviewer is known only where ten answers or more share one."""
    known = {who for who, scores in looked.scores.items() if len(scores) >= FEWEST_TOLD}
    flat = {who: (looked.flat_by[who], len(looked.scores[who])) for who in known}
    found = [
        Flag("straight_lining", "interviewer", str(who), {"flat": flat[who][0], "of": flat[who][1], "p": p})
        for who, p in more_than_usual(flat).items()
        if p < LEVEL
    ]
    for kind, values in (("mean_score", looked.scores), ("unknown_share", looked.unknown)):
        groups: dict[int, Moments] = {who: moments(some) for who, some in values.items() if who in known}
        found += [
            Flag(kind, "interviewer", str(one.key), {"mean": one.mean, "others": one.others, "z": one.z, "p": one.p})
            for one in outliers(groups)
            if one.stands_out
        ]
    effect = variance({who: moments(scores) for who, scores in looked.scores.items() if who in known})
    if effect.icc is not None:
        facts = {"icc": effect.icc, "deff": effect.deff, "interviewers": effect.groups, "answers": effect.n}
        found.append(Flag("interviewer_effect", "interviewer", "all", facts))
    return found
