"""What a scheme file must hold beyond its types: weights that add up, bands that tile, references that exist.

Each function looks at one matter and names every fault of it. A table whose values could not be read is left
out of the further checks, so that one slip is named once.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

from survey_forms.numbers import HUNDRED, ZERO, plain
from survey_forms.scheme.check_left_out import faults_of_left_out
from survey_forms.scheme.check_records import fault_of_points, faults_of_records
from survey_forms.scheme.check_references import faults_of_references
from survey_forms.scheme.check_weights import faults_of_weights
from survey_forms.scheme.model import Aspect, Catalogue, Grade, Rule, Scheme, Terms
from survey_forms.scheme.tables import Reader
from survey_forms.scheme.tree import FREE, ancestors, supplied_weights

Say = Callable[..., None]

MOST_PLACES = 12
LONGEST_TERM = 366
"""Days; an evaluation is a year's."""
TERMS = ("objection_days", "explanation_days", "decision_days", "rectification_days", "reminder_days")

_ID = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_STEPS = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?")
_LEAP_YEAR = 2000
"""The days of this year are the days that a calendar can have."""


def faults_of(scheme: Scheme, reader: Reader) -> None:
    """Add every fault of the scheme to the reader's."""

    def say(code: str, where: str, key: str = "", **facts: object) -> None:
        if where not in reader.broken:
            reader.fault(code, where, key, **facts)

    _ids(scheme, say)
    _tree(scheme, say)
    _components(scheme, say)
    faults_of_weights(scheme, reader)
    faults_of_left_out(scheme, say)
    _grades(scheme, say)
    _prizes(scheme, say)
    _said(scheme, say)
    _dates(scheme, say)
    faults_of_references(scheme, say)
    faults_of_records(scheme, say)


def faults_of_catalogue(catalogue: Catalogue, reader: Reader) -> None:
    """Add every fault of the catalogue to the reader's."""
    _unique(catalogue.aspects, "id", reader.fault)
    _unique(catalogue.rules, "id", reader.fault)
    aspects = {aspect.id for aspect in catalogue.aspects}
    for rule in catalogue.rules:
        if (rule.aspect or aspects) and rule.aspect not in aspects:
            reader.fault("scheme_unknown_reference", rule.where, "aspect", value=rule.aspect)
        fault_of_points(rule, reader.fault)
    if catalogue.terms.where not in reader.broken:
        _terms(catalogue.terms, reader.fault)


def faults_against_scheme(catalogue: Catalogue, scheme: Scheme, reader: Reader) -> None:
    """Add what a catalogue says otherwise than its scheme: components, aspects, and caps, which are the scheme's.

    A composite is computed from the scheme file alone; a cap that stood in the catalogue only would never cut.
    """
    ruled: tuple[Aspect | Rule, ...] = (*scheme.aspects, *scheme.rules)
    stated: tuple[Aspect | Rule, ...] = (*catalogue.aspects, *catalogue.rules)
    caps = {(one.of, one.id): one.cap for one in ruled}
    for rule in catalogue.rules:
        found = scheme.by_path.get(rule.of)
        if found is None or "deductions" not in found.takes:
            reader.fault("scheme_unknown_reference", rule.where, "of", value=rule.of)
        aspects = {aspect.id for aspect in scheme.aspects if aspect.of == rule.of}
        if aspects and rule.aspect not in aspects:
            reader.fault("scheme_unknown_reference", rule.where, "aspect", value=rule.aspect)
    for one in stated:
        if one.cap is not None and one.cap != caps.get((one.of, one.id)):
            reader.fault("scheme_cap_not_the_schemes", one.where, "cap", value=plain(one.cap))


def _terms(terms: Terms, say: Say) -> None:
    """Every term is a day to a year, and a reminder comes before what it reminds of."""
    for key in TERMS:
        if not 1 <= getattr(terms, key) <= LONGEST_TERM:
            say("scheme_term", terms.where, key, most=LONGEST_TERM)
    if terms.reminder_days >= terms.rectification_days:
        say("scheme_term_reminder", terms.where, "reminder_days", rectification=terms.rectification_days)
    if terms.decision_days < terms.explanation_days:
        say("scheme_term_decision", terms.where, "decision_days", explanation=terms.explanation_days)


