"""How fieldwork stands: outcomes and response rates by stratum and mode, when it was tried, what each interviewer did.

Of answers nothing is known here: they are sealed until the count. All figures are of cases and attempts.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone
from itertools import groupby
from statistics import fmean, median

from sqlalchemy import Connection

from api.store import cases, fieldwork, paradata, surveys
from api.store.cases import CaseOutcome
from api.store.paradata import Tried
from survey_forms.estimation.outcomes import CLASSES, Rates, class_of, final_of, rates, sums
from survey_forms.fieldwork.plan import Plan

CHINA = timezone(timedelta(hours=8))
SHORT = 0.3
"""An interview is short below this share of the median of its mode (statistics.md section 7)."""

INTERVIEWS = frozenset({"I", "P"})
CONTACTS = frozenset({"I", "P", "R", "O"})


@dataclass(frozen=True, slots=True)
class Progress:
    """Cases of a stratum, a mode, or all: how many, how many were tried, their outcomes by class, their rates."""

    key: str
    cases: int
    worked: int
    counts: Mapping[str, int]
    plain: Rates
    weighted: Rates

    @property
    def all_known(self) -> bool:
        """Whether no case's eligibility is unknown: only then RR5 may be told."""
        return self.counts["UH"] + self.counts["UO"] == 0


@dataclass(frozen=True, slots=True)
class Interviewer:
    """What one interviewer did; `short`: share of their interviews, `seconds`: mean length of one."""

    id: int
    name: str
    attempts: int
    contacts: int
    completes: int
    refusals: int
    seconds: float | None
    short: float | None
    outside_hours: int
    overlapping: int
    lapsed: int

    @property
    def cooperation(self) -> float | None:
        """Completes of those whom they talked to about it."""
        asked = self.completes + self.refusals
        return self.completes / asked if asked else None


@dataclass(frozen=True, slots=True)
class Fieldwork:
    """Everything that a supervisor's page shows. Attempts by hour: weekday (0 Monday) and hour → (tries, contacts)."""

    total: Progress
    strata: list[Progress]
    modes: list[Progress]
    hours: Mapping[tuple[int, int], tuple[int, int]]
    interviewers: list[Interviewer]


def fieldwork_now(connection: Connection, survey_id: int) -> Fieldwork:
    """How a survey's fieldwork stands now."""
    outcomes = cases.outcomes_of(connection, survey_id)
    tries = paradata.attempts_in(connection, survey_id)
    weights = _base_weights(connection, survey_id, outcomes)
    tried = {one.case_id for one in tries}
    modes = _modes(tries)
    stages = paradata.stages_of(connection, survey_id)
    by_mode = {one.case_id: modes.get(one.case_id) or _untried(one, stages) for one in outcomes}

    def tell(key: str, some: Iterable[CaseOutcome]) -> Progress:
        return _progress(key, list(some), tried, weights)

    def each(key_of: Callable[[CaseOutcome], str]) -> list[Progress]:
        return [tell(key, some) for key, some in groupby(sorted(outcomes, key=key_of), key_of)]

    return Fieldwork(
        total=tell("", outcomes),
        strata=each(lambda one: one.stratum),
        modes=each(lambda one: by_mode[one.case_id]),
        hours=_hours(tries),
        interviewers=_interviewers(connection, survey_id, tries),
    )


def outside_hours(one: Tried, plan: Plan | None) -> bool:
    """Whether an attempt began or ended when the plan lets nobody be troubled. Without a plan none did."""
    if plan is None:
        return False
    ends = (one.began_at.astimezone(CHINA), one.ended_at.astimezone(CHINA))
    minutes = [end.hour * 60 + end.minute for end in ends]
    return minutes[0] < plan.calls_from or minutes[0] >= plan.calls_until or ends[0].date() != ends[1].date()


def overlaps(tries: Sequence[Tried]) -> list[tuple[Tried, Tried]]:
    """Pairs of interviews of one interviewer that went on at the same time: the later with the one that was on."""
    found = []
    mine = sorted(
        (one for one in tries if one.staff_id and is_interview(one)), key=lambda one: (one.staff_id or 0, one.began_at)
    )
    for _, some in groupby(mine, lambda one: one.staff_id):
        on: Tried | None = None
        for one in some:
            if on is not None and one.began_at < on.ended_at:
                found.append((one, on))
            if on is None or one.ended_at > on.ended_at:
                on = one
    return found


