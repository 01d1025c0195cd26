"""What may not be claimed of an evaluation's figures, with the reason: said beside every picture, table and file.

Only what is shown is named: which hidden figures rest on too few persons is not told (statistics.md, 6 and 8).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from api.actions.concealed import GIVES_AWAY, NOT_MEASURED
from api.actions.covariances import covariances_in_use
from api.actions.report import GroupResult, Report, UnitResult, Withheld
from api.actions.response_rates import RateLine
from api.actions.weights_in_use import weights_in_use
from api.problems import say
from api.store import surveys, tallies, weightings
from survey_forms.refusal import Fault
from survey_forms.scheme.load import load_scheme

SURE = 0.9
"""Below this probability of its grade a unit is said to be borderline (statistics.md, section 6)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence by its code, with its facts in each language."""

    code: str
    zh: Mapping[str, str] = field(default_factory=dict)
    en: Mapping[str, str] = field(default_factory=dict)

    def said(self, language: str) -> str:
        """The sentence in a language."""
        return say(Fault(self.code, "", self.en if language == "en" else self.zh), language)


def claims_of(connection: Connection, report: Report, rates: Iterable[RateLine]) -> list[Claim]:
    """What may not be claimed of a report, the most particular first; empty while it shows nothing."""
    if not report.units and not report.estimates:
        return []
    return [
        *_of_units(report),
        *_of_groups(report.estimates),
        *_of_response(rates),
        *_of_weights(connection, report),
        Claim("claim_years"),
        Claim("claim_counts"),
    ]


def _of_units(report: Report) -> Iterator[Claim]:
    scheme = load_scheme(report.evaluation.scheme)
    bands: defaultdict[tuple[str, int], list[UnitResult]] = defaultdict(list)
    for one in report.units:
        bands[one.ranking_group, one.band].append(one)
    tied = [units for units in bands.values() if len(units) > 1]
    yield from _listed(
        "claim_tied",
        [
            ("、".join(one.unit.name_zh for one in units), ", ".join(one.unit.name_en for one in units))
            for units in tied
        ],
    )
    for code, why in (("claim_not_measured", NOT_MEASURED), ("claim_gives_away", GIVES_AWAY)):
        yield from _listed(code, [_name(one) for one in report.withheld if one.why == why])
    yield from _listed("claim_group_below_ten", [_name(one) for one in report.units if "group_below_ten" in one.flags])
    english = {one.name: one.en or one.name for one in scheme.grades}
    unsure = [one for one in report.units if one.grade_probability is not None and one.grade_probability < SURE]
    yield from _listed("claim_borderline", [_chances(one, english) for one in unsure])
    by_rank = scheme.left_out_of("grade_shares") or any(grade.share is not None for grade in scheme.grades)
    if by_rank and any(one.grades for one in report.units):
        yield Claim("claim_stability")
    yield from _listed("claim_caps", [_name(one) for one in report.units if one.cut_by_cap])


def _of_groups(estimates: Iterable[GroupResult]) -> Iterator[Claim]:
    listed = list(estimates)
    few = [one for one in listed if "few_raters" in one.flags]
    yield from _listed(
        "claim_few_raters",
        [(f"{one.unit.name_zh}（{one.group_zh}）", f"{one.unit.name_en} ({one.group_en})") for one in few],
    )
    census = {one.group: (one.group_zh, one.group_en) for one in listed if "census" in one.flags}
    yield from _listed("claim_census", list(census.values()))


def _of_response(rates: Iterable[RateLine]) -> Iterator[Claim]:
    """The group that answered least, for the intervals do not show those who did not."""
    groups = [one for one in rates if one.stratum is None and one.rates.rr3 is not None]
    if groups:
        least = min(groups, key=lambda one: one.rates.rr3 or 0.0)
        rate = f"{100 * (least.rates.rr3 or 0.0):.1f}%"
        yield Claim(
            "claim_nonresponse", {"group": least.group_zh, "rate": rate}, {"group": least.group_en, "rate": rate}
        )


def _of_weights(connection: Connection, report: Report) -> Iterator[Claim]:
    ids = surveys.surveys_of(connection, report.evaluation.id)
    in_use = [weights_in_use(connection, one) for one in ids if tallies.version_of(connection, one)]
    if any(one.outdated for one in in_use):
        yield Claim("claim_weights_outdated")
    elif any(one.weights is None for one in in_use):
        yield Claim("claim_unweighted")
    for one in ids:
        known = weightings.covariances_of(connection, one)
        if tallies.version_of(connection, one) and (
            not known or known.keys() != covariances_in_use(connection, one).keys()
        ):
            yield Claim("claim_independent")
            break
    if len({one.survey_id for one in report.estimates if one.n or one.hidden}) > 1:
        yield Claim("claim_surveys_independent")


def _listed(code: str, things: Sequence[tuple[str, str]]) -> Iterator[Claim]:
    """A claim about things, named in Chinese and English; none where there are no things."""
    if things:
        yield Claim(code, {"about": "；".join(zh for zh, _ in things)}, {"about": "; ".join(en for _, en in things)})


def _name(one: UnitResult | Withheld) -> tuple[str, str]:
    return one.unit.name_zh, one.unit.name_en


def _chances(one: UnitResult, english: Mapping[str, str]) -> tuple[str, str]:
    """A unit with the probability of each grade that it may well have."""
    likely = [(name, f"{100 * share:.0f}%") for name, share in one.grades if share >= 0.005]
    zh = "，".join(f"{name} {share}" for name, share in likely)
    en = ", ".join(f"{english.get(name, name)} {share}" for name, share in likely)
    return f"{one.unit.name_zh}（{zh}）", f"{one.unit.name_en} ({en})"