def _ids(scheme: Scheme, say: Say) -> None:
    """Ids are plain and used once."""
    for key in "classes", "aspects", "rules", "facts", "events", "bindings", "consequences", "rounds":
        entries = getattr(scheme, key)
        for entry in entries:
            if not _ID.fullmatch(entry.id):
                say("scheme_not_id", entry.where, "id", value=entry.id)
        if key != "aspects":
            _unique(entries, "id", say)
    _unique(scheme.components, "path", say)
    _unique(scheme.left_out, "path", say)
    _unique(scheme.grades, "name", say)
    _unique(scheme.prizes, "name", say)
    for of in {aspect.of for aspect in scheme.aspects}:
        _unique([aspect for aspect in scheme.aspects if aspect.of == of], "id", say)
    if not _ID.fullmatch(scheme.id):
        say("scheme_not_id", "", "id", value=scheme.id)


def _unique(entries: Sequence[Any], key: str, say: Say) -> None:
    seen: set[str] = set()
    for entry in entries:
        value = getattr(entry, key)
        if value in seen:
            say("scheme_duplicate", entry.where, key, value=value)
        seen.add(value)


def _tree(scheme: Scheme, say: Say) -> None:
    """Every component has its parent; a composite has components, and they have a composite."""
    for component in scheme.components:
        if not _STEPS.fullmatch(component.path):
            say("scheme_not_path", component.where, "path", value=component.path)
        elif component.parent and component.parent not in scheme.by_path:
            say("scheme_parent_missing", component.where, "path", value=component.path, parent=component.parent)
    if scheme.components and not scheme.composite:
        say("scheme_key_missing", "", "composite")
    if scheme.composite and not scheme.composite.scale and scheme.composite.where:
        say("scheme_not_positive", scheme.composite.where, "scale")
    if scheme.composite and not scheme.components:
        say("scheme_key_missing", "", "component")
    if scheme.composite and not scheme.rounding:
        say("scheme_key_missing", "", "rounding")
    if scheme.rounding and scheme.rounding.places > MOST_PLACES:
        say("scheme_places", scheme.rounding.where, "places")


def _components(scheme: Scheme, say: Say) -> None:
    """What a component says of itself fits together."""
    scale = scheme.composite.scale if scheme.composite else None
    supplied = supplied_weights(scheme)
    parents = {above for component in scheme.components for above in ancestors(component.path)}
    for one in scheme.components:
        alone = len(scheme.children(one.parent)) == 1
        if one.start is not None and (one.path in parents or one.minus):
            say("scheme_start_not_leaf", one.where, "start")
        if scale is not None and max(one.start or ZERO, one.floor or ZERO) > scale:
            say("scheme_outside_scale", one.where, "start", scale=plain(scale))
        if one.minus and (one.parent or one.path in parents or one.weight):
            say("scheme_minus_misplaced", one.where, "minus")
        if one.minus and (one.takes != ("deductions",) or one.floor is not None):
            say("scheme_minus_ledger", one.where, "takes")
        if one.start is not None and one.floor is not None and one.floor > one.start:
            say("scheme_floor_above_start", one.where, "floor")
        if one.key == FREE and not (alone and one.path in supplied and one.start is None):
            say("scheme_free_weight", one.where, "path", value=one.path)
        if one.cap is not None and not (one.minus or "deductions" in one.takes):
            say("scheme_cap_without_ledger", one.where, "cap")


def _grades(scheme: Scheme, say: Say) -> None:
    """Grades go by bands of the score or by shares of the ranked units."""
    by_share = scheme.left_out_of("grade_shares") or any(grade.share is not None for grade in scheme.grades)
    if scheme.grades and by_share:
        _grade_shares(scheme.grades, say)
    elif scheme.grades:
        _bands(scheme, say)