def is_interview(one: Tried) -> bool:
    """Whether an attempt ended in an interview, complete or partial."""
    return class_of(one.outcome) in INTERVIEWS


def medians(tries: Sequence[Tried]) -> dict[str, float]:
    """Mode → median length of its interviews in seconds."""
    lengths: dict[str, list[float]] = {}
    for one in tries:
        if is_interview(one) and one.staff_id:
            lengths.setdefault(one.mode, []).append(one.seconds)
    return {mode: median(seconds) for mode, seconds in lengths.items()}


def is_short(one: Tried, usual: Mapping[str, float]) -> bool:
    """Whether an interview is far shorter than those of its mode usually are."""
    return one.seconds < SHORT * usual[one.mode]


def _base_weights(connection: Connection, survey_id: int, outcomes: Sequence[CaseOutcome]) -> dict[int, float]:
    """Case → 1 / inclusion probability; N/n of its stratum where the draw did not tell one."""
    population = {one.code: one.population for one in surveys.strata_of(connection, survey_id)}
    drawn = Counter(one.stratum for one in outcomes)
    return {
        one.case_id: 1 / one.inclusion if one.inclusion else population[one.stratum] / drawn[one.stratum]
        for one in outcomes
    }


def _modes(tries: Sequence[Tried]) -> dict[int, str]:
    """Case → the mode of its strongest attempt, of equal ones the last."""
    by_case: dict[int, list[Tried]] = {}
    for one in tries:
        by_case.setdefault(one.case_id, []).append(one)
    found = {}
    for case_id, mine in by_case.items():
        strongest = final_of([one.outcome for one in mine])
        found[case_id] = [one.mode for one in mine if one.outcome == strongest][-1]
    return found


def _untried(one: CaseOutcome, stages: Mapping[int, str]) -> str:
    """The mode of a case without an attempt: that which has its file; `none` where it has none yet."""
    stage = stages.get(one.case_id, "none")
    return "web" if stage == "done" or class_of(one.outcome) in INTERVIEWS else stage


def _progress(key: str, some: Sequence[CaseOutcome], tried: set[int], weights: Mapping[int, float]) -> Progress:
    counted = Counter(class_of(one.outcome) for one in some)
    counts = {cls: counted[cls] for cls in CLASSES}
    weighted = sums((class_of(one.outcome), weights[one.case_id]) for one in some)
    worked = sum(one.case_id in tried or class_of(one.outcome) in INTERVIEWS for one in some)
    return Progress(key, len(some), worked, counts, rates(counts), rates(weighted))


def _hours(tries: Sequence[Tried]) -> dict[tuple[int, int], tuple[int, int]]:
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for one in tries:
        at = one.began_at.astimezone(CHINA)
        tried, met = found.get((at.weekday(), at.hour), (0, 0))
        found[at.weekday(), at.hour] = (tried + 1, met + (class_of(one.outcome) in CONTACTS))
    return found


def _interviewers(connection: Connection, survey_id: int, tries: Sequence[Tried]) -> list[Interviewer]:
    plan = fieldwork.plan_of(connection, survey_id)
    usual = medians(tries)
    lapsed = paradata.holds_of(connection, survey_id)
    twice = Counter(one.staff_id for one, _ in overlaps(tries))
    found = []
    for staff_id, name in paradata.hands_of(connection, survey_id).items():
        mine = [one for one in tries if one.staff_id == staff_id]
        talks = [one for one in mine if is_interview(one)]
        classes = Counter(class_of(one.outcome) for one in mine)
        found.append(
            Interviewer(
                id=staff_id,
                name=name,
                attempts=len(mine),
                contacts=sum(classes[cls] for cls in CONTACTS),
                completes=len(talks),
                refusals=classes["R"],
                seconds=fmean(one.seconds for one in talks) if talks else None,
                short=fmean(is_short(one, usual) for one in talks) if talks else None,
                outside_hours=sum(outside_hours(one, plan) for one in mine),
                overlapping=twice[staff_id],
                lapsed=lapsed.get(staff_id, 0),
            )
        )
    return found
