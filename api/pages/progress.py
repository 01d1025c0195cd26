"""How far a round has come: answers by group, and what waits for somebody's decision."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from api.pages.charts import Share, share_chart
from api.pages.render import named, t
from api.pages.ui import percent, whole
from api.store import findings, indicators, ledger, roll, surveys, tallies
from api.store.surveys import Group
from survey_forms.scheme.model import Scheme


@dataclass(frozen=True, slots=True)
class GroupProgress:
    """One respondent group: codes issued, answers in, answers counted."""

    group: Group
    issued: int
    spent: int
    counted: int

    @property
    def rate(self) -> float | None:
        """The response rate: answers in by codes issued, all of them counted as eligible (AAPOR RR1)."""
        return self.spent / self.issued if self.issued else None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a second person."""

    findings: int
    batches: int
    reversals: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.findings + self.batches + self.reversals


def groups_in_order(connection: Connection, survey_id: int, scheme: Scheme) -> list[Group]:
    """A survey's groups as the document lists the components that they feed."""
    places = {path: place for place, path in enumerate(scheme.by_path)}
    return sorted(surveys.groups_of(connection, survey_id), key=lambda one: places.get(one.component, len(places)))


def progress_of(connection: Connection, evaluation_id: int, scheme: Scheme) -> list[GroupProgress]:
    """Every respondent group of the evaluation's latest survey; empty before there is one."""
    survey_ids = surveys.surveys_of(connection, evaluation_id)
    if not survey_ids:
        return []
    latest = survey_ids[-1]
    codes = roll.codes_by_group(connection, latest)
    counted = tallies.respondents_by_stratum(tallies.respondents_of(connection, latest))
    by_group: dict[str, int] = {}
    for stratum in surveys.strata_of(connection, latest):
        by_group[stratum.group] = by_group.get(stratum.group, 0) + counted.get(stratum.code, 0)
    return [
        GroupProgress(group, *codes.get(group.code, (0, 0)), by_group.get(group.code, 0))
        for group in groups_in_order(connection, latest, scheme)
    ]


def waiting_in(connection: Connection, evaluation_id: int) -> Waiting:
    """What waits for a second person in this evaluation."""
    return Waiting(
        findings=len(findings.findings_in(connection, evaluation_id, filed=True, most=1000)),
        batches=sum(batch.status == "filed" for batch in indicators.batches_of(connection, evaluation_id)),
        reversals=sum(one.status == "asked" for one in ledger.requests_in(connection, evaluation_id)),
    )


def response_chart(groups: Sequence[GroupProgress]) -> str:
    """The response rates as a picture."""
    spent, issued = sum(one.spent for one in groups), sum(one.issued for one in groups)
    return share_chart(
        [Share(named(one.group), one.spent, one.issued, f"{whole(one.spent)} / {whole(one.issued)}") for one in groups],
        t("各群体应答率", "Response rate by group"),
        t(
            f"共发码 {issued} 份，收到 {spent} 份，应答率 {percent(spent / issued if issued else None)}。",
            f"{spent} answers to {issued} codes, a response rate of {percent(spent / issued if issued else None)}.",
        ),
    )