def _grade_shares(grades: Sequence[Grade], say: Say) -> None:
    """Shares leave one grade to take the rest."""
    if sum(grade.rest for grade in grades) != 1:
        say("scheme_one_rest", grades[0].where, "rest")
    shares = sum((grade.share or ZERO for grade in grades), ZERO)
    if shares > HUNDRED:
        say("scheme_weights_not_100", grades[0].where, "share", sum=plain(shares), listed="")
    for grade in grades:
        if grade.at_least is not None or grade.below is not None:
            say("scheme_band_and_share", grade.where, "at_least")


def _bands(scheme: Scheme, say: Say) -> None:
    """Bands tile the scale from the best down, open at both ends."""
    grades = scheme.grades
    for better, worse in pairwise(grades):
        if better.at_least is None or better.at_least != worse.below:
            facts = {"upper": better.name, "at_least": _shown(better.at_least)}
            say("scheme_bands_gap", worse.where, "below", lower=worse.name, below=_shown(worse.below), **facts)
    for grade in grades:
        if grade.rest:
            say("scheme_band_and_share", grade.where, "rest")
        if grade.at_least is not None and grade.below is not None and grade.at_least >= grade.below:
            say("scheme_band_empty", grade.where, "at_least", name=grade.name)
        bounds = [bound for bound in (grade.at_least, grade.below) if bound is not None]
        if scheme.composite and any(bound > scheme.composite.scale for bound in bounds):
            say("scheme_outside_scale", grade.where, "at_least", scale=plain(scheme.composite.scale))
    if grades[0].below is not None:
        say("scheme_band_open", grades[0].where, "below", name=grades[0].name)
    if grades[-1].at_least is not None:
        say("scheme_band_open", grades[-1].where, "at_least", name=grades[-1].name)


def _prizes(scheme: Scheme, say: Say) -> None:
    """Every prize has a share, and a class competes for one set of prizes only."""
    for prize in scheme.prizes:
        if not prize.ratio:
            say("scheme_not_positive", prize.where, "ratio")
    contests = dict.fromkeys(prize.classes for prize in scheme.prizes)
    for unit_class in scheme.classes:
        entered = [patterns for patterns in contests if not patterns or _matches(unit_class.id, patterns)]
        for prize in scheme.prizes if len(entered) > 1 else ():
            if prize.classes == entered[1]:
                say("scheme_prizes_overlap", prize.where, "classes", value=unit_class.id)


def _matches(unit_class: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(unit_class, pattern) for pattern in patterns)


def _shown(bound: object) -> str:
    return "-" if bound is None else str(bound)


def _said(scheme: Scheme, say: Say) -> None:
    """A reading stands beside the words it reads; every class ranks in one group."""
    for entry in _every_table(scheme):
        if entry.reading and not (entry.words or entry.says):
            say("scheme_reading_without_words", entry.where, "reading")
    if scheme.ranking:
        for unit_class in scheme.classes:
            found = [pattern for pattern in scheme.ranking.groups if fnmatchcase(unit_class.id, pattern)]
            if scheme.ranking.groups and len(found) != 1:
                say("scheme_ranking_groups", scheme.ranking.where, "groups", value=unit_class.id, count=len(found))


def _dates(scheme: Scheme, say: Say) -> None:
    """Days and months exist."""
    for day in scheme.calendar:
        if day.by and not _is_day(day.by):
            say("scheme_not_day", day.where, "by", value=day.by)
        if bool(day.by) == (day.within_days is not None):
            say("scheme_calendar", day.where, "by")
    for one in scheme.rounds:
        if not all(1 <= month <= 12 for month in one.months) or len(set(one.months)) < len(one.months):
            say("scheme_not_month", one.where, "months", value=str(list(one.months)))


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(f"{_LEAP_YEAR}-{text}").strftime("%m-%d") == text
    except ValueError:
        return False


def _every_table(scheme: Scheme) -> Iterable[Any]:
    for key in "components", "bindings", "grades", "prizes", "consequences", "notes":
        yield from getattr(scheme, key)
    for consequence in scheme.consequences:
        yield from consequence.when
    if scheme.ranking:
        yield scheme.ranking
