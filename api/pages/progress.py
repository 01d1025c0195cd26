"""How far a round has come: answers by group, and what waits for somebody's decision."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from api.actions.report import GroupProgress, read_progress
from api.pages.charts import Share, share_chart
from api.pages.render import t
from api.pages.ui import percent, whole
from api.store import closings, findings, indicators, ledger, surveys
from api.store.evaluations import Evaluation
from api.store.surveys import Group
from survey_forms.scheme.load import load_scheme
from survey_forms.scheme.model import Scheme


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


def document_order(scheme: Scheme) -> Callable[[str], int]:
    """A component's place in the document by its path; what the document lacks comes last."""
    places = {path: place for place, path in enumerate(scheme.by_path)}
    return lambda path: places.get(path, len(places))


def groups_in_order(connection: Connection, survey_id: int, scheme: Scheme) -> list[Group]:
    """A survey's groups as the document lists the components that they feed."""
    place = document_order(scheme)
    return sorted(surveys.groups_of(connection, survey_id), key=lambda group: place(group.component))


def progress_of(connection: Connection, evaluation: Evaluation) -> list[GroupProgress]:
    """Every respondent group of the evaluation's latest survey, as the document lists them."""
    found = read_progress(connection, evaluation.id)
    latest = max((one.survey_id for one in found), default=0)
    by_code = {one.group: one for one in found if one.survey_id == latest}
    scheme = load_scheme(evaluation.scheme)
    return [by_code[group.code] for group in groups_in_order(connection, latest, scheme)]


def sealed_in(connection: Connection, evaluation_id: int) -> list[int]:
    """The surveys of an evaluation whose answers are sealed and not counted yet."""
    return closings.ballots_to_count(connection, surveys.surveys_of(connection, evaluation_id))


def waiting_in(connection: Connection, evaluation_id: int) -> Waiting:
    """What waits for a second person in this evaluation."""
    return Waiting(
        findings=findings.waiting_in(connection, evaluation_id),
        batches=sum(batch.status == "filed" for batch in indicators.batches_of(connection, evaluation_id)),
        reversals=sum(one.status == "asked" for one in ledger.requests_in(connection, evaluation_id)),
    )


def response_chart(groups: Sequence[GroupProgress]) -> str:
    """The response rates as a picture."""
    spent, issued = sum(one.spent for one in groups), sum(one.issued for one in groups)
    rate = percent(spent / issued if issued else None)
    return share_chart(
        [
            Share(t(one.group_zh, one.group_en), one.spent, one.issued, f"{whole(one.spent)} / {whole(one.issued)}")
            for one in groups
        ],
        t("各群体应答率", "Response rate by group"),
        t(
            f"发码或抽中 {issued} 份，收到 {spent} 份，应答率 {rate}。",
            f"{spent} answers of {issued} codes or people drawn, a response rate of {rate}.",
        ),
    )
